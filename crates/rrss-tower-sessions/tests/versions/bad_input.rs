//! Cookies that nobody was given, and stored bytes that nobody can read.

use reqwest::StatusCode;
use rrss::Store;
use rrss::key_mapper::IdFormat;
use rrss_test_servers::{Flavor, RedisServer};
use rrss_testkit::Log;

use super::RrssStore;
use super::app::open;
use super::records::record;
use super::tower::SessionStore as _;
use crate::stores;

#[tokio::test]
async fn a_malformed_cookie_is_no_session_and_asks_nobody() {
    let (store, counts) = stores::counted(IdFormat::Uuid);
    let mut browser = open(RrssStore::new(store)).await;
    browser.text("/set/cart/tea").await;
    let cookie = browser.cookie.clone().unwrap();
    counts.reset();
    let long = "A".repeat(8192);
    for malformed in [
        "",
        "no-id",
        &cookie[..21],
        &long,
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
    ] {
        let mut stranger = browser.with_cookie(malformed);
        assert_eq!(stranger.text("/get/cart").await, "null");
        assert_eq!(stranger.cookie, None, "{malformed}");
    }
    assert_eq!(counts.total(), 0);
}

#[tokio::test]
async fn no_session_is_ever_stored_under_an_id_that_the_browser_made_up() {
    let store = stores::in_memory();
    let mut browser = open(RrssStore::new(store.clone())).await;
    for made_up in ["AAAAAAAAAAAAAAAAAAAAAA", "jxTkX87qRn-j1BssPU5fYA"] {
        for path in ["/set/cart/tea", "/login/ann", "/save-at-once"] {
            browser.cookie = Some(made_up.to_owned());
            browser.text(path).await;
            assert!(browser.cookie.is_some());
            assert_ne!(browser.cookie.as_deref(), Some(made_up), "{path}");
        }
    }
    let ids = store.list(None, 100).await.unwrap().ids;
    assert_eq!(ids.len(), 6);
    assert!(!ids.contains(&"8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60".into()));
}

#[tokio::test]
async fn of_two_cookies_one_counts_and_neither_is_an_error() {
    let store = stores::in_memory();
    let mut browser = open(RrssStore::new(store.clone())).await;
    browser.text("/set/cart/tea").await;
    let cookie = browser.cookie.clone().unwrap();
    for header in [
        format!("id=AAAAAAAAAAAAAAAAAAAAAA; id={cookie}"),
        format!("id={cookie}; id=AAAAAAAAAAAAAAAAAAAAAA"),
        format!("id={cookie}; id={cookie}"),
    ] {
        let page = browser.get_with("/get/cart", Some(&header)).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            [r#""tea""#, "null"].contains(&page.text.as_str()),
            "{}",
            page.text
        );
    }
    assert_eq!(browser.text("/get/cart").await, r#""tea""#);
}

#[tokio::test]
async fn an_id_of_another_store_is_no_session() {
    let mut there = open(RrssStore::new(stores::in_memory())).await;
    there.text("/login/ann").await;
    let here = open(RrssStore::new(stores::in_memory())).await;
    let mut browser = here.with_cookie(there.cookie.as_ref().unwrap());
    assert_eq!(browser.text("/get/user_id").await, "null");
    assert_eq!(browser.cookie, None);
}

#[tokio::test]
async fn what_cannot_be_read_is_logged_once_without_its_id() {
    let server = RedisServer::start(Flavor::Redis);
    let store = on(&server);
    let mut written = record([("cart", "a secret".into())]);
    store.create(&mut written).await.unwrap();
    let key = server.scan("*").pop().unwrap();
    server.command(&["SET", &key, r#"{"cart":"a secret"#]);

    let log = Log::listen();
    assert_eq!(store.load(&written.id).await.unwrap(), None);
    let text = log.text();
    // The store says what it does with what is stored, and the adapter what becomes of the browser.
    for once in [
        "a stored session cannot be read: it stays as it is",
        "its browser gets a new one",
    ] {
        assert_eq!(text.matches(once).count(), 1, "{text}");
    }
    let uuid = key.split(':').next_back().unwrap();
    for hidden in [uuid, &written.id.to_string(), "secret"] {
        assert!(!text.contains(hidden), "{text}");
    }
}

fn on(server: &RedisServer) -> RrssStore {
    let text = format!(
        "step = [{{ type = 'key-mapper' }}, {{ type = 'json-codec' }}, {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}]",
        server.url()
    );
    RrssStore::new(Store::from_toml(&text).unwrap())
}

#[tokio::test]
async fn what_cannot_be_read_is_a_fresh_start_under_another_id_and_stays_as_it_is() {
    let server = RedisServer::start(Flavor::Redis);
    let mut browser = open(on(&server)).await;
    for again in ["/set/cart/milk", "/login/ann"] {
        browser.text("/set/cart/tea").await;
        let unreadable = browser.cookie.clone();
        let key = server.scan("*").pop().unwrap();
        server.command(&["SET", &key, "{ not json"]);

        let mut reader = browser.clone();
        assert_eq!(reader.text("/get/cart").await, "null");
        assert_eq!(reader.cookie, None);
        browser.text(again).await;
        assert_ne!(browser.cookie, unreadable);
        assert_eq!(server.command(&["GET", &key]), "{ not json");
        server.command(&["FLUSHALL"]);
        browser.cookie = None;
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_where_the_host_wants_one() {
    let server = RedisServer::start(Flavor::Redis);
    let mut browser = open(on(&server).error_where_unreadable()).await;
    browser.text("/set/cart/tea").await;
    let cookie = browser.cookie.clone().unwrap();
    let key = server.scan("*").pop().unwrap();
    server.command(&["SET", &key, "{ not json"]);

    let page = browser.get("/get/cart").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        page.text.starts_with("Decoding failed with: "),
        "{}",
        page.text
    );
    assert!(!page.text.contains(&cookie) && !page.text.contains(&key));
    assert_eq!(page.set_cookie, None);
    server.command(&["SET", &key, r#"{"cart":"mended"}"#]);
    assert_eq!(browser.text("/get/cart").await, r#""mended""#);
}
