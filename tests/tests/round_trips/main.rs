//! What an operation costs in commands to Redis, counted by the server: one command, or one pipeline of them, is one round
//! trip.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cluster;
mod events;
mod index;
mod many;
mod requests;
mod sessions;

use std::collections::BTreeMap;

use rrss::{Session, SessionId, Store};
use rrss_test_servers::{Flavor, RedisCluster, RedisServer};

pub(crate) type Commands = BTreeMap<String, u64>;

/// A store that is connected already, and its server with every count at nought.
pub(crate) async fn connected(flavor: Flavor) -> (RedisServer, Store) {
    connected_with(flavor, "").await
}

/// The same, with more lines of TOML.
pub(crate) async fn connected_with(flavor: Flavor, more: &str) -> (RedisServer, Store) {
    connected_by(flavor, "{ type = 'expiry', duration = '7d' },", more).await
}

/// With sessions that are found by their user.
pub(crate) async fn connected_with_index(flavor: Flavor) -> (RedisServer, Store) {
    let steps = "{ type = 'expiry', duration = '7d' }, { type = 'index', fields = ['user'] },";
    connected_by(flavor, steps, "").await
}

pub(crate) async fn connected_by(flavor: Flavor, steps: &str, more: &str) -> (RedisServer, Store) {
    let server = RedisServer::start(flavor);
    let store = Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper' }},
            {steps}
            {{ type = 'json-codec' }},
            {{ type = 'compression', min_bytes = 0 }},
            {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }},
        ]\n{more}",
        server.url()
    ))
    .unwrap();
    store.ping().await.unwrap();
    server.reset_counts();
    (server, store)
}

pub(crate) async fn stored(store: &Store) -> Session {
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    store.save(&mut session).await.unwrap();
    session
}

pub(crate) fn id(session: &Session) -> SessionId {
    session.id().unwrap().clone()
}

/// A load that asks for the deadline too, in one round trip.
pub(crate) const PEEK: [(&str, u64); 2] = [("get", 1), ("pexpiretime", 1)];

/// The entry of a session that ends, in the pipeline of a write or a touch.
pub(crate) const PUT: [(&str, u64); 4] = [
    ("zremrangebyscore", 1),
    ("zadd", 2),
    ("pexpireat", 3),
    ("zscore", 1),
];

/// The removal of an entry whose value has changed: its scores in the pipeline of the write, and a round trip of a script.
pub(crate) const REMOVE: [(&str, u64); 3] = [("zscore", 3), ("eval", 1), ("zrem", 1)];

/// A page of the sessions of a user, the first.
pub(crate) const FIND: [(&str, u64); 2] = [("zrange", 2), ("zremrangebyscore", 1)];

/// All of these together.
pub(crate) fn all<const N: usize>(of: [&[(&str, u64)]; N]) -> Commands {
    let mut all = Commands::new();
    for (name, calls) in of.concat() {
        *all.entry(name.to_owned()).or_default() += calls;
    }
    all
}

/// The first of these learns whether the server has `SET … IFEQ`, and tells it the script.
pub(crate) async fn learn(store: &Store) {
    let mut session = stored(store).await;
    session.insert("user", "learner").unwrap();
    store.save(&mut session).await.unwrap();
    assert!(store.touch(&id(&session)).await.unwrap());
    store.rotate(&mut session).await.unwrap();
}

pub(crate) fn commands<const N: usize>(expected: [(&str, u64); N]) -> Commands {
    expected
        .map(|(name, calls)| (name.to_owned(), calls))
        .into()
}

/// A server, or several, that count the commands which they ran.
pub(crate) trait Counts {
    fn reset_counts(&self);
    fn command_counts(&self) -> Commands;
}

impl Counts for RedisServer {
    fn reset_counts(&self) {
        RedisServer::reset_counts(self);
    }

    fn command_counts(&self) -> Commands {
        RedisServer::command_counts(self)
    }
}

impl Counts for RedisCluster {
    fn reset_counts(&self) {
        RedisCluster::reset_counts(self);
    }

    fn command_counts(&self) -> Commands {
        RedisCluster::command_counts(self)
    }
}

/// What the operation answers, and the commands that it cost.
pub(crate) async fn cost<T>(
    server: &impl Counts,
    operation: impl Future<Output = T>,
) -> (T, Commands) {
    server.reset_counts();
    let answer = operation.await;
    (answer, server.command_counts())
}

/// So many tries of a compare and set, of which so many found what was loaded. What a script calls is counted
/// beside the script.
pub(crate) fn compare_and_set(flavor: Flavor, tries: u64, done: u64) -> Commands {
    match flavor {
        Flavor::Valkey => commands([("set", tries)]),
        _ => commands([("evalsha", tries), ("get", tries), ("set", done)]),
    }
}

/// The script of a rotation, and what it calls: the old session is what was loaded, the new key is free, the new session and
/// the mark of the old one are stored, and the old one is removed.
pub(crate) const ROTATE: [(&str, u64); 5] = [
    ("evalsha", 1),
    ("get", 1),
    ("exists", 1),
    ("set", 2),
    ("unlink", 1),
];

/// The script of a touch of what was loaded, and what it calls.
pub(crate) const TOUCH: [(&str, u64); 3] = [("evalsha", 1), ("get", 1), ("pexpireat", 1)];

/// What the script of an operation with an index calls for one entry of a session that ends.
pub(crate) const ENTRY: [(&str, u64); 4] = [
    ("zadd", 1),
    ("zrem", 1),
    ("zremrangebyscore", 1),
    ("pexpiretime", 1),
];

/// Without what depends on whether a server knew the script already, and, of a set in the index, on whether its end is a
/// millisecond later than it was.
pub(crate) fn steady(mut cost: Commands) -> Commands {
    cost.remove("eval");
    cost.remove("pexpireat");
    cost
}

/// As [`compare_and_set`], of one try that is done.
pub(crate) fn compares(flavor: Flavor) -> Vec<(&'static str, u64)> {
    match flavor {
        Flavor::Valkey => vec![("set", 1)],
        _ => vec![("evalsha", 1), ("get", 1), ("set", 1)],
    }
}
