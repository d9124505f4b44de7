//! What users of actix-session expect.

use std::time::Duration;

use crate::app::{OUTAGE, Running, TTL, in_memory};

#[actix_web::test]
async fn values_come_back_to_their_browser_alone() {
    let app = Running::start(in_memory().0);
    let (ann, bob) = (app.browser(), app.browser());
    ann.get("/add/tea").await.is("tea=1");
    bob.get("/add/milk").await.is("milk=1");
    ann.get("/add/cake").await.is("cake=1 tea=1");
    ann.get("/read").await.is("cake=1 tea=1");
    bob.get("/read").await.is("milk=1");
    assert_eq!(app.store.count().await.unwrap(), 2);
    app.stop().await;
}

#[actix_web::test]
async fn visitors_without_values_leave_nothing_in_the_store() {
    let app = Running::start(in_memory().0);
    let answer = app.browser().get("/read").await;
    answer.is("");
    assert_eq!(answer.cookie, None);
    assert_eq!(app.store.count().await.unwrap(), 0);
    app.stop().await;
}

#[actix_web::test]
async fn a_login_changes_the_id_and_ends_the_old_one() {
    let app = Running::start(in_memory().0);
    let browser = app.browser();
    let before = browser.get("/add/tea").await.cookie.unwrap();
    let after = browser.get("/login").await.cookie.unwrap();
    assert_ne!(before, after);
    browser.get("/read").await.is("tea=1 user=\"ann\"");
    app.with_cookie("/read", &before).await.is("");
    assert_eq!(app.store.count().await.unwrap(), 1);
    app.stop().await;
}

#[actix_web::test]
async fn removed_values_stay_removed() {
    let app = Running::start(in_memory().0);
    let browser = app.browser();
    browser.get("/add/tea").await.is("tea=1");
    browser.get("/clear").await.is("cleared");
    browser.get("/read").await.is("");
    browser.get("/add/milk").await.is("milk=1");
    browser.get("/read").await.is("milk=1");
    app.stop().await;
}

#[actix_web::test]
async fn each_use_gives_the_session_its_time_anew() {
    let (store, _, clock) = in_memory();
    let app = Running::start(store);
    let browser = app.browser();
    let hour = Duration::try_from(TTL).unwrap();
    browser.get("/add/tea").await.is("tea=1");
    for _ in 0..3 {
        clock.advance(hour * 2 / 3);
        browser.get("/read").await.is("tea=1");
    }
    clock.advance(hour + Duration::from_millis(1));
    browser.get("/read").await.is("");
    app.stop().await;
}

#[actix_web::test]
async fn an_outage_is_an_error_and_never_a_new_session() {
    let (store, faults, _) = in_memory();
    let app = Running::start(store);
    let browser = app.browser();
    browser.get("/add/tea").await.is("tea=1");
    faults.fail_all(OUTAGE);
    browser.get("/read").await.failed();
    browser.get("/add/milk").await.failed();
    browser.get("/login").await.failed();
    browser.get("/logout").await.failed();
    faults.heal();
    browser.get("/read").await.is("tea=1");
    assert_eq!(app.store.count().await.unwrap(), 1);
    app.stop().await;
}
