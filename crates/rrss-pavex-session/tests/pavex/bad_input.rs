//! Ids that were not given out, and stored bytes that are no session.

use pavex_session::store::SessionStorageBackend;
use pavex_session::store::errors::{CreateError, LoadError};
use pavex_session::{IncomingSession, Session, SessionConfig, SessionId, SessionStore};
use rrss::Store;
use rrss_pavex_session::RrssStore;
use rrss_test_servers::RedisServer;
use serde_json::json;

use crate::stores::{HOUR, given, in_memory, on_redis, state};

/// A session on Redis whose bytes were cut short.
async fn spoiled(server: &RedisServer, store: &RrssStore) -> SessionId {
    let id = SessionId::random();
    let kept = state([("user", json!("ann"))]);
    store.create(&id, given(&kept, HOUR)).await.unwrap();
    let key = format!("texts:{}", id.inner());
    server.command(&["SETRANGE", &key, "1", "!"]);
    id
}

#[tokio::test]
async fn a_browser_whose_session_cannot_be_read_is_told_to_forget_it() {
    let (server, [backend, _]) = on_redis();
    let id = spoiled(&server, &backend).await;
    let (store, config) = (SessionStore::from(backend), SessionConfig::default());
    let incoming = IncomingSession::from_parts(id, [].into());
    let mut session = Session::new(&store, &config, Some(incoming));
    assert_eq!(session.get::<String>("user").await.unwrap(), None);
    let cookie = session.finalize().await.unwrap().unwrap();
    assert_eq!(cookie.value(), "");
}

#[tokio::test]
async fn where_so_chosen_a_session_that_cannot_be_read_is_an_error_and_stays() {
    let (server, [backend, _]) = on_redis();
    let id = spoiled(&server, &backend).await;
    let backend = backend.error_where_unreadable();
    for _ in 0..2 {
        let loaded = backend.load(&id).await;
        assert!(matches!(loaded, Err(LoadError::DeserializationError(_))));
    }
    assert_eq!(server.scan("*").len(), 1);
}

#[tokio::test]
async fn an_id_that_was_not_given_out_is_no_session_and_does_not_become_one() {
    let (backend, ..) = in_memory();
    let sessions = backend.store().clone();
    let (store, config) = (SessionStore::from(backend), SessionConfig::default());
    for forged in [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "00000000-0000-4000-8000-000000000000",
    ] {
        let id: SessionId = serde_json::from_value(json!(forged)).unwrap();
        let incoming = IncomingSession::from_parts(id, [].into());
        let mut session = Session::new(&store, &config, Some(incoming));
        session.insert("user", "ann").await.unwrap();
        let cookie = session.finalize().await.unwrap().unwrap();
        assert_eq!(cookie.value(), "");
    }
    assert_eq!(sessions.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_key_mapper_with_ids_of_another_form_refuses_a_session_by_an_error() {
    let store = Store::from_toml(
        "step = [{ type = 'key-mapper', id = 'token' }, { type = 'json-codec' }, { type = 'memory' }]",
    );
    let store = RrssStore::new(store.unwrap());
    let kept = state([("user", json!("ann"))]);
    let created = store.create(&SessionId::random(), given(&kept, HOUR)).await;
    assert!(matches!(created, Err(CreateError::Other(_))));
}
