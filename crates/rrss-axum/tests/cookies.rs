//! The cookie: what it may look like, who made it, and which of several counts.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod counted;

use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderValue, Request, StatusCode, header};
use rrss_axum::{CookieKeys, Key, Result, Session, SessionLayer};
use tower::ServiceExt;

use crate::counted::store;

fn app(layer: SessionLayer) -> Router {
    let read = async |session: Session| -> Result<String> {
        let user: Option<String> = session.get("user").await?;
        Ok(user.unwrap_or("nobody".to_owned()))
    };
    let login = async |session: Session| session.insert("user", "ann").await;
    let logout = async |session: Session| session.end().await;
    Router::new()
        .route("/", get(read))
        .route("/login", get(login))
        .route("/logout", get(logout))
        .layer(layer)
}

struct Page {
    text: String,
    set: Option<String>,
}

async fn ask(app: &Router, path: &str, cookie: Option<HeaderValue>) -> Page {
    let mut request = Request::get(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let set = response.headers().get(header::SET_COOKIE);
    let set = set.map(|set| set.to_str().unwrap().to_owned());
    let body = http_body_util::BodyExt::collect(response.into_body()).await;
    let text = String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap();
    Page { text, set }
}

/// `NAME=VALUE` of the cookie of somebody who logs in.
async fn logged_in(app: &Router) -> String {
    let set = ask(app, "/login", None).await.set.unwrap();
    set.split(';').next().unwrap().to_owned()
}

fn header(text: &str) -> Option<HeaderValue> {
    Some(HeaderValue::from_bytes(text.as_bytes()).unwrap())
}

fn sealed(layer: SessionLayer, encrypts: bool, keys: CookieKeys) -> SessionLayer {
    if encrypts {
        layer.encrypted(keys)
    } else {
        layer.signed(keys)
    }
}

#[tokio::test]
async fn a_sealed_cookie_opens_its_session_and_only_an_encrypted_one_hides_the_id() {
    for encrypts in [false, true] {
        let (store, _) = store();
        let layer = SessionLayer::new(store.clone());
        let app = app(sealed(layer, encrypts, CookieKeys::new(Key::generate())));
        let cookie = logged_in(&app).await;
        let page = ask(&app, "/", header(&format!("a=1; {cookie}; b=2"))).await;
        assert_eq!((page.text.as_str(), page.set), ("ann", None));
        let ids = store.list(None, 10).await.unwrap().ids;
        assert_eq!(cookie.contains(ids[0].as_str()), !encrypts);
        let page = ask(&app, "/logout", header(&cookie)).await;
        assert!(page.set.unwrap().contains("Max-Age=0"));
        assert_eq!(store.count().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn what_no_key_of_ours_made_is_no_cookie_and_costs_no_call() {
    for encrypts in [false, true] {
        let (store, calls) = store();
        let sealed_by = |key| {
            let layer = SessionLayer::new(store.clone());
            app(sealed(layer, encrypts, CookieKeys::new(key)))
        };
        let (ours, theirs) = (sealed_by(Key::generate()), sealed_by(Key::generate()));
        let plain = app(SessionLayer::new(store.clone()));
        let cookie = logged_in(&ours).await;
        let half = &cookie[..cookie.len() / 2];
        let mut changed = cookie.clone().into_bytes();
        let at = "__Host-session=".len() + 3;
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let foreign = logged_in(&theirs).await;
        let bare = logged_in(&plain).await;
        let long = format!("__Host-session={}", "a".repeat(8192));
        let before = calls.load(Ordering::SeqCst);
        for made_up in [half, &changed, &foreign, &bare, &long, "__Host-session="] {
            let page = ask(&ours, "/", header(made_up)).await;
            assert_eq!(
                (page.text.as_str(), page.set),
                ("nobody", None),
                "{made_up}"
            );
        }
        assert_eq!(calls.load(Ordering::SeqCst), before);
        assert_eq!(ask(&ours, "/", header(&cookie)).await.text, "ann");
    }
}

#[tokio::test]
async fn a_forged_cookie_is_left_where_it_is_until_a_session_takes_its_place() {
    for encrypts in [false, true] {
        let (store, calls) = store();
        let layer = SessionLayer::new(store.clone());
        let app = app(sealed(layer, encrypts, CookieKeys::new(Key::generate())));
        let forged = "__Host-session=8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
        for path in ["/", "/logout"] {
            let page = ask(&app, path, header(forged)).await;
            assert_eq!(page.set, None, "{path}");
        }
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        let set = ask(&app, "/login", header(forged)).await.set.unwrap();
        // The same name and path, and no domain: a browser puts it in the place of the forged one.
        assert!(set.starts_with("__Host-session=") && set.contains("Path=/"));
        assert!(!set.contains("Domain") && !set.starts_with(forged), "{set}");
        let cookie = set.split(';').next().unwrap();
        assert_eq!(ask(&app, "/", header(cookie)).await.text, "ann");
        assert_eq!(store.count().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_cookie_of_an_older_key_is_read_and_made_anew_once() {
    for encrypts in [false, true] {
        let (store, _) = store();
        let (old, new) = (Key::generate(), Key::generate());
        let app_with = |keys| app(sealed(SessionLayer::new(store.clone()), encrypts, keys));
        let cookie = logged_in(&app_with(CookieKeys::new(old.clone()))).await;

        let both = app_with(CookieKeys::new(new.clone()).and_older([old]));
        let page = ask(&both, "/", header(&cookie)).await;
        assert_eq!(page.text, "ann");
        let set = page.set.unwrap();
        assert!(
            set.contains("Max-Age=6048"),
            "as long as the session lives: {set}"
        );
        let anew = set.split(';').next().unwrap();
        assert_ne!(anew, cookie);
        assert_eq!(ask(&both, "/", header(anew)).await.set, None);

        let only_new = app_with(CookieKeys::new(new));
        assert_eq!(ask(&only_new, "/", header(anew)).await.text, "ann");
        assert_eq!(ask(&only_new, "/", header(&cookie)).await.text, "nobody");
    }
}

#[tokio::test]
async fn of_several_cookies_the_first_that_can_be_ours_counts() {
    let (store, _) = store();
    let app = app(SessionLayer::new(store).signed(CookieKeys::new(Key::generate())));
    let cookie = logged_in(&app).await;
    let planted = "__Host-session=8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
    for (cookies, expected) in [
        (format!("{planted}; {cookie}"), "ann"),
        (format!("{cookie}; {planted}"), "ann"),
        (format!("{planted}; {planted}; {planted}; {cookie}"), "ann"),
        (
            format!("{}{cookie}", format!("{planted}; ").repeat(4)),
            "nobody",
        ),
        (format!("x{cookie}"), "nobody"),
    ] {
        let page = ask(&app, "/", header(&cookies)).await;
        assert_eq!(page.text, expected, "{cookies}");
    }
}

#[tokio::test]
async fn what_is_not_text_beside_the_cookie_does_not_hide_it() {
    let (store, _) = store();
    let app = app(SessionLayer::new(store));
    let cookie = logged_in(&app).await;
    let beside = [b"other=\xff\xfe; ", cookie.as_bytes(), b"; more=\x80"].concat();
    let page = ask(&app, "/", Some(HeaderValue::from_bytes(&beside).unwrap())).await;
    assert_eq!(page.text, "ann");
}

#[tokio::test]
async fn a_cookie_that_cannot_be_of_this_host_alone_does_not_claim_to_be() {
    let layers: [fn(SessionLayer) -> SessionLayer; 6] = [
        |layer| layer.cookie_path("/"),
        |layer| layer.cookie_path("/shop"),
        |layer| layer.cookie_domain("example.org"),
        |layer| {
            layer
                .cookie_domain("example.org")
                .cookie_name("__Secure-id")
        },
        |layer| layer.cookie_path("/shop").cookie_name("__host-id"),
        |layer| layer.plain_http_for_development().cookie_name("__Host-id"),
    ];
    let names = [
        "__Host-session",
        "__Secure-session",
        "__Secure-session",
        "__Secure-id",
        "__Secure-id",
        "id",
    ];
    for (layer, name) in layers.into_iter().zip(names) {
        let app = app(layer(SessionLayer::new(store().0)));
        let cookie = logged_in(&app).await;
        assert_eq!(cookie.split('=').next(), Some(name));
        assert_eq!(ask(&app, "/", header(&cookie)).await.text, "ann");
    }
}

#[test]
fn no_key_is_shown() {
    let keys = CookieKeys::new(Key::from(&[b'k'; 64]));
    let shown = format!("{:?}", SessionLayer::new(store().0).signed(keys));
    assert!(!shown.contains("kkk") && !shown.contains("107"), "{shown}");
}
