//! Requests with any `Cookie` header.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::routing::get;
use rrss::{Expiry, JsonCodec, KeyMapper, Memory, Store};
use rrss_axum::{CookieKeys, Key, Result, Session, SessionLayer};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

pub(crate) const WORDS: &[&str] = &[
    "__Host-session=",
    "session=",
    "a=b",
    "; ",
    ";",
    "=",
    "\"",
    "%3D",
    "%00",
    ",",
    " ",
    "\t",
    "0f8fad5b-d9cb-469f-a165-70867728950e",
    "0F8FAD5B-D9CB-469F-A165-70867728950E",
    "0f8fad5bd9cb469fa16570867728950e",
    "sessions:",
    "../",
    "*",
    "\n",
    "Aa0+/9_-",
    "==",
    "é",
    "__Host-session=; ",
    "$Version=1",
    "__host-session=",
];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime of one thread starts")
});

static APPLICATIONS: LazyLock<[Router; 3]> = LazyLock::new(|| {
    let store = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
        .build()
        .expect("the steps go together");
    let layer = || SessionLayer::new(store.clone());
    let keys = || CookieKeys::new(Key::from(&[7; 64]));
    [layer(), layer().signed(keys()), layer().encrypted(keys())]
        .map(|layer| Router::new().route("/", get(user)).layer(layer))
});

async fn user(session: Session) -> Result<String> {
    let user = session.get::<u64>("user_id").await?;
    Ok(user.map_or_else(|| "nobody".to_owned(), |user| user.to_string()))
}

pub(crate) fn run(input: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(input) else {
        return;
    };
    RUNTIME.block_on(async {
        for application in &*APPLICATIONS {
            let request = Request::get("https://localhost/").header(header::COOKIE, value.clone());
            let request = request.body(Body::empty()).expect("it is a request");
            let response = application.clone().oneshot(request).await;
            let Ok(response) = response;
            assert_eq!(response.status(), StatusCode::OK);
            let body = axum::body::to_bytes(response.into_body(), 100).await;
            assert_eq!(body.expect("the answer is short"), "nobody");
        }
    });
}
