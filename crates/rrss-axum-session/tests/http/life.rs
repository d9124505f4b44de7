//! Inactivity: how long a session lives that is not used, and one that is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rrss::{ManualClock, Timestamp};
use rrss_test_servers::{Flavor, RedisServer};

use crate::*;

const LIFE: Duration = Duration::from_secs(1000);

fn config() -> SessionConfig {
    without_memory().with_lifetime(LIFE.try_into().unwrap())
}

#[tokio::test]
async fn a_session_that_nobody_uses_is_gone_after_its_life_and_not_before() {
    // The framework makes deadlines by the clock of the machine: the store's begins there.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let clock = ManualClock::at(Timestamp::from_millis(0) + now);
    let store = store_over(rrss::Memory::default())
        .clock(clock.clone())
        .build()
        .unwrap();
    let mut browser = open(&store, config()).await;
    browser.get("/login/ann").await;
    let id = browser.id();
    clock.advance(LIFE - Duration::from_secs(5));
    assert_eq!(browser.get("/get/user_id").await.1, "ann");
    assert_eq!(browser.id(), id);
    // By an hour more, since the machine's clock has gone on too.
    clock.advance(Duration::from_secs(3_605));
    assert_eq!(browser.get("/get/user_id").await.1, "");
    assert_ne!(browser.id(), id);
    assert!(store.load(&id).await.unwrap().is_none());
}

/// As if all but a hundred seconds of its life had passed.
pub(crate) async fn grow_old(store: &Store, browser: &Browser) {
    let mut session = store.inspect(&browser.id()).await.unwrap().unwrap();
    session.set_expires_at(store.now() + Duration::from_secs(100));
    store.save(&mut session).await.unwrap();
}

/// How many seconds a session has left, by Redis.
fn left(server: &RedisServer, browser: &Browser) -> u64 {
    let key = format!("sessions:{}", browser.id().as_str());
    server.command(&["TTL", &key]).parse().unwrap()
}

#[tokio::test]
async fn every_use_gives_a_session_its_whole_life_again() {
    let server = RedisServer::start(Flavor::Redis);
    let store = redis::store_at(&server);
    let mut browser = open(&store, config()).await;
    browser.get("/login/ann").await;
    for path in ["/untouched", "/get/user_id", "/set/cart/tea"] {
        grow_old(&store, &browser).await;
        assert!(left(&server, &browser) <= 100);
        browser.get(path).await;
        let left = left(&server, &browser);
        assert!((900..=1000).contains(&left), "{path}: {left}");
    }
}

#[tokio::test]
async fn a_session_for_a_long_term_has_the_longer_life() {
    let server = RedisServer::start(Flavor::Redis);
    let store = redis::store_at(&server);
    let long = Duration::from_secs(100_000).try_into().unwrap();
    let mut browser = open(&store, config().with_max_lifetime(long)).await;
    browser.get("/stay").await;
    grow_old(&store, &browser).await;
    browser.get("/get/user_id").await;
    let left = left(&server, &browser);
    assert!((99_000..=100_000).contains(&left), "{left}");
}
