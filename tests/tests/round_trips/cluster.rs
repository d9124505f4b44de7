//! On a Cluster of six processes: the same commands as on one node, each at the node that has its key, and no more.
//! It is commands that are counted here: what the servers of a cluster tell each other would count as round trips.

use std::time::{Duration, Instant};

use rrss::{Saved, Store};
use rrss_test_servers::{Flavor, RedisCluster};

use crate::*;

const EXPIRY: &str = "{ type = 'expiry', duration = '7d' },";
const INDEX: &str = "{ type = 'expiry', duration = '7d' }, { type = 'index', fields = ['user'] },";

/// A store that has a connection to every master, and knows what the servers can do.
async fn connected(cluster: &RedisCluster, steps: &str, more: &str) -> Store {
    let store = Store::from_toml(&format!(
        "step = [
            {{ type = 'key-mapper' }},
            {steps}
            {{ type = 'json-codec' }},
            {{ type = 'redis', nodes = {:?}, timeout = '60s', connect_timeout = '60s' }},
        ]\n{more}",
        cluster.nodes()
    ))
    .unwrap();
    let reached = |cluster: &RedisCluster| {
        let masters = cluster.masters();
        let connected = masters
            .iter()
            .filter(|&&node| cluster.node(node).connections() > 0);
        connected.count() == masters.len()
    };
    let start = Instant::now();
    while !reached(cluster) {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "some master is never asked"
        );
        let session = stored(&store).await;
        store.delete(&id(&session)).await.unwrap();
    }
    // Each master is told the scripts once.
    for _ in 0..64 {
        learn(&store).await;
    }
    store
}

/// The node that serves a session.
fn node_of(cluster: &RedisCluster, session: &Session) -> usize {
    cluster.master_of(format!("sessions:{}", id(session).as_str()))
}

#[tokio::test]
async fn every_operation_costs_what_it_costs_on_one_node_and_at_the_node_of_its_session() {
    for flavor in Flavor::ALL {
        let cluster = RedisCluster::start(flavor);
        let store = connected(&cluster, EXPIRY, "").await;
        for _ in 0..8 {
            let (mut session, create) = cost(&cluster, stored(&store)).await;
            assert_eq!(create, commands([("set", 1)]), "{flavor}");
            let node = node_of(&cluster, &session);
            assert_eq!(cluster.node(node).command_counts().get("set"), Some(&1));

            let (loaded, load) = cost(&cluster, store.load(&id(&session))).await;
            let mut other = loaded.unwrap().unwrap();
            assert_eq!(load, commands([("get", 1)]), "{flavor}");
            assert_eq!(cluster.node(node).command_counts().get("get"), Some(&1));

            session.insert("cart", &1).unwrap();
            let (saved, update) = cost(&cluster, store.save(&mut session)).await;
            assert_eq!(saved.unwrap(), Saved::Replaced);
            assert_eq!(update, compare_and_set(flavor, 1, 1), "{flavor}");

            other.insert("theme", "dark").unwrap();
            let (saved, merge) = cost(&cluster, store.save(&mut other)).await;
            assert_eq!(saved.unwrap(), Saved::Merged);
            let refused: &[_] = match flavor {
                Flavor::Valkey => &[("set", 1)],
                _ => &[("evalsha", 1), ("get", 1)],
            };
            let expected = all([refused, &PEEK, &compares(flavor)]);
            assert_eq!(merge, expected, "{flavor}");

            let (touched, touch) = cost(&cluster, store.touch(&id(&other))).await;
            assert!(touched.unwrap());
            assert_eq!(steady(touch), steady(all([&PEEK, &TOUCH])), "{flavor}");

            // The new id is at any node, the old one where it was.
            let (rotated, rotate) = cost(&cluster, store.rotate(&mut other)).await;
            rotated.unwrap();
            // The half is stored, the old session makes room and leaves a mark, the half takes its place.
            let takes_over: &[_] = &[("evalsha", 1), ("get", 1), ("pexpiretime", 1), ("set", 1)];
            let arrives: &[_] = &[("evalsha", 1), ("exists", 1), ("rename", 1)];
            let waits: &[_] = &[("evalsha", 1), ("exists", 1), ("set", 1)];
            let expected = all([waits, takes_over, &[("unlink", 1)], arrives]);
            assert_eq!(steady(rotate), expected, "{flavor}");

            let (deleted, delete) = cost(&cluster, store.delete(&id(&other))).await;
            assert!(deleted.unwrap());
            // That of a session which is being rotated to this id, too.
            assert_eq!(delete, commands([("unlink", 2)]), "{flavor}");
        }
        assert_eq!(
            cluster.error_counts(),
            [].into(),
            "{flavor}: nothing was redirected"
        );
    }
}

#[tokio::test]
async fn where_the_last_write_counts_an_update_is_one_set_there_too() {
    for flavor in Flavor::ALL {
        let cluster = RedisCluster::start(flavor);
        let store = connected(&cluster, EXPIRY, "[store]\nconflict = 'last-write'\n").await;
        let mut session = stored(&store).await;
        session.insert("user", "bob").unwrap();
        let (saved, cost) = cost(&cluster, store.save(&mut session)).await;
        saved.unwrap();
        assert_eq!(cost, commands([("set", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_renewal_is_a_script_more_when_it_is_due() {
    for flavor in Flavor::ALL {
        let cluster = RedisCluster::start(flavor);
        let steps = "{ type = 'expiry', duration = '7d', renew = 'load', renew_after = '1d' },";
        let store = connected(&cluster, steps, "").await;
        let session = stored(&store).await;
        let (loaded, not_due) = cost(&cluster, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(not_due, all([&PEEK]), "{flavor}");
        let key = format!("sessions:{}", id(&session).as_str());
        let node = node_of(&cluster, &session);
        cluster.command_on(node, &["EXPIRE", &key, "3600"]);
        let (loaded, due) = cost(&cluster, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(steady(due), steady(all([&PEEK, &TOUCH])), "{flavor}");
    }
}

#[tokio::test]
async fn with_an_index_the_entries_cost_what_they_cost_on_one_node() {
    for flavor in Flavor::ALL {
        let cluster = RedisCluster::start(flavor);
        let store = connected(&cluster, INDEX, "").await;
        let (mut session, create) = cost(&cluster, stored(&store)).await;
        assert_eq!(create, all([&PUT, &[("set", 1)]]), "{flavor}");

        session.insert("cart", &1).unwrap();
        let (saved, update) = cost(&cluster, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        assert_eq!(update, all([&PUT, &compares(flavor)]), "{flavor}");

        session.insert("user", "bob").unwrap();
        let (saved, changed) = cost(&cluster, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        let expected = all([&PUT, &compares(flavor), &REMOVE]);
        assert_eq!(changed, expected, "{flavor}");

        let (found, find) = cost(&cluster, store.find("user", "bob", None, 10)).await;
        assert_eq!(found.unwrap().sessions.len(), 1);
        assert_eq!(find, all([&FIND, &PEEK]), "{flavor}");

        let (deleted, delete) = cost(&cluster, store.delete(&id(&session))).await;
        assert!(deleted.unwrap());
        let expected = all([&PEEK, &[("unlink", 2), ("zrem", 2)]]);
        assert_eq!(delete, expected, "{flavor}");
        assert_eq!(
            cluster.error_counts(),
            [].into(),
            "{flavor}: nothing was redirected"
        );
    }
}

#[tokio::test]
async fn a_count_scans_every_master_and_does_nothing_else() {
    for flavor in Flavor::ALL {
        let cluster = RedisCluster::start(flavor);
        let store = connected(&cluster, EXPIRY, "").await;
        let (_, cost) = cost(&cluster, store.count()).await;
        let scans = cost.get("scan").copied().unwrap_or_default();
        assert!(scans >= 3, "{flavor}: {cost:?}");
        assert_eq!(cost.len(), 1, "{flavor}: {cost:?}");
    }
}

#[tokio::test]
async fn a_slot_that_has_moved_costs_one_redirection_and_no_more() {
    for flavor in Flavor::ALL {
        let cluster = RedisCluster::start(flavor);
        let store = connected(&cluster, EXPIRY, "").await;
        let session = stored(&store).await;
        let key = format!("sessions:{}", id(&session).as_str());
        let (slot, from) = (RedisCluster::slot_of(&key), node_of(&cluster, &session));
        let to = cluster.masters().into_iter().find(|&node| node != from);
        cluster.migrate_slot(slot, to.unwrap());
        for redirections in [1, 0] {
            let (loaded, load) = cost(&cluster, store.load(&id(&session))).await;
            assert!(loaded.unwrap().is_some());
            assert_eq!(load.get("get"), Some(&1), "{flavor}");
            let moved = cluster.error_counts().get("MOVED").copied();
            assert_eq!(moved.unwrap_or_default(), redirections, "{flavor}");
        }
    }
}
