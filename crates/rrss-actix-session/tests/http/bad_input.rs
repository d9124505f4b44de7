//! Cookies that no browser of the application was given, and stored bytes that are no session.

use actix_web::cookie::{Cookie, CookieJar, Key};
use rrss::{JsonCodec, KeyMapper, Memory, Shape, Store};
use rrss_actix_session::RrssStore;

use crate::app::{Running, in_memory};

/// A cookie with this id, encrypted as the application does it.
fn holding(id: &str) -> String {
    let mut jar = CookieJar::new();
    let mut private = jar.private_mut(&Key::from(&[7; 64]));
    private.add(Cookie::new("id", id.to_owned()));
    jar.get("id").unwrap().to_string()
}

#[actix_web::test]
async fn cookies_that_were_not_given_out_start_afresh() {
    let app = Running::start(in_memory().0);
    let good = app.browser().get("/add/tea").await.cookie.unwrap();
    app.with_cookie("/read", &good).await.is("tea=1");
    let truncated = &good[..good.len() - 4];
    let cookies = [
        "id=",
        "id=forged",
        truncated,
        &format!("id={}", "a".repeat(8_000)),
        &holding(""),
        &holding("../../etc/passwd"),
        &holding("00000000-0000-4000-8000-000000000000"),
        &holding("Ij4yaLwfyKdZwDDDcWsu5fkvE0dFxiXUHbTRYEcOm3CpUEuGx6L2yXaGPYJjMPXC"),
        &holding(&"a".repeat(1_000)),
    ];
    for cookie in cookies {
        app.with_cookie("/read", cookie).await.is("");
        let fresh = app.with_cookie("/add/milk", cookie).await;
        fresh.is("milk=1");
        assert!(fresh.cookie.is_some_and(|given| given != cookie));
    }
    app.stop().await;
}

#[actix_web::test]
async fn a_cookie_that_comes_twice_is_one_session_or_none() {
    let app = Running::start(in_memory().0);
    let ann = app.browser().get("/add/tea").await.cookie.unwrap();
    let bob = app.browser().get("/add/milk").await.cookie.unwrap();
    let answer = app.with_cookie("/read", &format!("{ann}; {bob}")).await;
    answer.is("tea=1");
    app.with_cookie("/read", &format!("id=forged; {bob}"))
        .await
        .is("");
    app.stop().await;
}

/// A store whose sessions cannot be read once they are stored.
fn unreadable() -> Store {
    Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<JsonCodec>(Default::default())
        .before("spoil", Shape::on_bytes(), |op| {
            if let rrss::core::Payload::Bytes(bytes) = &mut op.payload {
                *bytes = bytes.slice(..bytes.len() / 2);
            }
            Ok(())
        })
        .step::<Memory>(Default::default())
        .build()
        .unwrap()
}

#[actix_web::test]
async fn a_browser_whose_session_cannot_be_read_starts_afresh_under_another_id() {
    let app = Running::start(unreadable());
    let browser = app.browser();
    let before = browser.get("/add/tea").await.cookie.unwrap();
    browser.get("/read").await.is("");
    let after = browser.get("/add/tea").await.cookie.unwrap();
    assert_ne!(before, after);
    assert_eq!(app.store.count().await.unwrap(), 2);
    app.stop().await;
}

#[actix_web::test]
async fn where_so_chosen_a_session_that_cannot_be_read_is_an_error() {
    let app = Running::start_with(RrssStore::new(unreadable()).error_where_unreadable());
    let browser = app.browser();
    browser.get("/add/tea").await.is("tea=1");
    browser.get("/read").await.failed();
    app.stop().await;
}
