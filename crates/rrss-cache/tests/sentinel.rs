//! What others do to a session is seen here where sentinels watch the server, also when the master dies, hangs or is replaced.
//! By two stores, as two processes have them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rrss::core::Clock;
use rrss::{ManualClock, Session, SessionId, Store, StoreBuilder, SystemClock};
use rrss_test_servers::{Flavor, RedisSentinel};

use crate::support::*;

#[macro_use]
mod support;

on_both![
    what_others_do_is_seen_and_loads_of_unchanged_sessions_send_nothing,
    nothing_of_a_master_that_died_is_answered,
    what_a_master_that_hangs_had_told_is_answered_until_max_age_or_the_first_silence,
    nothing_of_a_master_that_was_replaced_stays,
];

fn over(steps: StoreBuilder, group: &RedisSentinel, limit: Duration) -> Store {
    let nodes = group.sentinels();
    let redis = rrss::redis::Options {
        sentinel: Some(rrss::redis::SentinelOptions {
            master: group.master_name().to_owned(),
            nodes: nodes.iter().map(|node| node.parse().unwrap()).collect(),
            username: None,
            password: None,
        }),
        timeout: limit.into(),
        connect_timeout: limit.into(),
        ..Default::default()
    };
    on_redis(steps, redis)
}

/// A process with a cache whose sessions grow as old as they like, unless a change is told.
fn cached(group: &RedisSentinel, limit: Duration) -> Store {
    over(caching(steps(), HOUR), group, limit)
}

/// Another process, without a cache.
fn plain(group: &RedisSentinel) -> Store {
    over(steps(), group, GENEROUS)
}

async fn saved(store: &Store) -> SessionId {
    let mut session = Session::new();
    session.insert("count", &0).unwrap();
    store.save(&mut session).await.unwrap();
    session.id().unwrap().clone()
}

/// Answered, at last, without asking the master. What was told late takes one more load.
async fn is_kept(group: &RedisSentinel, store: &Store, id: &SessionId) {
    let begun = Instant::now();
    loop {
        group.master().reset_counts();
        store.load(id).await.unwrap().unwrap();
        if !group.master().command_counts().contains_key("get") {
            return;
        }
        assert!(begun.elapsed() < SOON, "it is asked for every time");
    }
}

async fn what_others_do_is_seen_and_loads_of_unchanged_sessions_send_nothing(flavor: Flavor) {
    let group = RedisSentinel::start(flavor);
    let (here, there) = (cached(&group, GENEROUS), plain(&group));
    let id = saved(&there).await;
    assert_eq!(count(&here, &id).await, 0);
    change(&there, &id, 1).await;
    until_count("a save", &here, &id, 1).await;

    is_kept(&group, &here, &id).await;
    group.master().reset_counts();
    for _ in 0..100 {
        assert_eq!(count(&here, &id).await, 1);
    }
    let mut counts = group.master().command_counts();
    // Of the sentinels and the replica.
    counts.retain(|name, _| !["info", "ping", "publish", "replconf"].contains(&name.as_str()));
    assert_eq!(counts, BTreeMap::new());

    let sooner = SystemClock.now() + Duration::from_secs(60);
    assert!(there.touch_until(&id, sooner).await.unwrap());
    let is_sooner = |seen: Option<&Session>| seen.unwrap().expires_at() == Some(sooner);
    until("a touch", &here, &id, is_sooner).await;

    let mut session = there.load(&id).await.unwrap().unwrap();
    there.rotate(&mut session).await.unwrap();
    until("a rotation", &here, &id, |seen| seen.is_none()).await;
    let id = session.id().unwrap();
    assert_eq!(count(&here, id).await, 1);
    assert!(there.delete(id).await.unwrap());
    until("a delete", &here, id, |seen| seen.is_none()).await;
}

async fn nothing_of_a_master_that_died_is_answered(flavor: Flavor) {
    let mut group = RedisSentinel::start(flavor);
    let here = cached(&group, GENEROUS);
    let id = saved(&plain(&group)).await;
    group.wait_for_replica();
    is_kept(&group, &here, &id).await;

    group.kill_master();
    let begun = Instant::now();
    while here.load(&id).await.is_ok() {
        assert!(begun.elapsed() < SOON, "the loss was not noticed");
    }
    group.wait_for_failover();
    let there = plain(&group);
    change(&there, &id, 1).await;
    assert_eq!(count(&here, &id).await, 1);
    is_kept(&group, &here, &id).await;
    change(&there, &id, 2).await;
    until_count("a save on the new master", &here, &id, 2).await;
}

/// Its connections stay open, and nothing says that what is kept may be out of date.
async fn what_a_master_that_hangs_had_told_is_answered_until_max_age_or_the_first_silence(
    flavor: Flavor,
) {
    let group = RedisSentinel::start(flavor);
    // The store goes by its own clock, which the test moves, where the server does not say its time.
    for server in [group.master(), group.replica()] {
        server.command(&["ACL", "SETUSER", "default", "-time"]);
    }
    let clock = ManualClock::at(SystemClock.now());
    let max_age = Duration::from_secs(10);
    let aging = caching(steps().clock(clock.clone()), max_age);
    let aging = over(aging, &group, SHORT);
    let asking = cached(&group, SHORT);
    let there = plain(&group);
    let [id, not_kept] = [saved(&there).await, saved(&there).await];
    group.wait_for_replica();
    assert_eq!(count_at_last(&aging, &id).await, 0);
    assert_eq!(count_at_last(&asking, &id).await, 0);

    group.master().pause();
    group.wait_for_failover();
    let there = plain(&group);
    change(&there, &id, 1).await;

    clock.advance(max_age - Duration::from_millis(1));
    assert_eq!(count(&aging, &id).await, 0, "it cannot know");
    clock.advance(Duration::from_millis(1));
    assert_eq!(count_at_last(&aging, &id).await, 1);

    assert_eq!(count(&asking, &id).await, 0, "it cannot know");
    assert!(asking.load(&not_kept).await.unwrap_err().is_temporary());
    assert_eq!(count_at_last(&asking, &id).await, 1);
    change(&there, &id, 2).await;
    until_count_at_last("a save on the new master", &asking, &id, 2).await;
}

/// Nobody dies: the sentinels disconnect the clients of the old master, which is a replica then.
async fn nothing_of_a_master_that_was_replaced_stays(flavor: Flavor) {
    let group = RedisSentinel::start(flavor);
    let (here, there) = (cached(&group, GENEROUS), plain(&group));
    let id = saved(&there).await;
    for round in 1..=2 {
        group.wait_for_replica();
        is_kept(&group, &here, &id).await;
        group.fail_over();
        change(&there, &id, round).await;
        until_count("a save on the new master", &here, &id, round).await;
        is_kept(&group, &here, &id).await;
    }
}
