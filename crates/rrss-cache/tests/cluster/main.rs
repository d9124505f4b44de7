//! What others do to a session is seen here on a Cluster: each node tells of what was read from it, also when slots move
//! and when masters fail. By two stores, as two processes have them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rrss::core::Clock;
use rrss::{Session, SessionId, Store, StoreBuilder, SystemClock};
use rrss_test_servers::{Flavor, RedisCluster};
use tokio::sync::{Mutex, MutexGuard};

use crate::support::*;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod failover;
mod moving;
mod redirected;

on_both![
    what_others_do_is_seen_on_every_master,
    loads_of_unchanged_sessions_send_nothing_to_any_master,
];

/// The one cluster of its flavour that lives on, and the right to move its slots.
async fn alone(flavor: Flavor) -> (&'static RedisCluster, MutexGuard<'static, ()>) {
    static CLUSTERS: [OnceLock<RedisCluster>; 2] = [const { OnceLock::new() }; 2];
    static TURNS: [Mutex<()>; 2] = [const { Mutex::const_new(()) }; 2];
    let place = usize::from(flavor == Flavor::Valkey);
    let turn = TURNS[place].lock().await;
    let cluster = CLUSTERS[place].get_or_init(|| RedisCluster::start(flavor));
    (cluster, turn)
}

fn over(steps: StoreBuilder, cluster: &RedisCluster, limit: Duration) -> Store {
    let nodes = cluster.nodes();
    let redis = rrss::redis::Options {
        nodes: Some(nodes.iter().map(|node| node.parse().unwrap()).collect()),
        timeout: limit.into(),
        connect_timeout: limit.into(),
        ..Default::default()
    };
    on_redis(steps, redis)
}

/// A process with a cache whose sessions grow as old as they like, unless a change is told.
fn cached(cluster: &RedisCluster, limit: Duration) -> Store {
    over(caching(steps(), HOUR), cluster, limit)
}

/// Another process, without a cache.
fn plain(cluster: &RedisCluster) -> Store {
    over(steps(), cluster, GENEROUS)
}

fn key(id: &SessionId) -> String {
    format!("sessions:{}", id.as_str())
}

/// A session that the master at `node` has.
async fn saved_on(cluster: &RedisCluster, node: usize, store: &Store) -> SessionId {
    loop {
        let mut session = Session::new();
        session.insert("user", "ann").unwrap();
        session.insert("count", &0).unwrap();
        store.save(&mut session).await.unwrap();
        let id = session.id().unwrap();
        if cluster.master_of(key(id)) == node {
            return id.clone();
        }
    }
}

/// Answered, at last, without asking any node. What was told late takes one more load.
async fn is_kept(cluster: &RedisCluster, store: &Store, id: &SessionId) {
    let begun = Instant::now();
    loop {
        cluster.reset_counts();
        store.load(id).await.unwrap().unwrap();
        if !cluster.command_counts().contains_key("get") {
            return;
        }
        assert!(begun.elapsed() < SOON, "it is asked for every time");
    }
}

async fn what_others_do_is_seen_on_every_master(flavor: Flavor) {
    let (cluster, _alone) = alone(flavor).await;
    let (here, there) = (cached(cluster, GENEROUS), plain(cluster));
    for master in cluster.masters() {
        let id = saved_on(cluster, master, &there).await;
        assert_eq!(count(&here, &id).await, 0);
        change(&there, &id, 1).await;
        until_count("a save", &here, &id, 1).await;

        let sooner = SystemClock.now() + Duration::from_secs(60);
        assert!(there.touch_until(&id, sooner).await.unwrap());
        let is_sooner = |seen: Option<&Session>| seen.unwrap().expires_at() == Some(sooner);
        until("a touch", &here, &id, is_sooner).await;

        let mut session = there.load(&id).await.unwrap().unwrap();
        there.rotate(&mut session).await.unwrap();
        until("a rotation", &here, &id, |seen| seen.is_none()).await;

        let id = saved_on(cluster, master, &there).await;
        assert_eq!(count(&here, &id).await, 0);
        assert!(there.delete(&id).await.unwrap());
        until("a delete", &here, &id, |seen| seen.is_none()).await;

        let id = saved_on(cluster, master, &there).await;
        assert_eq!(count(&here, &id).await, 0);
        assert!(there.revoke("user", &"ann").await.unwrap() > 0);
        until("a revoke", &here, &id, |seen| seen.is_none()).await;
    }
}

async fn loads_of_unchanged_sessions_send_nothing_to_any_master(flavor: Flavor) {
    let (cluster, _alone) = alone(flavor).await;
    let (here, there) = (cached(cluster, GENEROUS), plain(cluster));
    let mut ids = Vec::new();
    for master in cluster.masters() {
        ids.push(saved_on(cluster, master, &there).await);
    }
    cluster.reset_counts();
    for id in &ids {
        count(&here, id).await;
    }
    let first = cluster.command_counts();
    // The first load here puts the entries of its session, which asks its deadline.
    for (command, count) in [("get", 3), ("pexpiretime", 6), ("client|tracking", 3)] {
        assert_eq!(first.get(command), Some(&count), "{first:?}");
    }
    cluster.reset_counts();
    for id in ids.iter().cycle().take(300) {
        count(&here, id).await;
    }
    assert_eq!(cluster.command_counts(), BTreeMap::new());
}
