//! What happens on the connection: bodies that stream, upgrades, clients that go away.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use rrss_axum::{Result, Session};
use rrss_testkit::{Call, Gate, Side};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use crate::site::{Browser, Site, layer, memory, pages, store_over};

/// Sends a request with the cookies of `browser`, and reads nothing yet.
async fn send(browser: &Browser, path: &str, headers: &str) -> TcpStream {
    let url = &browser.site.url;
    let address = (url.host_str().unwrap(), url.port().unwrap());
    let mut connection = TcpStream::connect(address).await.unwrap();
    let cookie = browser.cookie().unwrap_or_default();
    let request = format!("GET {path} HTTP/1.1\r\nHost: site\r\nCookie: {cookie}\r\n{headers}\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    connection
}

/// Says, when it is dropped, that what holds it is gone.
struct Gone(mpsc::UnboundedSender<()>);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// Says when a request was answered or given up.
async fn watched(
    State(gone): State<mpsc::UnboundedSender<()>>,
    request: Request,
    next: Next,
) -> Response {
    let _gone = Gone(gone);
    next.run(request).await
}

#[tokio::test]
async fn the_cookie_is_out_before_a_streaming_body_and_what_the_body_changes_is_refused() {
    let store = memory();
    let (go_on, wait) = oneshot::channel::<()>();
    let wait = Arc::new(Mutex::new(Some(wait)));
    let app = pages().route(
        "/stream",
        get(async move |session: Session| -> Result<Body> {
            session.insert("visits", &1).await?;
            let wait = wait.lock().unwrap().take().unwrap();
            Ok(Body::from_stream(futures_util::stream::once(async move {
                wait.await.unwrap();
                let late = session.insert("late", &true).await.unwrap_err();
                Ok::<_, std::io::Error>(format!("{:?}", late.kind()))
            })))
        }),
    );
    let site = Site::start(app.layer(layer(&store))).await;
    let ann = site.browser();
    let url = site.url.join("/stream").unwrap();
    let answer = ann.client.get(url).send().await.unwrap();
    assert!(answer.headers().contains_key("set-cookie"));
    assert_eq!(ann.get("/read").await.text, "1 nobody", "it is saved");
    go_on.send(()).unwrap();
    assert_eq!(answer.text().await.unwrap(), "Unsupported");
    let stored = store.load(&ann.id()).await.unwrap().unwrap();
    assert!(!stored.contains_key("late"));
}

#[tokio::test]
async fn a_session_is_saved_before_its_connection_becomes_a_websocket() {
    let app = pages().route(
        "/socket",
        get(
            async |session: Session, upgrade: WebSocketUpgrade| -> Result<Response> {
                session.insert("visits", &5).await?;
                Ok(upgrade.on_upgrade(async move |mut socket| {
                    let late = session.insert("late", &true).await.unwrap_err();
                    let text = format!("{:?}", late.kind());
                    socket.send(Message::Text(text.into())).await.unwrap();
                }))
            },
        ),
    );
    let site = Site::start(app.layer(layer(&memory()))).await;
    let ann = site.browser();
    let headers = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut connection = send(&ann, "/socket", headers).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let set = head.split("set-cookie: ").nth(1).unwrap();
    ann.put(set.split(';').next().unwrap());
    assert_eq!(ann.get("/read").await.text, "5 nobody");
    // A text frame of a server: 0x81, its length, its text (RFC 6455, section 5.2).
    assert_eq!(connection.read_u8().await.unwrap(), 0x81);
    let mut text = vec![0; connection.read_u8().await.unwrap().into()];
    connection.read_exact(&mut text).await.unwrap();
    assert_eq!(text, b"Unsupported");
}

#[tokio::test]
async fn of_a_client_that_goes_away_while_the_handler_runs_nothing_is_saved() {
    let store = memory();
    let (reached, mut in_handler) = mpsc::unbounded_channel();
    let (gone, mut handler_gone) = mpsc::unbounded_channel();
    let app = pages().route(
        "/hang",
        get(async move |session: Session| {
            let _gone = Gone(gone.clone());
            session.insert("visits", &99).await.unwrap();
            session.rotate().await.unwrap();
            reached.send(()).unwrap();
            std::future::pending::<()>().await;
        }),
    );
    let site = Site::start(app.layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let connection = send(&ann, "/hang", "").await;
    in_handler.recv().await.unwrap();
    drop(connection);
    handler_gone.recv().await.unwrap();
    assert_eq!(ann.get("/read").await.text, "1 nobody");
    assert_eq!(store.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_session_whose_client_goes_away_while_it_is_saved_is_saved_all_the_same() {
    let gate = Gate::new();
    let (store, _) = store_over(gate.before(rrss::Memory::default()));
    let (gone, mut request_gone) = mpsc::unbounded_channel();
    let app = pages().layer(layer(&store));
    let site = Site::start(app.layer(from_fn_with_state(gone, watched))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    request_gone.recv().await.unwrap();
    let before = gate.hold(Call::Update, Side::Before);
    let after = gate.hold(Call::Update, Side::After);
    let connection = send(&ann, "/visit", "").await;
    let before = before.arrived().await;
    drop(connection);
    request_gone.recv().await.unwrap();
    before.release();
    after.arrived().await.release();
    assert_eq!(ann.get("/read").await.text, "2 nobody");
}

#[tokio::test]
async fn of_a_client_that_goes_away_while_its_session_rotates_the_old_id_works_or_the_new_one() {
    let gate = Gate::new();
    let (store, _) = store_over(gate.before(rrss::Memory::default()));
    let (gone, mut request_gone) = mpsc::unbounded_channel();
    let app = pages().layer(layer(&store));
    let site = Site::start(app.layer(from_fn_with_state(gone, watched))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    request_gone.recv().await.unwrap();
    let old = ann.id();
    let held = gate.hold(Call::Rotate, Side::Before);
    let done = gate.hold(Call::Rotate, Side::After);
    let connection = send(&ann, "/login", "").await;
    let held = held.arrived().await;
    drop(connection);
    request_gone.recv().await.unwrap();

    // As long as the old one is there, it is whole, and nobody is signed in under it.
    let stored = store.inspect(&old).await.unwrap().unwrap();
    assert_eq!(stored.get::<u64>("visits").unwrap(), Some(1));
    assert!(!stored.contains_key("user"));

    held.release();
    let done = done.arrived().await;
    assert!(store.inspect(&old).await.unwrap().is_none());
    let ids = store.list(None, 10).await.unwrap().ids;
    assert_eq!(ids.len(), 1);
    let stored = store.inspect(&ids[0]).await.unwrap().unwrap();
    assert_eq!(stored.get::<u64>("visits").unwrap(), Some(1));
    let user: Option<String> = stored.get("user").unwrap();
    assert_eq!(user.as_deref(), Some("ann"));
    done.release();
    // Who has not heard of the new id is a stranger.
    let page = ann.get("/read").await;
    assert_eq!((page.text.as_str(), page.cookie()), ("0 nobody", None));
}

/// The client goes away, the save goes on in a task, and the process is asked to stop.
#[tokio::test]
async fn a_shutdown_waits_for_the_save_of_a_client_that_went_away() {
    let gate = Gate::new();
    let (store, _) = store_over(gate.before(rrss::Memory::default()));
    let (gone, mut request_gone) = mpsc::unbounded_channel();
    let app = pages().layer(layer(&store));
    let site = Site::start(app.layer(from_fn_with_state(gone, watched))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    request_gone.recv().await.unwrap();
    let held = gate.hold(Call::Update, Side::Before);
    let connection = send(&ann, "/visit", "").await;
    let held = held.arrived().await;
    drop(connection);
    request_gone.recv().await.unwrap();

    let stopping = tokio::spawn({
        let store = store.clone();
        async move { store.shutdown(std::time::Duration::from_secs(60)).await }
    });
    // It would be done by now if it did not wait.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    held.release();
    stopping.await.unwrap().unwrap();
    assert_eq!(ann.get("/read").await.text, "2 nobody");
}
