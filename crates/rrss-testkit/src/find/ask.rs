//! Short forms for the promises of a store with an index.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use rrss::{Saved, Session, SessionId, SessionInfo, Store};
use rrss_core::{Handle, OnLimit};
use rrss_index::Options;

use crate::Subject;

/// A store whose sessions are found by `user`, and by `tenant`.
pub(super) fn store(subject: &Subject) -> Store {
    subject.indexed_store_over(subject.clone(), options(), |builder| builder)
}

pub(super) fn options() -> Options {
    Options::of(["user", "tenant"])
}

/// A store in which a user has `max` sessions at most.
pub(super) fn limited(subject: &Subject, max: usize, on_limit: OnLimit) -> Store {
    let options = Options {
        max_per_value: NonZeroUsize::new(max),
        on_limit: Some(on_limit),
        ..Options::of(["user"])
    };
    subject.indexed_store_over(subject.clone(), options, |builder| builder)
}

pub(super) fn session_of(user: &str) -> Session {
    let mut session = Session::new();
    session.insert("user", user).expect("text serialises");
    session
}

/// A new session of `user`, later than those before it.
pub(super) async fn login(subject: &Subject, store: &Store, user: &str) -> Session {
    subject.advance(Duration::from_millis(2)).await;
    let mut session = session_of(user);
    let saved = store.save(&mut session).await.expect("creating works");
    assert_eq!(saved, Saved::Created);
    session
}

/// The live sessions of `user`, from all pages.
pub(super) async fn all_of(store: &Store, user: &str, limit: usize) -> Vec<SessionInfo> {
    let (mut all, mut cursor) = (Vec::new(), None);
    for _ in 0..100_000 {
        let found = store.find("user", user, cursor, limit).await;
        let found = found.expect("finding works");
        all.extend(found.sessions);
        cursor = found.next;
        if cursor.is_none() {
            return all;
        }
    }
    panic!("a find does not end");
}

/// The handles of the live sessions of `user`.
pub(super) async fn found(store: &Store, user: &str) -> BTreeSet<Handle> {
    let all = all_of(store, user, 100).await;
    all.iter().map(SessionInfo::handle).collect()
}

pub(super) fn id(session: &Session) -> SessionId {
    session.id().expect("a stored session has an id").clone()
}

pub(super) fn handle(session: &Session) -> Handle {
    Handle::of(&id(session))
}

pub(super) fn handles<'s>(sessions: impl IntoIterator<Item = &'s Session>) -> BTreeSet<Handle> {
    sessions.into_iter().map(handle).collect()
}

pub(super) async fn loaded(store: &Store, session: &Session) -> Session {
    let loaded = store.load(&id(session)).await.expect("loading works");
    loaded.expect("the session is there")
}

pub(super) async fn lives(store: &Store, session: &Session) -> bool {
    store
        .load(&id(session))
        .await
        .expect("loading works")
        .is_some()
}
