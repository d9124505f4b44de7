//! What adapters need whose frameworks hand over whole records and make ids of their own.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use rrss::{
    ErrorKind, Expiry, Index, JsonCodec, KeyMapper, ManualClock, Memory, Saved, Session, SessionId,
    Store, Timestamp, expiry, index,
};

const HOUR: Duration = Duration::from_secs(3600);

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_millis(1_795_348_800_000))
}

fn store(clock: &ManualClock) -> Store {
    Store::builder()
        .clock(clock.clone())
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(expiry::Options {
            duration: HOUR.into(),
            ..Default::default()
        })
        .step::<Index>(index::Options::of(["user_id"]))
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
        .build()
        .unwrap()
}

async fn saved(store: &Store) -> Session {
    let mut session = Session::new();
    session.insert("user_id", &1).unwrap();
    session.insert("theme", "dark").unwrap();
    store.save(&mut session).await.unwrap();
    session
}

/// A record of the session with this id, as a framework has it.
fn record(id: &SessionId, user: u32) -> Session {
    let mut record = Session::with_id(id.clone());
    record.insert("user_id", &user).unwrap();
    record.insert("cart", &["tea"]).unwrap();
    record
}

async fn live(store: &Store, id: &SessionId) -> Session {
    store.load(id).await.unwrap().unwrap()
}

async fn found(store: &Store, user: u32) -> usize {
    let found = store.find("user_id", &user, None, 100).await.unwrap();
    found.sessions.len()
}

fn other_id() -> SessionId {
    "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60".into()
}

#[tokio::test]
async fn a_record_takes_the_place_of_every_field_and_of_none_of_the_rest() {
    let clock = clock();
    let store = store(&clock);
    let session = saved(&store).await;
    let id = session.id().unwrap();
    clock.advance(Duration::from_secs(60));

    let mut record = record(id, 2);
    assert_eq!(store.overwrite(&mut record).await.unwrap(), Saved::Replaced);
    let stored = live(&store, id).await;
    let fields: Vec<_> = stored.iter_raw().collect();
    assert_eq!(fields, [("user_id", "2"), ("cart", r#"["tea"]"#)]);
    assert_eq!(stored.created_at(), session.created_at());
    assert_eq!(found(&store, 1).await, 0);
    assert_eq!(found(&store, 2).await, 1);
}

#[tokio::test]
async fn a_record_that_differs_in_nothing_is_not_written() {
    let store = store(&clock());
    let session = saved(&store).await;
    let mut record = Session::with_id(session.id().unwrap().clone());
    for (name, value) in session.iter_raw() {
        record.insert_raw(name, value).unwrap();
    }
    assert_eq!(
        store.overwrite(&mut record).await.unwrap(),
        Saved::Unchanged
    );
}

#[tokio::test]
async fn the_deadline_of_a_record_is_the_sessions_own() {
    let clock = clock();
    let store = store(&clock);
    let session = saved(&store).await;
    let id = session.id().unwrap();
    let mut record = record(id, 1);
    record.set_expires_at(clock_after(&clock, HOUR * 48));
    store.overwrite(&mut record).await.unwrap();
    clock.advance(HOUR * 47);
    live(&store, id).await;
    clock.advance(HOUR);
    assert!(store.load(id).await.unwrap().is_none());
}

fn clock_after(clock: &ManualClock, time: Duration) -> Timestamp {
    use rrss::core::Clock as _;
    clock.now() + time
}

#[tokio::test]
async fn a_record_of_a_session_that_ended_creates_none() {
    let store = store(&clock());
    let session = saved(&store).await;
    let id = session.id().unwrap();
    store.delete(id).await.unwrap();
    let error = store.overwrite(&mut record(id, 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert!(store.load(id).await.unwrap().is_none());
    assert_eq!(found(&store, 1).await, 0);
}

#[tokio::test]
async fn a_record_without_an_id_is_refused() {
    let error = store(&clock())
        .overwrite(&mut Session::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
}

#[tokio::test]
async fn a_rotation_to_a_given_id_ends_the_old_one() {
    let clock = clock();
    let store = store(&clock);
    let mut session = saved(&store).await;
    let (old, created) = (session.id().unwrap().clone(), session.created_at());
    clock.advance(Duration::from_secs(60));
    store.rotate_to(&mut session, other_id()).await.unwrap();
    assert_eq!(session.id(), Some(&other_id()));
    assert!(store.load(&old).await.unwrap_err().is_gone());
    let stored = live(&store, &other_id()).await;
    assert_eq!((stored.len(), stored.created_at()), (2, created));
}

#[tokio::test]
async fn a_rotation_to_an_id_that_is_taken_or_malformed_changes_nothing() {
    let store = store(&clock());
    let mut session = saved(&store).await;
    let old = session.id().unwrap().clone();
    let taken = saved(&store).await;
    for (id, kind) in [
        (taken.id().unwrap().clone(), ErrorKind::Conflict),
        (old.clone(), ErrorKind::Conflict),
        ("../etc/passwd".into(), ErrorKind::Value),
    ] {
        let error = store.rotate_to(&mut session, id).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(session.id(), Some(&old));
        live(&store, &old).await;
    }
    assert_eq!(store.count().await.unwrap(), 2);
}

#[tokio::test]
async fn a_rotation_of_a_session_that_ended_leaves_none_under_the_given_id() {
    let store = store(&clock());
    let mut session = saved(&store).await;
    store.delete(session.id().unwrap()).await.unwrap();
    let error = store.rotate_to(&mut session, other_id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert!(store.load(&other_id()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_new_session_is_saved_under_the_given_id() {
    let store = store(&clock());
    let mut session = Session::new();
    session.insert("user_id", &1).unwrap();
    assert_eq!(
        store.rotate_to(&mut session, other_id()).await.unwrap(),
        Saved::Created
    );
    live(&store, &other_id()).await;
}
