//! What an operation costs in commands to Redis, counted by the server: one command is one round trip.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::routing::{get, post};
use rrss::{Saved, Session, SessionId, Store, Timestamp};
use rrss_axum::SessionLayer;
use rrss_test_servers::{Flavor, RedisServer};
use tower::ServiceExt;

type Commands = BTreeMap<String, u64>;

/// A store that is connected already, and its server with every count at nought.
async fn connected(flavor: Flavor) -> (RedisServer, Store) {
    connected_with(flavor, "").await
}

/// The same, with more lines of TOML.
async fn connected_with(flavor: Flavor, more: &str) -> (RedisServer, Store) {
    connected_by(flavor, "{ type = 'expiry', duration = '7d' },", more).await
}

/// With sessions that are found by their user.
async fn connected_with_index(flavor: Flavor) -> (RedisServer, Store) {
    let steps = "{ type = 'expiry', duration = '7d' }, { type = 'index', fields = ['user'] },";
    connected_by(flavor, steps, "").await
}

async fn connected_by(flavor: Flavor, steps: &str, more: &str) -> (RedisServer, Store) {
    let server = RedisServer::start(flavor);
    let store = Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper' }},
            {steps}
            {{ type = 'json-codec' }},
            {{ type = 'compression', min_bytes = 0 }},
            {{ type = 'redis', url = '{}' }},
        ]\n{more}",
        server.url()
    ))
    .unwrap();
    store.ping().await.unwrap();
    server.reset_counts();
    (server, store)
}

async fn stored(store: &Store) -> Session {
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    store.save(&mut session).await.unwrap();
    session
}

fn id(session: &Session) -> SessionId {
    session.id().unwrap().clone()
}

/// A load that asks for the deadline too, in one round trip.
const PEEK: [(&str, u64); 2] = [("get", 1), ("pexpiretime", 1)];

/// The entry of a session that ends, in the pipeline of a write or a touch.
const PUT: [(&str, u64); 4] = [
    ("zremrangebyscore", 1),
    ("zadd", 2),
    ("pexpireat", 3),
    ("zscore", 1),
];

/// The removal of an entry whose value has changed: its scores in the pipeline of the write, and a round trip of a script.
const REMOVE: [(&str, u64); 3] = [("zscore", 3), ("eval", 1), ("zrem", 1)];

/// A page of the sessions of a user, the first.
const FIND: [(&str, u64); 2] = [("zrange", 2), ("zremrangebyscore", 1)];

/// All of these together.
fn all<const N: usize>(of: [&[(&str, u64)]; N]) -> Commands {
    let mut all = Commands::new();
    for (name, calls) in of.concat() {
        *all.entry(name.to_owned()).or_default() += calls;
    }
    all
}

/// The first of these learns whether the server has `SET … IFEQ`, and tells it the script.
async fn learn(store: &Store) {
    let mut session = stored(store).await;
    session.insert("user", "learner").unwrap();
    store.save(&mut session).await.unwrap();
    store.rotate(&mut session).await.unwrap();
}

fn commands<const N: usize>(expected: [(&str, u64); N]) -> Commands {
    expected
        .map(|(name, calls)| (name.to_owned(), calls))
        .into()
}

/// What the operation answers, and the commands that it cost.
async fn cost<T>(server: &RedisServer, operation: impl Future<Output = T>) -> (T, Commands) {
    server.reset_counts();
    let answer = operation.await;
    (answer, server.command_counts())
}

#[tokio::test]
async fn a_load_is_one_get() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let session = stored(&store).await;
        let (loaded, cost) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(cost, commands([("get", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_create_is_one_set() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let (_, cost) = cost(&server, stored(&store)).await;
        assert_eq!(cost, commands([("set", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn an_update_is_one_command_that_compares_and_sets() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let mut session = stored(&store).await;
        // The first one learns whether the server has `SET … IFEQ`.
        session.insert("user", "eve").unwrap();
        store.save(&mut session).await.unwrap();
        session.insert("user", "bob").unwrap();
        let (saved, cost) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        assert_eq!(cost, compare_and_set(flavor, 1, 1), "{flavor}");
    }
}

/// So many tries of a compare and set, of which so many found what was loaded. What a script calls is counted
/// beside the script.
fn compare_and_set(flavor: Flavor, tries: u64, done: u64) -> Commands {
    match flavor {
        Flavor::Valkey => commands([("set", tries)]),
        _ => commands([("evalsha", tries), ("get", tries), ("set", done)]),
    }
}

#[tokio::test]
async fn a_save_that_merges_is_a_try_a_load_and_another_try() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let mut session = stored(&store).await;
        let mut other = store.load(&id(&session)).await.unwrap().unwrap();
        other.insert("theme", "dark").unwrap();
        store.save(&mut other).await.unwrap();
        session.insert("user", "bob").unwrap();
        let (saved, cost) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Merged);
        let mut expected = compare_and_set(flavor, 2, 1);
        for (name, calls) in PEEK {
            *expected.entry(name.to_owned()).or_default() += calls;
        }
        assert_eq!(cost, expected, "{flavor}");
    }
}

#[tokio::test]
async fn an_update_where_the_last_write_counts_is_one_set() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with(flavor, "[store]\nconflict = 'last-write'\n").await;
        let mut session = stored(&store).await;
        session.insert("user", "bob").unwrap();
        let (saved, cost) = cost(&server, store.save(&mut session)).await;
        saved.unwrap();
        assert_eq!(cost, commands([("set", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_save_without_a_change_is_no_command() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let mut session = stored(&store).await;
        session.insert("user", "ann").unwrap();
        let (saved, cost) = cost(&server, store.save(&mut session)).await;
        saved.unwrap();
        assert_eq!(cost, commands([]), "{flavor}");
    }
}

/// The deadline depends on what is in the session.
#[tokio::test]
async fn a_touch_is_a_load_and_one_pexpireat() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let session = stored(&store).await;
        let (touched, cost) = cost(&server, store.touch(&id(&session))).await;
        assert!(touched.unwrap());
        assert_eq!(cost, all([&PEEK, &[("pexpireat", 1)]]), "{flavor}");
    }
}

#[tokio::test]
async fn a_touch_to_an_instant_is_one_pexpireat() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let session = stored(&store).await;
        let soon = session.expires_at().unwrap();
        let (touched, cost) = cost(&server, store.touch_until(&id(&session), soon)).await;
        assert!(touched.unwrap());
        assert_eq!(cost, commands([("pexpireat", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_load_that_renews_is_a_pexpireat_more_and_only_when_it_is_due() {
    for flavor in Flavor::ALL {
        let steps = "{ type = 'expiry', duration = '7d', renew = 'load', renew_after = '1d' },";
        let (server, store) = connected_by(flavor, steps, "").await;
        let session = stored(&store).await;
        let (loaded, not_due) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(not_due, all([&PEEK]), "{flavor}");

        let key = format!("sessions:{}", id(&session).as_str());
        server.command(&["EXPIRE", &key, "3600"]);
        let (loaded, due) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(due, all([&PEEK, &[("pexpireat", 1)]]), "{flavor}");

        let (loaded, renewed) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(renewed, all([&PEEK]), "{flavor}");
    }
}

#[tokio::test]
async fn a_delete_is_one_unlink() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let session = stored(&store).await;
        let (deleted, cost) = cost(&server, store.delete(&id(&session))).await;
        assert!(deleted.unwrap());
        assert_eq!(cost, commands([("unlink", 1)]), "{flavor}");
    }
}

/// The old session is removed if it is the one that was copied.
const REMOVE_COPIED: [(&str, u64); 3] = [("evalsha", 1), ("get", 1), ("unlink", 1)];

#[tokio::test]
async fn a_rotation_is_one_set_and_one_script_that_compares_and_unlinks() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        learn(&store).await;
        let mut session = stored(&store).await;
        let (rotated, cost) = cost(&server, store.rotate(&mut session)).await;
        rotated.unwrap();
        assert_eq!(cost, all([&[("set", 1)], &REMOVE_COPIED]), "{flavor}");
    }
}

#[tokio::test]
async fn a_rotation_where_the_last_write_counts_is_one_set_and_one_unlink() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with(flavor, "[store]\nconflict = 'last-write'\n").await;
        let mut session = stored(&store).await;
        let (rotated, cost) = cost(&server, store.rotate(&mut session)).await;
        rotated.unwrap();
        assert_eq!(cost, commands([("set", 1), ("unlink", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn with_an_index_a_create_and_an_update_are_still_one_round_trip() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let (mut session, created) = cost(&server, stored(&store)).await;
        assert_eq!(created, all([&PUT, &[("set", 1)]]), "{flavor}");

        session.insert("theme", "dark").unwrap();
        let (saved, updated) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        let expected = all([&PUT, &compares(flavor)]);
        assert_eq!(updated, expected, "{flavor}");

        let mut without = Session::new();
        without.insert("theme", "dark").unwrap();
        let (saved, created) = cost(&server, store.save(&mut without)).await;
        saved.unwrap();
        assert_eq!(created, commands([("set", 1)]), "{flavor}");
    }
}

/// As [`compare_and_set`], of one try that is done.
fn compares(flavor: Flavor) -> Vec<(&'static str, u64)> {
    match flavor {
        Flavor::Valkey => vec![("set", 1)],
        _ => vec![("evalsha", 1), ("get", 1), ("set", 1)],
    }
}

#[tokio::test]
async fn a_save_that_changes_an_indexed_value_is_a_round_trip_more() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let mut session = stored(&store).await;
        session.insert("user", "bob").unwrap();
        let (saved, changed) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        let expected = all([&PUT, &compares(flavor), &REMOVE]);
        assert_eq!(changed, expected, "{flavor}");
    }
}

#[tokio::test]
async fn with_an_index_a_save_that_merges_puts_its_entries_with_each_try() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let mut session = stored(&store).await;
        let mut other = store.load(&id(&session)).await.unwrap().unwrap();
        other.insert("theme", "dark").unwrap();
        store.save(&mut other).await.unwrap();
        session.insert("cart", &1).unwrap();
        let (saved, cost) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Merged);
        let refused: &[_] = match flavor {
            Flavor::Valkey => &[("set", 1)],
            _ => &[("evalsha", 1), ("get", 1)],
        };
        let expected = all([&PUT, refused, &PEEK, &PUT, &compares(flavor)]);
        assert_eq!(cost, expected, "{flavor}");
    }
}

#[tokio::test]
async fn with_an_index_a_touch_and_a_delete_load_first_and_are_one_round_trip_then() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        let session = stored(&store).await;
        let until = session.expires_at().unwrap();
        let touches = all([&PEEK, &PUT, &[("pexpireat", 1)]]);
        let (touched, touch) = cost(&server, store.touch(&id(&session))).await;
        assert!(touched.unwrap());
        assert_eq!(touch, touches, "{flavor}");
        let (touched, touch) = cost(&server, store.touch_until(&id(&session), until)).await;
        assert!(touched.unwrap());
        assert_eq!(touch, touches, "{flavor}");

        let (deleted, delete) = cost(&server, store.delete(&id(&session))).await;
        assert!(deleted.unwrap());
        let expected = all([&PEEK, &[("unlink", 1), ("zrem", 2)]]);
        assert_eq!(delete, expected, "{flavor}");
        assert_eq!(server.scan("*"), Vec::<String>::new());
    }
}

#[tokio::test]
async fn with_an_index_a_rotation_is_a_create_a_delete_and_the_removal_of_its_entries() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let mut session = stored(&store).await;
        let (rotated, cost) = cost(&server, store.rotate(&mut session)).await;
        rotated.unwrap();
        let expected = all([&PUT, &[("set", 1)], &REMOVE_COPIED, &[("zrem", 2)]]);
        assert_eq!(cost, expected, "{flavor}");
    }
}

#[tokio::test]
async fn a_load_asks_nothing_of_the_index() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        let session = stored(&store).await;
        let (loaded, cost) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(cost, commands([("get", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn with_an_index_a_renewal_moves_the_entry_in_the_same_round_trip() {
    for flavor in Flavor::ALL {
        let steps = "{ type = 'expiry', duration = '7d', renew = 'load', renew_after = '1d' },
            { type = 'index', fields = ['user'] },";
        let (server, store) = connected_by(flavor, steps, "").await;
        let session = stored(&store).await;
        let key = format!("sessions:{}", id(&session).as_str());
        server.command(&["EXPIRE", &key, "3600"]);
        let (loaded, due) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(due, all([&PEEK, &PUT, &[("pexpireat", 1)]]), "{flavor}");
    }
}

/// With sessions that are told of when they have expired.
async fn connected_with_events(flavor: Flavor) -> (RedisServer, Store) {
    let steps = "{ type = 'expiry', duration = '7d' },
        { type = 'index', fields = ['user'], keep_expired = '1d' },";
    connected_by(flavor, steps, "").await
}

/// How often the server has read from a connection since its counts were nought: once for each pipeline.
fn reads(server: &RedisServer) -> u64 {
    let stats = server.command(&["INFO", "stats"]);
    let reads = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_reads_processed:"));
    reads.unwrap().trim().parse().unwrap()
}

/// What the operation answers, and in how many round trips.
async fn round_trips<T>(server: &RedisServer, operation: impl Future<Output = T>) -> (T, u64) {
    server.reset_counts();
    let idle = reads(server);
    server.reset_counts();
    let answer = operation.await;
    (answer, reads(server) - idle)
}

#[tokio::test]
async fn with_events_a_save_and_a_renewal_are_still_one_round_trip() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_events(flavor).await;
        learn(&store).await;
        let (mut session, create) = round_trips(&server, stored(&store)).await;
        assert_eq!(create, 1, "{flavor}");
        session.insert("cart", &1).unwrap();
        let (saved, update) = round_trips(&server, store.save(&mut session)).await;
        assert_eq!((saved.unwrap(), update), (Saved::Replaced, 1), "{flavor}");
        // It loads the session first, for its fields.
        let (touched, touch) = round_trips(&server, store.touch(&id(&session))).await;
        assert_eq!((touched.unwrap(), touch), (true, 2), "{flavor}");
        let (deleted, delete) = round_trips(&server, store.delete(&id(&session))).await;
        assert_eq!((deleted.unwrap(), delete), (true, 2), "{flavor}");

        let steps = "{ type = 'expiry', duration = '7d', renew = 'load', renew_after = '1d' },
            { type = 'index', fields = ['user'], keep_expired = '1d' },";
        let (server, store) = connected_by(flavor, steps, "").await;
        let session = stored(&store).await;
        let (loaded, load) = round_trips(&server, store.load(&id(&session))).await;
        assert_eq!((loaded.unwrap().is_some(), load), (true, 1), "{flavor}");
        let key = format!("sessions:{}", id(&session).as_str());
        server.command(&["EXPIRE", &key, "3600"]);
        let (loaded, load) = round_trips(&server, store.load(&id(&session))).await;
        assert_eq!((loaded.unwrap().is_some(), load), (true, 2), "{flavor}");
    }
}

/// What two scripts do for the note of a session that ends.
const NOTE: [(&str, u64); 5] = [
    ("eval", 2),
    ("zscore", 1),
    ("zadd", 1),
    ("hset", 1),
    ("pexpiretime", 2),
];

#[tokio::test]
async fn with_events_a_save_is_two_scripts_more() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_events(flavor).await;
        let (_, mut create) = cost(&server, stored(&store)).await;
        // It moves the end of two keys where that is not late enough.
        assert_eq!(create.insert("pexpireat".to_owned(), 3), Some(5));
        assert_eq!(create, all([&PUT, &NOTE, &[("set", 1)]]), "{flavor}");

        learn(&store).await;
        let mut session = stored(&store).await;
        session.insert("cart", &1).unwrap();
        let (saved, mut update) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        assert!(matches!(
            update.insert("pexpireat".to_owned(), 3),
            Some(3 | 5)
        ));
        assert_eq!(update, all([&PUT, &NOTE, &compares(flavor)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_look_for_expired_sessions_is_a_round_trip_and_telling_of_some_is_three_more() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_events(flavor).await;
        store
            .on_expired(async |_| Ok::<_, rrss::Error>(()))
            .unwrap();
        let mut sessions = Vec::new();
        for _ in 0..3 {
            let session = stored(&store).await;
            let (swept, look) = round_trips(&server, store.sweep()).await;
            assert_eq!((swept.unwrap(), look), (0, 1), "{flavor}");
            sessions.push(session);
        }
        let (_, look) = cost(&server, store.sweep()).await;
        let looks = [("eval", 16), ("time", 16), ("zrangebyscore", 16)];
        assert_eq!(look, commands(looks), "{flavor}");

        for mut session in sessions {
            let soon = Timestamp::from(SystemTime::now()) + Duration::from_millis(50);
            session.set_expires_at(soon);
            store.save(&mut session).await.unwrap();
        }
        while !server.scan("sessions:????????-*").is_empty() {
            tokio::task::yield_now().await;
        }
        let (swept, told) = round_trips(&server, store.sweep()).await;
        // What is due; whether the sessions are there; the end of what was told; whether there is more.
        assert_eq!((swept.unwrap(), told), (0, 4), "{flavor}");
        assert_eq!(server.scan("sessions:index:expired:*"), [""; 0], "{flavor}");
    }
}

#[tokio::test]
async fn finding_is_a_round_trip_for_the_page_and_a_load_of_each_session() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        for _ in 0..3 {
            stored(&store).await;
        }
        let (found, page) = cost(&server, store.find("user", "ann", None, 10)).await;
        assert_eq!(found.unwrap().sessions.len(), 3);
        assert_eq!(page, all([&FIND, &PEEK, &PEEK, &PEEK]), "{flavor}");
        let (found, page) = cost(&server, store.find("user", "bob", None, 10)).await;
        assert_eq!(found.unwrap().sessions.len(), 0);
        assert_eq!(page, all([&FIND]), "{flavor}");

        let (revoked, cost) = cost(&server, store.revoke("user", "ann")).await;
        assert_eq!(revoked.unwrap(), 3);
        let end: &[_] = &[("unlink", 1), ("zrem", 2)];
        let expected = all([&FIND, &PEEK, &PEEK, &PEEK, end, end, end]);
        assert_eq!(cost, expected, "{flavor}");
        assert_eq!(server.scan("*"), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_page_of_a_listing_is_one_scan() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        for _ in 0..200 {
            stored(&store).await;
        }
        let (mut cursor, mut pages, mut found) = (None, 0, 0);
        loop {
            let (page, cost) = cost(&server, store.list(cursor, 20)).await;
            assert_eq!(cost, commands([("scan", 1)]), "{flavor}");
            let page = page.unwrap();
            pages += 1;
            found += page.ids.len();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(
            pages > 1 && found >= 200,
            "{flavor}: {pages} pages, {found} ids"
        );
    }
}

#[tokio::test]
async fn a_count_scans_and_does_nothing_else() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        stored(&store).await;
        let (count, cost) = cost(&server, store.count()).await;
        assert_eq!(count.unwrap(), 1);
        assert_eq!(cost, commands([("scan", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_sweep_is_no_command_because_redis_expires_by_itself() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        stored(&store).await;
        let (swept, cost) = cost(&server, store.sweep()).await;
        assert_eq!(swept.unwrap(), 0);
        assert_eq!(cost, commands([]), "{flavor}");
    }
}

#[tokio::test]
async fn a_malformed_id_never_reaches_redis() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let good = id(&stored(&store).await);
        let good = good.as_str();
        let malformed = [
            String::new(),
            "1".to_owned(),
            good[1..].to_owned(),
            format!("{good}0"),
            good.to_uppercase(),
            format!(" {good}"),
            format!("{}\0", &good[1..]),
            format!("{}*", &good[1..]),
            format!("../{}", &good[3..]),
            "*".to_owned(),
            "a".repeat(1 << 20),
            "sesión-☃".to_owned(),
        ];
        for text in malformed.iter().filter(|text| *text != good) {
            let id = SessionId::from(text.as_str());
            let (answers, cost) = cost(&server, async {
                let loaded = store.load(&id).await.unwrap();
                (
                    loaded,
                    store.touch(&id).await.unwrap(),
                    store.delete(&id).await.unwrap(),
                )
            })
            .await;
            assert!(matches!(answers, (None, false, false)));
            assert_eq!(cost, commands([]), "{flavor}");
        }
    }
}

/// A site with a handler for each way to use a session.
fn site(store: Store) -> Router {
    use rrss_axum::{Result, Session};
    Router::new()
        .route("/untouched", get(async |_: Session| "hello"))
        .route("/without", get(async || "hello"))
        .route(
            "/read",
            get(async |session: Session| -> Result<()> {
                session.get::<String>("user").await?;
                session.contains_key("cart").await?;
                Ok(())
            }),
        )
        .route(
            "/change",
            post(async |session: Session| session.insert("user", "bob").await),
        )
        .route(
            "/rotate",
            post(async |session: Session| session.rotate().await),
        )
        .route("/end", post(async |session: Session| session.end().await))
        .layer(SessionLayer::new(store))
}

async fn ask(site: &Router, method: &str, path: &str, id: Option<&str>) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(id) = id {
        request = request.header(header::COOKIE, format!("__Host-session={id}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = site.clone().oneshot(request).await.unwrap();
    assert!(
        response.status().is_success(),
        "{path}: {}",
        response.status()
    );
}

#[tokio::test]
async fn a_request_costs_what_its_handler_does_with_the_session() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let site = site(store.clone());
        learn(&store).await;
        let mut load_and_update = compare_and_set(flavor, 1, 1);
        *load_and_update.entry("get".to_owned()).or_default() += 1;
        for (method, path, expected) in [
            ("GET", "/without", commands([])),
            ("GET", "/untouched", commands([])),
            ("GET", "/read", commands([("get", 1)])),
            ("POST", "/change", load_and_update),
            (
                "POST",
                "/rotate",
                all([&[("get", 1), ("set", 1)], &REMOVE_COPIED]),
            ),
            ("POST", "/end", commands([("unlink", 1)])),
        ] {
            let id = id(&stored(&store).await);
            let (_, cost) = cost(&server, ask(&site, method, path, Some(id.as_str()))).await;
            assert_eq!(cost, expected, "{flavor}: {path}");
        }
    }
}

#[tokio::test]
async fn a_visitor_without_a_session_costs_nothing_until_there_is_something_to_keep() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let site = site(store);
        for id in [None, Some("planted")] {
            for (method, path, expected) in [
                ("GET", "/read", commands([])),
                ("POST", "/end", commands([])),
                ("POST", "/rotate", commands([])),
                ("POST", "/change", commands([("set", 1)])),
            ] {
                let (_, cost) = cost(&server, ask(&site, method, path, id)).await;
                assert_eq!(cost, expected, "{flavor}: {path}, {id:?}");
            }
        }
    }
}
