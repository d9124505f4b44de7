//! A session that has ended stays ended, whatever comes late.

use crate::app::{Browser, Running, in_memory};

/// Lets a request have its session, then lets `meanwhile` happen, and then lets it store what it changed.
async fn late(app: &Running, browser: &Browser, meanwhile: impl Future<Output = ()>) {
    let slow = browser.clone();
    let slow = actix_web::rt::spawn(async move { slow.get("/add-late/cake").await });
    app.turnstile.there.notified().await;
    meanwhile.await;
    app.turnstile.on.notify_one();
    slow.await.unwrap().failed();
}

#[actix_web::test]
async fn a_late_update_does_not_bring_back_a_session_that_was_purged() {
    let app = Running::start(in_memory().0);
    let browser = app.browser();
    let cookie = browser.get("/add/tea").await.cookie.unwrap();
    late(&app, &browser, async {
        browser.get("/logout").await.is("bye");
    })
    .await;
    assert_eq!(app.store.count().await.unwrap(), 0);
    app.with_cookie("/read", &cookie).await.is("");
    browser.get("/read").await.is("");
    browser.get("/add/milk").await.is("milk=1");
    app.stop().await;
}

#[actix_web::test]
async fn a_late_update_under_the_old_id_leaves_a_login_alone() {
    let app = Running::start(in_memory().0);
    let browser = app.browser();
    browser.get("/add/tea").await.is("tea=1");
    late(&app, &browser, async {
        browser.get("/login").await.is("tea=1 user=\"ann\"");
    })
    .await;
    // The late answer set no cookie, so the browser is signed in still.
    browser.get("/read").await.is("tea=1 user=\"ann\"");
    assert_eq!(app.store.count().await.unwrap(), 1);
    app.stop().await;
}

#[actix_web::test]
async fn a_second_logout_is_fine() {
    let app = Running::start(in_memory().0);
    let browser = app.browser();
    let cookie = browser.get("/add/tea").await.cookie.unwrap();
    browser.get("/logout").await.is("bye");
    app.with_cookie("/logout", &cookie).await.is("bye");
    assert_eq!(app.store.count().await.unwrap(), 0);
    app.stop().await;
}
