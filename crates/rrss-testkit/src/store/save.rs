//! What saving a new session promises.

use std::collections::HashSet;
use std::time::Duration;

use rrss::{ErrorKind, Saved, Session, Store};
use rrss_core::Timestamp;
use serde_json::json;

use super::ask::{ann, count, create, dead_id, fields, id, load, loaded, session};
use crate::plain::{PlainJson, PlainKeys};
use crate::{Call, Counts, Subject};

/// "Stores under a fresh id": another for each session. It is loaded with its fields and the instant of its creation.
pub async fn save_of_a_new_session_stores_it_under_a_fresh_id(subject: Subject) {
    let store = subject.store();
    let mut ids = HashSet::new();
    for _ in 0..20 {
        let before = subject.now();
        let saved = ann(&store).await;
        assert!(!saved.is_new() && !saved.is_modified());
        assert!(ids.insert(id(&saved)), "an id was made twice");
        let created_at = saved.created_at().expect("it was created");
        assert!(before <= created_at && created_at <= subject.now());
        let copy = loaded(&store, &id(&saved)).await;
        assert_eq!(fields(&copy), fields(&saved));
        assert_eq!(copy.created_at(), saved.created_at());
    }
    assert_eq!(count(&store).await, 20);
}

/// "An empty session is not stored": it gets no id, and the backend is not asked.
pub async fn an_empty_new_session_is_not_stored_and_asks_nobody(subject: Subject) {
    let counts = Counts::new();
    let store = subject.store_over(counts.before(subject.clone()));
    let mut emptied = session(&json!({ "a": 1 }));
    emptied.clear();
    for mut session in [Session::new(), emptied] {
        let saved = store.save(&mut session).await.expect("it is no error");
        assert_eq!(saved, Saved::Empty);
        assert!(session.is_new() && session.id().is_none());
    }
    assert_eq!(counts.total(), 0);
}

/// Where nothing was changed nothing is written, and the backend is not asked.
pub async fn a_session_without_changes_is_not_written_again(subject: Subject) {
    let counts = Counts::new();
    let store = subject.store_over(counts.before(subject.clone()));
    let mut saved = ann(&store).await;
    let mut copy = loaded(&store, &id(&saved)).await;
    copy.insert("user", "ann").expect("text serialises");
    copy.remove("nothing");
    copy.insert("theme", "dark").expect("text serialises");
    copy.remove("theme");
    counts.reset();
    for session in [&mut saved, &mut copy] {
        let again = store.save(session).await.expect("it is no error");
        assert_eq!(again, Saved::Unchanged);
    }
    assert_eq!(counts.total(), 0);
}

/// "Only if the key is free; bounded retries on collision": a session that was there first stays as it is.
pub async fn a_fresh_id_that_is_taken_is_made_again(subject: Subject) {
    let (first, second) = (PlainKeys::random_id(), PlainKeys::random_id());
    let ids = [first.clone(), first.clone(), first.clone(), second.clone()];
    let (store, _) = dealing(&subject, ids);
    let ann = ann(&store).await;
    assert_eq!(id(&ann), first);
    let mut bob = session(&json!({ "user": "bob" }));
    create(&store, &mut bob).await;
    assert_eq!(id(&bob), second);
    assert_eq!(fields(&loaded(&store, &first).await), fields(&ann));
    assert_eq!(fields(&loaded(&store, &second).await), fields(&bob));
}

/// "Bounded retries": ids that are always taken are an error in the end, and nobody's session is overwritten.
pub async fn fresh_ids_that_are_all_taken_are_a_conflict(subject: Subject) {
    let taken = PlainKeys::random_id();
    let (store, counts) = dealing(&subject, vec![taken.clone(); 1_000]);
    let ann = ann(&store).await;
    counts.reset();
    let mut bob = session(&json!({ "user": "bob" }));
    let error = store.save(&mut bob).await.expect_err("there is no free id");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(counts.of(Call::Create) <= 10, "{counts:?}");
    assert!(bob.is_new() && bob.id().is_none());
    assert_eq!(fields(&loaded(&store, &taken).await), fields(&ann));
}

/// A store whose key mapper makes these ids, over a backend whose calls are counted.
fn dealing(subject: &Subject, ids: impl IntoIterator<Item = rrss::SessionId>) -> (Store, Counts) {
    let keys = PlainKeys::new(subject.prefix()).dealing(ids);
    let mut steps = Store::builder().transform("plain-keys", PlainKeys::SHAPE, keys);
    if !subject.keeps_fields() {
        steps = steps.transform("plain-json", PlainJson::SHAPE, PlainJson);
    }
    let counts = Counts::new();
    let store = subject.build(steps, counts.before(subject.clone()));
    (store, counts)
}

/// "A session can be given an id … by the caller."
pub async fn an_id_given_by_the_caller_is_kept(subject: Subject) {
    let store = subject.store();
    let given = dead_id(&store).await;
    let mut session = Session::with_id(given.clone());
    session.insert("user", "ann").expect("text serialises");
    create(&store, &mut session).await;
    assert_eq!(id(&session), given);
    assert_eq!(fields(&loaded(&store, &given).await), fields(&session));
}

/// A session that brings an id which is another's is refused, and that other stays as it is.
pub async fn an_id_given_by_the_caller_that_is_taken_is_a_conflict(subject: Subject) {
    let store = subject.store();
    let ann = ann(&store).await;
    let mut bob = Session::with_id(id(&ann));
    bob.insert("user", "bob").expect("text serialises");
    let error = store.save(&mut bob).await.expect_err("the id is taken");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(bob.is_new());
    assert_eq!(fields(&loaded(&store, &id(&ann)).await), fields(&ann));
    assert_eq!(count(&store).await, 1);
}

/// "A session can be given … a deadline by the caller": for a new session and for one that is stored.
pub async fn a_deadline_given_by_the_caller_holds(subject: Subject) {
    let store = subject.store();
    let (_, deadline, (new, stored)) = subject
        .soon(async |_, deadline| {
            let new = super::ask::ann_until(&store, deadline).await;
            let mut stored = ann(&store).await;
            stored.set_expires_at(deadline);
            // One that comes too late is told so, and then it is done again with a later deadline.
            let saved = store.save(&mut stored).await;
            (new, (id(&stored), saved))
        })
        .await;
    let (stored, saved) = stored;
    assert_eq!(saved.expect("saving works"), Saved::Replaced);
    subject.pass(deadline).await;
    assert!(load(&store, &id(&new)).await.is_none(), "a new one");
    assert!(load(&store, &stored).await.is_none(), "a stored one");
}

/// "A deadline in the past on write deletes at once."
pub async fn a_past_deadline_given_by_the_caller_ends_the_session(subject: Subject) {
    let store = subject.store();
    let past = [
        Timestamp::from_millis(1),
        Timestamp::from_millis(subject.now().as_millis() - 1),
    ];
    for deadline in past {
        let mut session = ann(&store).await;
        session.set_expires_at(deadline);
        store.save(&mut session).await.expect("saving works");
        assert!(load(&store, &id(&session)).await.is_none());
    }
    subject.advance(Duration::from_millis(1)).await;
    assert_eq!(count(&store).await, 0);
}
