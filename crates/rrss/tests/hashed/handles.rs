//! Finding and ending sessions of which the store knows no id.

use std::num::NonZeroUsize;
use std::time::Duration;

use rrss::{
    Handle, Index, JsonCodec, KeyMapper, ManualClock, Memory, SessionId, Store, Timestamp, index,
};

use crate::support::{Change, Keys, lives, login, memory};

fn handle(id: &SessionId) -> Handle {
    Handle::of(id)
}

async fn found(store: &Store) -> Vec<Handle> {
    let found = store.find("user", "ann", None, 100).await.unwrap();
    let mut handles: Vec<Handle> = found
        .sessions
        .iter()
        .map(rrss::SessionInfo::handle)
        .collect();
    handles.sort();
    handles
}

fn store(max: Option<usize>, clock: ManualClock) -> Store {
    Store::builder()
        .clock(clock)
        .step::<KeyMapper>(Keys::Hashed.options("s:"))
        .step::<Index>(index::Options {
            max_per_value: max.and_then(NonZeroUsize::new),
            ..index::Options::of(["user"])
        })
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
        .build()
        .unwrap()
}

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_millis(1_795_348_800_000))
}

#[tokio::test]
async fn a_found_session_has_the_handle_of_the_id_that_its_client_has() {
    let store = store(None, clock());
    let id = login(&store, "ann").await;
    let found = store.find("user", "ann", None, 10).await.unwrap();
    assert_eq!(found.sessions[0].handle(), handle(&id));
    assert!(found.sessions[0].is(&id));
    assert!(!found.sessions[0].is(&login(&store, "ann").await));
}

#[tokio::test]
async fn one_is_revoked_by_its_handle_and_the_others_live() {
    let store = store(None, clock());
    let (one, two) = (login(&store, "ann").await, login(&store, "ann").await);
    assert!(store.revoke_one("user", "ann", handle(&one)).await.unwrap());
    assert!(!store.revoke_one("user", "ann", handle(&one)).await.unwrap());
    assert!(!lives(&store, &one).await && lives(&store, &two).await);
    assert_eq!(found(&store).await, [handle(&two)]);
}

#[tokio::test]
async fn revoking_the_others_keeps_the_one_that_asks() {
    let store = store(None, clock());
    let (one, two) = (login(&store, "ann").await, login(&store, "ann").await);
    assert_eq!(store.revoke_others("user", "ann", &one).await.unwrap(), 1);
    assert!(lives(&store, &one).await && !lives(&store, &two).await);
}

#[tokio::test]
async fn the_oldest_is_evicted_and_saving_again_evicts_nobody() {
    let clock = clock();
    let store = store(Some(2), clock.clone());
    let mut ids = Vec::new();
    for _ in 0..3 {
        clock.advance(Duration::from_millis(2));
        ids.push(login(&store, "ann").await);
    }
    let mut left = Vec::new();
    for id in &ids {
        if lives(&store, id).await {
            left.push(id.clone());
        }
    }
    assert_eq!(left.len(), 2);
    assert!(left.contains(&ids[2]), "the newest lives");
    let mut again = store.load(&left[0]).await.unwrap().unwrap();
    again.insert("user", "bob").unwrap();
    store.save(&mut again).await.unwrap();
    again.insert("user", "ann").unwrap();
    store.save(&mut again).await.unwrap();
    assert!(lives(&store, &left[0]).await && lives(&store, &left[1]).await);
}

#[tokio::test]
async fn sessions_from_before_and_after_are_one_users_sessions() {
    let change = Change::limited(memory(), Some(3));
    let old = change.old("ann").await;
    change.clock.advance(Duration::from_millis(5));
    let new = login(&change.after, "ann").await;
    let mut both = [handle(&old), handle(&new)];
    both.sort();
    assert_eq!(found(&change.after).await, both);
    assert_eq!(change.after.count().await.unwrap(), 2);
    assert_eq!(change.after.list(None, 10).await.unwrap().ids.len(), 2);

    change.clock.advance(Duration::from_millis(5));
    login(&change.after, "ann").await;
    change.clock.advance(Duration::from_millis(5));
    login(&change.after, "ann").await;
    assert!(
        !lives(&change.after, &old).await,
        "the oldest was one too many"
    );
    assert_eq!(
        change
            .after
            .revoke_others("user", "ann", &new)
            .await
            .unwrap(),
        2
    );
    assert!(lives(&change.after, &new).await);
}
