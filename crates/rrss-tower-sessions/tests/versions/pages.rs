//! What a visitor sees: over HTTP, with tower-sessions' own layer.

use std::time::Duration;

use reqwest::StatusCode;
use rrss::{Clock as _, SessionId, Store, SystemClock, Timestamp};
use rrss_testkit::{Call, Side};

use super::RrssStore;
use super::app::{Layer, open, open_with};
use super::tower::Expiry;
use super::tower::cookie::time;
use crate::stores;

const TWO_WEEKS: Duration = Duration::from_secs(14 * 24 * 3600);

/// The id and the deadline of the only session that there is.
async fn only(store: &Store) -> (SessionId, Timestamp) {
    let listing = store.list(None, 10).await.unwrap();
    let [id] = &listing.ids[..] else {
        panic!("{} sessions are stored, not one", listing.ids.len());
    };
    let session = store.inspect(id).await.unwrap().unwrap();
    (id.clone(), session.expires_at().unwrap())
}

/// Waits until the end of a session that is saved now, for an hour, would be past `end`.
async fn let_time_pass(end: Timestamp) {
    while SystemClock.now() + Duration::from_secs(3600) <= end {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_visitor_finds_what_they_left() {
    let store = stores::in_memory();
    let mut browser = open(RrssStore::new(store.clone())).await;
    assert_eq!(browser.text("/get/cart").await, "null");
    assert_eq!(browser.cookie, None);
    browser.text("/set/cart/tea").await;
    browser.text("/set/theme/dark").await;
    assert_eq!(browser.text("/get/cart").await, r#""tea""#);
    assert_eq!(browser.text("/get/theme").await, r#""dark""#);
    assert_eq!(store.count().await.unwrap(), 1);
}

#[tokio::test]
async fn the_fields_are_found_by_an_index() {
    let store = Store::from_toml(
        "step = [{ type = 'key-mapper' }, { type = 'index', fields = ['user_id'] },
                 { type = 'json-codec' }, { type = 'memory' }]",
    )
    .unwrap();
    let sessions = RrssStore::new(store.clone());
    let mut here = open(sessions.clone()).await;
    let mut there = open(sessions.clone()).await;
    here.text("/login/ann").await;
    there.text("/login/ann").await;
    let found = store.find("user_id", "ann", None, 10).await.unwrap();
    assert_eq!(found.sessions.len(), 2);

    let id = here.cookie.clone().unwrap().parse().unwrap();
    let kept = sessions.stored_id(&id).await.unwrap().unwrap();
    let ended = store.revoke_others("user_id", "ann", &kept).await.unwrap();
    assert_eq!(ended, 1);
    assert_eq!(here.text("/get/user_id").await, r#""ann""#);
    assert_eq!(there.text("/get/user_id").await, "null");
    assert_eq!(there.cookie, None);
}

#[tokio::test]
async fn cycle_id_gives_a_new_id_and_the_old_one_is_dead() {
    let store = stores::in_memory();
    let mut browser = open(RrssStore::new(store.clone())).await;
    browser.text("/set/cart/tea").await;
    let planted = browser.cookie.clone().unwrap();
    browser.text("/login/ann").await;
    assert_ne!(browser.cookie.as_ref(), Some(&planted));
    assert_eq!(browser.text("/get/cart").await, r#""tea""#);
    assert_eq!(browser.text("/get/user_id").await, r#""ann""#);

    let mut stranger = browser.with_cookie(&planted);
    assert_eq!(stranger.text("/get/user_id").await, "null");
    assert_eq!(stranger.cookie, None);
    let mut stranger = browser.with_cookie(&planted);
    stranger.text("/set/cart/mine").await;
    assert_ne!(stranger.cookie, Some(planted));
    assert_eq!(browser.text("/get/cart").await, r#""tea""#);
}

#[tokio::test]
async fn flush_ends_the_session_and_its_cookie() {
    let store = stores::in_memory();
    let mut browser = open(RrssStore::new(store.clone())).await;
    browser.text("/login/ann").await;
    let mut copy = browser.clone();
    browser.text("/logout").await;
    assert_eq!(browser.cookie, None);
    assert_eq!(store.count().await.unwrap(), 0);
    assert_eq!(copy.text("/get/user_id").await, "null");
    assert_eq!(copy.cookie, None);
}

#[tokio::test]
async fn on_session_end_the_cookie_has_no_age_and_the_session_two_weeks() {
    let store = stores::in_memory();
    let layer = Layer::new(RrssStore::new(store.clone())).with_expiry(Expiry::OnSessionEnd);
    let mut browser = open_with(layer).await;
    let before = store.now();
    let page = browser.get("/set/cart/tea").await;
    let after = store.now();
    assert!(!page.set_cookie.unwrap().contains("Max-Age"));
    let (_, end) = only(&store).await;
    assert!(before + TWO_WEEKS <= end);
    assert!(end <= after + TWO_WEEKS + Duration::from_millis(1));
}

#[tokio::test]
async fn on_inactivity_a_change_renews_and_the_session_ends_without_one() {
    let (store, clock) = stores::with_clock();
    let hour = Expiry::OnInactivity(time::Duration::hours(1));
    let layer = Layer::new(RrssStore::new(store.clone())).with_expiry(hour);
    let mut browser = open_with(layer).await;
    let page = browser.get("/set/cart/tea").await;
    assert!(page.set_cookie.unwrap().contains("Max-Age=3600"));
    let (id, first) = only(&store).await;

    let_time_pass(first).await;
    let page = browser.get("/set/cart/milk").await;
    assert!(page.set_cookie.unwrap().contains("Max-Age=3600"));
    let (same, renewed) = only(&store).await;
    assert_eq!(id, same);
    assert!(renewed > first);

    clock.set(Timestamp::from_millis(renewed.as_millis() - 1));
    assert_eq!(browser.text("/get/cart").await, r#""milk""#);
    clock.set(renewed);
    assert_eq!(browser.text("/get/cart").await, "null");
    assert_eq!(browser.cookie, None);
}

#[tokio::test]
async fn with_always_save_reading_renews_too() {
    let store = stores::in_memory();
    let hour = Expiry::OnInactivity(time::Duration::hours(1));
    let layer = Layer::new(RrssStore::new(store.clone())).with_expiry(hour);
    let mut browser = open_with(layer.with_always_save(true)).await;
    browser.text("/set/cart/tea").await;
    let (_, first) = only(&store).await;
    let_time_pass(first).await;
    assert_eq!(browser.text("/get/cart").await, r#""tea""#);
    assert!(only(&store).await.1 > first);
}

#[tokio::test]
async fn at_a_date_the_session_ends_whatever_happens_until_then() {
    let (store, clock) = stores::with_clock();
    let date = time::OffsetDateTime::now_utc() + time::Duration::days(40);
    let layer = Layer::new(RrssStore::new(store.clone())).with_expiry(Expiry::AtDateTime(date));
    let mut browser = open_with(layer).await;
    browser.text("/set/cart/tea").await;
    browser.text("/set/cart/milk").await;
    let (_, end) = only(&store).await;
    let exact = date
        .unix_timestamp_nanos()
        .unsigned_abs()
        .div_ceil(1_000_000);
    assert_eq!(u128::from(end.as_millis()), exact);

    clock.set(Timestamp::from_millis(end.as_millis() - 1));
    assert_eq!(browser.text("/get/cart").await, r#""milk""#);
    clock.set(end);
    assert_eq!(browser.text("/get/cart").await, "null");
    assert_eq!(browser.cookie, None);
}

#[tokio::test]
async fn one_session_can_have_an_expiry_of_its_own() {
    let store = stores::in_memory();
    let mut browser = open(RrssStore::new(store.clone())).await;
    browser.text("/set/cart/tea").await;
    let before = store.now();
    let page = browser.get("/until/600").await;
    // What is left of it, in whole seconds, when the cookie is made.
    let passed = store.now().since(before).as_secs() + 1;
    let set = page.set_cookie.unwrap();
    let age = set.split("Max-Age=").nth(1).unwrap();
    let age: u64 = age.split(';').next().unwrap().parse().unwrap();
    assert!(age <= 600 && 600 <= age + passed, "{set}");
    let (_, end) = only(&store).await;
    assert!(end <= store.now() + Duration::from_secs(601));

    browser.text("/until/-1").await;
    assert_eq!(store.count().await.unwrap(), 0);
    assert_eq!(browser.text("/get/cart").await, "null");
}

#[tokio::test]
async fn what_is_saved_at_once_has_its_id_and_can_be_saved_again() {
    let store = stores::in_memory();
    let mut browser = open(RrssStore::new(store.clone())).await;
    let id = browser.text("/save-at-once").await;
    assert_eq!(browser.cookie.as_ref(), Some(&id));
    assert_eq!(browser.text("/get/saved").await, "true");
    assert_eq!(store.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_change_to_a_session_that_ended_meanwhile_is_one_500_and_then_a_fresh_start() {
    let (store, gate) = stores::gated();
    let mut browser = open(RrssStore::new(store.clone())).await;
    browser.text("/login/ann").await;
    let ended = browser.cookie.clone().unwrap();

    let held = gate.hold(Call::Load, Side::After);
    let mut late = browser.clone();
    let request = tokio::spawn(async move {
        let page = late.get("/set/cart/late").await;
        (late, page)
    });
    let held = held.arrived().await;
    browser.text("/logout").await;
    held.release();
    let (mut late, page) = request.await.unwrap();
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((page.text.as_str(), page.set_cookie), ("", None));
    assert_eq!(store.count().await.unwrap(), 0);

    assert_eq!(late.text("/get/user_id").await, "null");
    assert_eq!(late.cookie, None);
    late.text("/set/cart/tea").await;
    assert_ne!(late.cookie, Some(ended));
}

#[tokio::test]
async fn a_handler_that_saves_by_hand_is_told_that_the_session_has_ended() {
    let (store, gate) = stores::gated();
    let mut browser = open(RrssStore::new(store.clone())).await;
    browser.text("/login/ann").await;
    let held = gate.hold(Call::Load, Side::After);
    let mut late = browser.clone();
    let request = tokio::spawn(async move { late.get("/save-by-hand/late").await });
    let held = held.arrived().await;
    browser.text("/logout").await;
    held.release();
    let page = request.await.unwrap();
    assert!(
        page.text.contains("does not exist any more"),
        "{}",
        page.text
    );
    assert_eq!(store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn an_outage_is_an_error_and_the_session_is_there_after_it() {
    let (store, faults) = stores::failing();
    let mut browser = open(RrssStore::new(store.clone())).await;
    browser.text("/login/ann").await;
    let cookie = browser.cookie.clone();

    faults.fail_all(rrss::ErrorKind::Unavailable);
    assert_eq!(browser.text("/untouched").await, "ok");
    for path in ["/get/user_id", "/set/cart/tea", "/login/bob"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert_eq!(page.set_cookie, None, "{path}");
    }
    faults.heal();
    assert_eq!(browser.cookie, cookie);
    assert_eq!(browser.text("/get/user_id").await, r#""ann""#);
    assert_eq!(store.count().await.unwrap(), 1);
}
