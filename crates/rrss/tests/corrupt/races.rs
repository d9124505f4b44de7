//! What others store at the same moment is never lost.

use rrss::{OnCorrupt, Store};
use rrss_testkit::{Call, Gate, Side};

use crate::support::{BROKEN, World, entry, id, login, names, overwrite, raw};

const POLICIES: [OnCorrupt; 2] = [OnCorrupt::Discard, OnCorrupt::Quarantine];

#[tokio::test]
async fn a_session_saved_between_the_look_and_the_deletion_survives_and_is_answered() {
    for policy in POLICIES {
        let world = World::new(policy);
        a_later_save_survives(&world.store, &world.gate).await;
    }
}

/// On the store behind this gate, a live session is saved when the deletion of what could not be read is about to be sent.
pub(crate) async fn a_later_save_survives(store: &Store, gate: &Gate) {
    let session = login(store, "ann").await;
    let good = raw(store, id(&session)).await.unwrap();
    overwrite(store, id(&session), BROKEN).await;

    let held = gate.hold(Call::Delete, Side::Before);
    let load = tokio::spawn({
        let (store, id) = (store.clone(), id(&session).clone());
        async move { store.load(&id).await }
    });
    let held = held.arrived().await;
    overwrite(store, id(&session), &good).await;
    held.release();
    let loaded = load.await.unwrap().unwrap().unwrap();
    assert_eq!(loaded.get::<String>("user").unwrap().unwrap(), "ann");
    assert_eq!(raw(store, id(&session)).await.unwrap(), good);
    assert_eq!(store.corrupt_counts().discarded, 0);
    assert_eq!(store.corrupt_counts().quarantined, 0);
}

#[tokio::test]
async fn a_session_saved_before_the_second_look_survives_and_is_answered() {
    for policy in POLICIES {
        let world = World::new(policy);
        let session = login(&world.store, "ann").await;
        let good = raw(&world.store, id(&session)).await.unwrap();
        overwrite(&world.store, id(&session), BROKEN).await;

        let held = world.gate.hold(Call::Load, Side::After);
        let load = tokio::spawn({
            let (store, id) = (world.store.clone(), id(&session).clone());
            async move { store.load(&id).await }
        });
        let held = held.arrived().await;
        overwrite(&world.store, id(&session), &good).await;
        held.release();
        assert!(load.await.unwrap().unwrap().is_some());
        assert_eq!(raw(&world.store, id(&session)).await.unwrap(), good);
        assert!(names(&world.store).await.is_empty());
    }
}

#[tokio::test]
async fn other_bytes_that_cannot_be_read_are_treated_by_themselves() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = world.broken().await;
    let held = world.gate.hold(Call::Delete, Side::Before);
    let load = tokio::spawn({
        let (store, id) = (world.store.clone(), id(&session).clone());
        async move { store.load(&id).await }
    });
    let held = held.arrived().await;
    overwrite(&world.store, id(&session), b"other").await;
    held.release();
    assert!(load.await.unwrap().unwrap().is_none());
    assert_eq!(raw(&world.store, id(&session)).await, None);
    assert_eq!(names(&world.store).await.len(), 2, "each is kept");
}

#[tokio::test]
async fn a_session_deleted_meanwhile_is_no_session() {
    for policy in POLICIES {
        let world = World::new(policy);
        let session = world.broken().await;
        let held = world.gate.hold(Call::Load, Side::After);
        let load = tokio::spawn({
            let (store, id) = (world.store.clone(), id(&session).clone());
            async move { store.load(&id).await }
        });
        let held = held.arrived().await;
        assert!(world.store.delete(id(&session)).await.unwrap());
        held.release();
        assert!(load.await.unwrap().unwrap().is_none());
        assert!(names(&world.store).await.is_empty());
    }
}

#[tokio::test]
async fn two_requests_that_find_the_same_bytes_make_one_entry_and_both_are_answered() {
    for policy in POLICIES {
        let world = World::new(policy);
        let session = world.broken().await;
        let held = world.gate.hold(Call::Delete, Side::Before);
        let load = tokio::spawn({
            let (store, id) = (world.store.clone(), id(&session).clone());
            async move { store.load(&id).await }
        });
        let held = held.arrived().await;
        assert!(world.store.load(id(&session)).await.unwrap().is_none());
        held.release();
        assert!(load.await.unwrap().unwrap().is_none());
        let counts = world.store.corrupt_counts();
        assert_eq!(counts.discarded + counts.quarantined, 1);
        let entries = usize::from(policy == OnCorrupt::Quarantine);
        assert_eq!(names(&world.store).await.len(), entries);
    }
}

#[tokio::test]
async fn a_cut_between_copy_and_deletion_loses_nothing_and_the_next_load_goes_on() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = world.broken().await;
    let held = world.gate.hold(Call::Delete, Side::Before);
    let load = tokio::spawn({
        let (store, id) = (world.store.clone(), id(&session).clone());
        async move { store.load(&id).await }
    });
    let held = held.arrived().await;
    load.abort();
    assert!(load.await.unwrap_err().is_cancelled());
    drop(held);
    assert_eq!(raw(&world.store, id(&session)).await.unwrap(), BROKEN);
    assert_eq!(entry(&world.store).await.bytes(), BROKEN);

    assert!(world.store.load(id(&session)).await.unwrap().is_none());
    assert_eq!(raw(&world.store, id(&session)).await, None);
    assert_eq!(entry(&world.store).await.bytes(), BROKEN);
}
