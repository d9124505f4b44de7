//! A server that is not there, or does not answer.

use std::time::Duration;

use rrss_core::{Action, Backend, Deadline, DurationOption, Error, ErrorKind};
use rrss_persistence::redis::{Compat, Hashes, Options};
use rrss_test_servers::{Blackhole, Flavor, RedisServer, refused_port};
use tokio::time::Instant;

use super::support::*;

fn both(url: &str, limit: Duration) -> [Hashes; 2] {
    [None, Some(Compat::Rrss02)].map(|compat| {
        Hashes::new(Options {
            compat,
            timeout: DurationOption::new(limit),
            connect_timeout: DurationOption::new(limit),
            ..to(url)
        })
        .unwrap()
    })
}

/// One operation of each kind, and how each failed.
async fn every_failure(redis: &Hashes) -> Vec<Error> {
    let hunter2 = || session(&[("pin", r#""hunter2""#)]);
    let form = redis.stored_form(&hunter2()).unwrap();
    let mut failures = vec![
        redis.load(&op(Action::Load, KEY, now())).await.unwrap_err(),
        redis
            .write(&create(KEY, hunter2(), in_an_hour()))
            .await
            .unwrap_err(),
        redis
            .write(&update(KEY, hunter2(), Deadline::Keep))
            .await
            .unwrap_err(),
        redis.touch(&touch(KEY, in_an_hour())).await.unwrap_err(),
        redis.delete(&delete(KEY)).await.unwrap_err(),
        redis
            .delete(&unchanged(delete(KEY), &form))
            .await
            .unwrap_err(),
        redis.list(&delete(KEY), None, 10).await.unwrap_err(),
        redis.count(&delete(KEY)).await.unwrap_err(),
        redis.ping().await.unwrap_err(),
    ];
    if redis.needs_sweep() {
        failures.push(redis.sweep(&delete(KEY), 10).await.unwrap_err());
    }
    for error in &failures {
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains(KEY),
            "{shown}"
        );
    }
    failures
}

#[tokio::test]
async fn where_nothing_listens_every_operation_is_unavailable() {
    let url = format!("redis://127.0.0.1:{}", refused_port());
    for redis in both(&url, GENEROUS.get()) {
        for error in every_failure(&redis).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
        }
    }
}

/// tokio's clock stands still and jumps to the next timer, so nothing is waited for.
#[tokio::test(start_paused = true)]
async fn where_nobody_answers_every_operation_ends_within_the_limits() {
    let server = Blackhole::start();
    let limit = Duration::from_secs(3);
    for redis in both(&format!("redis://127.0.0.1:{}", server.port()), limit) {
        let begun = Instant::now();
        let failures = every_failure(&redis).await;
        let count = u32::try_from(failures.len()).unwrap();
        assert!(begun.elapsed() <= 2 * limit * count);
        for error in failures {
            assert_eq!(error.kind(), ErrorKind::Timeout);
        }
    }
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    for flavor in Flavor::ALL {
        let mut server = RedisServer::start(flavor);
        let redis = connect(&server);
        redis
            .write(&create(KEY, session(&[("a", "1")]), in_an_hour()))
            .await
            .unwrap();
        server.stop();
        for error in every_failure(&redis).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
        }
        server.restart();
        redis
            .write(&create("sessions:2", session(&[("a", "1")]), in_an_hour()))
            .await
            .unwrap();
        assert_eq!(stored_fields(&server, "sessions:2"), ["a=1"]);
    }
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_unavailable_and_still_read() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let redis = connect(&server);
        redis
            .write(&create(KEY, session(&[("a", "1")]), in_an_hour()))
            .await
            .unwrap();
        server.command(&["CONFIG", "SET", "maxmemory", "1"]);
        let write = update(KEY, session(&[("a", "2")]), in_an_hour());
        let error = redis.write(&write).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("maxmemory"), "{error}");
        assert_eq!(stored_fields(&server, KEY), ["a=1"]);
        assert!(read(&redis, KEY, now()).await.is_some());
    }
}
