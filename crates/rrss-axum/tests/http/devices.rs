//! Devices, flash values and the token against forged requests.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use rrss_axum::{Result, Session};

use crate::site::{Browser, Site, layer, memory, pages};

fn app() -> Router {
    pages()
        .route("/devices", get(list))
        .route("/end_first_other", get(end_first_other))
        .route(
            "/end_all",
            get(async |session: Session| -> Result<String> {
                session.insert("late", &true).await?;
                Ok(session.end_all("user", "ann").await?.to_string())
            }),
        )
        .route(
            "/end_others",
            get(async |session: Session| -> Result<String> {
                Ok(session.end_others("user", "ann").await?.to_string())
            }),
        )
        .route(
            "/end_as/{user}",
            get(
                async |Path(user): Path<String>, session: Session| -> Result<String> {
                    let mine = session.devices("user", "ann").await?;
                    let ended = session.end_one("user", &user, mine[0].handle()).await?;
                    Ok(ended.to_string())
                },
            ),
        )
        .route(
            "/flash",
            get(async |session: Session| session.flash("notice", "Saved.").await),
        )
        .route(
            "/notice",
            get(async |session: Session| -> Result<String> {
                let notice: Option<String> = session.take_flash("notice").await?;
                Ok(notice.unwrap_or_default())
            }),
        )
        .route(
            "/token",
            get(async |session: Session| session.csrf_token().await),
        )
        .route(
            "/check",
            get(async |session: Session| check(session, "").await),
        )
        .route(
            "/check/{token}",
            get(async |Path(token): Path<String>, session: Session| check(session, &token).await),
        )
}

async fn check(session: Session, token: &str) -> Result<String> {
    Ok(session.is_csrf_token(token).await?.to_string())
}

/// A line for each: its handle, and whether it is this one.
async fn list(session: Session) -> Result<String> {
    let mut lines = String::new();
    for device in session.devices("user", "ann").await? {
        let this = session.is_this(&device).await;
        lines += &format!("{} {this}\n", device.handle());
    }
    Ok(lines)
}

async fn end_first_other(session: Session) -> Result<String> {
    for device in session.devices("user", "ann").await? {
        if !session.is_this(&device).await {
            let ended = session.end_one("user", "ann", device.handle()).await?;
            return Ok(ended.to_string());
        }
    }
    Ok("none".to_owned())
}

async fn signed_in(site: &Site) -> Browser {
    let browser = site.browser();
    browser.get("/visit").await;
    browser.get("/login").await;
    browser
}

#[tokio::test]
async fn each_device_is_listed_and_one_of_them_is_this() {
    let site = Site::start(app().layer(layer(&memory()))).await;
    let (phone, desk) = (signed_in(&site).await, signed_in(&site).await);
    for browser in [&phone, &desk] {
        let listed = browser.get("/devices").await.text;
        assert_eq!(listed.lines().count(), 2);
        assert_eq!(listed.matches("true").count(), 1);
        for other in [&phone, &desk] {
            assert!(!listed.contains(other.id().as_str()), "no id is shown");
        }
    }
    let listed = desk.get("/devices").await.text;
    let handle = listed.split(' ').next().unwrap();
    let thief = site.browser();
    thief.put(&format!("session={handle}"));
    assert_eq!(
        thief.get("/read").await.text,
        "0 nobody",
        "a handle is no id"
    );
}

#[tokio::test]
async fn ending_another_device_ends_it_alone() {
    let site = Site::start(app().layer(layer(&memory()))).await;
    let (phone, desk) = (signed_in(&site).await, signed_in(&site).await);
    let page = desk.get("/end_first_other").await;
    assert_eq!((page.text.as_str(), page.cookie()), ("true", None));
    let page = phone.get("/read").await;
    assert_eq!((page.text.as_str(), page.cookie()), ("0 nobody", None));
    assert_eq!(desk.get("/read").await.text, "1 ann");
}

#[tokio::test]
async fn ending_this_device_forgets_its_cookie_and_a_wrong_user_ends_nothing() {
    let store = memory();
    let site = Site::start(app().layer(layer(&store))).await;
    let desk = signed_in(&site).await;
    assert_eq!(desk.get("/end_as/bob").await.text, "false");
    assert_eq!(desk.get("/read").await.text, "1 ann");
    let page = desk.get("/end_as/ann").await;
    assert!(page.text == "true" && page.forgets(), "{page:?}");
    assert_eq!(store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn ending_all_ends_this_one_too_and_saves_nothing_of_the_request() {
    let store = memory();
    let site = Site::start(app().layer(layer(&store))).await;
    let (phone, desk) = (signed_in(&site).await, signed_in(&site).await);
    let page = desk.get("/end_all").await;
    assert!(page.text == "2" && page.forgets(), "{page:?}");
    assert_eq!((store.count().await.unwrap(), desk.cookie()), (0, None));
    assert_eq!(phone.get("/read").await.text, "0 nobody");
}

#[tokio::test]
async fn ending_all_others_leaves_this_one() {
    let site = Site::start(app().layer(layer(&memory()))).await;
    let (phone, desk) = (signed_in(&site).await, signed_in(&site).await);
    assert_eq!(desk.get("/end_others").await.text, "1");
    assert_eq!(phone.get("/read").await.text, "0 nobody");
    assert_eq!(desk.get("/read").await.text, "1 ann");
}

#[tokio::test]
async fn a_flash_value_is_read_once() {
    let site = Site::start(app().layer(layer(&memory()))).await;
    let ann = site.browser();
    ann.get("/flash").await;
    assert_eq!(ann.get("/notice").await.text, "Saved.");
    assert_eq!(ann.get("/notice").await.text, "");
}

#[tokio::test]
async fn the_csrf_token_is_the_same_until_the_session_rotates() {
    let site = Site::start(app().layer(layer(&memory()))).await;
    let ann = site.browser();
    let token = ann.get("/token").await.text;
    assert_eq!(token.len(), 43);
    assert_eq!(ann.get("/token").await.text, token);
    let right = format!("/check/{token}");
    assert_eq!(ann.get(&right).await.text, "true");
    ann.get("/login").await;
    assert_eq!(ann.get(&right).await.text, "false", "it has rotated");
    assert_ne!(ann.get("/token").await.text, token);
}

#[tokio::test]
async fn a_csrf_token_that_is_empty_cut_or_of_another_session_is_refused() {
    let site = Site::start(app().layer(layer(&memory()))).await;
    let (ann, bob) = (site.browser(), site.browser());
    assert_eq!(ann.get("/check").await.text, "false", "there is none yet");
    let token = ann.get("/token").await.text;
    bob.get("/token").await;
    assert_eq!(bob.get(&format!("/check/{token}")).await.text, "false");
    assert_eq!(
        ann.get(&format!("/check/{}", &token[1..])).await.text,
        "false"
    );
    assert_eq!(ann.get("/check").await.text, "false");
}
