//! Sessions that tower-sessions-redis-store left in Redis: a browser that has the cookie of one stays logged in.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "versions/browser.rs"]
mod browser;

use axum::{Router, routing::get};
use rrss::Store;
use rrss_test_servers::{Flavor, RedisServer};
use rrss_tower_sessions::RrssStore;
use tower_sessions::{Session, SessionManagerLayer};

use crate::browser::{Browser, serve};

/// The key, which is the cookie's value, and the record that tower-sessions-redis-store 0.16 stored under it.
const KEY: &str = include_str!("../../rrss-legacy-read/tests/fixtures/tower-sessions.key");
const RECORD: &[u8] =
    include_bytes!("../../rrss-legacy-read/tests/fixtures/tower-sessions.msgpack");

fn store(redis: &RedisServer) -> Store {
    Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper', template = '{{id}}', id = 'tower-sessions' }},
            {{ type = 'expiry' }},
            {{ type = 'json-codec' }},
            {{ type = 'legacy-read', format = 'tower-sessions' }},
            {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }},
        ]",
        redis.url()
    ))
    .unwrap()
}

async fn user(session: Session) -> String {
    let user = session.get::<u32>("user_id").await.unwrap();
    user.map_or("nobody".to_owned(), |user| user.to_string())
}

async fn count(session: Session) -> String {
    let count = session.get::<u32>("count").await.unwrap().unwrap_or(0) + 1;
    session.insert("count", count).await.unwrap();
    count.to_string()
}

async fn cycle(session: Session) {
    session.cycle_id().await.unwrap();
}

fn app(store: Store) -> Router {
    Router::new()
        .route("/user", get(user))
        .route("/count", get(count))
        .route("/cycle", get(cycle))
        .layer(SessionManagerLayer::new(RrssStore::new(store)).with_secure(false))
}

#[tokio::test]
async fn a_browser_with_an_old_cookie_stays_logged_in_and_goes_on() {
    let redis = RedisServer::start(Flavor::Redis);
    redis.command(&[b"SET", KEY.as_bytes(), RECORD, b"EX", b"604800"]);
    let base = serve(app(store(&redis))).await;
    let mut browser = Browser::new(&base).with_cookie(KEY);
    assert_eq!(browser.text("/user").await, "42");
    assert_eq!(redis.bytes(&["GET", KEY]).unwrap(), RECORD, "only read");

    assert_eq!(browser.text("/count").await, "1");
    assert_eq!(browser.text("/count").await, "2");
    assert_eq!(browser.cookie.as_deref(), Some(KEY), "the cookie stays");
    assert_eq!(browser.text("/user").await, "42");

    browser.text("/cycle").await;
    assert_ne!(browser.cookie.as_deref(), Some(KEY));
    assert_eq!(browser.text("/user").await, "42");
    let mut old = browser.with_cookie(KEY);
    assert_eq!(old.text("/user").await, "nobody");
}
