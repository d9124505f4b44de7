//! The cookie as it is by default, over https, in a real browser.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::AppendHeaders;
use axum::routing::get;
use axum::serve::Listener;
use rrss::Store;
use rrss_axum::{Result, Session, SessionLayer};
use rrss_test_servers::{Browser, Chromedriver};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const NAME: &str = "__Host-session";

/// Connections that have shaken hands. Each does so by itself: a browser opens some that it then leaves alone.
struct Tls {
    address: SocketAddr,
    ready: mpsc::UnboundedReceiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl Tls {
    async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config()));
        let (shaken, ready) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((connection, from)) = listener.accept().await {
                let (acceptor, shaken) = (acceptor.clone(), shaken.clone());
                tokio::spawn(async move {
                    if let Ok(connection) = acceptor.accept(connection).await {
                        let _ = shaken.send((connection, from));
                    }
                });
            }
        });
        Self { address, ready }
    }
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// With a certificate that nobody but itself has signed.
fn config() -> rustls::ServerConfig {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::Pkcs8(key))
        .unwrap()
}

fn app(store: &Store) -> Router {
    let visit = async |session: Session| -> Result<String> {
        let visits = session.get::<u64>("visits").await?.unwrap_or_default() + 1;
        session.insert("visits", &visits).await?;
        Ok(visits.to_string())
    };
    // Cookies with the prefix that are not of this host and this connection alone.
    let planted = AppendHeaders([
        (header::SET_COOKIE, "__Host-planted=1; Path=/"),
        (header::SET_COOKIE, "__Host-planted=2; Path=/low; Secure"),
        (header::SET_COOKIE, "__Host-session=3; Path=/"),
        (header::SET_COOKIE, "allowed=4; Path=/; HttpOnly"),
    ]);
    Router::new()
        .route("/visit", get(visit))
        .route(
            "/login",
            get(async |session: Session| session.rotate().await),
        )
        .route("/logout", get(async |session: Session| session.end().await))
        .layer(SessionLayer::new(store.clone()))
        .route("/planted", get(async move || (planted, "planted")))
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_a_browser_keeps_the_cookie_of_this_host_and_no_script_reads_it() {
    let store = Store::builder()
        .step::<rrss::KeyMapper>(Default::default())
        .step::<rrss::Expiry>(Default::default())
        .step::<rrss::JsonCodec>(Default::default())
        .step::<rrss::Memory>(Default::default())
        .build()
        .unwrap();
    let listener = Tls::listen().await;
    let site = format!("https://{}", listener.address);
    let app = app(&store);
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    let driver = Chromedriver::start();
    let browser = Browser::start(&driver).await;

    for expected in ["1", "2"] {
        browser.open(&format!("{site}/visit")).await;
        assert_eq!(browser.text("body").await, expected);
    }
    let first = browser.cookie(NAME).await.unwrap();
    assert!(store.load(&first.as_str().into()).await.unwrap().is_some());

    // Chromium holds the name to its prefix: what is not secure, or of one path, is neither kept nor put in its place.
    browser.open(&format!("{site}/planted")).await;
    assert_eq!(browser.text("body").await, "planted");
    assert_eq!(browser.cookie("allowed").await.as_deref(), Some("4"));
    assert_eq!(browser.cookie("__Host-planted").await, None);
    assert_eq!(browser.cookie(NAME).await.as_ref(), Some(&first));

    browser.open(&format!("{site}/login")).await;
    let second = browser.cookie(NAME).await.unwrap();
    assert_ne!(second, first);
    assert!(store.load(&first.into()).await.unwrap_err().is_gone());
    browser.open(&format!("{site}/visit")).await;
    assert_eq!(browser.text("body").await, "3");

    browser.open(&format!("{site}/logout")).await;
    assert_eq!(browser.cookie(NAME).await, None);
    assert_eq!(store.count().await.unwrap(), 0);
    browser.close().await;
}
