//! Each method of the backend, and its typed errors.

use pavex_session::SessionId;
use pavex_session::store::SessionStorageBackend;
use pavex_session::store::errors::{
    ChangeIdError, CreateError, DeleteError, LoadError, UpdateError, UpdateTtlError,
};
use rrss::ErrorKind;
use rrss_pavex_session::RrssStore;
use serde_json::json;

use crate::stores::{HOUR, State, given, in_memory, on_redis, state};

async fn keeps_what_it_is_given(store: &RrssStore) {
    let id = SessionId::random();
    assert!(store.load(&id).await.unwrap().is_none());

    let first = state([
        ("user", json!("ann")),
        ("roles", json!(["a", { "b": null }])),
    ]);
    store.create(&id, given(&first, HOUR)).await.unwrap();
    let loaded = store.load(&id).await.unwrap().unwrap();
    assert_eq!(loaded.state, first);
    assert!(loaded.ttl <= HOUR && loaded.ttl > HOUR / 2);

    let second = state([("user", json!("bob")), ("cart", json!({ "tea": 1 }))]);
    store.update(&id, given(&second, HOUR * 4)).await.unwrap();
    let loaded = store.load(&id).await.unwrap().unwrap();
    assert_eq!(loaded.state, second);
    assert!(loaded.ttl > HOUR * 3);

    store.update_ttl(&id, HOUR).await.unwrap();
    let loaded = store.load(&id).await.unwrap().unwrap();
    assert_eq!(loaded.state, second);
    assert!(loaded.ttl <= HOUR);

    let new = SessionId::random();
    store.change_id(&id, &new).await.unwrap();
    assert!(store.load(&id).await.unwrap().is_none());
    let moved = store.load(&new).await.unwrap().unwrap();
    assert_eq!(moved.state, second);
    assert!(moved.ttl <= HOUR && moved.ttl > HOUR / 2);

    store.delete(&new).await.unwrap();
    assert!(store.load(&new).await.unwrap().is_none());
}

async fn keeps_a_session_without_values(store: &RrssStore) {
    let id = SessionId::random();
    store.create(&id, given(&State::new(), HOUR)).await.unwrap();
    assert_eq!(store.load(&id).await.unwrap().unwrap().state, State::new());
    let filled = state([("tea", json!(1))]);
    store.update(&id, given(&filled, HOUR)).await.unwrap();
    assert_eq!(store.load(&id).await.unwrap().unwrap().state, filled);
    store.update(&id, given(&State::new(), HOUR)).await.unwrap();
    assert_eq!(store.load(&id).await.unwrap().unwrap().state, State::new());
}

async fn says_which_id_is_taken_or_unknown(store: &RrssStore) {
    let (taken, other, unknown) = (
        SessionId::random(),
        SessionId::random(),
        SessionId::random(),
    );
    let kept = state([("user", json!("ann"))]);
    let late = state([("user", json!("bob"))]);
    store.create(&taken, given(&kept, HOUR)).await.unwrap();
    store.create(&other, given(&late, HOUR)).await.unwrap();

    let created = store.create(&taken, given(&late, HOUR)).await;
    assert!(matches!(created, Err(CreateError::DuplicateId(error)) if error.id == taken));
    let changed = store.change_id(&other, &taken).await;
    assert!(matches!(changed, Err(ChangeIdError::DuplicateId(error)) if error.id == taken));
    assert_eq!(store.load(&taken).await.unwrap().unwrap().state, kept);
    assert_eq!(store.load(&other).await.unwrap().unwrap().state, late);

    let updated = store.update(&unknown, given(&late, HOUR)).await;
    assert!(matches!(updated, Err(UpdateError::UnknownIdError(error)) if error.id == unknown));
    let moved = store.update_ttl(&unknown, HOUR).await;
    assert!(matches!(moved, Err(UpdateTtlError::UnknownId(error)) if error.id == unknown));
    let deleted = store.delete(&unknown).await;
    assert!(matches!(deleted, Err(DeleteError::UnknownId(error)) if error.id == unknown));
    let fresh = SessionId::random();
    let changed = store.change_id(&unknown, &fresh).await;
    assert!(matches!(changed, Err(ChangeIdError::UnknownId(error)) if error.id == unknown));
    for id in [unknown, fresh] {
        assert!(store.load(&id).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let (store, ..) = in_memory();
    keeps_what_it_is_given(&store).await;
    keeps_a_session_without_values(&store).await;
    says_which_id_is_taken_or_unknown(&store).await;
}

#[tokio::test]
async fn redis_keeps_the_contract_in_both_layouts() {
    let (_server, stores) = on_redis();
    for store in &stores {
        keeps_what_it_is_given(store).await;
        keeps_a_session_without_values(store).await;
        says_which_id_is_taken_or_unknown(store).await;
    }
}

#[tokio::test]
async fn a_session_that_has_ended_is_unknown_to_every_method() {
    let (store, _, clock) = in_memory();
    let kept = state([("user", json!("ann"))]);
    let (id, other) = (SessionId::random(), SessionId::random());
    for id in [id, other] {
        store.create(&id, given(&kept, HOUR)).await.unwrap();
    }
    clock.advance(HOUR);
    assert!(store.load(&id).await.unwrap().is_none());
    let updated = store.update(&id, given(&kept, HOUR)).await;
    assert!(matches!(updated, Err(UpdateError::UnknownIdError(_))));
    let moved = store.update_ttl(&id, HOUR).await;
    assert!(matches!(moved, Err(UpdateTtlError::UnknownId(_))));
    let changed = store.change_id(&id, &SessionId::random()).await;
    assert!(matches!(changed, Err(ChangeIdError::UnknownId(_))));
    assert!(store.load(&id).await.unwrap().is_none());
    // The id may be given out again, as pavex's own backends have it.
    store.create(&id, given(&kept, HOUR)).await.unwrap();
    assert_eq!(store.delete_expired(None).await.unwrap(), 1);
    assert!(store.load(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn an_outage_is_neither_a_missing_session_nor_a_taken_id() {
    let (store, faults, _) = in_memory();
    let kept = state([("user", json!("secret-value"))]);
    let (id, new) = (SessionId::random(), SessionId::random());
    store.create(&id, given(&kept, HOUR)).await.unwrap();
    faults.fail_all(ErrorKind::Unavailable);

    let load = store.load(&id).await.unwrap_err();
    assert!(matches!(load, LoadError::Other(_)));
    let text = format!("{load} {load:?}");
    assert!(!text.contains("secret-value") && !text.contains(&id.inner().to_string()));
    let created = store.create(&new, given(&kept, HOUR)).await;
    assert!(matches!(created, Err(CreateError::Other(_))));
    let updated = store.update(&id, given(&kept, HOUR)).await;
    assert!(matches!(updated, Err(UpdateError::Other(_))));
    let moved = store.update_ttl(&id, HOUR * 2).await;
    assert!(matches!(moved, Err(UpdateTtlError::Other(_))));
    let changed = store.change_id(&id, &new).await;
    assert!(matches!(changed, Err(ChangeIdError::Other(_))));
    assert!(matches!(
        store.delete(&id).await,
        Err(DeleteError::Other(_))
    ));
    assert!(store.delete_expired(None).await.is_err());

    faults.heal();
    assert_eq!(store.load(&id).await.unwrap().unwrap().state, kept);
    assert!(store.load(&new).await.unwrap().is_none());
}
