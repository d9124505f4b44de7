//! What a rotation promises: a new id for the same session.

use std::time::Duration;

use rrss::{Conflict, ErrorKind, Saved, Session, Store};

use super::ask::{ann, ann_until, count, delete, fields, id, is_gone, load, loaded};
use crate::run::{ROUNDS, at_once, joined};
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

/// "A crash in between loses no session": the backend fails, or the caller goes away.
pub async fn a_rotation_cut_off_midway_loses_no_session(subject: Subject) {
    let faults = Faults::new();
    let store = subject.store_over(faults.before(subject.clone()));
    let mut session = ann(&store).await;
    let before = session.clone();
    faults.fail(Call::Rotate, 1, Side::Before, ErrorKind::Unavailable);
    let error = store
        .rotate(&mut session)
        .await
        .expect_err("it was cut off");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!error.may_have_happened(), "{error:?}");
    assert_eq!(id(&session), id(&before), "the session keeps its old id");
    let stored = loaded(&store, &id(&before)).await;
    assert_eq!(fields(&stored), fields(&before));
    rotate(&store, &mut session).await;
    assert!(
        load(&store, &id(&before)).await.is_none(),
        "a second try works"
    );

    let gate = Gate::new();
    let store = subject.store_over(gate.before(subject.clone()));
    for side in [Side::Before, Side::After] {
        let session = ann(&store).await;
        let left = count(&store).await;
        let held = gate.hold(Call::Rotate, side);
        let rotating = tokio::spawn({
            let (store, mut session) = (store.clone(), session.clone());
            async move { store.rotate(&mut session).await }
        });
        let held = held.arrived().await;
        rotating.abort();
        assert!(rotating.await.is_err(), "it was aborted");
        held.release();
        assert_eq!(count(&store).await, left, "{side:?}");
        let old = load(&store, &id(&session)).await;
        assert_eq!(old.is_some(), side == Side::Before);
    }
}

/// "Where the answer was lost, the store looks whether the new session is there."
pub async fn a_rotation_whose_answer_is_lost_gives_the_session_its_new_id(subject: Subject) {
    let faults = Faults::new();
    let store = subject.store_over(faults.before(subject.clone()));
    let mut session = ann(&store).await;
    let before = session.clone();
    session.insert("role", "admin").expect("text serialises");
    faults.fail(Call::Rotate, 1, Side::After, ErrorKind::Timeout);
    rotate(&store, &mut session).await;
    assert_ne!(id(&session), id(&before));
    assert!(!session.is_modified() && session.contains_key("role"));
    let stored = loaded(&store, &id(&session)).await;
    assert_eq!(fields(&stored), fields(&session));
    assert_eq!(count(&store).await, 1, "a twin is left");
}

/// "If it cannot tell …: rotate the same session again, which finds the new session."
pub async fn a_rotation_in_doubt_is_found_by_the_next_try(subject: Subject) {
    let faults = Faults::new();
    let store = subject.store_over(faults.before(subject.clone()));
    let mut session = ann(&store).await;
    let before = session.clone();
    faults.fail(Call::Rotate, 1, Side::After, ErrorKind::Timeout);
    faults.fail(Call::Load, 1, Side::Before, ErrorKind::Unavailable);
    let error = store
        .rotate(&mut session)
        .await
        .expect_err("it is in doubt");
    assert!(error.may_have_happened(), "{error:?}");
    rotate(&store, &mut session).await;
    assert_ne!(id(&session), id(&before));
    assert_eq!(
        fields(&loaded(&store, &id(&session)).await),
        fields(&before)
    );
    assert_eq!(count(&store).await, 1, "a twin is left");
}

/// A rotation with a change of its own, which is held before it happens while another request saves; and what came of it.
async fn a_save_comes_between(
    subject: &Subject,
    conflict: Conflict,
) -> (Store, rrss::Result<Saved>, Session, Session) {
    let gate = Gate::new();
    let store = subject.store_over_with(gate.before(subject.clone()), |builder| {
        builder.conflict(conflict)
    });
    let saved = ann(&store).await;
    let mut other = loaded(&store, &id(&saved)).await;
    let mut rotating = loaded(&store, &id(&saved)).await;
    rotating.insert("role", "admin").expect("text serialises");
    let held = gate.hold(Call::Rotate, Side::Before);
    let rotation = tokio::spawn({
        let store = store.clone();
        async move {
            let rotated = store.rotate(&mut rotating).await;
            (rotated, rotating)
        }
    });
    let held = held.arrived().await;
    other.insert("cart", "tea").expect("text serialises");
    other.remove("visits");
    store
        .save(&mut other)
        .await
        .expect("the old id is alive still");
    held.release();
    let (rotated, rotating) = joined(rotation).await;
    (store, rotated, rotating, other)
}

/// "Changes that other requests saved to the old session are kept": they are under the new id, with the rotation's own.
pub async fn a_save_before_a_rotation_happens_goes_along(subject: Subject) {
    let (store, rotated, session, other) = a_save_comes_between(&subject, Conflict::Merge).await;
    assert_eq!(rotated.expect("it merges"), Saved::Merged);
    let stored = loaded(&store, &id(&session)).await;
    let expected = serde_json::json!({ "user": "ann", "role": "admin", "cart": "tea" });
    assert_eq!(serde_json::json!(fields(&stored)), expected);
    assert_eq!(fields(&session), fields(&stored), "it shows both");
    assert!(
        load(&store, &id(&other)).await.is_none(),
        "the old id is dead"
    );
    assert_eq!(count(&store).await, 1);
}

/// Where the policy is to reject, the rotation is a conflict: the old id lives on with what others saved, and there is no
/// other.
pub async fn a_rotation_that_rejects_what_others_saved_leaves_the_old_session_alone(
    subject: Subject,
) {
    let (store, rotated, session, other) = a_save_comes_between(&subject, Conflict::Reject).await;
    assert_eq!(
        rotated.map_err(|error| error.kind()),
        Err(ErrorKind::Conflict)
    );
    assert_eq!(id(&session), id(&other), "it keeps its old id");
    assert!(session.is_modified() && session.contains_key("role"));
    let stored = loaded(&store, &id(&other)).await;
    assert_eq!(fields(&stored), fields(&other));
    assert_eq!(count(&store).await, 1, "a copy stayed behind");
}

/// Where the last write counts, the rotation is it.
pub async fn a_rotation_that_writes_last_leaves_one_session_with_its_own_fields(subject: Subject) {
    let (store, rotated, session, other) =
        a_save_comes_between(&subject, Conflict::LastWrite).await;
    rotated.expect("it rotates");
    let stored = loaded(&store, &id(&session)).await;
    assert_eq!(fields(&stored), fields(&session));
    assert!(!stored.contains_key("cart") && stored.contains_key("visits"));
    assert!(
        load(&store, &id(&other)).await.is_none(),
        "the old id is dead"
    );
    assert_eq!(count(&store).await, 1);
}
