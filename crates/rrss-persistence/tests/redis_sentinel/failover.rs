//! Masters that die, hang, or become replicas.

use std::time::Duration;

use rrss_core::{Backend, DurationOption, Error, ErrorKind, Written};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisSentinel};

use super::operations::*;
use super::{connect, limited, to};

async fn keep(redis: &Redis, group: &RedisSentinel) {
    let written = redis.write(&create("kept:1", "0")).await.unwrap();
    assert_eq!(written, Written::Done);
    group.wait_for_replica();
}

fn is_an_outage(error: &Error) {
    let kinds = [ErrorKind::Unavailable, ErrorKind::Timeout];
    assert!(kinds.contains(&error.kind()), "{error:?}");
    assert!(error.is_temporary());
}

#[tokio::test]
async fn a_master_dies_and_its_replica_is_found() {
    for flavor in Flavor::ALL {
        let mut group = RedisSentinel::start(flavor);
        let redis = connect(&group);
        keep(&redis, &group).await;
        for text in ["1", "2"] {
            group.kill_master();
            is_an_outage(&redis.write(&update("kept:1", text)).await.unwrap_err());
            group.wait_for_failover();
            // The first operation after it, though it changes something.
            let written = redis.write(&update("kept:1", text)).await.unwrap();
            assert_eq!(written, Written::Done);
            assert_eq!(
                stored(&redis, "kept:1").await.unwrap().as_deref(),
                Some(text)
            );
            group.restart();
            group.wait_for_replica();
        }
    }
}

/// Nobody dies. The old master is a replica then, which must neither be read from nor written to.
#[tokio::test]
async fn a_master_that_was_made_a_replica_is_left() {
    for flavor in Flavor::ALL {
        let group = RedisSentinel::start(flavor);
        let redis = connect(&group);
        keep(&redis, &group).await;
        for text in ["1", "2", "3"] {
            let before = group.master_url();
            group.fail_over();
            assert_ne!(group.master_url(), before);
            let kept = stored(&redis, "kept:1").await.unwrap().unwrap();
            redis.write(&replace("kept:1", &kept, text)).await.unwrap();
            assert_eq!(group.command_on_master(&["GET", "kept:1"]), text);
            whole_life(&redis, "kept:2").await;
            group.wait_for_replica();
        }
    }
}

/// Its connection stays open, and nothing comes back over it.
#[tokio::test]
async fn a_master_hangs_and_its_replica_is_found_without_it() {
    let group = RedisSentinel::start(Flavor::Redis);
    keep(&connect(&group), &group).await;
    // It has to run out once, and is long for all that answer.
    let redis = limited(&group, DurationOption::new(Duration::from_secs(3)));
    stored(&redis, "kept:1").await.unwrap();
    let hung = group.master();
    hung.pause();
    is_an_outage(&stored(&redis, "kept:1").await.unwrap_err());
    group.wait_for_failover();
    // What it has known since the last failure may be from before; it does not stay so.
    let mut failures = 0;
    while let Err(error) = stored(&redis, "kept:1").await {
        is_an_outage(&error);
        failures += 1;
        assert!(failures < 10, "{error}");
    }
    assert_eq!(
        stored(&redis, "kept:1").await.unwrap().as_deref(),
        Some("0")
    );
    hung.resume();
}

#[tokio::test]
async fn the_password_of_the_servers_is_not_that_of_the_sentinels() {
    let group = RedisSentinel::builder(Flavor::Redis)
        .password("right")
        .start();
    let with = |password: Option<&str>| {
        Redis::new(Options {
            password: password.map(|text| text.to_owned().into()),
            ..to(group.master_name(), &group.sentinels())
        })
        .unwrap()
    };
    whole_life(&with(Some("right")), "secured:1").await;
    for (password, part) in [
        (None, "set `password`"),
        (Some("wrong"), "refused the user or the password"),
    ] {
        let error = stored(&with(password), "secured:1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_database_is_chosen_on_the_master() {
    let group = RedisSentinel::start(Flavor::Valkey);
    let redis = Redis::new(Options {
        database: Some(3),
        ..to(group.master_name(), &group.sentinels())
    })
    .unwrap();
    redis.write(&create("kept:1", "{}")).await.unwrap();
    let keyspace = group.command_on_master(&["INFO", "keyspace"]);
    assert!(keyspace.contains("db3:keys=1"), "{keyspace}");
}
