//! What is promised of many sessions: listing, counting, sweeping.

use std::collections::HashSet;

use rrss::{Handle, SessionId, Store};
use rrss_core::Deadline;

use super::ask::{ann, ann_until, count, delete, id, load};
use crate::Subject;

/// By their handles, which sessions have whether their ids are stored or not.
fn handles<'a>(ids: impl IntoIterator<Item = &'a SessionId>) -> HashSet<Handle> {
    ids.into_iter().map(Handle::of).collect()
}

async fn listed(store: &Store, limit: usize) -> HashSet<SessionId> {
    let mut ids = HashSet::new();
    let mut cursor = None;
    for _ in 0..100_000 {
        let page = store.list(cursor, limit).await.expect("listing works");
        ids.extend(page.ids);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return ids,
        }
    }
    panic!("the listing does not end");
}

/// Each session is named, as an id that can be loaded; those that were deleted are not.
pub async fn list_names_every_session_over_its_pages(subject: Subject) {
    let store = subject.store();
    assert!(listed(&store, 10).await.is_empty());
    let mut ids = HashSet::new();
    for _ in 0..23 {
        ids.insert(id(&ann(&store).await));
    }
    let gone = id(&ann(&store).await);
    delete(&store, &gone).await;
    for limit in [1, 5, 1_000] {
        let listed = listed(&store, limit).await;
        assert!(handles(&listed) == handles(&ids), "{limit} at a time");
        for id in &listed {
            assert!(load(&store, id).await.is_some());
        }
    }
}

/// Keys of others that begin like the store's own are not named as sessions.
pub async fn list_leaves_out_what_is_no_session(subject: Subject) {
    let store = subject.store();
    let session = id(&ann(&store).await);
    let as_long = "*".repeat(session.as_str().len());
    for foreign in ["", "all", "all:written-at", "☃", "*", &as_long] {
        subject.create(foreign, b"not ours", Deadline::Never).await;
    }
    let ids = listed(&store, 10).await;
    assert!(
        handles(&ids) == handles([&session]),
        "{} ids are listed",
        ids.len()
    );
}

/// "Counts the sessions of this store": the live ones.
pub async fn count_counts_the_live_sessions(subject: Subject) {
    let store = subject.store();
    assert_eq!(count(&store).await, 0);
    let first = id(&ann(&store).await);
    ann(&store).await;
    let (_, deadline, _) = subject
        .soon(async |_, deadline| ann_until(&store, deadline).await)
        .await;
    subject.pass(deadline).await;
    assert_eq!(count(&store).await, 2);
    delete(&store, &first).await;
    assert_eq!(count(&store).await, 1);
}

/// "Removes what is past its deadline where the backend does not do so by itself", and nothing else.
pub async fn sweep_removes_the_expired_sessions_alone(subject: Subject) {
    let store = subject.store();
    let live = id(&ann(&store).await);
    let (_, deadline, _) = subject
        .soon(async |_, deadline| {
            store.sweep().await.expect("sweeping works");
            for _ in 0..7 {
                ann_until(&store, deadline).await;
            }
        })
        .await;
    subject.pass(deadline).await;
    let removed = store.sweep().await.expect("sweeping works");
    assert_eq!(removed, if subject.needs_sweep() { 7 } else { 0 });
    assert_eq!(store.sweep().await.expect("sweeping works"), 0);
    assert!(load(&store, &live).await.is_some());
    assert_eq!(count(&store).await, 1);
}
