//! Masters that die, hang, or are made replicas.

use std::time::{Duration, Instant};

use rrss::core::Clock;
use rrss::{ManualClock, SystemClock};
use rrss_test_servers::{Flavor, RedisCluster};

use super::*;

on_both![
    nothing_of_a_master_that_died_is_answered,
    what_a_master_that_hangs_had_told_is_answered_until_max_age_or_the_first_silence,
    a_master_that_was_made_a_replica_tells_until_it_is_known_and_then_counts_for_nothing,
];

async fn nothing_of_a_master_that_died_is_answered(flavor: Flavor) {
    let mut cluster = RedisCluster::start(flavor);
    let (here, there) = (cached(&cluster, GENEROUS), plain(&cluster));
    let lost = saved_on(&cluster, 0, &there).await;
    let other = saved_on(&cluster, 1, &there).await;
    cluster.wait_for_replicas();
    is_kept(&cluster, &here, &lost).await;
    is_kept(&cluster, &here, &other).await;

    cluster.kill_master(0);
    let begun = Instant::now();
    while here.load(&lost).await.is_ok() {
        assert!(begun.elapsed() < SOON, "the loss was not noticed");
    }
    cluster.reset_counts();
    assert_eq!(count(&here, &other).await, 0);
    assert!(!cluster.command_counts().contains_key("get"));

    cluster.wait_for_failover(RedisCluster::slot_of(key(&lost)));
    change(&plain(&cluster), &lost, 1).await;
    assert_eq!(count(&here, &lost).await, 1);
    is_kept(&cluster, &here, &lost).await;
    change(&plain(&cluster), &lost, 2).await;
    until_count("a save on the new master", &here, &lost, 2).await;
}

/// Its connections stay open, and nothing says that what is kept may be out of date.
async fn what_a_master_that_hangs_had_told_is_answered_until_max_age_or_the_first_silence(
    flavor: Flavor,
) {
    let cluster = RedisCluster::start(flavor);
    // The store goes by its own clock, which the test moves, where the server does not say its time.
    for node in 0..cluster.nodes().len() {
        cluster.command_on(node, &["ACL", "SETUSER", "default", "-time"]);
    }
    let clock = ManualClock::at(SystemClock.now());
    let max_age = Duration::from_secs(10);
    let aging = caching(steps().clock(clock.clone()), max_age);
    let aging = over(aging, &cluster, SHORT);
    let asking = cached(&cluster, SHORT);
    let there = plain(&cluster);
    let id = saved_on(&cluster, 0, &there).await;
    let not_kept = saved_on(&cluster, 0, &there).await;
    cluster.wait_for_replicas();
    assert_eq!(count_at_last(&aging, &id).await, 0);
    assert_eq!(count_at_last(&asking, &id).await, 0);

    cluster.node(0).pause();
    cluster.wait_for_failover(RedisCluster::slot_of(key(&id)));
    change(&plain(&cluster), &id, 1).await;

    clock.advance(max_age - Duration::from_millis(1));
    assert_eq!(count(&aging, &id).await, 0, "it cannot know");
    clock.advance(Duration::from_millis(1));
    assert_eq!(count_at_last(&aging, &id).await, 1);

    assert_eq!(count(&asking, &id).await, 0, "it cannot know");
    assert!(asking.load(&not_kept).await.unwrap_err().is_temporary());
    assert_eq!(count_at_last(&asking, &id).await, 1);
}

/// Nobody dies, and in a Cluster nobody is disconnected.
async fn a_master_that_was_made_a_replica_tells_until_it_is_known_and_then_counts_for_nothing(
    flavor: Flavor,
) {
    let cluster = RedisCluster::start(flavor);
    let (here, there) = (cached(&cluster, GENEROUS), plain(&cluster));
    let [first, second] = [
        saved_on(&cluster, 0, &there).await,
        saved_on(&cluster, 0, &there).await,
    ];
    cluster.wait_for_replicas();
    is_kept(&cluster, &here, &first).await;
    is_kept(&cluster, &here, &second).await;

    assert_eq!(cluster.command_on(3, &["CLUSTER", "FAILOVER"]), "OK");
    let begun = Instant::now();
    while cluster.master_of(key(&first)) == 0 {
        assert!(begun.elapsed() < SOON, "no failover");
    }
    change(&there, &first, 1).await;
    until_count("a save on the new master", &here, &first, 1).await;

    cluster.node(0).pause();
    change(&there, &second, 1).await;
    until_count("a save that it does not hear of", &here, &second, 1).await;
}
