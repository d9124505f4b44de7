//! On a real Redis: the index, deadlines, restarts, and bytes that something else wrote.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use rrss_test_servers::{Flavor, RedisServer};

use crate::*;

pub(crate) fn store_at(server: &RedisServer) -> Store {
    Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper' }},
            {{ type = 'index', fields = ['user_id'] }},
            {{ type = 'json-codec' }},
            {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }},
        ]",
        server.url()
    ))
    .unwrap()
}

#[tokio::test]
async fn the_sessions_of_a_user_are_found_and_ended_by_the_index() {
    let server = RedisServer::start(Flavor::Redis);
    let store = store_at(&server);
    let mut browser = open(&store, without_memory()).await;
    browser.get("/login/ann").await;
    let found = store.find("user_id", "ann", None, 10).await.unwrap();
    assert_eq!(found.sessions.len(), 1);
    assert_eq!(store.revoke("user_id", "ann").await.unwrap(), 1);
    assert_eq!(
        browser.get("/get/user_id").await,
        (StatusCode::OK, String::new())
    );
    let found = store.find("user_id", "ann", None, 10).await.unwrap();
    assert_eq!(found.sessions.len(), 0);
}

#[tokio::test]
async fn the_cookie_and_the_session_outlive_a_restart_of_the_application() {
    let server = RedisServer::start(Flavor::Redis);
    let mut before = open(&store_at(&server), without_memory()).await;
    before.get("/login/ann").await;
    let mut after = open(&store_at(&server), without_memory()).await;
    after.cookie = before.cookie;
    assert_eq!(after.get("/get/user_id").await.1, "ann");
}

#[tokio::test]
async fn a_session_ends_in_redis_when_its_lifetime_does() {
    let server = RedisServer::start(Flavor::Redis);
    let store = store_at(&server);
    let lifetime = Duration::from_secs(1000);
    let config = without_memory().with_lifetime(lifetime.try_into().unwrap());
    let mut browser = open(&store, config).await;
    let before = SystemTime::now();
    browser.get("/set/cart/tea").await;
    let after = SystemTime::now();
    let key = format!("sessions:{}", browser.id().as_str());
    let ends: u64 = server.command(&["PEXPIRETIME", &key]).parse().unwrap();
    let ends = UNIX_EPOCH + Duration::from_millis(ends);
    // The framework counts in seconds.
    let second = Duration::from_secs(1);
    assert!(before + lifetime - second <= ends && ends <= after + lifetime);
    server.command(&["PEXPIRE", &key, "0"]);
    assert_eq!(
        browser.get("/get/cart").await,
        (StatusCode::OK, String::new())
    );
    assert_ne!(format!("sessions:{}", browser.id().as_str()), key);
}

#[tokio::test]
async fn what_is_stored_unreadable_is_a_fresh_start_under_another_id_and_stays() {
    let server = RedisServer::start(Flavor::Redis);
    let mut browser = open(&store_at(&server), without_memory()).await;
    browser.get("/set/cart/tea").await;
    let (id, key) = (browser.id(), format!("sessions:{}", browser.id().as_str()));
    server.command(&["SET", &key, "no session"]);
    for _ in 0..2 {
        assert_eq!(
            browser.get("/get/cart").await,
            (StatusCode::OK, String::new())
        );
    }
    assert_ne!(browser.id(), id);
    browser.get("/set/cart/milk").await;
    assert_eq!(browser.get("/get/cart").await.1, "milk");
    assert_eq!(server.command(&["GET", &key]), "no session");
}
