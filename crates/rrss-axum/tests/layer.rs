//! The layer, driven by requests through a router.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod counted;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode, header};
use rrss::{Error, ErrorKind, Shape, Store};
use rrss_axum::{Result, Session, SessionLayer};
use tower::ServiceExt;

use crate::counted::store;

fn app(store: Store) -> Router {
    Router::new()
        .route("/untouched", get(async |_: Session| "ok"))
        .route(
            "/read",
            get(async |session: Session| -> Result<String> {
                Ok(session
                    .get::<u64>("visits")
                    .await?
                    .unwrap_or_default()
                    .to_string())
            }),
        )
        .route(
            "/visit",
            get(async |session: Session| -> Result<String> {
                let visits = session.get::<u64>("visits").await?.unwrap_or_default() + 1;
                session.insert("visits", &visits).await?;
                Ok(visits.to_string())
            }),
        )
        .route(
            "/login",
            get(async |session: Session| -> Result<()> {
                session.insert("user", "ann").await?;
                session.rotate().await
            }),
        )
        .route("/logout", get(async |session: Session| session.end().await))
        .route(
            "/relogin",
            get(async |session: Session| -> Result<()> {
                session.end().await?;
                session.insert("user", "bob").await
            }),
        )
        .route(
            "/fail",
            get(async |session: Session| -> Result<StatusCode> {
                session.insert("failed", &true).await?;
                Ok(StatusCode::IM_A_TEAPOT)
            }),
        )
        .layer(SessionLayer::new(store))
}

/// A browser with one cookie.
struct Browser {
    app: Router,
    cookie: Option<String>,
}

struct Page {
    status: StatusCode,
    set_cookie: Option<String>,
    vary: bool,
    text: String,
}

impl Browser {
    fn new(store: Store) -> Self {
        Self {
            app: app(store),
            cookie: None,
        }
    }

    async fn get(&mut self, path: &str) -> Page {
        let mut request = Request::get(path);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("other=1; {cookie}; more=2"));
        }
        let response = self
            .app
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let set_cookie = response
            .headers()
            .get(header::SET_COOKIE)
            .map(|value| value.to_str().unwrap().to_owned());
        if let Some(set) = &set_cookie {
            let pair = set.split(';').next().unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        let status = response.status();
        let vary = response.headers().contains_key(header::VARY);
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await
            .unwrap()
            .to_bytes();
        Page {
            status,
            set_cookie,
            vary,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

#[tokio::test]
async fn a_handler_that_does_not_touch_the_session_causes_no_call_and_no_cookie() {
    let (store, calls) = store();
    let mut browser = Browser::new(store);
    browser.get("/visit").await;
    calls.store(0, Ordering::SeqCst);
    let page = browser.get("/untouched").await;
    assert_eq!((page.set_cookie, page.vary), (None, false));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn reading_is_one_call_and_sets_no_cookie() {
    let (store, calls) = store();
    let mut browser = Browser::new(store);
    browser.get("/visit").await;
    calls.store(0, Ordering::SeqCst);
    let page = browser.get("/read").await;
    assert_eq!(
        (page.text.as_str(), page.set_cookie, page.vary),
        ("1", None, true)
    );
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_new_visitor_who_only_reads_gets_no_session_and_causes_no_call() {
    let (store, calls) = store();
    let mut browser = Browser::new(store);
    let page = browser.get("/read").await;
    assert_eq!((page.text.as_str(), page.set_cookie), ("0", None));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn changes_are_kept_under_a_secure_cookie() {
    let mut browser = Browser::new(store().0);
    let page = browser.get("/visit").await;
    let cookie = page.set_cookie.unwrap();
    assert!(cookie.starts_with("__Host-session="), "{cookie}");
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=604800"),
        "{cookie}"
    );
    assert_eq!(browser.get("/visit").await.text, "2");
    assert_eq!(browser.get("/visit").await.text, "3");
}

#[tokio::test]
async fn login_changes_the_id_and_the_old_one_is_dead() {
    let mut browser = Browser::new(store().0);
    browser.get("/visit").await;
    let old = browser.cookie.clone();
    browser.get("/login").await;
    assert_ne!(browser.cookie, old);
    assert_eq!(
        browser.get("/read").await.text,
        "1",
        "the session came along"
    );
    let mut thief = Browser {
        app: browser.app.clone(),
        cookie: old,
    };
    let page = thief.get("/read").await;
    assert_eq!(page.text, "0");
    assert_eq!(
        page.set_cookie, None,
        "the answer to another request may have brought the new id meanwhile"
    );
}

#[tokio::test]
async fn logout_ends_the_session_and_takes_the_cookie_away() {
    let (store, _) = store();
    let mut browser = Browser::new(store.clone());
    browser.get("/visit").await;
    let mut other_tab = Browser {
        app: browser.app.clone(),
        cookie: browser.cookie.clone(),
    };
    let page = browser.get("/logout").await;
    assert!(page.set_cookie.unwrap().contains("Max-Age=0"));
    assert_eq!(store.count().await.unwrap(), 0);
    let page = other_tab.get("/visit").await;
    assert_eq!(page.text, "1", "what comes after is a new session");
}

#[tokio::test]
async fn what_is_inserted_after_the_end_begins_a_session_with_a_new_id() {
    let (store, _) = store();
    let mut browser = Browser::new(store.clone());
    browser.get("/visit").await;
    let old = browser.cookie.clone();
    browser.get("/relogin").await;
    assert!(browser.cookie.is_some() && browser.cookie != old);
    assert_eq!(browser.get("/read").await.text, "0");
    assert_eq!(store.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_made_up_id_never_becomes_a_stored_one() {
    let (store, _) = store();
    for made_up in [
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
        "../../etc/passwd",
        "*",
        "é",
    ] {
        let mut browser = Browser::new(store.clone());
        browser.cookie = Some(format!("__Host-session={made_up}"));
        browser.get("/visit").await;
        assert!(!browser.cookie.unwrap().contains(made_up));
    }
}

#[tokio::test]
async fn the_session_is_saved_even_when_the_handler_answers_an_error() {
    let (store, _) = store();
    let mut browser = Browser::new(store.clone());
    assert_eq!(browser.get("/fail").await.status, StatusCode::IM_A_TEAPOT);
    assert_eq!(store.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_session_that_ends_while_a_request_uses_it_stays_ended() {
    let (store, _) = store();
    let reached = Arc::new(tokio::sync::Barrier::new(2));
    let ended = Arc::new(tokio::sync::Barrier::new(2));
    let (in_handler, after_end) = (reached.clone(), ended.clone());
    let slow = Router::new()
        .route(
            "/slow",
            get(async move |session: Session| -> Result<()> {
                session.insert("late", &true).await?;
                in_handler.wait().await;
                after_end.wait().await;
                Ok(())
            }),
        )
        .layer(SessionLayer::new(store.clone()));
    let mut browser = Browser::new(store.clone());
    browser.get("/visit").await;
    let mut slow = Browser {
        app: slow,
        cookie: browser.cookie.clone(),
    };
    let late = tokio::spawn(async move { slow.get("/slow").await });
    reached.wait().await;
    browser.get("/logout").await;
    ended.wait().await;
    let page = late.await.unwrap();
    assert_eq!((page.status, page.set_cookie), (StatusCode::OK, None));
    assert_eq!(store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn an_outage_is_503_and_never_a_new_session() {
    let down = Store::builder()
        .step::<rrss::KeyMapper>(Default::default())
        .before("down", Shape::anywhere(), |_| {
            Err(Error::new(ErrorKind::Unavailable, "the backend is down"))
        })
        .step::<rrss::JsonCodec>(Default::default())
        .step::<rrss::Memory>(Default::default())
        .build()
        .unwrap();
    let mut browser = Browser::new(down);
    browser.cookie = Some("__Host-session=8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60".to_owned());
    let page = browser.get("/visit").await;
    assert_eq!(
        (page.status, page.set_cookie),
        (StatusCode::SERVICE_UNAVAILABLE, None),
        "while loading"
    );
    browser.cookie = None;
    let page = browser.get("/visit").await;
    assert_eq!(
        (page.status, page.set_cookie),
        (StatusCode::SERVICE_UNAVAILABLE, None),
        "while saving"
    );
    assert!(
        page.text.starts_with("sessions are not available"),
        "what the handler said is not sent: {}",
        page.text
    );
}

#[tokio::test]
async fn what_changes_after_the_response_began_is_refused() {
    let (store, _) = store();
    let kept = Arc::new(tokio::sync::Mutex::new(None));
    let keep = kept.clone();
    let app = Router::new()
        .route(
            "/",
            get(async move |session: Session| {
                *keep.lock().await = Some(session);
            }),
        )
        .layer(SessionLayer::new(store));
    app.oneshot(Request::get("/").body(Body::empty()).unwrap())
        .await
        .unwrap();
    let session = kept.lock().await.take().unwrap();
    assert_eq!(
        session.insert("late", &1).await.unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}

#[tokio::test]
async fn a_router_without_the_layer_says_what_is_missing() {
    let app: Router = Router::new().route("/", get(async |_: Session| "ok"));
    let response = app
        .oneshot(Request::get("/").body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_store_without_deadlines_sets_the_cookie_once_and_without_an_end() {
    let store = Store::builder()
        .step::<rrss::KeyMapper>(Default::default())
        .step::<rrss::JsonCodec>(Default::default())
        .step::<rrss::Memory>(Default::default())
        .build()
        .unwrap();
    let mut browser = Browser::new(store.clone());
    let cookie = browser.get("/visit").await.set_cookie.unwrap();
    assert!(!cookie.contains("Max-Age"), "{cookie}");
    assert_eq!(browser.get("/visit").await.set_cookie, None);
    store.shutdown(Duration::from_secs(60)).await.unwrap();
}
