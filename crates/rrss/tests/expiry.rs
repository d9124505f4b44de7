//! Deadlines in a store: renewal on load, and deadlines that the application chooses.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod world;

use std::time::Duration;

use rrss::{Conflict, ErrorKind, Saved, Session, Store, Timestamp, expiry};
use rrss_testkit::{Call, Side};
use serde_json::json;
use world::{HOUR, MINUTE, World, an_hour, fields, id};

fn sliding() -> expiry::Options {
    expiry::Options {
        renew: expiry::Renew::Load,
        ..an_hour()
    }
}

#[tokio::test]
async fn a_load_that_renews_says_the_new_deadline() {
    let world = World::with_expiry(Some(sliding()));
    let session = world.saved(json!({ "a": 1 })).await;
    assert_eq!(session.expires_at(), Some(world.now() + HOUR));
    world.clock.advance(MINUTE * 30);
    let loaded = world.loaded(&session).await;
    assert_eq!(loaded.expires_at(), Some(world.now() + HOUR));
    assert!(!loaded.is_modified());
    world.clock.advance(MINUTE * 59);
    assert_eq!(fields(&world.loaded(&session).await), json!({ "a": 1 }));
}

#[tokio::test]
async fn a_session_whose_renewal_fails_is_answered_all_the_same_and_renewed_by_the_next_load() {
    let world = World::with_expiry(Some(sliding()));
    let session = world.saved(json!({ "a": 1 })).await;
    let end = world.now() + HOUR;
    world.clock.advance(MINUTE * 30);
    for side in [Side::Before, Side::After] {
        world
            .faults
            .fail(Call::Touch, 1, side, ErrorKind::Unavailable);
        assert_eq!(world.loaded(&session).await.expires_at(), Some(end));
        world.clock.advance(MINUTE * 10);
    }
    assert_eq!(
        world.loaded(&session).await.expires_at(),
        Some(world.now() + HOUR)
    );
}

#[tokio::test]
async fn a_session_that_ends_between_a_load_and_its_renewal_is_not_there() {
    let world = World::with_expiry(Some(sliding()));
    let session = world.saved(json!({ "a": 1 })).await;
    world.clock.advance(MINUTE * 30);
    let held = world.gate.hold(Call::Touch, Side::Before);
    let loading = tokio::spawn({
        let (store, id) = (world.store.clone(), id(&session));
        async move { store.load(&id).await }
    });
    let held = held.arrived().await;
    world.store.delete(&id(&session)).await.unwrap();
    held.release();
    assert!(loading.await.unwrap().unwrap().is_none());
    assert_eq!(world.store.count().await.unwrap(), 0);
}

/// The renewal knows nothing of the deadline, and overtakes it in the backend; the deadline holds.
#[tokio::test]
async fn a_deadline_set_between_a_load_and_its_renewal_holds() {
    let world = World::with_expiry(Some(sliding()));
    let session = world.saved(json!({ "a": 1 })).await;
    world.clock.advance(MINUTE * 30);
    let held = world.gate.hold(Call::Touch, Side::Before);
    let loading = tokio::spawn({
        let (store, id) = (world.store.clone(), id(&session));
        async move { store.load(&id).await }
    });
    let held = held.arrived().await;
    let mut other = session.clone();
    let soon = world.now() + MINUTE * 5;
    other.set_expires_at(soon);
    world.store.save(&mut other).await.unwrap();
    held.release();
    assert!(loading.await.unwrap().unwrap().is_some());

    world.clock.advance(MINUTE * 5 - Duration::from_millis(1));
    assert!(world.load(&session).await.is_some());
    world.clock.advance(Duration::from_millis(1));
    assert!(world.load(&session).await.is_none());
}

#[tokio::test]
async fn a_deadline_of_its_own_survives_saves_and_rotations_until_it_is_given_up() {
    for options in [an_hour(), sliding()] {
        let world = World::with_expiry(Some(options));
        let mut session = Session::new();
        session.insert("a", &1).unwrap();
        let month = world.now() + HOUR * 24 * 30;
        session.set_expires_at(month);
        world.store.save(&mut session).await.unwrap();

        world.clock.advance(HOUR * 24);
        let mut session = world.loaded(&session).await;
        session.insert("a", &2).unwrap();
        world.store.save(&mut session).await.unwrap();
        assert_eq!(session.expires_at(), Some(month));

        world.store.rotate(&mut session).await.unwrap();
        let mut session = world.loaded(&session).await;
        assert_eq!(session.own_deadline(), Some(month));
        assert_eq!(session.expires_at(), Some(month));
        assert!(world.store.touch(&id(&session)).await.unwrap());
        assert_eq!(world.loaded(&session).await.expires_at(), Some(month));

        session.clear_expires_at();
        assert!(session.is_modified());
        world.store.save(&mut session).await.unwrap();
        let loaded = world.loaded(&session).await;
        assert_eq!(loaded.own_deadline(), None);
        assert_eq!(loaded.expires_at(), Some(world.now() + HOUR));
        world.clock.advance(HOUR);
        assert!(world.load(&session).await.is_none());
    }
}

#[tokio::test]
async fn a_deadline_alone_is_a_change_and_the_same_one_is_none() {
    let world = World::new(Conflict::Merge);
    let mut session = world.saved(json!({ "a": 1 })).await;
    let later = world.now() + HOUR * 24;
    session.set_expires_at(later);
    assert_eq!(
        world.store.save(&mut session).await.unwrap(),
        Saved::Replaced
    );
    let mut session = world.loaded(&session).await;
    session.set_expires_at(later);
    assert_eq!(
        world.store.save(&mut session).await.unwrap(),
        Saved::Unchanged
    );
}

#[tokio::test]
async fn touch_until_moves_a_deadline_until_the_next_save_and_not_past_one_of_the_sessions_own() {
    let world = World::new(Conflict::Merge);
    let mut session = world.saved(json!({ "a": 1 })).await;
    let day = world.now() + HOUR * 24;
    assert!(world.store.touch_until(&id(&session), day).await.unwrap());
    world.clock.advance(HOUR * 2);
    assert_eq!(world.loaded(&session).await.expires_at(), Some(day));
    session.insert("a", &2).unwrap();
    world.store.save(&mut session).await.unwrap();
    assert_eq!(session.expires_at(), Some(world.now() + HOUR));

    let own = world.now() + MINUTE;
    session.set_expires_at(own);
    world.store.save(&mut session).await.unwrap();
    assert!(world.store.touch_until(&id(&session), day).await.unwrap());
    assert!(world.load(&session).await.is_some());
    world.clock.advance(MINUTE);
    assert!(world.load(&session).await.is_none());
}

#[tokio::test]
async fn a_touch_of_a_session_that_is_not_there_is_told_so() {
    let world = World::new(Conflict::Merge);
    let session = world.saved(json!({ "a": 1 })).await;
    world.store.delete(&id(&session)).await.unwrap();
    world.counts.reset();
    assert!(!world.store.touch(&id(&session)).await.unwrap());
    assert!(
        !world
            .store
            .touch_until(&id(&session), world.now() + HOUR)
            .await
            .unwrap()
    );
    assert_eq!(
        world.counts.of(Call::Load),
        1,
        "the first one looks at the session"
    );
    assert_eq!(world.store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn without_an_expiry_step_deadlines_are_those_of_the_application() {
    let world = World::with_expiry(None);
    let mut endless = world.saved(json!({ "a": 1 })).await;
    assert_eq!(endless.expires_at(), None);
    world.store.rotate(&mut endless).await.unwrap();
    assert_eq!(world.loaded(&endless).await.expires_at(), None);

    let day = world.now() + HOUR * 24;
    let mut ending = world.saved(json!({ "a": 1 })).await;
    world.store.touch_until(&id(&ending), day).await.unwrap();
    ending = world.loaded(&ending).await;
    world.store.rotate(&mut ending).await.unwrap();
    let mut ending = world.loaded(&ending).await;
    assert_eq!(ending.expires_at(), Some(day), "it goes along");
    assert_eq!(ending.own_deadline(), None, "and is none of its own");

    ending.set_expires_at(day + HOUR);
    ending.insert("a", &2).unwrap();
    world.store.save(&mut ending).await.unwrap();
    world.store.rotate(&mut ending).await.unwrap();
    world.clock.advance(HOUR * 24);
    assert!(world.load(&ending).await.is_some());
    world.clock.advance(HOUR);
    assert!(world.load(&ending).await.is_none());
    assert!(world.load(&endless).await.is_some());
}

#[tokio::test]
async fn a_saved_session_says_when_it_was_created_and_written() {
    let world = World::new(Conflict::Merge);
    let began = world.now();
    let mut session = world.saved(json!({ "a": 1 })).await;
    world.clock.advance(MINUTE);
    session.insert("a", &2).unwrap();
    world.store.save(&mut session).await.unwrap();
    for session in [&session, &world.loaded(&session).await] {
        assert_eq!(session.created_at(), Some(began));
        assert_eq!(session.written_at(), Some(began + MINUTE));
    }
    let written = session.written_at();
    world.clock.advance(MINUTE);
    world.store.touch(&id(&session)).await.unwrap();
    assert_eq!(world.loaded(&session).await.written_at(), written);
}

#[test]
fn policies_that_do_not_go_together_are_reported_at_their_option() {
    for (options, words) in [
        ("absolute = '1d'", "`absolute` of 1d"),
        ("renew_after = '1h'", "renew = \"load\""),
        ("jitter = '7d'", "`jitter` of 7d"),
    ] {
        let toml = format!(
            "step = [{{ type = 'key-mapper' }}, {{ type = 'expiry', {options} }}, {{ type = 'json-codec' }}, \
             {{ type = 'memory' }}]"
        );
        let error = Store::from_toml(&toml).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_step_that_must_see_sessions_is_refused_below_the_codec() {
    let error = Store::from_toml(
        "step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'expiry', renew = 'load' }, \
         { type = 'memory' }]",
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("move `expiry` above `json-codec`"),
        "{error}"
    );
}

#[tokio::test]
async fn of_a_session_whose_life_is_over_nothing_brings_it_back() {
    let options = expiry::Options {
        absolute: Some((HOUR * 2).into()),
        ..sliding()
    };
    let world = World::with_expiry(Some(options));
    let mut session = world.saved(json!({ "a": 1 })).await;
    for _ in 0..3 {
        world.clock.advance(MINUTE * 30);
        session = world.loaded(&session).await;
    }
    let rotated_late = session.clone();
    world.clock.advance(MINUTE * 30);
    session.insert("a", &2).unwrap();
    assert!(world.store.save(&mut session).await.unwrap_err().is_gone());
    session.set_expires_at(Timestamp::from_millis(u64::MAX));
    assert!(world.store.save(&mut session).await.unwrap_err().is_gone());
    let mut rotated = rotated_late;
    assert!(
        world
            .store
            .rotate(&mut rotated)
            .await
            .unwrap_err()
            .is_gone()
    );
    assert!(!world.store.touch(&id(&session)).await.unwrap());
    assert!(world.load(&session).await.is_none());
    assert_eq!(world.store.count().await.unwrap(), 0);
}
