//! What the layer does, by the policies of the host, in outages, with unreadable sessions and after failures.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[allow(dead_code, reason = "the tests in http use all of it")]
#[path = "http/site.rs"]
mod site;

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use reqwest::StatusCode;
use rrss::{ErrorKind, Store};
use rrss_axum::{OnCorrupt, OnOutage, Result, Session};
use rrss_test_servers::{Flavor, RedisServer};
use rrss_testkit::{Call, Faults, Log, Side};
use tracing::Level;

use crate::site::{Browser, Page, Site, layer, pages, store_over};

/// Every page that changes something.
const CHANGES: [&str; 9] = [
    "visit", "count", "login", "logout", "flash", "token", "keep", "clear", "remove",
];

fn app() -> Router {
    pages()
        .route(
            "/flash",
            get(async |session: Session| session.flash("notice", "Saved.").await),
        )
        .route(
            "/token",
            get(async |session: Session| session.csrf_token().await),
        )
        .route(
            "/keep",
            get(async |session: Session| session.expire_in(Duration::from_secs(60)).await),
        )
        .route(
            "/clear",
            get(async |session: Session| session.clear().await),
        )
        .route(
            "/remove",
            get(async |session: Session| -> Result<String> {
                Ok(session.remove("visits").await?.to_string())
            }),
        )
        .route(
            "/stubborn",
            get(async |session: Session| -> Result<&'static str> {
                let failed = session.insert("visits", &99).await;
                Ok(if failed.is_err() { "failed" } else { "done" })
            }),
        )
        .route(
            "/teapot",
            get(async |session: Session| fail(session, StatusCode::IM_A_TEAPOT).await),
        )
        .route(
            "/broken",
            get(async |session: Session| fail(session, StatusCode::BAD_GATEWAY).await),
        )
        .route(
            "/broken_logout",
            get(async |session: Session| -> Result<StatusCode> {
                session.end().await?;
                session.insert("visits", &1).await?;
                Ok(StatusCode::BAD_GATEWAY)
            }),
        )
}

async fn fail(session: Session, status: StatusCode) -> Result<StatusCode> {
    session.insert("visits", &99).await?;
    session.rotate().await?;
    Ok(status)
}

fn assert_unavailable(page: &Page, path: &str) {
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    assert_eq!(page.cookie(), None, "{path}");
    assert!(
        page.text.starts_with("sessions are not available"),
        "{path}: {}",
        page.text
    );
}

/// A browser that has been here once, and the faults of its backend.
async fn visited(policy: OnOutage) -> (Browser, Faults, Store) {
    let faults = Faults::new();
    let (store, _) = store_over(faults.before(rrss::Memory::default()));
    let site = Site::start(app().layer(layer(&store).on_outage(policy))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    (ann, faults, store)
}

#[tokio::test]
async fn in_an_outage_all_that_uses_the_session_is_503_and_the_cookie_works_again_afterwards() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Timeout] {
        let (ann, faults, _) = visited(OnOutage::Refuse).await;
        faults.fail_all(kind);
        for path in CHANGES.into_iter().chain(["read"]) {
            assert_unavailable(&ann.get(path).await, path);
        }
        assert_eq!(ann.get("/untouched").await.text, "ok");
        faults.heal();
        assert_eq!(ann.get("/read").await.text, "1 nobody");
    }
}

#[tokio::test]
async fn in_an_outage_pages_may_be_read_without_a_session_and_every_change_is_503() {
    let (ann, faults, store) = visited(OnOutage::WithoutSession).await;
    faults.fail_all(ErrorKind::Unavailable);
    let page = ann.get("/read").await;
    assert_eq!(
        (page.status.as_u16(), page.cookie(), page.text.as_str()),
        (200, None, "0 nobody")
    );
    assert_eq!(page.all("vary"), ["Cookie"]);
    for path in CHANGES {
        assert_unavailable(&ann.get(path).await, path);
    }
    let page = ann.get("/stubborn").await;
    assert_eq!((page.text.as_str(), page.cookie()), ("failed", None));
    faults.heal();
    assert_eq!(ann.get("/read").await.text, "1 nobody");
    assert_eq!(store.count().await.unwrap(), 1);
}

#[tokio::test]
async fn an_outage_while_saving_is_503_and_neither_gives_nor_takes_a_cookie() {
    for policy in [OnOutage::Refuse, OnOutage::WithoutSession] {
        let (ann, faults, store) = visited(policy).await;
        faults.fail(Call::Update, 1, Side::Before, ErrorKind::Unavailable);
        assert_unavailable(&ann.get("/visit").await, "visit");
        assert_eq!(ann.get("/read").await.text, "1 nobody");
        let stranger = ann.site.browser();
        faults.fail(Call::Create, 1, Side::Before, ErrorKind::Unavailable);
        assert_unavailable(&stranger.get("/visit").await, "visit");
        assert_eq!(stranger.cookie(), None);
        assert_eq!(store.count().await.unwrap(), 1);
        assert_eq!(stranger.get("/visit").await.text, "1");
    }
}

#[tokio::test]
async fn a_save_whose_answer_is_lost_is_503_and_the_cookie_stays_good() {
    let (ann, faults, store) = visited(OnOutage::Refuse).await;
    faults.fail(Call::Update, 1, Side::After, ErrorKind::Timeout);
    assert_unavailable(&ann.get("/visit").await, "visit");
    assert_eq!(ann.get("/read").await.text, "2 nobody");
    assert_eq!(store.count().await.unwrap(), 1);
}

/// A browser whose stored session somebody has overwritten, its storage key, and what is stored there.
async fn spoilt(redis: &RedisServer, policy: OnCorrupt) -> (Browser, String, Vec<u8>) {
    let store = Store::from_toml(&format!(
        "step = [{{ type = 'key-mapper' }}, {{ type = 'expiry' }}, {{ type = 'json-codec' }}, \
         {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}]",
        redis.url()
    ))
    .unwrap();
    let site = Site::start(app().layer(layer(&store).on_corrupt(policy))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let id = ann.id().as_str().to_owned();
    let keys = redis.scan(&format!("*{id}*"));
    let [key] = &keys[..] else {
        panic!("one key for a session: {}", keys.len())
    };
    redis.command(&["SETRANGE", key, "0", "not what a codec writes"]);
    let stored = redis.bytes(&["GET", key]).unwrap();
    (ann, key.clone(), stored)
}

#[tokio::test]
async fn an_unreadable_session_is_a_fresh_start_and_is_logged_once_without_its_id() {
    let redis = RedisServer::start(Flavor::ALL[0]);
    let (ann, key, stored) = spoilt(&redis, OnCorrupt::StartAfresh).await;
    let (old, reader) = (ann.id(), ann.thief());
    let log = Log::listen();
    let page = reader.get("/read").await;
    assert!(page.text == "0 nobody" && page.forgets(), "{page:?}");
    assert_eq!(log.lines(Level::ERROR), 1, "{}", log.text());
    assert!(!log.text().contains(old.as_str()), "{}", log.text());
    assert_eq!(reader.get("/read").await.cookie(), None);

    assert_eq!(ann.get("/visit").await.text, "1");
    assert_ne!(ann.id(), old, "the id is not used again");
    assert_eq!(ann.get("/visit").await.text, "2");
    assert_eq!(log.lines(Level::ERROR), 2, "once a request: {}", log.text());
    assert!(!log.text().contains(old.as_str()), "{}", log.text());
    assert_eq!(redis.bytes(&["GET", &key]), Some(stored));
}

#[tokio::test]
async fn an_unreadable_session_may_be_a_500_and_only_once() {
    let redis = RedisServer::start(Flavor::ALL[0]);
    let (ann, key, stored) = spoilt(&redis, OnCorrupt::Fail).await;
    let old = ann.id();
    let log = Log::listen();
    let page = ann.get("/visit").await;
    assert!(page.status == 500 && page.forgets(), "{page:?}");
    assert_eq!(log.lines(Level::ERROR), 1, "{}", log.text());
    assert!(!log.text().contains(old.as_str()), "{}", log.text());
    assert_eq!(ann.get("/visit").await.text, "1");
    assert_ne!(ann.id(), old);
    assert_eq!(redis.bytes(&["GET", &key]), Some(stored));
}

#[tokio::test]
async fn after_an_answer_that_is_not_to_be_saved_nothing_is_saved_and_no_new_id_given() {
    let (store, _) = store_over(rrss::Memory::default());
    let careful = layer(&store).save_if(|status| !status.is_server_error());
    let site = Site::start(app().layer(careful)).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let id = ann.id();
    let page = ann.get("/broken").await;
    assert_eq!((page.status.as_u16(), page.cookie()), (502, None));
    assert_eq!(ann.get("/read").await.text, "1 nobody");
    assert_eq!(ann.id(), id);
    let page = ann.get("/teapot").await;
    assert!(page.status == 418 && page.cookie().is_some());
    assert_eq!(ann.get("/read").await.text, "99 nobody");
    assert_ne!(ann.id(), id);
    assert_eq!(site.browser().get("/broken").await.cookie(), None);
    assert_eq!(store.count().await.unwrap(), 1);
}

#[tokio::test]
async fn what_has_ended_has_ended_even_after_an_answer_that_is_not_to_be_saved() {
    let (store, _) = store_over(rrss::Memory::default());
    let careful = layer(&store).save_if(|status| !status.is_server_error());
    let site = Site::start(app().layer(careful)).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let page = ann.get("/broken_logout").await;
    assert!(page.status == 502 && page.forgets(), "{page:?}");
    assert_eq!((store.count().await.unwrap(), ann.cookie()), (0, None));
}
