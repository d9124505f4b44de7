//! The modes in which the framework stores what was asked for, and nothing else.

use axum_session::{SessionConfig, SessionMode};
use rrss_testkit::{Call, Counts};

use crate::*;

/// Each mode, with the page that asks for a session.
const MODES: [(SessionMode, &str); 2] = [
    (SessionMode::OptIn, "/opt_in"),
    (SessionMode::Manual, "/create"),
];

/// Sessions that leave the process with each request, and those that stay in its memory.
fn configs(mode: &SessionMode) -> [SessionConfig; 2] {
    [without_memory(), SessionConfig::default()].map(|config| config.with_mode(mode.clone()))
}

#[tokio::test]
async fn who_has_not_asked_for_a_session_has_none_and_no_cookie() {
    for (mode, _) in MODES {
        for config in configs(&mode) {
            let counts = Counts::new();
            let store = store_over(counts.before(rrss::Memory::default()))
                .build()
                .unwrap();
            let mut browser = open(&store, config).await;
            for path in ["/untouched", "/set/cart/tea", "/get/cart", "/login/ann"] {
                let (status, text) = browser.get(path).await;
                assert_eq!((status, text.as_str()), (StatusCode::OK, ""), "{path}");
                assert_eq!((&browser.cookie, &browser.consent), (&None, &None));
            }
            assert_eq!(counts.of(Call::Create), 0);
            assert_eq!(counts.of(Call::Delete), 0, "there is nothing to delete");
            assert_eq!(store.count().await.unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn who_asks_has_one_until_it_is_ended_and_it_is_not_brought_back() {
    for (mode, ask) in MODES {
        for config in configs(&mode) {
            let store = store(&Faults::new());
            let mut browser = open(&store, config).await;
            browser.get(ask).await;
            assert_eq!(store.count().await.unwrap(), 1);
            assert_eq!(browser.get("/get/cart").await.1, "tea");
            browser.get("/set/cart/milk").await;
            assert_eq!(browser.get("/get/cart").await.1, "milk");

            let (id, cookies) = (
                browser.id(),
                (browser.cookie.clone(), browser.consent.clone()),
            );
            browser.get("/logout").await;
            assert_eq!((&browser.cookie, &browser.consent), (&None, &None));
            assert_eq!(store.count().await.unwrap(), 0);

            // A tab that has not heard of it.
            (browser.cookie, browser.consent) = cookies;
            assert_eq!(browser.get("/get/cart").await.1, "");
            browser.get("/set/late/yes").await;
            assert_ne!(browser.id(), id);
            assert!(store.load(&id).await.unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn who_signs_in_gets_another_id_and_the_old_one_is_dead() {
    for (mode, ask) in MODES {
        for config in configs(&mode) {
            let store = store(&Faults::new());
            let mut browser = open(&store, config).await;
            browser.get(ask).await;
            let old = browser.id();
            browser.get("/login/ann").await;
            assert_ne!(browser.id(), old);
            assert!(store.load(&old).await.unwrap().is_none());
            assert_eq!(browser.get("/get/user_id").await.1, "ann");
            assert_eq!(store.count().await.unwrap(), 1);
        }
    }
}

#[tokio::test]
async fn who_takes_it_back_has_none_any_more() {
    for (mode, ask) in MODES {
        for config in configs(&mode) {
            let store = store(&Faults::new());
            let mut browser = open(&store, config).await;
            browser.get(ask).await;
            browser.get("/opt_out").await;
            assert_eq!((&browser.cookie, &browser.consent), (&None, &None));
            assert_eq!(store.count().await.unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn a_session_that_ends_while_a_request_has_it_is_not_brought_back() {
    let modes = MODES.into_iter();
    for (mode, ask) in modes.chain([(SessionMode::Persistent, "/set/cart/tea")]) {
        for config in configs(&mode) {
            let store = store(&Faults::new());
            let mut browser = open(&store, config).await;
            browser.get(ask).await;
            let ended = browser.id();
            let page = browser.get("/ended_meanwhile").await;
            assert_eq!(page, (StatusCode::OK, String::new()));
            assert_eq!(store.count().await.unwrap(), 0);
            browser.get("/set/later/yes").await;
            assert_ne!(browser.id(), ended);
            assert!(store.load(&ended).await.unwrap().is_none());
        }
    }
}
