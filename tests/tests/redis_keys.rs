//! What Redis holds, as `redis-cli --scan` shows it: one key a session, and how long it lives.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rrss::{
    ExpiringRedisOptions, Handle, Session, Store, Timestamp, expiring_redis_store, redis,
    redis_store,
};
use rrss_test_servers::{Flavor, RedisServer};

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

fn options(server: &RedisServer) -> redis::Options {
    redis::Options {
        url: Some(server.url().parse().unwrap()),
        timeout: Duration::from_secs(60).into(),
        connect_timeout: Duration::from_secs(60).into(),
        ..Default::default()
    }
}

/// Lets `span` pass for every key, which must have a deadline. What has a later one stays.
fn time_passes(server: &RedisServer, span: Duration) {
    let span = i64::try_from(span.as_millis()).unwrap();
    for key in server.scan("*") {
        let ends: i64 = server.command(&["PEXPIRETIME", &key]).parse().unwrap();
        assert!(ends > 0, "{key} never ends");
        let earlier = (ends - span).to_string();
        assert_eq!(server.command(&["PEXPIREAT", &key, &earlier]), "1");
    }
}

fn from_toml(server: &RedisServer, template: &str, expiry: &str) -> Store {
    Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper', template = '{template}' }},
            {expiry}
            {{ type = 'json-codec' }},
            {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }},
        ]",
        server.url()
    ))
    .unwrap()
}

async fn stored(store: &Store) -> Session {
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    store.save(&mut session).await.unwrap();
    session
}

fn id(session: &Session) -> &str {
    session.id().unwrap().as_str()
}

/// Milliseconds that a key lives yet; -1 for ever, -2 where there is no such key.
fn pttl(server: &RedisServer, key: &str) -> i64 {
    server.command(&["PTTL", key]).parse().unwrap()
}

/// A random UUID as RFC 9562, section 5.4, has it: in lowercase, of version 4.
fn is_uuid(text: &str) -> bool {
    let form = |(at, char): (usize, char)| match at {
        8 | 13 | 18 | 23 => char == '-',
        14 => char == '4',
        19 => "89ab".contains(char),
        _ => char.is_ascii_digit() || ('a'..='f').contains(&char),
    };
    text.len() == 36 && text.chars().enumerate().all(form)
}

#[tokio::test]
async fn each_session_is_one_key_named_after_its_uuid_with_a_time_to_live() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = from_toml(
            &server,
            "sessions:{id}",
            "{ type = 'expiry', duration = '1h' },",
        );
        let mut expected = Vec::new();
        for _ in 0..50 {
            expected.push(format!("sessions:{}", id(&stored(&store).await)));
        }
        expected.sort();
        let keys = server.scan("*");
        assert_eq!(keys, expected, "{flavor}");
        for key in keys {
            assert!(is_uuid(key.strip_prefix("sessions:").unwrap()), "{flavor}");
            assert_eq!(server.command(&["TYPE", &key]), "string");
            let lives = pttl(&server, &key);
            assert!(0 < lives && lives <= 3_600_000, "{flavor}: {lives}");
        }
    }
}

#[tokio::test]
async fn the_classic_store_keeps_sessions_for_ever() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = redis_store(options(&server)).unwrap();
        let mut session = stored(&store).await;
        session.insert("user", "bob").unwrap();
        store.save(&mut session).await.unwrap();
        store.touch(session.id().unwrap()).await.unwrap();
        let key = format!("sessions:{}", id(&session));
        assert_eq!(server.scan("*"), [key.as_str()]);
        assert_eq!(pttl(&server, &key), -1, "{flavor}");
        assert_eq!(session.expires_at(), None);
    }
}

#[tokio::test]
async fn the_classic_expiring_store_keeps_sessions_for_a_week() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = expiring_redis_store(ExpiringRedisOptions {
            redis: options(&server),
            ..Default::default()
        })
        .unwrap();
        let before = Timestamp::from(SystemTime::now()) + WEEK;
        let session = stored(&store).await;
        let after = Timestamp::from(SystemTime::now()) + WEEK;
        let key = format!("sessions:{}", id(&session));
        assert_eq!(server.scan("*"), [key.as_str()]);
        // The instant itself, not what is left of it: so the test does not depend on how long it takes.
        let ends: u64 = server.command(&["PEXPIRETIME", &key]).parse().unwrap();
        let ends = Timestamp::from_millis(ends);
        assert!(before <= ends && ends <= after, "{flavor}");
        assert_eq!(session.expires_at(), Some(ends));
    }
}

#[tokio::test]
async fn an_update_and_a_touch_move_the_time_to_live() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = from_toml(
            &server,
            "sessions:{id}",
            "{ type = 'expiry', duration = '1h' },",
        );
        let mut session = stored(&store).await;
        let key = format!("sessions:{}", id(&session));

        server.command(&["PEXPIRE", &key, "600000"]);
        session.insert("user", "bob").unwrap();
        store.save(&mut session).await.unwrap();
        assert!(pttl(&server, &key) > 600_000, "{flavor}: update");

        server.command(&["PEXPIRE", &key, "600000"]);
        assert!(store.touch(session.id().unwrap()).await.unwrap());
        assert!(pttl(&server, &key) > 600_000, "{flavor}: touch");

        server.command(&["PEXPIRE", &key, "600000"]);
        store.load(session.id().unwrap()).await.unwrap().unwrap();
        assert!(pttl(&server, &key) <= 600_000, "{flavor}: load");
    }
}

#[tokio::test]
async fn the_template_says_the_whole_key() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let shop = from_toml(&server, "shop:{id}:data", "{ type = 'expiry' },");
        let blog = from_toml(&server, "blog:{id}", "{ type = 'expiry' },");
        let (sold, read) = (stored(&shop).await, stored(&blog).await);
        let mut expected = [
            format!("shop:{}:data", id(&sold)),
            format!("blog:{}", id(&read)),
        ];
        expected.sort();
        assert_eq!(server.scan("*"), expected, "{flavor}");
        // Neither application sees the other's sessions.
        assert!(blog.load(sold.id().unwrap()).await.unwrap().is_none());
        assert_eq!(shop.count().await.unwrap(), 1);
        assert_eq!(
            blog.list(None, 100).await.unwrap().ids,
            [read.id().unwrap().clone()]
        );
    }
}

#[tokio::test]
async fn a_rotation_and_a_delete_leave_no_key_behind() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = from_toml(&server, "sessions:{id}", "{ type = 'expiry' },");
        let mut session = stored(&store).await;
        let old = id(&session).to_owned();
        store.rotate(&mut session).await.unwrap();
        let key = format!("sessions:{}", id(&session));
        let mark = format!("sessions:rotated:{{sessions:{old}}}");
        assert_eq!(server.scan("*"), [key.as_str(), mark.as_str()], "{flavor}");
        assert!(pttl(&server, &key) > 0);
        // It ends by itself, opens nothing, and costs little.
        assert!((1..=30_000).contains(&pttl(&server, &mark)), "{flavor}");
        let bytes: u64 = server.command(&["MEMORY", "USAGE", &mark]).parse().unwrap();
        assert!(bytes <= 150, "{flavor}: {bytes}");
        assert_eq!(store.count().await.unwrap(), 1);
        store.delete(session.id().unwrap()).await.unwrap();
        assert_eq!(server.scan("*"), [mark], "{flavor}");
    }
}

fn indexed(server: &RedisServer, template: &str, expiry: &str) -> Store {
    from_toml(
        server,
        template,
        &format!("{expiry} {{ type = 'index', fields = ['user'] }},"),
    )
}

#[tokio::test]
async fn a_value_of_an_indexed_field_is_one_key_more_that_shows_no_value_and_ends_with_its_sessions()
 {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = indexed(&server, "sessions:{id}", "{ type = 'expiry' },");
        let sessions = [stored(&store).await, stored(&store).await];
        let keys = server.scan("sessions:index:user:*");
        assert_eq!(server.scan("*").len(), 3, "{flavor}");
        let [key] = &keys[..] else {
            panic!("{flavor}: {keys:?}");
        };
        assert!(!key.contains("ann"));
        let ends: u64 = server.command(&["PEXPIRETIME", key]).parse().unwrap();
        let last = sessions.iter().map(Session::expires_at).max();
        assert_eq!(Some(Timestamp::from_millis(ends)), last.unwrap());
        assert_eq!(store.count().await.unwrap(), 2);
    }
}

#[tokio::test]
async fn once_all_sessions_have_ended_redis_is_empty_with_nobody_sweeping() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = indexed(
            &server,
            "sessions:{id}",
            "{ type = 'expiry', duration = '1h' },",
        );
        let mut last = None;
        for user in ["ann", "bob", "ann"] {
            let mut session = Session::new();
            session.insert("user", user).unwrap();
            store.save(&mut session).await.unwrap();
            session.insert("user", "eve").unwrap();
            store.save(&mut session).await.unwrap();
            store.rotate(&mut session).await.unwrap();
            last = last.max(session.expires_at());
        }
        assert!(server.scan("*").len() > 3, "{flavor}");
        time_passes(&server, last.unwrap().since(SystemTime::now().into()));
        assert_eq!(server.command(&["DBSIZE"]), "0", "{flavor}");
    }
}

/// A store that tells of its sessions for a time after they have expired.
fn telling(server: &RedisServer, duration: &str, keep_expired: &str) -> Store {
    let steps = format!(
        "{{ type = 'expiry', duration = '{duration}' }},
        {{ type = 'index', fields = ['user'], keep_expired = '{keep_expired}' }},"
    );
    from_toml(server, "sessions:{id}", &steps)
}

#[tokio::test]
async fn what_is_to_be_told_of_sessions_is_32_keys_at_most_that_end_with_the_last_of_it() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = telling(&server, "1h", "1d");
        let mut last = None;
        for _ in 0..400 {
            last = last.max(stored(&store).await.expires_at());
        }
        let last = (last.unwrap() + Duration::from_secs(86_400)).as_millis();
        let keys = server.scan("sessions:index:expired:*");
        assert_eq!(keys.len(), 32, "{flavor}");
        let ends = keys.iter().map(|key| server.command(&["PEXPIRETIME", key]));
        let ends: Vec<u64> = ends.map(|ends| ends.parse().unwrap()).collect();
        assert_eq!(ends.iter().max(), Some(&last), "{flavor}");
        assert!(ends.iter().all(|ends| last - 86_400_000 < *ends));
        for pair in keys.chunks(2) {
            let [due, notes] = pair else {
                panic!("{flavor}: {keys:?}");
            };
            assert_eq!(notes, &format!("{due}:notes"));
            let sessions = server.command(&["ZCARD", due]);
            assert_eq!(server.command(&["HLEN", notes]), sessions, "{flavor}");
            // No node of a cluster has most of them.
            assert!(
                sessions.parse::<u32>().unwrap() < 100,
                "{flavor}: {sessions}"
            );
        }
        assert_eq!(store.count().await.unwrap(), 400);
        let page = store.list(None, 1_000).await.unwrap();
        assert!(page.ids.len() <= 400);
    }
}

#[tokio::test]
async fn what_is_told_or_deleted_leaves_nothing_to_tell() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = telling(&server, "1h", "1d");
        for _ in 0..3 {
            let mut session = stored(&store).await;
            session.insert("user", "bob").unwrap();
            store.save(&mut session).await.unwrap();
            assert!(store.touch(session.id().unwrap()).await.unwrap());
            store.rotate(&mut session).await.unwrap();
            assert!(store.delete(session.id().unwrap()).await.unwrap());
            // It is too late for this.
            session.insert("user", "eve").unwrap();
            store.save(&mut session).await.unwrap_err();
        }
        let left = server.scan("sessions:index:expired:*");
        assert_eq!(left, [""; 0], "{flavor}");

        store
            .on_expired(async |_| Ok::<_, rrss::Error>(()))
            .unwrap();
        let mut session = stored(&store).await;
        session.set_expires_at(Timestamp::from(SystemTime::now()) + Duration::from_millis(20));
        store.save(&mut session).await.unwrap();
        let begun = std::time::Instant::now();
        while !server.scan("sessions:index:expired:*").is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{flavor}");
            store.sweep().await.unwrap();
        }
    }
}

#[tokio::test]
async fn once_nothing_can_be_told_any_more_redis_is_empty_with_nobody_sweeping() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = telling(&server, "1h", "2h");
        let mut last = None;
        for user in ["ann", "bob", "ann"] {
            let mut session = Session::new();
            session.insert("user", user).unwrap();
            store.save(&mut session).await.unwrap();
            store.rotate(&mut session).await.unwrap();
            last = last.max(session.expires_at());
        }
        drop(store);
        let kept = last.unwrap() + Duration::from_secs(7_200);
        let left = kept.since(SystemTime::now().into());
        time_passes(&server, left - Duration::from_secs(1_800));
        assert_ne!(server.command(&["DBSIZE"]), "0", "{flavor}");
        time_passes(&server, Duration::from_secs(1_800));
        assert_eq!(server.command(&["DBSIZE"]), "0", "{flavor}");
    }
}

#[tokio::test]
async fn a_session_that_expired_while_no_process_ran_is_told_to_the_next() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let session = {
            let store = telling(&server, "300ms", "1d");
            let session = stored(&store).await;
            store.shutdown(Duration::from_secs(10)).await.unwrap();
            session
        };
        let key = format!("sessions:{}", id(&session));
        while server.command(&["EXISTS", &key]) == "1" {
            tokio::task::yield_now().await;
        }
        let store = telling(&server, "300ms", "1d");
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = {
            let told = Arc::clone(&told);
            move |expired: rrss::Expired| {
                told.lock().unwrap().push(expired);
                async { Ok::<_, rrss::Error>(()) }
            }
        };
        store.on_expired(listener).unwrap();
        store.sweep().await.unwrap();
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 1, "{flavor}");
        assert_eq!(told[0].handle(), Handle::of(session.id().unwrap()));
        assert_eq!(told[0].get_raw("user"), Some("\"ann\""));
        assert_eq!(Some(told[0].expired_at()), session.expires_at());
    }
}

#[tokio::test]
async fn without_expiry_what_is_deleted_leaves_no_entry_behind() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = indexed(&server, "sessions:{id}", "");
        let mut session = stored(&store).await;
        session.insert("user", "bob").unwrap();
        store.save(&mut session).await.unwrap();
        store.rotate(&mut session).await.unwrap();
        let found = store.find("user", "bob", None, 10).await.unwrap();
        assert!(found.sessions[0].is(session.id().unwrap()));
        assert!(store.delete(session.id().unwrap()).await.unwrap());
        let left = server.scan("*");
        assert!(
            left.iter().all(|key| key.contains(":rotated:")),
            "{flavor}: {left:?}"
        );
    }
}

#[tokio::test]
async fn stores_of_other_templates_find_their_own_sessions_alone() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let templates = ["shop:{id}", "shop:{id}:data", "blog:{id}"];
        let stores = templates.map(|template| indexed(&server, template, "{ type = 'expiry' },"));
        let mut sessions = Vec::new();
        for store in &stores {
            sessions.push(stored(store).await);
        }
        for (store, session) in stores.iter().zip(&sessions) {
            let found = store.find("user", "ann", None, 10).await.unwrap();
            assert_eq!(found.sessions.len(), 1, "{flavor}");
            assert!(found.sessions[0].is(session.id().unwrap()));
        }
        // Signing out of one is not signing out of the others.
        assert_eq!(stores[0].revoke("user", "ann").await.unwrap(), 1);
        for (store, session) in stores.iter().zip(&sessions).skip(1) {
            assert!(store.load(session.id().unwrap()).await.unwrap().is_some());
        }
    }
}

#[tokio::test]
async fn sessions_of_the_embedded_store_are_not_in_redis() {
    let server = RedisServer::start(Flavor::Redis);
    let in_redis = from_toml(&server, "sessions:{id}", "{ type = 'expiry' },");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rrss.toml");
    std::fs::write(
        &file,
        "step = [{ type = 'key-mapper' }, { type = 'expiry' }, { type = 'json-codec' },
            { type = 'embedded' }]",
    )
    .unwrap();
    let on_disk = Store::from_file(&file).unwrap();
    let (there, here) = (stored(&in_redis).await, stored(&on_disk).await);
    assert_eq!(server.scan("*"), [format!("sessions:{}", id(&there))]);
    assert!(in_redis.load(here.id().unwrap()).await.unwrap().is_none());
    assert!(on_disk.load(there.id().unwrap()).await.unwrap().is_none());
    assert!(on_disk.load(here.id().unwrap()).await.unwrap().is_some());
}
