//! How often an outage is asked whether it is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rrss_core::Backend;
use rrss_test_servers::{Flavor, RedisCluster};

use super::support::*;

/// What one process may ask for in an outage that takes as long: in the pauses that grow, and once in each of the
/// longest, which is 250 ms less a quarter.
fn at_most(outage: Duration) -> u64 {
    10 + u64::try_from(outage.as_millis()).unwrap() / 187
}

/// Sums over the nodes that answer; replicas too, which are asked when masters fail.
fn count(cluster: &RedisCluster, dead: usize, command: &str) -> u64 {
    let nodes = (0..RedisCluster::NODES).filter(|node| *node != dead);
    let counts = nodes.map(|node| cluster.node(node).command_counts());
    counts
        .filter_map(|counts| counts.get(command).copied())
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_is_not_stormed_and_what_comes_after_it_is_done() {
    for flavor in Flavor::ALL {
        let mut cluster = RedisCluster::start(flavor);
        let redis = connect(&cluster);
        for number in 0..32 {
            let key = format!("braked:{number}");
            redis.write(&create(&key, "0")).await.unwrap();
        }
        cluster.wait_for_replicas();
        let slot = RedisCluster::slot_of("braked:0");
        let victim = cluster.master_of("braked:0");
        cluster.reset_counts();

        let is_over = Arc::new(AtomicBool::new(false));
        let begun = Instant::now();
        cluster.kill_master(victim);
        let clients: Vec<_> = (0..32)
            .map(|number| {
                let (redis, is_over) = (Arc::clone(&redis), Arc::clone(&is_over));
                tokio::spawn(async move {
                    let key = format!("braked:{number}");
                    while !is_over.load(Ordering::SeqCst) {
                        let _ = redis.write(&update(&key, "1")).await;
                    }
                })
            })
            .collect();
        tokio::task::block_in_place(|| cluster.wait_for_failover(slot));
        is_over.store(true, Ordering::SeqCst);
        for client in clients {
            client.await.unwrap();
        }
        let outage = begun.elapsed();
        let asked = count(&cluster, victim, "cluster|slots");
        // Only ours greet.
        let connections = count(&cluster, victim, "hello");
        assert!(asked <= at_most(outage), "{asked} in {outage:?}");
        assert!(
            connections <= at_most(outage),
            "{connections} in {outage:?}"
        );
        for number in 0..32 {
            let write = update(&format!("braked:{number}"), "2");
            redis.write(&write).await.unwrap();
        }
    }
}
