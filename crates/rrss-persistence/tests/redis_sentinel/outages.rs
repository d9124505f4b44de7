//! Sentinels that are not there, or know nothing.

use std::time::Duration;

use rrss_core::{Backend, DurationOption, ErrorKind};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Blackhole, Flavor, RedisSentinel, RedisServer, refused_port};
use rrss_testkit::Subject;
use tokio::time::Instant;

use super::operations::*;
use super::to;

/// With a limit that has to run out.
fn impatient(sentinels: &[String]) -> Subject {
    Subject::of_step::<Redis>(Options {
        connect_timeout: Duration::from_millis(300).into(),
        ..to("mymaster", sentinels)
    })
}

fn refused() -> String {
    format!("redis://127.0.0.1:{}", refused_port())
}

mod where_nothing_listens {
    use super::{Redis, Subject, refused, to};

    rrss_testkit::outage_promises!(Subject::of_step::<Redis>(to(
        "mymaster",
        &[refused(), refused()]
    )));
}

mod where_nobody_answers {
    rrss_testkit::outage_promises!({
        let holes = [(); 2].map(|()| super::Blackhole::start());
        let sentinels = [holes[0].url(), holes[1].url()];
        super::impatient(&sentinels).keeping(holes)
    });
}

/// The longest that an operation can take, with more sentinels than one could wait for one after the other.
#[tokio::test]
async fn an_operation_ends_within_both_limits_however_many_sentinels_hang() {
    let holes: Vec<Blackhole> = (0..10).map(|_| Blackhole::start()).collect();
    let sentinels: Vec<String> = holes.iter().map(Blackhole::url).collect();
    let redis = Redis::new(Options {
        timeout: DurationOption::new(Duration::from_secs(3)),
        connect_timeout: DurationOption::new(Duration::from_secs(5)),
        ..to("mymaster", &sentinels)
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
async fn one_sentinel_that_answers_is_enough() {
    let group = RedisSentinel::start(Flavor::Redis);
    let hole = Blackhole::start();
    let sentinels = [refused(), hole.url(), group.sentinels()[2].clone()];
    let redis = Redis::new(to(group.master_name(), &sentinels)).unwrap();
    whole_life(&redis, "enough:1").await;
    redis.ping().await.unwrap();
    assert_eq!(redis.count(&load("enough:1")).await.unwrap(), 0);

    let error = Redis::new(to("another", &sentinels))
        .unwrap()
        .ping()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("check `master`"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_no_sentinel_is_unavailable_and_named() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let redis = Redis::new(to("mymaster", &[server.url()])).unwrap();
        let error = redis.ping().await.unwrap_err();
        assert!(error.message().contains("not a sentinel"), "{error}");
        let at = format!("{}:{}", server.host(), server.port());
        assert!(error.message().contains(&at), "{error}");
    }
}

/// A server that is none refuses each request with an error that it counts.
#[tokio::test]
async fn sentinels_that_know_nothing_are_not_stormed() {
    let server = RedisServer::start(Flavor::Redis);
    let redis = std::sync::Arc::new(Redis::new(to("mymaster", &[server.url()])).unwrap());
    let begun = std::time::Instant::now();
    let clients: Vec<_> = (0..32)
        .map(|_| {
            let redis = std::sync::Arc::clone(&redis);
            tokio::spawn(async move {
                for _ in 0..8 {
                    redis.ping().await.unwrap_err();
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let asked = server.error_counts()["ERR"];
    // In the pauses that grow, and once in each of the longest, which is 250 ms less a quarter.
    let outage = u64::try_from(begun.elapsed().as_millis()).unwrap();
    assert!(asked <= 10 + outage / 187, "{asked} in {outage} ms");
}
