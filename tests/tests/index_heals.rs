//! An index entry that a server lost is put back: by each use of its session, and for all sessions by `Store::reindex`.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::HashSet;

use rrss::{Reindexed, Session, SessionId, Store};
use rrss_test_servers::{Flavor, RedisCluster, RedisServer};
use rrss_testkit::Log;

const SESSIONS: usize = 24;

fn steps(server: &str) -> String {
    format!(
        "step = [
            {{ type = 'key-mapper' }},
            {{ type = 'expiry', duration = '7d' }},
            {{ type = 'index', fields = ['user'] }},
            {{ type = 'json-codec' }},
            {{ type = 'redis', {server}, timeout = '60s', connect_timeout = '60s' }},
        ]"
    )
}

fn on_cluster(cluster: &RedisCluster) -> Store {
    Store::from_toml(&steps(&format!("nodes = {:?}", cluster.nodes()))).unwrap()
}

fn on_server(server: &RedisServer) -> Store {
    Store::from_toml(&steps(&format!("url = '{}'", server.url()))).unwrap()
}

async fn login(store: &Store) -> Session {
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    store.save(&mut session).await.unwrap();
    session
}

async fn logins(store: &Store) -> HashSet<SessionId> {
    let mut ids = HashSet::new();
    for _ in 0..SESSIONS {
        ids.insert(login(store).await.id().unwrap().clone());
    }
    ids
}

/// Which of these sessions live.
async fn live(store: &Store, ids: &HashSet<SessionId>) -> HashSet<SessionId> {
    let mut live = HashSet::new();
    for id in ids {
        if store.inspect(id).await.unwrap().is_some() {
            live.insert(id.clone());
        }
    }
    live
}

/// Which of these sessions are found by their user.
async fn found(store: &Store, ids: &HashSet<SessionId>) -> HashSet<SessionId> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.find("user", "ann", cursor, 100).await.unwrap();
        found.extend(page.sessions);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let is_found = |id: &&SessionId| found.iter().any(|session| session.is(id));
    ids.iter().filter(is_found).cloned().collect()
}

async fn reindex(store: &Store) -> Reindexed {
    let mut done = Reindexed::default();
    loop {
        let page = store.reindex(done.next.take(), 10).await.unwrap();
        done.indexed += page.indexed;
        done.unreadable += page.unreadable;
        done.next = page.next;
        if done.next.is_none() {
            return done;
        }
    }
}

/// The keys of the index, which a server may evict as it may evict any other key.
fn index_keys(server: &RedisServer) -> Vec<String> {
    let keys = server.scan("*");
    keys.into_iter()
        .filter(|key| key.contains("index:"))
        .collect()
}

fn lose_index(server: &RedisServer) {
    for key in index_keys(server) {
        assert_eq!(server.command(&["DEL", &key]), "1");
    }
}

fn lose_index_of_all(cluster: &RedisCluster) {
    for master in cluster.masters() {
        lose_index(cluster.node(master));
    }
}

/// From here on no replica gets what its master writes.
fn cut_replicas_off(cluster: &RedisCluster) {
    let masters = cluster.masters();
    for node in 0..RedisCluster::NODES {
        if !masters.contains(&node) {
            let replica = cluster.node(node);
            replica.command(&["CONFIG", "SET", "masteruser", "nobody"]);
            replica.command(&["CONFIG", "SET", "masterauth", "nothing"]);
        }
    }
    for master in masters {
        cluster
            .node(master)
            .command(&["CLIENT", "KILL", "TYPE", "replica"]);
    }
}

#[tokio::test]
async fn on_a_cluster_a_session_whose_entry_was_lost_is_found_again_once_it_is_loaded() {
    for flavor in Flavor::ALL {
        let cluster = RedisCluster::start(flavor);
        let ids = logins(&on_cluster(&cluster)).await;
        lose_index_of_all(&cluster);
        let store = on_cluster(&cluster);
        assert_eq!(found(&store, &ids).await, HashSet::new(), "{flavor}");

        for id in &ids {
            let before = store.inspect(id).await.unwrap().unwrap().expires_at();
            assert!(store.load(id).await.unwrap().is_some());
            let after = store.inspect(id).await.unwrap().unwrap().expires_at();
            assert_eq!(after, before, "{flavor}: a load renews nothing here");
        }
        assert_eq!(found(&store, &ids).await, ids, "{flavor}");
        assert_eq!(store.revoke("user", "ann").await.unwrap(), SESSIONS as u64);
        assert_eq!(live(&store, &ids).await, HashSet::new(), "{flavor}");
    }
}

#[tokio::test]
async fn on_a_cluster_a_second_load_puts_no_entry() {
    let cluster = RedisCluster::start(Flavor::Redis);
    let id = login(&on_cluster(&cluster)).await.id().unwrap().clone();
    let store = on_cluster(&cluster);
    store.load(&id).await.unwrap().unwrap();
    cluster.reset_counts();
    for _ in 0..10 {
        store.load(&id).await.unwrap().unwrap();
    }
    let counts = cluster.command_counts();
    assert_eq!(counts.get("get"), Some(&10), "{counts:?}");
    assert_eq!(counts.get("zadd"), None, "{counts:?}");
}

#[tokio::test]
async fn after_a_failover_that_lost_writes_a_used_session_is_found_and_reindex_finds_the_others() {
    for flavor in Flavor::ALL {
        let mut cluster = RedisCluster::start(flavor);
        let store = on_cluster(&cluster);
        let first = login(&store).await;
        cluster.wait_for_replicas();
        let keys = cluster.keys();
        let set = keys.iter().find(|key| key.contains("index:")).unwrap();
        let victim = cluster.master_of(set);
        cut_replicas_off(&cluster);

        let ids = logins(&store).await;
        cluster.kill_master(victim);
        cluster.wait_for_failover(RedisCluster::slot_of(set));
        let store = on_cluster(&cluster);
        let live = live(&store, &ids).await;
        assert!(!live.is_empty(), "{flavor}: sessions of other masters");
        assert_eq!(found(&store, &ids).await, HashSet::new(), "{flavor}");

        let used = live.iter().next().unwrap();
        store.load(used).await.unwrap().unwrap();
        assert_eq!(found(&store, &ids).await, HashSet::from([used.clone()]));
        let done = reindex(&store).await;
        assert!(done.indexed >= live.len() as u64, "{flavor}: {done:?}");
        assert_eq!(done.unreadable, 0, "{flavor}");
        assert_eq!(found(&store, &ids).await, live, "{flavor}");
        drop(first);
    }
}

#[tokio::test]
async fn on_one_server_each_write_and_touch_puts_a_lost_entry_back_and_so_does_reindex() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = on_server(&server);
        let mut session = login(&store).await;
        let ids = HashSet::from([session.id().unwrap().clone()]);
        let id = ids.iter().next().unwrap();

        lose_index(&server);
        session.insert("cart", "tea").unwrap();
        store.save(&mut session).await.unwrap();
        assert_eq!(found(&store, &ids).await, ids, "{flavor}: a save");

        lose_index(&server);
        assert!(store.touch(id).await.unwrap());
        assert_eq!(found(&store, &ids).await, ids, "{flavor}: a touch");

        lose_index(&server);
        let before = store.inspect(id).await.unwrap().unwrap().expires_at();
        assert_eq!(reindex(&store).await.indexed, 1, "{flavor}");
        assert_eq!(found(&store, &ids).await, ids, "{flavor}: reindex");
        let after = store.inspect(id).await.unwrap().unwrap().expires_at();
        assert_eq!(after, before, "{flavor}");
    }
}

#[tokio::test]
async fn on_a_server_that_evicts_keys_a_load_puts_a_lost_entry_back_and_one_warning_is_logged() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        server.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
        let log = Log::listen();
        let ids = logins(&on_server(&server)).await;
        let text = log.text();
        assert_eq!(
            text.matches("Redis evicts keys").count(),
            1,
            "{flavor}: {text}"
        );

        lose_index(&server);
        let store = on_server(&server);
        assert_eq!(found(&store, &ids).await, HashSet::new(), "{flavor}");
        for id in &ids {
            store.load(id).await.unwrap().unwrap();
        }
        assert_eq!(found(&store, &ids).await, ids, "{flavor}");
    }
}

#[tokio::test]
async fn reindex_finds_sessions_by_a_field_that_was_indexed_later() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let file = steps(&format!("url = '{}'", server.url()));
        let index = "{ type = 'index', fields = ['user'] },";
        let before = Store::from_toml(&file.replace(index, "")).unwrap();
        let ids = logins(&before).await;
        let store = Store::from_toml(&file).unwrap();
        assert_eq!(found(&store, &ids).await, HashSet::new(), "{flavor}");
        assert_eq!(reindex(&store).await.indexed, SESSIONS as u64, "{flavor}");
        assert_eq!(found(&store, &ids).await, ids, "{flavor}");
    }
}

#[tokio::test]
async fn reindex_brings_no_session_back_that_ends_while_it_runs() {
    let server = RedisServer::start(Flavor::Redis);
    let store = on_server(&server);
    let ids = logins(&store).await;
    lose_index(&server);
    let (done, ()) = tokio::join!(reindex(&store), async {
        for id in &ids {
            store.delete(id).await.unwrap();
        }
    });
    assert!(done.indexed <= SESSIONS as u64);
    assert_eq!(live(&store, &ids).await, HashSet::new());
    assert_eq!(store.revoke("user", "ann").await.unwrap(), 0);
    assert_eq!(server.scan("sessions:*"), Vec::<String>::new());
}
