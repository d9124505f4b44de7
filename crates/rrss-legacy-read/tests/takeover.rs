//! Sessions of another store on a Redis server, taken over with their ids: each key and each value is one that the other
//! store wrote.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss::{ErrorKind, Registry, Saved, SessionId, Store};
use rrss_legacy_read::{Format, LegacyRead};
use rrss_test_servers::{Flavor, RedisServer};

struct Legacy {
    format: Format,
    name: &'static str,
    key: &'static str,
    value: &'static [u8],
}

const TOWER: Legacy = Legacy {
    format: Format::TowerSessions,
    name: "tower-sessions",
    key: include_str!("fixtures/tower-sessions.key"),
    value: include_bytes!("fixtures/tower-sessions.msgpack"),
};

const ACTIX: Legacy = Legacy {
    format: Format::ActixSession,
    name: "actix-session",
    key: include_str!("fixtures/actix-session.key"),
    value: include_bytes!("fixtures/actix-session.json"),
};

/// A week, as both stores give it to the key.
const TTL: &str = "604800";

impl Legacy {
    fn store(&self, redis: &RedisServer) -> Store {
        let Self { name, .. } = self;
        Store::from_toml(&format!(
            "step = [
                {{ type = 'key-mapper', template = '{{id}}', id = '{name}' }},
                {{ type = 'expiry', duration = '7d' }},
                {{ type = 'index', fields = ['user_id'] }},
                {{ type = 'json-codec' }},
                {{ type = 'legacy-read', format = '{name}' }},
                {{ type = 'compression', min_bytes = 0 }},
                {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }},
            ]",
            redis.url()
        ))
        .unwrap()
    }

    fn put(&self, redis: &RedisServer) -> SessionId {
        redis.command(&[
            b"SET",
            self.key.as_bytes(),
            self.value,
            b"EX",
            TTL.as_bytes(),
        ]);
        self.key.into()
    }
}

#[tokio::test]
async fn a_session_of_another_store_is_loaded_by_its_id_and_stays_as_it_is() {
    let redis = RedisServer::start(Flavor::Redis);
    for legacy in [TOWER, ACTIX] {
        let (store, id) = (legacy.store(&redis), legacy.put(&redis));
        for _ in 0..2 {
            let session = store.load(&id).await.unwrap().unwrap();
            assert_eq!(session.get::<u32>("user_id").unwrap(), Some(42));
            assert_eq!(session.len(), 10, "{:?}", legacy.format);
        }
        assert_eq!(redis.bytes(&["GET", legacy.key]).unwrap(), legacy.value);
        assert_eq!(store.count().await.unwrap(), 1);
        redis.command(&["DEL", legacy.key]);
    }
}

#[tokio::test]
async fn its_first_save_makes_it_one_of_ours_with_all_its_fields() {
    let redis = RedisServer::start(Flavor::Redis);
    for legacy in [TOWER, ACTIX] {
        let (store, id) = (legacy.store(&redis), legacy.put(&redis));
        let mut session = store.load(&id).await.unwrap().unwrap();
        let before: Vec<_> = session.iter_raw().map(own).collect();
        session.insert("theme", "dark").unwrap();
        assert_eq!(store.save(&mut session).await.unwrap(), Saved::Replaced);
        assert_ne!(redis.bytes(&["GET", legacy.key]).unwrap(), legacy.value);

        let mut loaded = store.load(&id).await.unwrap().unwrap();
        assert!(loaded.remove("theme"));
        assert_eq!(loaded.iter_raw().map(own).collect::<Vec<_>>(), before);
        let found = store.find("user_id", &42, None, 10).await.unwrap();
        assert_eq!(found.sessions.len(), 1);
        store.delete(&id).await.unwrap();
    }
}

fn own((name, json): (&str, &str)) -> (String, String) {
    (name.to_owned(), json.to_owned())
}

#[tokio::test]
async fn two_first_saves_at_once_lose_nothing() {
    let redis = RedisServer::start(Flavor::Redis);
    for legacy in [TOWER, ACTIX] {
        let (store, id) = (legacy.store(&redis), legacy.put(&redis));
        let mut one = store.load(&id).await.unwrap().unwrap();
        let mut other = store.load(&id).await.unwrap().unwrap();
        one.insert("one", &1).unwrap();
        other.insert("other", &2).unwrap();
        assert_eq!(store.save(&mut one).await.unwrap(), Saved::Replaced);
        assert_eq!(store.save(&mut other).await.unwrap(), Saved::Merged);
        assert_eq!(store.load(&id).await.unwrap().unwrap().len(), 12);
        store.delete(&id).await.unwrap();
    }
}

#[tokio::test]
async fn a_rotation_ends_the_id_that_the_other_store_made() {
    let redis = RedisServer::start(Flavor::Redis);
    for legacy in [TOWER, ACTIX] {
        let (store, id) = (legacy.store(&redis), legacy.put(&redis));
        let mut session = store.load(&id).await.unwrap().unwrap();
        store.rotate(&mut session).await.unwrap();
        assert!(store.load(&id).await.unwrap_err().is_gone());
        let id = session.id().unwrap();
        assert_eq!(store.load(id).await.unwrap().unwrap().len(), 10);
        store.delete(id).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_of_another_store_that_ended_does_not_come_back() {
    let redis = RedisServer::start(Flavor::Redis);
    for legacy in [TOWER, ACTIX] {
        let (store, id) = (legacy.store(&redis), legacy.put(&redis));
        let mut session = store.load(&id).await.unwrap().unwrap();
        assert!(store.delete(&id).await.unwrap());
        session.insert("late", &true).unwrap();
        let error = store.save(&mut session).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Gone);
        assert_eq!(redis.command(&["DBSIZE"]), "0");
    }
}

#[tokio::test]
async fn without_the_step_such_a_session_is_an_error_and_stays() {
    let redis = RedisServer::start(Flavor::Redis);
    let id = TOWER.put(&redis);
    let store = Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper', template = '{{id}}', id = 'tower-sessions' }},
            {{ type = 'json-codec' }},
            {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }},
        ]",
        redis.url()
    ))
    .unwrap();
    let error = store.load(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(redis.bytes(&["GET", TOWER.key]).unwrap(), TOWER.value);
}

#[test]
fn the_step_needs_a_codec_above_it() {
    let report = Store::from_toml(
        "step = [
            { type = 'key-mapper' },
            { type = 'legacy-read', format = 'tower-sessions' },
            { type = 'json-codec' },
            { type = 'memory' },
        ]",
    )
    .unwrap_err()
    .to_string();
    assert!(
        report.contains("`legacy-read`") && report.contains("`json-codec`"),
        "{report}"
    );
    assert!(
        Registry::linked()
            .get(<LegacyRead as rrss::core::Step>::TYPE)
            .is_some()
    );
}
