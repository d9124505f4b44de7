//! What others do to a session is seen here where sentinels watch the server, also when the master dies, hangs or is replaced.
//! By two stores, as two processes have them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rrss::core::Clock;
use rrss::{
    Expiry, JsonCodec, KeyMapper, ManualClock, Redis, Session, SessionId, Store, StoreBuilder,
    SystemClock,
};
use rrss_cache::{Cache, Options};
use rrss_test_servers::{Flavor, RedisSentinel};

const HOUR: Duration = Duration::from_secs(3600);
/// Far longer than a server takes to tell.
const SOON: Duration = Duration::from_secs(30);
/// For what is always answered, on a machine that is busy.
const GENEROUS: Duration = Duration::from_secs(20);
/// For what is not.
const SHORT: Duration = Duration::from_millis(500);

/// Makes two tests of each function: one on Redis, one on Valkey.
macro_rules! on_both {
    ($($test:ident,)+) => {
        mod redis {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(rrss_test_servers::Flavor::Redis).await;
                }
            )+
        }

        mod valkey {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(rrss_test_servers::Flavor::Valkey).await;
                }
            )+
        }
    };
}

on_both![
    what_others_do_is_seen_and_loads_of_unchanged_sessions_send_nothing,
    nothing_of_a_master_that_died_is_answered,
    what_a_master_that_hangs_had_told_is_answered_until_max_age_or_the_first_silence,
    nothing_of_a_master_that_was_replaced_stays,
];

fn steps() -> StoreBuilder {
    Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
}

fn caching(steps: StoreBuilder, max_age: Duration) -> StoreBuilder {
    steps.step::<Cache>(Options {
        max_age: max_age.into(),
        ..Options::default()
    })
}

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
    let steps = steps.step::<JsonCodec>(Default::default());
    steps.step::<Redis>(redis).build().unwrap()
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

async fn count(store: &Store, id: &SessionId) -> u64 {
    let session = store.load(id).await.unwrap().unwrap();
    session.get("count").unwrap().unwrap()
}

/// Loads, though a connection may have to be given up first, and the new master looked for.
async fn count_at_last(store: &Store, id: &SessionId) -> u64 {
    let begun = Instant::now();
    loop {
        match store.load(id).await {
            Ok(session) => return session.unwrap().get("count").unwrap().unwrap(),
            Err(error) => assert!(error.is_temporary() && begun.elapsed() < SOON, "{error}"),
        }
    }
}

async fn change(store: &Store, id: &SessionId, count: u64) {
    let mut session = store.load(id).await.unwrap().unwrap();
    session.insert("count", &count).unwrap();
    store.save(&mut session).await.unwrap();
}

/// Loads until what is answered is as it is to be.
async fn until(what: &str, store: &Store, id: &SessionId, is: impl Fn(Option<&Session>) -> bool) {
    let begun = Instant::now();
    while !is(store.load(id).await.unwrap().as_ref()) {
        assert!(begun.elapsed() < SOON, "{what}: not seen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn until_count(what: &str, store: &Store, id: &SessionId, count: u64) {
    let is = |seen: Option<&Session>| seen.unwrap().get("count").unwrap() == Some(count);
    until(what, store, id, is).await;
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
    until_count("a save on the new master", &asking, &id, 2).await;
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
