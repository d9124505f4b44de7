//! A session that was loaded, and whose stored bytes were broken since.

use rrss::{Conflict, ErrorKind, OnCorrupt, Session};

use crate::support::{BROKEN, World, entry, id, login, names, overwrite, raw};

const POLICIES: [OnCorrupt; 2] = [OnCorrupt::Discard, OnCorrupt::Quarantine];

/// A session as a request holds it, whose stored bytes are broken by now.
async fn loaded_then_broken(world: &World) -> Session {
    let session = login(&world.store, "ann").await;
    let loaded = world.store.load(id(&session)).await.unwrap().unwrap();
    overwrite(&world.store, id(&session), BROKEN).await;
    loaded
}

#[tokio::test]
async fn a_save_answers_corrupt_and_overwrites_nothing() {
    for conflict in [Conflict::Merge, Conflict::Reject] {
        let world = World::with(OnCorrupt::Error, conflict);
        let mut session = loaded_then_broken(&world).await;
        session.insert("n", &1).unwrap();
        let error = world.store.save(&mut session).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert_eq!(raw(&world.store, id(&session)).await.unwrap(), BROKEN);
    }
}

#[tokio::test]
async fn a_save_answers_gone_once_they_are_out_of_the_way() {
    for policy in POLICIES {
        // With an index every save compares, also where the last one counts.
        for conflict in [Conflict::Merge, Conflict::Reject, Conflict::LastWrite] {
            let world = World::with(policy, conflict);
            let mut session = loaded_then_broken(&world).await;
            session.insert("n", &1).unwrap();
            let error = world.store.save(&mut session).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Gone);
            assert!(session.is_modified(), "it can be saved anew");
            assert_eq!(raw(&world.store, id(&session)).await, None);
            if policy == OnCorrupt::Quarantine {
                assert_eq!(entry(&world.store).await.bytes(), BROKEN);
            }
        }
    }
}

#[tokio::test]
async fn a_rotation_answers_gone_and_leaves_no_new_session() {
    for policy in POLICIES {
        let world = World::new(policy);
        let mut session = loaded_then_broken(&world).await;
        let old = id(&session).clone();
        let error = world.store.rotate(&mut session).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Gone);
        assert_eq!(id(&session), &old);
        assert_eq!(world.store.count().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_rotation_that_answers_corrupt_leaves_no_new_session() {
    let world = World::new(OnCorrupt::Error);
    let mut session = loaded_then_broken(&world).await;
    let error = world.store.rotate(&mut session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(world.store.count().await.unwrap(), 1);
    assert_eq!(raw(&world.store, id(&session)).await.unwrap(), BROKEN);
}

#[tokio::test]
async fn a_touch_finds_no_session() {
    for policy in POLICIES {
        let world = World::new(policy);
        let session = world.broken().await;
        assert!(!world.store.touch(id(&session)).await.unwrap());
        assert_eq!(world.store.count().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn overwriting_and_updating_a_field_answer_gone() {
    for policy in POLICIES {
        let world = World::new(policy);
        let session = world.broken().await;
        let mut record = Session::with_id(id(&session).clone());
        record.insert("n", &1).unwrap();
        let error = world.store.overwrite(&mut record).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Gone);

        let mut session = loaded_then_broken(&world).await;
        let add = |n: Option<u64>| n.unwrap_or(0) + 1;
        let updated = world.store.update_field(&mut session, "n", add).await;
        assert_eq!(updated.unwrap_err().kind(), ErrorKind::Gone);
        assert_eq!(world.store.count().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn what_is_deleted_or_revoked_is_not_kept_in_quarantine() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = world.broken().await;
    assert!(world.store.delete(id(&session)).await.unwrap());
    world.broken().await;
    assert_eq!(world.store.revoke("user", "ann-ann-ann").await.unwrap(), 1);
    assert_eq!(world.store.count().await.unwrap(), 0);
    assert!(names(&world.store).await.is_empty());
}
