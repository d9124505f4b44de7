//! The soak on each backend, with nothing failing.

use std::time::Instant;

use rrss::Store;
use rrss_test_servers::{Flavor, RedisCluster, RedisServer};

use crate::stores::{hashes, on, redis, store};
use crate::task::{Mix, Soak, Until, ended};

const TASKS: usize = 64;
const SESSIONS: usize = 16;

const MIX: Mix = Mix {
    count: 100,
    rotate: 10,
    delete: 5,
};

/// Nothing is lost, nothing revived, and nothing is left behind.
async fn soaked(name: &str, store: Store, updates: u64) {
    let soak = Soak::new(name, store, TASKS, SESSIONS, MIX).await;
    let began = Instant::now();
    ended(soak.start(Until::Updates(updates))).await;
    let took = began.elapsed();
    soak.holds().await;
    assert_eq!(soak.store.count().await.unwrap(), SESSIONS as u64);
    let figures = &soak.figures;
    assert_eq!(
        figures.updates.get() + figures.counted.get(),
        TASKS as u64 * updates
    );
    assert!(
        figures.merged_rotations.get() > 0 && figures.gone.get() > 0,
        "tasks have not met: {figures}"
    );
    println!("{name}: {updates} updates by each task, {took:.1?}: {figures}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_loses_nothing_and_revives_nothing() {
    soaked("memory", store("type = 'memory'"), 1000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn embedded_loses_nothing_and_revives_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let backend = format!("type = 'embedded', path = '{}'", folder.path().display());
    soaked("embedded", store(&backend), 1000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_loses_nothing_and_revives_nothing() {
    let server = RedisServer::start(Flavor::Redis);
    let store = redis(&format!("url = '{}'", server.url()));
    soaked("redis", store, 1000).await;
    assert_eq!(
        server.scan("*").iter().filter(|key| !is_mark(key)).count(),
        SESSIONS
    );
}

/// Without a codec: a save writes the fields that it changed, and compares nothing. So here savers never wait for each other,
/// and one who does compare, a rotation with all fields or a counter with its own, may meet a change in each of the store's
/// tries: it is refused with `Conflict` then, nothing of it stays, and the task tries again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hashes_in_redis_lose_nothing_and_revive_nothing() {
    let server = RedisServer::start(Flavor::Redis);
    soaked("redis, hashes", hashes(&server.url()), 250).await;
    assert_eq!(server.command(&["DBSIZE"]), SESSIONS.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_loses_nothing_and_revives_nothing() {
    let cluster = RedisCluster::start(Flavor::Redis);
    soaked("cluster", on(&cluster), 1000).await;
    let keys = cluster.keys();
    assert_eq!(keys.iter().filter(|key| !is_mark(key)).count(), SESSIONS);
}

/// Whether a key is the mark of an id that was rotated away, which ends by itself.
pub(crate) fn is_mark(key: &str) -> bool {
    key.contains("rotated:{")
}
