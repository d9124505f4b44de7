//! What saving a session that exists promises.

use std::time::Duration;

use rrss::{Saved, Session};
use serde_json::json;

use super::ask::{
    ann, ann_until, count, create, dead_id, delete, fields, id, is_gone, load, loaded, session,
};
use crate::run::{drop_after, joined};
use crate::{Call, Gate, Side, Subject};

/// "Update replaces: removed fields are gone", changed ones have their new value, the others stay.
pub async fn save_replaces_what_was_stored(subject: Subject) {
    let store = subject.store();
    let mut first = session(&json!({ "stays": [1, 2], "changes": "old", "goes": true }));
    create(&store, &mut first).await;
    let mut copy = loaded(&store, &id(&first)).await;
    copy.remove("goes");
    copy.insert("changes", "new").expect("text serialises");
    copy.insert("comes", &json!({ "a": null }))
        .expect("JSON serialises");
    let saved = store.save(&mut copy).await.expect("saving works");
    assert_eq!(saved, Saved::Replaced);
    assert!(!copy.is_modified());
    let expected = json!({ "stays": [1, 2], "changes": "new", "comes": { "a": null } });
    let stored = loaded(&store, &id(&first)).await;
    assert_eq!(json!(fields(&stored)), expected);
    assert_eq!(count(&store).await, 1);
}

/// "Emptied data is empty": the session is there, without fields.
pub async fn an_emptied_session_is_stored_empty(subject: Subject) {
    let store = subject.store();
    let mut ann = ann(&store).await;
    ann.clear();
    let saved = store.save(&mut ann).await.expect("saving works");
    assert_eq!(saved, Saved::Replaced);
    assert!(loaded(&store, &id(&ann)).await.is_empty());
}

/// A session was created once.
pub async fn save_leaves_the_creation_time(subject: Subject) {
    let store = subject.store();
    let mut session = ann(&store).await;
    let created_at = session.created_at();
    assert!(created_at.is_some());
    for visits in 2..5 {
        subject.advance(Duration::from_millis(5)).await;
        session.insert("visits", &visits).expect("it serialises");
        store.save(&mut session).await.expect("saving works");
        session = loaded(&store, &id(&session)).await;
        assert_eq!(session.created_at(), created_at);
    }
}

/// "Save after delete: told so, nothing re-created."
pub async fn save_after_delete_answers_gone_and_creates_nothing(subject: Subject) {
    let store = subject.store();
    let mut saved = ann(&store).await;
    let mut copy = loaded(&store, &id(&saved)).await;
    assert!(delete(&store, &id(&saved)).await);
    is_gone(&store, &mut copy).await;
    is_gone(&store, &mut saved).await;
}

/// Nothing brings an expired session back, swept or not.
pub async fn save_after_expiry_answers_gone_and_creates_nothing(subject: Subject) {
    let store = subject.store();
    let (_, deadline, mut session) = subject
        .soon(async |_, deadline| ann_until(&store, deadline).await)
        .await;
    subject.pass(deadline).await;
    is_gone(&store, &mut session).await;
    // A deadline of its own does not bring it back either.
    session.set_expires_at(super::ask::an_hour_from(&subject));
    is_gone(&store, &mut session).await;
    store.sweep().await.expect("sweeping works");
    is_gone(&store, &mut session).await;
}

/// A save is on its way to the backend when the session is deleted: the save is told so.
pub async fn a_delete_that_overtakes_a_save_wins(subject: Subject) {
    let gate = Gate::new();
    let store = subject.store_over(gate.before(subject.clone()));
    let mut session = ann(&store).await;
    let key = id(&session);
    let held = gate.hold(Call::Update, Side::Before);
    let saving = tokio::spawn({
        let store = store.clone();
        async move {
            session.insert("late", &true).expect("true serialises");
            store.save(&mut session).await
        }
    });
    let held = held.arrived().await;
    assert!(delete(&store, &key).await);
    held.release();
    let saved = joined(saving).await;
    assert!(saved.as_ref().is_err_and(rrss::Error::is_gone), "{saved:?}");
    assert!(load(&store, &key).await.is_none());
    assert_eq!(count(&store).await, 0);
}

/// An update arrives between a delete and its answer: it is told so, and the session stays deleted.
pub async fn a_save_between_a_delete_and_its_answer_answers_gone(subject: Subject) {
    let gate = Gate::new();
    let store = subject.store_over(gate.before(subject.clone()));
    let mut session = ann(&store).await;
    let held = gate.hold(Call::Delete, Side::After);
    let deleting = tokio::spawn({
        let (store, key) = (store.clone(), id(&session));
        async move { store.delete(&key).await }
    });
    let held = held.arrived().await;
    is_gone(&store, &mut session).await;
    held.release();
    assert!(joined(deleting).await.expect("deleting works"));
    assert_eq!(count(&store).await, 0);
}

/// "It has then happened as a whole or not at all": a client goes away while its session is saved.
pub async fn a_save_dropped_midway_is_whole_or_absent(subject: Subject) {
    let store = subject.store();
    for polls in 0..16 {
        let given = dead_id(&store).await;
        let mut new = Session::with_id(given.clone());
        new.insert("text", &"a".repeat(10_000))
            .expect("text serialises");
        let whole = fields(&new);
        drop_after(polls, store.save(&mut new)).await;
        let stored = load(&store, &given).await;
        assert!(
            stored.is_none_or(|stored| fields(&stored) == whole),
            "created in part"
        );

        let mut ann = ann(&store).await;
        let before = fields(&ann);
        ann.insert("text", &"b".repeat(10_000))
            .expect("text serialises");
        let after = fields(&ann);
        drop_after(polls, store.save(&mut ann)).await;
        let stored = fields(&loaded(&store, &id(&ann)).await);
        assert!(stored == before || stored == after, "replaced in part");
    }
}
