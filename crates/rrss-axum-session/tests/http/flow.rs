//! What is kept, what is renewed and ended, and what an outage does.

use axum_session::{DatabasePool as _, SessionConfig};
use reqwest::StatusCode;
use rrss::ErrorKind;
use rrss_axum_session::RrssPool;
use rrss_testkit::{Call, Counts, Faults};

use crate::*;

#[tokio::test]
async fn a_value_is_kept_and_is_a_field_of_the_stored_session() {
    let store = store(&Faults::new());
    let mut browser = open(&store, without_memory()).await;
    browser.get("/set/cart/tea").await;
    assert_eq!(browser.get("/get/cart").await.1, "tea");
    let stored = store.load(&browser.id()).await.unwrap().unwrap();
    assert_eq!(
        stored.get::<String>("cart").unwrap().as_deref(),
        Some("tea")
    );
    assert!(stored.own_deadline().is_some());
}

#[tokio::test]
async fn renew_gives_another_id_and_the_old_one_is_dead() {
    let store = store(&Faults::new());
    let mut browser = open(&store, without_memory()).await;
    browser.get("/set/cart/tea").await;
    let old = browser.id();
    browser.get("/login/ann").await;
    assert_ne!(browser.id(), old);
    assert!(store.load(&old).await.unwrap().is_none());
    assert_eq!(browser.get("/get/cart").await.1, "tea");
}

#[tokio::test]
async fn logging_out_ends_the_session() {
    let store = store(&Faults::new());
    let mut browser = open(&store, without_memory()).await;
    browser.get("/login/ann").await;
    let old = browser.id();
    browser.get("/logout").await;
    assert_eq!(browser.cookie, None);
    assert!(store.load(&old).await.unwrap().is_none());
}

#[tokio::test]
async fn an_outage_answers_503_and_the_session_is_there_afterwards() {
    for config in [without_memory(), SessionConfig::default()] {
        let faults = Faults::new();
        let store = store(&faults);
        let mut before = open(&store, config.clone()).await;
        before.get("/set/cart/tea").await;
        // Another process: its memory has no such session.
        let mut browser = open(&store, config).await;
        browser.cookie.clone_from(&before.cookie);
        faults.fail_all(ErrorKind::Unavailable);
        for path in ["/get/cart", "/set/cart/milk", "/login/ann", "/logout"] {
            assert_eq!(browser.get(path).await.0, StatusCode::SERVICE_UNAVAILABLE);
        }
        assert_eq!(browser.cookie, before.cookie);
        faults.heal();
        assert_eq!(
            browser.get("/get/cart").await,
            (StatusCode::OK, "tea".to_owned())
        );
    }
}

#[tokio::test]
async fn one_failed_load_overwrites_nothing_though_the_backend_is_back_at_once() {
    let faults = Faults::new();
    let store = store(&faults);
    let mut before = open(&store, without_memory()).await;
    before.get("/set/cart/tea").await;
    let mut browser = open(&store, without_memory()).await;
    browser.cookie.clone_from(&before.cookie);
    faults.fail(
        Call::Load,
        1,
        rrss_testkit::Side::Before,
        ErrorKind::Timeout,
    );
    assert_eq!(
        browser.get("/set/cart/milk").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(browser.get("/get/cart").await.1, "tea");
}

#[tokio::test]
async fn no_session_is_stored_under_an_id_that_the_browser_made_up() {
    let store = store(&Faults::new());
    let mut browser = open(&store, without_memory()).await;
    for made_up in [
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
        "no-id",
        &"A".repeat(4000),
    ] {
        browser.cookie = Some(made_up.to_owned());
        assert_eq!(browser.get("/set/cart/tea").await.0, StatusCode::OK);
        assert_ne!(browser.cookie.as_deref(), Some(made_up));
        assert_eq!(browser.get("/get/cart").await.1, "tea");
    }
    assert_eq!(store.count().await.unwrap(), 3);
}

#[tokio::test]
async fn a_session_that_was_ended_elsewhere_does_not_come_back() {
    let store = store(&Faults::new());
    let mut browser = open(&store, SessionConfig::default()).await;
    browser.get("/login/ann").await;
    let ended = browser.id();
    store.delete(&ended).await.unwrap();
    browser.get("/set/late/yes").await;
    assert!(store.load(&ended).await.unwrap().is_none());
    assert_eq!(
        browser.get("/get/user_id").await,
        (StatusCode::OK, String::new())
    );
    assert_ne!(browser.id(), ended);
    assert!(store.load(&ended).await.unwrap().is_none());
}

#[tokio::test]
async fn all_of_many_sessions_are_named_counted_and_deleted() {
    let counts = Counts::new();
    let store = store_over(counts.before(rrss::Memory::default()))
        .build()
        .unwrap();
    let pool = RrssPool::new(store.clone());
    for _ in 0..1100 {
        let mut session = rrss::Session::new();
        session.insert("n", &1).unwrap();
        store.save(&mut session).await.unwrap();
    }
    assert_eq!(pool.get_ids("any").await.unwrap().len(), 1100);
    assert_eq!(pool.count("any").await.unwrap(), 1100);
    counts.reset();
    pool.delete_all("any").await.unwrap();
    assert_eq!((counts.of(Call::List), counts.of(Call::Delete)), (3, 1100));
    assert_eq!(store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_deleted_page_by_page_stays_deleted_where_a_later_page_fails() {
    let faults = Faults::new();
    let store = store(&faults);
    let pool = RrssPool::new(store.clone());
    for _ in 0..600 {
        let mut session = rrss::Session::new();
        session.insert("n", &1).unwrap();
        store.save(&mut session).await.unwrap();
    }
    faults.fail(
        Call::List,
        2,
        rrss_testkit::Side::Before,
        ErrorKind::Unavailable,
    );
    pool.delete_all("any").await.unwrap_err();
    assert_eq!(store.count().await.unwrap(), 100);
    pool.delete_all("any").await.unwrap();
    assert_eq!(store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn without_the_guard_a_session_that_was_not_loaded_is_refused() {
    let faults = Faults::new();
    let pool = RrssPool::new(store(&faults));
    let id = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
    let text = r#"{"data":{"a":"1"},"longterm":false}"#;
    assert_eq!(pool.load(id, "").await.unwrap(), None);
    pool.store(id, text, 4_000_000_000, "").await.unwrap_err();
    assert!(!pool.exists(id, "").await.unwrap());
    pool.store(id, text, 4_000_000_000, "").await.unwrap();
    faults.fail_all(ErrorKind::Unavailable);
    pool.load(id, "").await.unwrap_err();
    pool.exists(id, "").await.unwrap_err();
    faults.heal();
    pool.store(id, text, 4_000_000_000, "").await.unwrap_err();
    assert_eq!(pool.load(id, "").await.unwrap().as_deref(), Some(text));
}
