//! The layer among other layers, routers and headers.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::response::Redirect;
use axum::routing::get;
use bytes::Bytes;
use http_body_util::Full;
use reqwest::Method;
use rrss_axum::{Result, Session};
use rrss_testkit::Counts;
use tower::Layer as _;
use tower_http::catch_panic::CatchPanicLayer;

use crate::site::{Page, Site, layer, memory, pages, store_over};

fn panicking() -> Router {
    pages().route(
        "/panic",
        get(async |session: Session| -> Result<()> {
            session.insert("visits", &99).await?;
            panic!("the handler of this test panics");
        }),
    )
}

#[tokio::test]
async fn of_a_handler_that_panics_nothing_is_saved() {
    let app = panicking().layer(layer(&memory()));
    let site = Site::start(app.layer(CatchPanicLayer::new())).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let page = ann.get("/panic").await;
    assert_eq!((page.status.as_u16(), page.cookie()), (500, None));
    assert_eq!(ann.get("/read").await.text, "1 nobody");
}

#[tokio::test]
async fn the_answer_that_a_layer_inside_makes_of_a_panic_counts() {
    let store = memory();
    let app = panicking().layer(CatchPanicLayer::new());
    let site = Site::start(app.clone().layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    assert_eq!(ann.get("/panic").await.status, 500);
    assert_eq!(ann.get("/read").await.text, "99 nobody");

    let careful = layer(&store).save_if(|status| !status.is_server_error());
    let site = Site::start(app.layer(careful)).await;
    let bob = site.browser();
    bob.get("/visit").await;
    let page = bob.get("/panic").await;
    assert_eq!((page.status.as_u16(), page.cookie()), (500, None));
    assert_eq!(bob.get("/read").await.text, "1 nobody");
}

#[tokio::test]
async fn head_and_options_are_requests_as_others() {
    let site = Site::start(pages().layer(layer(&memory()))).await;
    let ann = site.browser();
    let ask = async |method: Method| {
        let url = site.url.join("/visit").unwrap();
        Page::of(ann.client.request(method, url).send().await.unwrap()).await
    };
    let page = ask(Method::OPTIONS).await;
    assert_eq!((page.status.as_u16(), page.cookie()), (405, None));
    let page = ask(Method::HEAD).await;
    assert!(page.status.is_success() && page.cookie().is_some() && page.text.is_empty());
    assert_eq!(ann.get("/read").await.text, "1 nobody");
}

#[tokio::test]
async fn a_redirect_takes_the_cookie_along() {
    let app = pages().route(
        "/post",
        get(async |session: Session| -> Result<Redirect> {
            session.insert("visits", &7).await?;
            Ok(Redirect::to("/read"))
        }),
    );
    let site = Site::start(app.layer(layer(&memory()))).await;
    let ann = site.browser();
    let page = ann.get("/post").await;
    assert!(page.status.is_redirection() && page.cookie().is_some());
    let to = page.all("location")[0].to_owned();
    assert_eq!(ann.get(&to).await.text, "7 nobody");
}

#[tokio::test]
async fn nested_routers_share_the_session() {
    let app = Router::new()
        .nest("/shop", pages())
        .nest("/help", Router::new().nest("/deep", pages()));
    let site = Site::start(app.layer(layer(&memory()))).await;
    let ann = site.browser();
    ann.get("/shop/visit").await;
    ann.get("/help/deep/visit").await;
    assert_eq!(ann.get("/shop/read").await.text, "2 nobody");
}

#[tokio::test]
async fn a_layer_that_is_put_on_twice_is_one() {
    let counts = Counts::new();
    let (store, _) = store_over(counts.before(rrss::Memory::default()));
    let app = pages().layer(layer(&store)).layer(layer(&store));
    let site = Site::start(app).await;
    let ann = site.browser();
    assert!(ann.get("/visit").await.cookie().is_some(), "and one cookie");
    counts.reset();
    assert_eq!(ann.get("/visit").await.text, "2");
    assert_eq!(counts.total(), 2, "one load and one save");
    assert_eq!(store.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_tower_service_without_a_router_has_its_session() {
    let service = tower::service_fn(async |request: http::Request<Body>| {
        let session = request.extensions().get::<Session>().cloned().unwrap();
        let visits = session.get::<u64>("visits").await.unwrap();
        let visits = visits.unwrap_or_default() + 1;
        session.insert("visits", &visits).await.unwrap();
        let body = Full::new(Bytes::from(visits.to_string()));
        Ok::<_, Infallible>(http::Response::new(body))
    });
    let service = layer(&memory()).layer(service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, tower::make::Shared::new(service)).await });
    let site = Site {
        url: url.parse().unwrap(),
    };
    let ann = site.browser();
    assert_eq!(ann.get("/").await.text, "1");
    assert_eq!(ann.get("/").await.text, "2");
}

#[tokio::test]
async fn vary_is_said_once_and_the_handlers_cache_control_stays() {
    let with = |name: &'static str, value: &'static str| {
        get(async move |session: Session| -> Result<_> {
            session.insert("seen", value).await?;
            Ok([(name, value)])
        })
    };
    let app = Router::new()
        .route("/star", with("vary", "*"))
        .route("/cookie", with("vary", "Accept, cookie"))
        .route("/accept", with("vary", "Accept"))
        .route("/private", with("cache-control", "private, max-age=5"));
    let site = Site::start(app.layer(layer(&memory()))).await;
    let ann = site.browser();
    let page = ann.get("/star").await;
    assert_eq!(page.all("vary"), ["*"]);
    assert_eq!(page.all("cache-control"), ["no-cache=\"Set-Cookie\""]);
    assert_eq!(ann.get("/cookie").await.all("vary"), ["Accept, cookie"]);
    assert_eq!(ann.get("/accept").await.all("vary"), ["Accept", "Cookie"]);
    let page = ann.get("/private").await;
    assert_eq!(page.all("cache-control"), ["private, max-age=5"]);
    assert_eq!(page.all("vary"), ["Cookie"]);
}
