//! Deadlines, the cookie's life, and sign-in.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use rrss::core::DurationOption;
use rrss::{ManualClock, Store, expiry};
use rrss_axum::{Result, Session};

use crate::site::{Site, layer, memory, pages, store_over};

const WEEK: u64 = 604_800;

fn app() -> Router {
    pages()
        .route(
            "/keep/{seconds}",
            get(
                async |Path(seconds): Path<u64>, session: Session| -> Result<()> {
                    session.insert("kept", &true).await?;
                    session.expire_in(Duration::from_secs(seconds)).await
                },
            ),
        )
        .route(
            "/as_others",
            get(async |session: Session| session.expire_as_others().await),
        )
        .route(
            "/past",
            get(async |session: Session| -> Result<()> {
                session.expire_at(rrss::Timestamp::from_millis(1)).await
            }),
        )
}

fn store() -> (Store, ManualClock) {
    store_over(rrss::Memory::default())
}

#[tokio::test]
async fn a_deadline_of_its_own_is_the_cookies_and_outlives_saves_and_rotation() {
    let (store, clock) = store();
    let site = Site::start(app().layer(layer(&store))).await;
    let ann = site.browser();
    assert_eq!(ann.get("/visit").await.max_age(), Some(WEEK));
    assert_eq!(ann.get("/keep/2592000").await.max_age(), Some(2_592_000));
    clock.advance(Duration::from_secs(1000));
    assert_eq!(ann.get("/visit").await.max_age(), Some(2_591_000));
    assert_eq!(ann.get("/login").await.max_age(), Some(2_591_000));
    clock.advance(Duration::from_secs(2_590_999));
    assert_eq!(ann.get("/read").await.text, "2 ann");
    clock.advance(Duration::from_secs(1));
    let page = ann.get("/read").await;
    assert_eq!((page.text.as_str(), page.cookie()), ("0 nobody", None));
}

#[tokio::test]
async fn without_use_a_session_ends_after_its_time_and_a_save_renews_it() {
    let (store, clock) = store();
    let site = Site::start(app().layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    clock.advance(Duration::from_secs(WEEK - 1));
    assert_eq!(ann.get("/visit").await.max_age(), Some(WEEK));
    clock.advance(Duration::from_secs(WEEK - 1));
    assert_eq!(ann.get("/read").await.text, "2 nobody");
    clock.advance(Duration::from_secs(1));
    let old = ann.id();
    assert_eq!(ann.get("/visit").await.text, "1");
    assert_ne!(ann.id(), old, "an expired id is not used again");
}

#[tokio::test]
async fn a_deadline_in_the_past_ends_the_session() {
    let (store, _) = store();
    let site = Site::start(app().layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let id = ann.id();
    let page = ann.get("/past").await;
    assert!(page.status.is_success() && page.forgets(), "{page:?}");
    assert!(store.load(&id).await.unwrap().is_none());
    assert_eq!(ann.cookie(), None);
}

#[tokio::test]
async fn browser_session_cookies_have_an_end_only_with_a_deadline_of_their_own() {
    let site = Site::start(app().layer(layer(&memory()).browser_session_cookies())).await;
    let ann = site.browser();
    let first = ann.get("/visit").await;
    assert!(first.cookie().is_some() && first.max_age().is_none());
    assert_eq!(ann.get("/visit").await.cookie(), None, "it has it already");
    assert_eq!(ann.get("/keep/60").await.max_age(), Some(60));
    let back = ann.get("/as_others").await;
    assert!(
        back.cookie().is_some() && back.max_age().is_none(),
        "{back:?}"
    );
    assert_eq!(ann.get("/visit").await.cookie(), None);
}

#[tokio::test]
async fn a_session_that_is_renewed_by_reading_sets_its_cookie_anew_and_else_it_does_not() {
    let clock = ManualClock::at(rrss::Timestamp::from_millis(1_795_348_800_000));
    let hours = |hours: u64| DurationOption::from(Duration::from_secs(hours * 3600));
    let store = Store::builder()
        .step::<rrss::KeyMapper>(Default::default())
        .step::<rrss::Expiry>(expiry::Options {
            duration: hours(10),
            renew: expiry::Renew::Load,
            renew_after: Some(hours(1)),
            ..Default::default()
        })
        .step::<rrss::JsonCodec>(Default::default())
        .step::<rrss::Memory>(Default::default())
        .clock(clock.clone())
        .build()
        .unwrap();
    let site = Site::start(app().layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    clock.advance(Duration::from_secs(1800));
    assert_eq!(ann.get("/read").await.cookie(), None, "not renewed yet");
    clock.advance(Duration::from_secs(1800));
    assert_eq!(ann.get("/read").await.max_age(), Some(36_000));
    assert_eq!(ann.get("/read").await.cookie(), None);
    assert_eq!(ann.get("/untouched").await.cookie(), None);
}

#[tokio::test]
async fn a_session_in_constant_use_ends_at_its_absolute_life_and_no_cookie_lives_longer() {
    let clock = ManualClock::at(rrss::Timestamp::from_millis(1_795_348_800_000));
    let store = Store::builder()
        .step::<rrss::KeyMapper>(Default::default())
        .step::<rrss::Expiry>(expiry::Options {
            duration: DurationOption::from(Duration::from_secs(3600)),
            absolute: Some(DurationOption::from(Duration::from_secs(3 * 3600))),
            ..Default::default()
        })
        .step::<rrss::JsonCodec>(Default::default())
        .step::<rrss::Memory>(Default::default())
        .clock(clock.clone())
        .build()
        .unwrap();
    let site = Site::start(app().layer(layer(&store))).await;
    let ann = site.browser();
    assert_eq!(ann.get("/visit").await.max_age(), Some(3600));
    // Every quarter of an hour something changes; once she signs in, which begins no new life, and once she asks for a day.
    for quarter in 1..12_u64 {
        clock.advance(Duration::from_secs(900));
        let left = 3 * 3600 - quarter * 900;
        let (path, asked) = match quarter {
            4 => ("/login", 3600),
            8 => ("/keep/86400", 86_400),
            ..8 => ("/visit", 3600),
            _ => ("/visit", 86_400),
        };
        let page = ann.get(path).await;
        assert_eq!(page.max_age(), Some(left.min(asked)), "{path} {quarter}");
    }
    let id = ann.id();
    clock.advance(Duration::from_secs(899));
    let page = ann.get("/visit").await;
    assert_eq!((page.text.as_str(), page.max_age()), ("11", Some(1)));
    clock.advance(Duration::from_secs(1));
    let page = ann.get("/read").await;
    assert_eq!((page.text.as_str(), page.cookie()), ("0 nobody", None));
    assert!(store.load(&id).await.unwrap().is_none());
    assert_eq!(ann.get("/visit").await.max_age(), Some(3600));
    assert_ne!(ann.id(), id);
}

#[tokio::test]
async fn sign_in_gives_another_id_and_the_old_one_is_dead() {
    let store = memory();
    let site = Site::start(app().layer(layer(&store))).await;
    let ann = site.browser();
    ann.get("/visit").await;
    let thief = ann.thief();
    let old = ann.id();
    ann.get("/login").await;
    assert_ne!(ann.id(), old);
    assert_eq!(ann.get("/read").await.text, "1 ann");
    let page = thief.get("/read").await;
    assert_eq!((page.text.as_str(), page.cookie()), ("0 nobody", None));
    ann.get("/logout").await;
    assert_eq!((store.count().await.unwrap(), ann.cookie()), (0, None));
}
