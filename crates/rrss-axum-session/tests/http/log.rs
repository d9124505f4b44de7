//! What is logged of an outage.

use rrss::ErrorKind;
use rrss_testkit::Log;
use tracing::Level;

use crate::*;

/// The lines that people see: what axum_session itself logs for debugging names ids.
fn shown(log: &Log) -> Vec<String> {
    let text = log.text();
    let lines = text.lines().filter(|line| {
        !line.contains(Level::TRACE.as_str()) && !line.contains(Level::DEBUG.as_str())
    });
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn an_outage_is_logged_once_a_request_and_without_the_id() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Timeout] {
        let faults = Faults::new();
        let store = store(&faults);
        let mut browser = open(&store, without_memory()).await;
        browser.get("/set/cart/tea").await;
        let id = browser.id();
        faults.fail_all(kind);
        for path in ["/untouched", "/get/cart", "/set/cart/milk", "/logout"] {
            let log = Log::listen();
            let (status, text) = browser.get(path).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            let lines = shown(&log);
            assert_eq!(log.lines(Level::ERROR), 1, "{path}: {lines:?}");
            assert!(
                lines.iter().all(|line| !line.contains(id.as_str())),
                "{lines:?}"
            );
            assert_eq!(text, "");
        }
    }
}

#[tokio::test]
async fn an_outage_that_meets_a_stranger_is_logged_once_too_and_no_cookie_is_given() {
    let faults = Faults::new();
    let mut browser = open(&store(&faults), without_memory()).await;
    faults.fail_all(ErrorKind::Unavailable);
    let log = Log::listen();
    // The framework answers by itself, before it calls any layer.
    let (status, _) = browser.get("/get/cart").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(browser.cookie, None);
    assert_eq!(log.lines(Level::ERROR), 1, "{:?}", shown(&log));
}

#[tokio::test]
async fn an_outage_that_begins_at_the_save_is_logged_once_too() {
    let faults = Faults::new();
    let mut browser = open(&store(&faults), without_memory()).await;
    browser.get("/set/cart/tea").await;
    let cookie = browser.cookie.clone();
    faults.fail(
        rrss_testkit::Call::Update,
        1,
        rrss_testkit::Side::Before,
        ErrorKind::Unavailable,
    );
    let log = Log::listen();
    let (status, _) = browser.get("/set/cart/milk").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(browser.cookie, cookie);
    let lines = shown(&log);
    assert_eq!(log.lines(Level::ERROR), 1, "{lines:?}");
    let id = browser.id();
    assert!(
        lines.iter().all(|line| !line.contains(id.as_str())),
        "{lines:?}"
    );
}
