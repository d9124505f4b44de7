//! Sessions that actix-session's own `RedisSessionStore` left in Redis go on under their keys.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::HashMap;

use actix_session::storage::{SessionKey, SessionStore as _};
use actix_web::cookie::time::Duration;
use rrss::Store;
use rrss_actix_session::RrssStore;
use rrss_test_servers::{Flavor, RedisServer};

/// The key and the state that actix-session 0.11 stored under it.
const KEY: &str = include_str!("../../rrss-legacy-read/tests/fixtures/actix-session.key");
const STATE: &[u8] = include_bytes!("../../rrss-legacy-read/tests/fixtures/actix-session.json");

fn key() -> SessionKey {
    KEY.to_owned().try_into().unwrap()
}

fn sessions(redis: &RedisServer) -> RrssStore {
    let store = Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper', template = '{{id}}', id = 'actix-session' }},
            {{ type = 'json-codec' }},
            {{ type = 'legacy-read', format = 'actix-session' }},
            {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }},
        ]",
        redis.url()
    ));
    redis.command(&[b"SET", KEY.as_bytes(), STATE, b"EX", b"604800"]);
    RrssStore::new(store.unwrap())
}

#[actix_web::test]
async fn a_state_is_loaded_text_for_text_and_updated_under_its_key() {
    let redis = RedisServer::start(Flavor::Redis);
    let sessions = sessions(&redis);
    let mut state = sessions.load(&key()).await.unwrap().unwrap();
    let stored: HashMap<String, String> = {
        let response = redis.bytes(&["GET", KEY]).unwrap();
        assert_eq!(response, STATE, "only read");
        serde_json::from_slice(&response).unwrap()
    };
    assert_eq!(state, stored);

    state.insert("seen".to_owned(), "true".to_owned());
    let ttl = Duration::days(7);
    let same = sessions.update(key(), state.clone(), &ttl).await.unwrap();
    assert_eq!(same.as_ref(), KEY);
    assert_eq!(sessions.load(&key()).await.unwrap(), Some(state));
    assert_ne!(redis.bytes(&["GET", KEY]).unwrap(), STATE);
}

#[actix_web::test]
async fn its_deadline_moves_and_its_end_is_the_end() {
    let redis = RedisServer::start(Flavor::Redis);
    let sessions = sessions(&redis);
    let ttl = Duration::days(30);
    sessions.update_ttl(&key(), &ttl).await.unwrap();
    let left: i64 = redis.command(&["TTL", KEY]).parse().unwrap();
    assert!(left > 29 * 86_400, "{left}");
    assert!(sessions.load(&key()).await.unwrap().is_some());

    sessions.delete(&key()).await.unwrap();
    assert!(sessions.load(&key()).await.unwrap().is_none());
    let late = sessions.update(key(), HashMap::new(), &ttl).await;
    late.unwrap_err();
    assert_eq!(redis.command(&["DBSIZE"]), "0");
}
