//! Cookies that no browser should have, and stored bytes that nobody should have written.

use axum_session::{Key, SessionConfig};
use reqwest::{StatusCode, header};
use rrss_testkit::Faults;

use crate::*;

fn signed() -> SessionConfig {
    without_memory().with_key(Key::generate())
}

#[tokio::test]
async fn a_sealed_cookie_opens_its_session_and_one_of_another_key_none() {
    let store = store(&Faults::new());
    let mut browser = open(&store, signed()).await;
    let mut stranger = open(&store, signed()).await;
    browser.get("/login/ann").await;
    assert_eq!(browser.get("/get/user_id").await.1, "ann");

    stranger.cookie.clone_from(&browser.cookie);
    assert_eq!(stranger.get("/get/user_id").await.1, "");
    let whole = browser.cookie.clone().unwrap();
    let cut = whole[..whole.len() / 2].to_owned();
    for made_up in [
        cut,
        String::new(),
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60".to_owned(),
    ] {
        browser.cookie = Some(made_up);
        assert_eq!(
            browser.get("/get/user_id").await,
            (StatusCode::OK, String::new())
        );
    }
    browser.cookie = Some(whole);
    assert_eq!(browser.get("/get/user_id").await.1, "ann");
}

#[tokio::test]
async fn with_a_database_key_nothing_that_is_stored_can_be_read_and_all_comes_back() {
    let store = store(&Faults::new());
    let config = without_memory().with_database_key(Key::generate());
    let mut browser = open(&store, config).await;
    browser.get("/set/cart/earl-grey").await;
    assert_eq!(browser.get("/get/cart").await.1, "earl-grey");
    let ids = store.list(None, 10).await.unwrap().ids;
    assert_eq!(ids.len(), 1);
    let stored = store.load(&ids[0]).await.unwrap().unwrap();
    assert_eq!(stored.keys().collect::<Vec<_>>(), ["axum_session"]);
    assert!(
        !stored
            .get_raw("axum_session")
            .unwrap()
            .contains("earl-grey")
    );
}

#[tokio::test]
async fn of_two_cookies_of_the_name_the_last_counts_and_no_planted_id_is_adopted() {
    let store = store(&Faults::new());
    let mut browser = open(&store, without_memory()).await;
    browser.get("/login/ann").await;
    let own = format!("session={}", browser.cookie.as_deref().unwrap());
    let planted = "session=8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
    for (cookies, user) in [
        (format!("{planted}; {own}"), "ann"),
        (format!("{own}; {planted}"), ""),
    ] {
        let request = browser.client.get(format!("{}/get/user_id", browser.base));
        let response = request
            .header(header::COOKIE, cookies)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.text().await.unwrap(), user);
    }
    let planted = planted.strip_prefix("session=").unwrap().into();
    assert!(store.load(&planted).await.unwrap().is_none());
    assert_eq!(browser.get("/get/user_id").await.1, "ann");
}
