//! What a rotation promises: a new id for the same session.

use std::time::Duration;

use rrss::{ErrorKind, Session, Store};

use super::ask::{ann, ann_until, count, delete, fields, id, is_gone, load, loaded};
use crate::run::{ROUNDS, at_once};
use crate::{Call, Faults, Gate, Side, Subject};

async fn rotate(store: &Store, session: &mut Session) {
    store.rotate(session).await.expect("rotating works");
}

/// "New id, same data and creation time."
pub async fn rotate_gives_a_new_id_with_the_same_data_and_creation_time(subject: Subject) {
    let store = subject.store();
    let mut session = ann(&store).await;
    let before = session.clone();
    subject.advance(Duration::from_millis(5)).await;
    rotate(&store, &mut session).await;
    assert_ne!(id(&session), id(&before));
    assert!(!session.is_new() && !session.is_modified());
    for session in [&session, &loaded(&store, &id(&session)).await] {
        assert_eq!(fields(session), fields(&before));
        assert_eq!(session.created_at(), before.created_at());
    }
    assert_eq!(count(&store).await, 1);
}

/// An id change with a field change: both are stored.
pub async fn rotate_takes_unsaved_changes_along(subject: Subject) {
    let store = subject.store();
    let mut session = loaded(&store, &id(&ann(&store).await)).await;
    session.insert("role", "admin").expect("text serialises");
    session.remove("visits");
    let expected = fields(&session);
    rotate(&store, &mut session).await;
    assert!(!session.is_modified());
    assert_eq!(fields(&loaded(&store, &id(&session)).await), expected);
}

/// "The old id is dead when it answers": not to be loaded, touched or deleted.
pub async fn the_old_id_is_dead_when_a_rotation_answers(subject: Subject) {
    let store = subject.store();
    let mut session = ann(&store).await;
    let old = id(&session);
    rotate(&store, &mut session).await;
    assert!(load(&store, &old).await.is_none(), "it loads");
    assert!(!store.touch(&old).await.expect("touching works"));
    assert!(!delete(&store, &old).await);
}

/// "A stale copy saved afterwards does not revive the old id."
pub async fn a_stale_copy_saved_after_a_rotation_answers_gone(subject: Subject) {
    let store = subject.store();
    let mut session = ann(&store).await;
    let mut stale = loaded(&store, &id(&session)).await;
    rotate(&store, &mut session).await;
    is_gone(&store, &mut stale).await;
    let error = store.rotate(&mut stale).await.expect_err("it is gone");
    assert!(error.is_gone(), "{error:?}");
    assert!(
        load(&store, &id(&session)).await.is_some(),
        "the new id lives"
    );
    assert_eq!(count(&store).await, 1);
}

/// "If old was gone, delete new and answer `Gone`": after a deletion.
pub async fn rotate_of_a_deleted_session_answers_gone_and_leaves_none_behind(subject: Subject) {
    let store = subject.store();
    let mut session = ann(&store).await;
    let old = id(&session);
    delete(&store, &old).await;
    let error = store.rotate(&mut session).await.expect_err("it is gone");
    assert!(error.is_gone(), "{error:?}");
    assert!(load(&store, &old).await.is_none());
    assert_eq!(count(&store).await, 0, "a new session stayed behind");
}

/// "If old was gone, delete new and answer `Gone`": after its deadline.
pub async fn rotate_of_an_expired_session_answers_gone_and_leaves_none_behind(subject: Subject) {
    let store = subject.store();
    let (_, deadline, mut session) = subject
        .soon(async |_, deadline| ann_until(&store, deadline).await)
        .await;
    subject.pass(deadline).await;
    let error = store.rotate(&mut session).await.expect_err("it is gone");
    assert!(error.is_gone(), "{error:?}");
    assert_eq!(count(&store).await, 0, "a new session stayed behind");
}

/// "Two at once: exactly one wins." The other is told that the session is gone, and one session is left.
pub async fn of_two_rotations_at_once_exactly_one_wins(subject: Subject) {
    let store = subject.store();
    for round in 0..ROUNDS / 2 {
        let session = ann(&store).await;
        let rotate = || {
            let (store, mut session) = (store.clone(), session.clone());
            async move {
                let rotated = store.rotate(&mut session).await;
                (rotated, id(&session))
            }
        };
        let winner = match at_once(rotate(), rotate()).await {
            ((Ok(_), winner), (Err(error), _)) | ((Err(error), _), (Ok(_), winner)) => {
                assert!(error.is_gone(), "round {round}: {error:?}");
                winner
            }
            both => panic!("round {round}: two rotations were answered {both:?}"),
        };
        assert_ne!(winner, id(&session));
        assert!(load(&store, &id(&session)).await.is_none(), "round {round}");
        let stored = loaded(&store, &winner).await;
        assert_eq!(fields(&stored), fields(&session), "round {round}");
        assert_eq!(count(&store).await, 1, "round {round}");
        delete(&store, &winner).await;
    }
}

/// "Twice": the id in the middle is as dead as the first.
pub async fn a_second_rotation_leaves_the_last_id_alone(subject: Subject) {
    let store = subject.store();
    let mut session = ann(&store).await;
    let first = id(&session);
    rotate(&store, &mut session).await;
    let middle = id(&session);
    rotate(&store, &mut session).await;
    for dead in [first, middle] {
        assert!(load(&store, &dead).await.is_none());
    }
    assert!(load(&store, &id(&session)).await.is_some());
    assert_eq!(count(&store).await, 1);
}

/// "On an unsaved session": it has no id that could be renewed, and is saved.
pub async fn rotate_of_a_new_session_saves_it(subject: Subject) {
    let store = subject.store();
    let mut session = Session::new();
    session.insert("user", "ann").expect("text serialises");
    rotate(&store, &mut session).await;
    assert!(!session.is_new() && !session.is_modified());
    let copy = loaded(&store, &id(&session)).await;
    assert_eq!(fields(&copy), fields(&session));
    assert_eq!(count(&store).await, 1);
}

/// "A crash in between loses no session": the backend fails, the answer is lost, or the caller goes away.
pub async fn a_rotation_cut_off_midway_loses_no_session(subject: Subject) {
    let faults = Faults::new();
    let store = subject.store_over(faults.before(subject.clone()));
    for (call, side) in [
        (Call::Create, Side::Before),
        (Call::Create, Side::After),
        (Call::Delete, Side::Before),
    ] {
        let mut session = ann(&store).await;
        let before = session.clone();
        faults.fail(call, 1, side, ErrorKind::Unavailable);
        let error = store
            .rotate(&mut session)
            .await
            .expect_err("it was cut off");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(id(&session), id(&before), "the session keeps its old id");
        let stored = loaded(&store, &id(&before)).await;
        assert_eq!(fields(&stored), fields(&before), "{call:?}, {side:?}");
        rotate(&store, &mut session).await;
        assert!(
            load(&store, &id(&before)).await.is_none(),
            "a second try works"
        );
    }

    let session = ann(&store).await;
    let left = count(&store).await;
    faults.fail(Call::Delete, 1, Side::After, ErrorKind::Timeout);
    let error = store.rotate(&mut session.clone()).await;
    assert_eq!(error.map_err(|error| error.kind()), Err(ErrorKind::Timeout));
    assert_eq!(count(&store).await, left, "its data lives under the new id");

    let gate = Gate::new();
    let store = subject.store_over(gate.before(subject.clone()));
    for side in [Side::Before, Side::After] {
        let session = ann(&store).await;
        let left = count(&store).await;
        let held = gate.hold(Call::Delete, side);
        let rotating = tokio::spawn({
            let (store, mut session) = (store.clone(), session.clone());
            async move { store.rotate(&mut session).await }
        });
        let held = held.arrived().await;
        rotating.abort();
        assert!(rotating.await.is_err(), "it was aborted");
        held.release();
        assert!(
            count(&store).await >= left,
            "{side:?}: the session was lost"
        );
        let old = load(&store, &id(&session)).await;
        assert_eq!(old.is_some(), side == Side::Before);
    }
}
