//! Devices while the backend is away, or goes away in the middle.

use axum::Router;
use axum::routing::get;
use rrss::{ErrorKind, Store};
use rrss_axum::{OnOutage, Result, Session};
use rrss_testkit::{Call, Faults, Side};

use crate::site::{Browser, Page, Site, layer, pages, store_over};

/// Every page that asks for devices or ends them.
const DEVICES: [&str; 5] = [
    "/devices",
    "/end_all",
    "/end_others",
    "/end_one",
    "/look_and_end_others",
];

fn app() -> Router {
    pages()
        .route(
            "/devices",
            get(async |session: Session| -> Result<String> {
                Ok(session.devices("user", "ann").await?.len().to_string())
            }),
        )
        .route(
            "/end_all",
            get(async |session: Session| -> Result<String> {
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
            "/look_and_end_others",
            get(async |session: Session| -> Result<String> {
                session.get::<u64>("visits").await?;
                Ok(session.end_others("user", "ann").await?.to_string())
            }),
        )
        .route(
            "/end_one",
            get(async |session: Session| -> Result<String> {
                let mut ended = 0;
                for device in session.devices("user", "ann").await? {
                    if !session.is_this(&device).await {
                        session.end_one("user", "ann", device.handle()).await?;
                        ended += 1;
                    }
                }
                Ok(ended.to_string())
            }),
        )
}

struct World {
    phone: Browser,
    desk: Browser,
    faults: Faults,
    store: Store,
}

/// Two browsers of one user.
async fn world(policy: OnOutage) -> World {
    let faults = Faults::new();
    let (store, _) = store_over(faults.before(rrss::Memory::default()));
    let site = Site::start(app().layer(layer(&store).on_outage(policy))).await;
    let (phone, desk) = (site.browser(), site.browser());
    for browser in [&phone, &desk] {
        browser.get("/visit").await;
        browser.get("/login").await;
    }
    World {
        phone,
        desk,
        faults,
        store,
    }
}

fn assert_unavailable(page: &Page, path: &str) {
    assert_eq!((page.status.as_u16(), page.cookie()), (503, None), "{path}");
}

#[tokio::test]
async fn in_an_outage_devices_are_503_and_afterwards_all_are_as_before() {
    for policy in [OnOutage::Refuse, OnOutage::WithoutSession] {
        for kind in [ErrorKind::Unavailable, ErrorKind::Timeout] {
            let world = world(policy).await;
            let id = world.desk.id();
            world.faults.fail_all(kind);
            for path in DEVICES {
                assert_unavailable(&world.desk.get(path).await, path);
            }
            world.faults.heal();
            assert_eq!(world.desk.id(), id);
            assert_eq!(world.store.count().await.unwrap(), 2);
            for browser in [&world.desk, &world.phone] {
                assert_eq!(browser.get("/read").await.text, "1 ann");
            }
            assert_eq!(world.desk.get("/devices").await.text, "2");
        }
    }
}

#[tokio::test]
async fn an_outage_before_anything_is_ended_ends_nothing_and_the_next_try_does() {
    for (path, call, left) in [
        ("/end_all", Call::Find, 0),
        ("/end_all", Call::Delete, 0),
        ("/end_others", Call::Find, 1),
        ("/end_others", Call::Delete, 1),
        ("/end_one", Call::Find, 1),
        ("/end_one", Call::Delete, 1),
    ] {
        let world = world(OnOutage::Refuse).await;
        let failing = Side::Before;
        world.faults.fail(call, 1, failing, ErrorKind::Unavailable);
        assert_unavailable(&world.desk.get(path).await, path);
        assert_eq!(world.store.count().await.unwrap(), 2, "{path} {call:?}");
        assert_eq!(world.desk.get("/read").await.text, "1 ann");
        let page = world.desk.get(path).await;
        assert!(page.status.is_success(), "{path} {call:?}");
        assert_eq!(world.store.count().await.unwrap(), left, "{path} {call:?}");
    }
}

#[tokio::test]
async fn ending_all_that_fails_in_the_middle_is_503_and_the_next_try_ends_the_rest() {
    let world = world(OnOutage::Refuse).await;
    let second = 2;
    world
        .faults
        .fail(Call::Delete, second, Side::Before, ErrorKind::Timeout);
    assert_unavailable(&world.desk.get("/end_all").await, "/end_all");
    assert_eq!(world.store.count().await.unwrap(), 1);
    let others = world.phone.get("/end_all").await;
    assert!(others.status.is_success());
    assert_eq!(world.store.count().await.unwrap(), 0);
    for browser in [&world.desk, &world.phone] {
        assert_eq!(browser.get("/read").await.text, "0 nobody");
    }
}

#[tokio::test]
async fn who_ends_all_and_does_not_hear_whether_this_one_has_ended_keeps_a_cookie_that_opens_nothing()
 {
    let world = world(OnOutage::Refuse).await;
    // Each of the two is looked at before it is ended; then it is looked whether this one has.
    let third = 3;
    world
        .faults
        .fail(Call::Load, third, Side::Before, ErrorKind::Unavailable);
    assert_unavailable(&world.desk.get("/end_all").await, "/end_all");
    assert_eq!(world.store.count().await.unwrap(), 0);
    assert_eq!(world.desk.get("/read").await.text, "0 nobody");
}

#[tokio::test]
async fn a_request_that_goes_on_without_its_session_ends_no_others_since_it_cannot_tell_which() {
    let world = world(OnOutage::WithoutSession).await;
    world
        .faults
        .fail(Call::Load, 1, Side::Before, ErrorKind::Timeout);
    let path = "/look_and_end_others";
    assert_unavailable(&world.desk.get(path).await, path);
    assert_eq!(world.store.count().await.unwrap(), 2);
    assert_eq!(world.desk.get(path).await.text, "1");
    assert_eq!(world.desk.get("/read").await.text, "1 ann");
}
