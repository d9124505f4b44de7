//! Masters that die or hang, and replicas that take over.

use std::sync::Arc;
use std::time::Duration;

use rrss_core::{Backend, DurationOption, Error, ErrorKind, Written};
use rrss_persistence::redis::Redis;
use rrss_test_servers::{Flavor, RedisCluster};

use super::support::*;

const SESSIONS: usize = 60;

fn key(number: usize) -> String {
    format!("failover:{number}")
}

/// Stored on all masters, and on their replicas.
async fn fill(redis: &Redis, cluster: &RedisCluster) {
    for number in 0..SESSIONS {
        let written = redis.write(&create(&key(number), "0")).await.unwrap();
        assert_eq!(written, Written::Done);
    }
    cluster.wait_for_replicas();
}

fn is_an_outage(error: &Error) {
    let kinds = [ErrorKind::Unavailable, ErrorKind::Timeout];
    assert!(kinds.contains(&error.kind()), "{error:?}");
    assert!(error.is_temporary());
}

/// Until a replica has taken over, sessions of the dead master are unavailable, and all others are served.
#[tokio::test]
async fn a_master_dies_and_what_its_replica_has_is_served_again() {
    for flavor in Flavor::ALL {
        let mut cluster = RedisCluster::start(flavor);
        let redis = connect(&cluster);
        fill(&redis, &cluster).await;
        let victim = cluster.master_of(key(0));
        let served: Vec<bool> = (0..SESSIONS)
            .map(|number| cluster.master_of(key(number)) != victim)
            .collect();
        cluster.kill_master(victim);
        for (number, is_served) in served.iter().enumerate() {
            match redis.write(&replace(&key(number), "0", "1")).await {
                Ok(written) => assert_eq!(written, Written::Done),
                Err(error) if !is_served => is_an_outage(&error),
                Err(error) => panic!("of another master: {error}"),
            }
        }
        cluster.wait_for_failover(RedisCluster::slot_of(key(0)));
        // The first operation of each, though it may change something.
        for number in 0..SESSIONS {
            let write = update(&key(number), "2");
            assert_eq!(redis.write(&write).await.unwrap(), Written::Done);
        }
        let count = redis.count(&load(&key(0))).await.unwrap();
        assert_eq!(count, SESSIONS as u64);

        // The old master comes back as a replica, and takes over again.
        cluster.restart(victim);
        cluster.wait_for_replicas();
        let successor = cluster.master_of(key(0));
        cluster.kill_master(successor);
        assert_eq!(
            cluster.wait_for_failover(RedisCluster::slot_of(key(0))),
            victim
        );
        for number in 0..SESSIONS {
            let text = stored(&redis, &key(number)).await.unwrap();
            assert_eq!(text.as_deref(), Some("2"));
        }
    }
}

/// It let writes wait before this one came, and was killed then, so it has not done it. A second try at its replica would
/// store a session of which the caller was told that nobody knows.
#[tokio::test]
async fn a_write_whose_master_dies_is_not_sent_to_its_replica() {
    let mut cluster = RedisCluster::start(Flavor::Redis);
    let redis = connect(&cluster);
    fill(&redis, &cluster).await;
    let victim = cluster.master_of("failover:new");
    let other = (0..SESSIONS)
        .map(key)
        .find(|key| cluster.master_of(key) != victim)
        .unwrap();
    stored(&redis, "failover:new").await.unwrap();

    cluster.command_on(victim, &["CLIENT", "PAUSE", "3600000", "WRITE"]);
    let write = {
        let redis = Arc::clone(&redis);
        tokio::spawn(async move { redis.write(&create("failover:new", "{}")).await })
    };
    // When these are answered, the write has long been sent.
    for _ in 0..10 {
        stored(&redis, &other).await.unwrap();
    }
    let victim_slot = RedisCluster::slot_of("failover:new");
    cluster.kill_master(victim);
    let error = write.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.message().contains("it may have been stored"),
        "{error}"
    );
    cluster.wait_for_failover(victim_slot);
    assert_eq!(stored(&redis, "failover:new").await.unwrap(), None);
    let written = redis.write(&create("failover:new", "{}")).await.unwrap();
    assert_eq!(written, Written::Done);
}

/// Its connection stays open, and nothing comes back over it.
#[tokio::test]
async fn a_master_hangs_and_its_replica_is_found_without_it() {
    let cluster = RedisCluster::start(Flavor::Valkey);
    // It has to run out once, and is long for all that answer.
    let redis = limited(&cluster, DurationOption::new(Duration::from_secs(3)));
    let patient = connect(&cluster);
    fill(&patient, &cluster).await;
    redis.ping().await.unwrap();
    let slot = RedisCluster::slot_of(key(0));
    let victim = cluster.master_of(key(0));
    stored(&redis, &key(0)).await.unwrap();
    cluster.node(victim).pause();
    is_an_outage(&stored(&redis, &key(0)).await.unwrap_err());
    let successor = cluster.wait_for_failover(slot);
    assert_ne!(successor, victim);
    // What it has known since the last failure may be from before; it does not stay so.
    let mut failures = 0;
    while let Err(error) = stored(&redis, &key(0)).await {
        is_an_outage(&error);
        failures += 1;
        assert!(failures < 10, "{error}");
    }
    for number in 0..SESSIONS {
        let text = stored(&redis, &key(number)).await.unwrap();
        assert_eq!(text.as_deref(), Some("0"));
    }
    cluster.node(victim).resume();
}

/// With both dead, a part of the cluster is gone until one of them is back.
#[tokio::test]
async fn a_shard_without_servers_is_unavailable_and_used_again_when_it_is_back() {
    let mut cluster = RedisCluster::builder(Flavor::Redis)
        .arg("--appendonly", "yes")
        .start();
    let redis = connect(&cluster);
    fill(&redis, &cluster).await;
    let slot = RedisCluster::slot_of(key(0));
    let first = cluster.master_of(key(0));
    cluster.kill_master(first);
    let second = cluster.wait_for_failover(slot);
    cluster.kill_master(second);
    for _ in 0..3 {
        is_an_outage(&stored(&redis, &key(0)).await.unwrap_err());
        is_an_outage(&redis.write(&update(&key(0), "1")).await.unwrap_err());
        is_an_outage(&redis.count(&load(&key(0))).await.unwrap_err());
        redis.ping().await.unwrap();
    }
    cluster.restart(second);
    let text = stored(&redis, &key(0)).await.unwrap();
    assert_eq!(text.as_deref(), Some("0"));
    assert_eq!(
        redis.write(&update(&key(0), "1")).await.unwrap(),
        Written::Done
    );
}
