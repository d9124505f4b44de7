//! What becomes of the changes of requests that use one session at the same time, where one of them rotates it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod world;

use rrss::{Conflict, ErrorKind, Result, Saved, Session};
use rrss_testkit::{Call, Side};
use serde_json::json;
use tokio::task::JoinHandle;
use world::{HOUR, MINUTE, World, fields, id};

const ALL: [Conflict; 3] = [Conflict::Merge, Conflict::Reject, Conflict::LastWrite];

/// Rotates `session` in a task of its own.
fn rotating(world: &World, mut session: Session) -> JoinHandle<(Result<Saved>, Session)> {
    let store = world.store.clone();
    tokio::spawn(async move { (store.rotate(&mut session).await, session) })
}

async fn count(world: &World) -> u64 {
    world.store.count().await.unwrap()
}

#[tokio::test]
async fn a_rotation_without_interference_is_one_operation_under_every_policy() {
    for conflict in ALL {
        let world = World::new(conflict);
        let mut session = world.saved(json!({ "a": 1 })).await;
        let old = session.clone();
        session.insert("user_id", &42).unwrap();
        world.counts.reset();
        assert_eq!(
            world.store.rotate(&mut session).await.unwrap(),
            Saved::Created
        );
        assert_eq!(world.counts.of(Call::Rotate), 1);
        assert_eq!(world.counts.total(), 1, "{conflict:?}");
        assert!(!session.is_new() && !session.is_modified());
        assert!(world.load(&old).await.is_none());
        let stored = world.loaded(&session).await;
        assert_eq!(fields(&stored), json!({ "a": 1, "user_id": 42 }));
        assert_eq!(stored.created_at(), old.created_at());
    }
}

#[tokio::test]
async fn what_another_copy_saves_during_a_rotation_goes_along() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world
        .two_copies(json!({ "same": 0, "theirs": 0, "mine": 0, "old": 0 }))
        .await;
    one.insert("mine", &1).unwrap();
    one.insert("same", &1).unwrap();
    let held = world.gate.hold(Call::Rotate, Side::Before);
    let rotation = rotating(&world, one);
    let held = held.arrived().await;
    other.insert("theirs", &2).unwrap();
    other.insert("same", &2).unwrap();
    other.insert("new", &2).unwrap();
    other.remove("old");
    assert_eq!(world.store.save(&mut other).await.unwrap(), Saved::Replaced);
    held.release();

    let (saved, one) = rotation.await.unwrap();
    assert_eq!(saved.unwrap(), Saved::Merged);
    let both = json!({ "same": 1, "theirs": 2, "mine": 1, "new": 2 });
    assert_eq!(fields(&world.loaded(&one).await), both);
    assert_eq!(fields(&one), both);
    assert!(!one.is_modified());
    assert!(world.load(&other).await.is_none(), "the old id is dead");
    assert_eq!(count(&world).await, 1);

    other.insert("late", &true).unwrap();
    assert!(world.store.save(&mut other).await.unwrap_err().is_gone());
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn a_save_for_each_try_of_a_rotation_goes_along() {
    let world = World::new(Conflict::Merge);
    let (one, mut other) = world.two_copies(json!({ "a": 1 })).await;
    let mut held = world.gate.hold(Call::Rotate, Side::Before);
    let rotation = rotating(&world, one);
    for round in 0..5 {
        let arrived = held.arrived().await;
        other.insert(&format!("n{round}"), &round).unwrap();
        world.store.save(&mut other).await.unwrap();
        held = world.gate.hold(Call::Rotate, Side::Before);
        arrived.release();
    }
    held.arrived().await.release();
    let (saved, one) = rotation.await.unwrap();
    assert_eq!(saved.unwrap(), Saved::Merged);
    assert_eq!(fields(&world.loaded(&one).await), fields(&other));
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn a_stale_copy_rotates_with_what_others_have_saved() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut stale) = world.two_copies(json!({ "a": 1 })).await;
    one.insert("b", &2).unwrap();
    world.store.save(&mut one).await.unwrap();
    stale.remove("a");
    assert_eq!(world.store.rotate(&mut stale).await.unwrap(), Saved::Merged);
    assert_eq!(fields(&world.loaded(&stale).await), json!({ "b": 2 }));
}

#[tokio::test]
async fn where_conflicts_are_rejected_a_rotation_of_a_stale_copy_changes_nothing() {
    let world = World::new(Conflict::Reject);
    let (mut one, mut stale) = world.two_copies(json!({ "a": 1 })).await;
    one.insert("b", &2).unwrap();
    world.store.save(&mut one).await.unwrap();
    stale.insert("c", &3).unwrap();
    let error = world.store.rotate(&mut stale).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(id(&stale), id(&one), "it keeps its old id");
    assert_eq!(fields(&stale), json!({ "a": 1, "c": 3 }));
    assert!(stale.is_modified() && !stale.is_new());
    assert_eq!(fields(&world.loaded(&one).await), fields(&one));
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn where_the_last_write_counts_a_rotation_replaces_what_others_have_saved() {
    let world = World::new(Conflict::LastWrite);
    let (mut one, mut stale) = world.two_copies(json!({ "a": 1 })).await;
    one.insert("b", &2).unwrap();
    world.store.save(&mut one).await.unwrap();
    assert_eq!(
        world.store.rotate(&mut stale).await.unwrap(),
        Saved::Created
    );
    assert_eq!(fields(&world.loaded(&stale).await), json!({ "a": 1 }));
    assert!(world.load(&one).await.is_none());
}

#[tokio::test]
async fn a_condition_on_a_field_holds_in_a_rotation_under_every_policy() {
    for conflict in ALL {
        let world = World::new(conflict);
        let (mut one, mut other) = world.two_copies(json!({ "seat": "none" })).await;
        one.insert("seat", "12A").unwrap();
        world.store.save(&mut one).await.unwrap();
        other.insert_if_unchanged("seat", "12B").unwrap();
        let error = world.store.rotate(&mut other).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{conflict:?}");
        assert_eq!(id(&other), id(&one));
        assert_eq!(fields(&world.loaded(&one).await), json!({ "seat": "12A" }));
        assert_eq!(count(&world).await, 1);
    }
}

#[tokio::test]
async fn a_rotation_whose_merge_grows_too_large_is_refused_and_nothing_is_lost() {
    let world = World::with_max_bytes(200);
    let (mut one, mut other) = world.two_copies(json!({ "a": 1 })).await;
    one.insert("one", &"x".repeat(60)).unwrap();
    world.store.save(&mut one).await.unwrap();
    other.insert("other", &"y".repeat(60)).unwrap();
    let error = world.store.rotate(&mut other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(id(&other), id(&one), "it keeps its old id");
    assert_eq!(fields(&other), json!({ "a": 1, "other": "y".repeat(60) }));
    assert_eq!(fields(&world.loaded(&one).await), fields(&one));
    assert_eq!(count(&world).await, 1);

    other.insert("other", "y").unwrap();
    world.store.rotate(&mut other).await.unwrap();
    assert_eq!(world.loaded(&other).await.len(), 3);
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn a_session_deleted_during_a_rotation_stays_deleted() {
    for conflict in ALL {
        let world = World::new(conflict);
        let session = world.saved(json!({ "a": 1 })).await;
        let held = world.gate.hold(Call::Rotate, Side::Before);
        let rotation = rotating(&world, session.clone());
        let held = held.arrived().await;
        assert!(world.store.delete(&id(&session)).await.unwrap());
        held.release();
        let (rotated, left) = rotation.await.unwrap();
        assert!(rotated.unwrap_err().is_gone(), "{conflict:?}");
        assert_eq!(id(&left), id(&session));
        assert_eq!(count(&world).await, 0);
    }
}

/// A save, and then a deletion, before the rotation happens.
#[tokio::test]
async fn a_session_changed_and_then_deleted_during_a_rotation_stays_deleted() {
    let world = World::new(Conflict::Merge);
    let (one, mut other) = world.two_copies(json!({ "a": 1 })).await;
    let at_rotate = world.gate.hold(Call::Rotate, Side::Before);
    let rotation = rotating(&world, one);
    let at_rotate = at_rotate.arrived().await;
    other.insert("b", &2).unwrap();
    world.store.save(&mut other).await.unwrap();
    let at_reload = world.gate.hold(Call::Load, Side::Before);
    at_rotate.release();
    let at_reload = at_reload.arrived().await;
    assert!(world.store.delete(&id(&other)).await.unwrap());
    at_reload.release();
    assert!(rotation.await.unwrap().0.unwrap_err().is_gone());
    assert_eq!(count(&world).await, 0);
}

/// The old session certainly lives: the copy goes, and the caller can try again.
#[tokio::test]
async fn an_outage_behind_a_conflict_leaves_the_old_session_alone() {
    for (call, nth) in [(Call::Load, 1), (Call::Rotate, 2)] {
        // The answer to a rotation that is lost is looked into.
        let sides = match call {
            Call::Rotate => &[Side::Before][..],
            _ => &[Side::Before, Side::After],
        };
        for &side in sides {
            let world = World::new(Conflict::Merge);
            let session = world.saved(json!({ "a": 1 })).await;
            let mut other = session.clone();
            let mut stale = session;
            other.insert("b", &2).unwrap();
            world.faults.fail(call, nth, side, ErrorKind::Unavailable);
            world.store.save(&mut other).await.unwrap();
            let error = world.store.rotate(&mut stale).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{call:?} {side:?}");
            assert_eq!(id(&stale), id(&other));
            assert_eq!(count(&world).await, 1);
            assert_eq!(fields(&world.loaded(&stale).await), fields(&other));

            world.store.rotate(&mut stale).await.unwrap();
            assert_eq!(fields(&world.loaded(&stale).await), fields(&other));
            assert_eq!(count(&world).await, 1);
        }
    }
}

#[tokio::test]
async fn a_deadline_of_its_own_goes_along_and_so_does_one_that_another_copy_sets() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world.two_copies(json!({ "a": 1 })).await;
    let month = world.now() + HOUR * 24 * 30;
    let held = world.gate.hold(Call::Rotate, Side::Before);
    let rotation = rotating(&world, one);
    let held = held.arrived().await;
    other.set_expires_at(month);
    world.store.save(&mut other).await.unwrap();
    held.release();
    let (saved, rotated) = rotation.await.unwrap();
    assert_eq!(saved.unwrap(), Saved::Merged);
    one = world.loaded(&rotated).await;
    assert_eq!(
        (one.own_deadline(), one.expires_at()),
        (Some(month), Some(month))
    );

    world.clock.advance(MINUTE);
    world.store.rotate(&mut one).await.unwrap();
    let loaded = world.loaded(&one).await;
    assert_eq!(
        (loaded.own_deadline(), loaded.expires_at()),
        (Some(month), Some(month))
    );
}
