//! Short forms for the promises of a store.

use std::collections::BTreeMap;
use std::time::Duration;

use rrss::{Saved, Session, SessionId, Store};
use rrss_core::Timestamp;
use serde_json::{Value, json};

use crate::Subject;

/// The fields of a session, to compare.
pub(super) fn fields(session: &Session) -> BTreeMap<String, Value> {
    let fields = session.iter_raw().map(|(name, raw)| {
        let value = serde_json::from_str(raw).expect("a field of a session is JSON");
        (name.to_owned(), value)
    });
    fields.collect()
}

pub(super) fn session(fields: &Value) -> Session {
    let mut session = Session::new();
    for (name, value) in fields.as_object().expect("fields are an object") {
        session.insert(name, value).expect("JSON serialises");
    }
    session
}

/// Saves a new session with two fields.
pub(super) async fn ann(store: &Store) -> Session {
    let mut session = session(&json!({ "user": "ann", "visits": 1 }));
    create(store, &mut session).await;
    session
}

/// Saves a new session with two fields that ends at `deadline`.
pub(super) async fn ann_until(store: &Store, deadline: Timestamp) -> Session {
    let mut session = session(&json!({ "user": "ann", "visits": 1 }));
    session.set_expires_at(deadline);
    create(store, &mut session).await;
    session
}

pub(super) async fn create(store: &Store, session: &mut Session) {
    let saved = store.save(session).await.expect("creating works");
    assert_eq!(saved, Saved::Created);
}

pub(super) async fn load(store: &Store, id: &SessionId) -> Option<Session> {
    match store.load(id).await {
        // It was rotated away a moment ago.
        Err(error) if error.is_gone() => None,
        loaded => loaded.expect("loading works"),
    }
}

/// Loads a session that must be there.
pub(super) async fn loaded(store: &Store, id: &SessionId) -> Session {
    let session = load(store, id).await;
    session.expect("the session is there")
}

pub(super) async fn delete(store: &Store, id: &SessionId) -> bool {
    store.delete(id).await.expect("deleting works")
}

pub(super) async fn count(store: &Store) -> u64 {
    store.count().await.expect("counting works")
}

pub(super) fn id(session: &Session) -> SessionId {
    let id = session.id();
    id.expect("a stored session has an id").clone()
}

/// The id of a session that was deleted: well-formed, and nobody's.
pub(super) async fn dead_id(store: &Store) -> SessionId {
    let session = ann(store).await;
    assert!(delete(store, &id(&session)).await, "it was there");
    id(&session)
}

/// Saves a change, which must be answered `Gone`, and checks that nothing came of it.
pub(super) async fn is_gone(store: &Store, session: &mut Session) {
    let left = count(store).await;
    session.insert("late", &true).expect("true serialises");
    let saved = store.save(session).await;
    assert!(
        saved.as_ref().is_err_and(rrss::Error::is_gone),
        "a late save was answered {saved:?}"
    );
    assert!(load(store, &id(session)).await.is_none(), "it came back");
    assert_eq!(count(store).await, left, "something was stored");
}

/// What a save answers where others have changed other fields since the load: a backend that keeps fields stores the one
/// beside the other, and need not read what the other was.
pub(super) fn save_beside_others(subject: &Subject) -> Saved {
    if subject.keeps_fields() {
        Saved::Replaced
    } else {
        Saved::Merged
    }
}

pub(super) fn an_hour_from(subject: &Subject) -> Timestamp {
    subject.now() + Duration::from_secs(3600)
}
