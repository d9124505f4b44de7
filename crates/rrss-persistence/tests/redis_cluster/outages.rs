//! A cluster that is not there.

use std::time::Duration;

use rrss_core::{Backend, DurationOption, ErrorKind};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Blackhole, Flavor, RedisCluster, refused_port};
use rrss_testkit::Subject;
use tokio::time::Instant;

use super::support::*;

/// With a limit that has to run out.
fn impatient(nodes: &[String]) -> Subject {
    Subject::of_step::<Redis>(Options {
        connect_timeout: Duration::from_millis(300).into(),
        ..to(nodes)
    })
}

fn refused() -> String {
    format!("redis://127.0.0.1:{}", refused_port())
}

mod where_nothing_listens {
    use super::{Redis, Subject, refused, to};

    rrss_testkit::outage_promises!(Subject::of_step::<Redis>(to(&[refused(), refused()])));
}

mod where_nobody_answers {
    rrss_testkit::outage_promises!({
        let holes = [(); 2].map(|()| super::Blackhole::start());
        let nodes = [holes[0].url(), holes[1].url()];
        super::impatient(&nodes).keeping(holes)
    });
}

/// The longest that an operation can take, with more nodes than one could wait for one after the other.
#[tokio::test]
async fn an_operation_ends_within_both_limits_however_many_nodes_hang() {
    let holes: Vec<Blackhole> = (0..10).map(|_| Blackhole::start()).collect();
    let nodes: Vec<String> = holes.iter().map(Blackhole::url).collect();
    let redis = Redis::new(Options {
        timeout: DurationOption::new(Duration::from_secs(3)),
        connect_timeout: DurationOption::new(Duration::from_secs(5)),
        ..to(&nodes)
    })
    .unwrap();
    tokio::time::pause();
    for _ in 0..2 {
        let begun = Instant::now();
        let error = redis.write(&create("sessions:1", "{}")).await.unwrap_err();
        let took = begun.elapsed();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(error.message().contains("`connect_timeout`"), "{error}");
        assert!(took <= Duration::from_millis(8_002), "{took:?}");
    }
}

#[tokio::test]
async fn one_node_that_answers_is_enough() {
    let cluster = cluster(Flavor::Redis);
    let hole = Blackhole::start();
    let nodes = [refused(), hole.url(), cluster.nodes()[4].clone()];
    let redis = Redis::new(to(&nodes)).unwrap();
    whole_life(&redis, "enough:1").await;
    redis.ping().await.unwrap();
}

#[tokio::test]
async fn a_cluster_with_a_password_is_used_with_it_and_says_what_is_wrong_without() {
    let cluster = RedisCluster::builder(Flavor::Valkey)
        .password("right")
        .start();
    let node = |index: usize| format!("127.0.0.1:{}", cluster.node(index).port());
    let with = |password: Option<&str>| {
        Redis::new(Options {
            password: password.map(|text| text.to_owned().into()),
            ..to(&[node(0), node(1)])
        })
        .unwrap()
    };
    for number in 0..20 {
        whole_life(&with(Some("right")), &format!("secured:{number}")).await;
    }
    for (password, part) in [
        (None, "set `password`"),
        (Some("wrong"), "refused the user or the password"),
    ] {
        let redis = with(password);
        for error in [
            stored(&redis, "secured:1").await.unwrap_err(),
            redis.ping().await.unwrap_err(),
            redis.count(&load("secured:1")).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(error.message().contains(part), "{error}");
        }
    }
}

#[tokio::test]
async fn a_user_who_may_what_the_readme_says_is_enough() {
    let cluster = RedisCluster::start(Flavor::Valkey);
    let readme = include_str!("../../README.md");
    let rules: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("ACL SETUSER ") && line.contains("+asking"))
        .collect();
    let [rule] = rules.as_slice() else {
        panic!("the readme has {} rules for a cluster", rules.len());
    };
    for node in 0..RedisCluster::NODES {
        let words: Vec<&str> = rule.split(' ').collect();
        cluster.command_on(node, &words);
    }
    let node = format!("redis://rrss:password@127.0.0.1:{}", cluster.node(0).port());
    let redis = Redis::new(to(&[node])).unwrap();
    let slot = RedisCluster::slot_of("sessions:1");
    let [to, _] = others(&cluster, slot);
    cluster.begin_migration(slot, to);
    whole_life(&redis, "sessions:1").await;
    cluster.finish_migration(slot, to);
    whole_life(&redis, "sessions:1").await;
    assert_eq!(redis.count(&load("sessions:1")).await.unwrap(), 0);
    redis.ping().await.unwrap();
}
