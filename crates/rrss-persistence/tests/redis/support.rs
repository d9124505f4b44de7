//! Short forms of operations, and each test on both servers.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use rrss_core::{
    Action, Backend, Clock, Deadline, DurationOption, Error, KeySpace, Operation, Payload, Result,
    StorageKey, SystemClock, Timestamp,
};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::RedisServer;

/// Makes two tests of each function: one on Redis, one on Valkey, each with a server of its own.
macro_rules! on_both_servers {
    ($($test:ident,)+) => {
        mod redis {
            $(
                #[tokio::test]
                async fn $test() {
                    let server = rrss_test_servers::RedisServer::start(rrss_test_servers::Flavor::Redis);
                    super::$test(server).await;
                }
            )+
        }

        mod valkey {
            $(
                #[tokio::test]
                async fn $test() {
                    let server = rrss_test_servers::RedisServer::start(rrss_test_servers::Flavor::Valkey);
                    super::$test(server).await;
                }
            )+
        }
    };
}

/// A limit that a busy machine does not reach: it ends a test that hangs.
pub(crate) const GENEROUS: DurationOption = DurationOption::new(Duration::from_secs(60));

pub(crate) fn connect(server: &RedisServer) -> Redis {
    connect_to(&server.url())
}

pub(crate) fn connect_to(url: &str) -> Redis {
    Redis::new(to(url)).unwrap()
}

/// With limits that a busy machine does not reach.
pub(crate) fn to(url: &str) -> Options {
    Options {
        url: Some(url.parse().unwrap()),
        timeout: GENEROUS,
        connect_timeout: GENEROUS,
        ..Options::default()
    }
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

pub(crate) fn in_an_hour() -> Deadline {
    Deadline::At(now() + Duration::from_secs(3600))
}

/// An operation on `key`, in the key space of `sessions:…`.
pub(crate) fn op(action: Action, key: &str) -> Operation {
    let mut op = Operation::new(action, now());
    op.key = Some(StorageKey::from(key.to_owned()));
    op.key_space = Some(KeySpace::new("sessions:", ""));
    op
}

pub(crate) fn load(key: &str) -> Operation {
    op(Action::Load, key)
}

pub(crate) fn create(key: &str, bytes: &[u8], deadline: Deadline) -> Operation {
    write(Action::Create, key, bytes, deadline)
}

pub(crate) fn update(key: &str, bytes: &[u8], deadline: Deadline) -> Operation {
    write(Action::Update, key, bytes, deadline)
}

fn write(action: Action, key: &str, bytes: &[u8], deadline: Deadline) -> Operation {
    let mut op = op(action, key);
    op.payload = Payload::Bytes(Bytes::copy_from_slice(bytes));
    op.deadline = deadline;
    op
}

pub(crate) fn touch(key: &str, deadline: Deadline) -> Operation {
    let mut op = op(Action::Touch, key);
    op.deadline = deadline;
    op
}

pub(crate) fn delete(key: &str) -> Operation {
    op(Action::Delete, key)
}

/// An operation on the keys that begin with `prefix` and end with `suffix`.
pub(crate) fn within(prefix: &str, suffix: &str) -> Operation {
    let mut op = op(Action::Count, "");
    op.key_space = Some(KeySpace::new(prefix, suffix));
    op
}

pub(crate) async fn stored(redis: &Redis, key: &str) -> Result<Option<Bytes>> {
    let record = redis.load(&load(key)).await?;
    Ok(record.map(|record| match record.payload {
        Payload::Bytes(bytes) => bytes,
        _ => panic!("a backend answers bytes"),
    }))
}

/// One operation of each kind on `key`, and how each failed.
pub(crate) async fn every_failure(redis: &Redis, key: &str) -> Vec<Error> {
    let write = update(key, b"{}", in_an_hour());
    vec![
        redis.load(&load(key)).await.unwrap_err(),
        redis
            .write(&create(key, b"{}", in_an_hour()))
            .await
            .unwrap_err(),
        redis.write(&write).await.unwrap_err(),
        redis.touch(&touch(key, in_an_hour())).await.unwrap_err(),
        redis.touch(&touch(key, Deadline::Never)).await.unwrap_err(),
        redis.delete(&delete(key)).await.unwrap_err(),
        redis.list(&load(key), None, 10).await.unwrap_err(),
        redis.count(&load(key)).await.unwrap_err(),
        redis.ping().await.unwrap_err(),
    ]
}

/// Does on an empty server what must be done before a deadline, and answers the deadline and what came of it.
///
/// Where the deadline passed meanwhile it is done again, with more time, so nothing in it may assert that it has not.
pub(crate) async fn soon<T>(
    server: &RedisServer,
    act: impl AsyncFn(Timestamp) -> T,
) -> (Timestamp, T) {
    let mut span = Duration::from_millis(150);
    while span < GENEROUS.get() {
        server.command(&["FLUSHALL"]);
        let deadline = now() + span;
        let outcome = act(deadline).await;
        if now() < deadline {
            return (deadline, outcome);
        }
        span *= 2;
    }
    panic!("this machine is too slow to do a few operations within {span:?}");
}

/// Waits until `instant` is past, also for a server that still has a key in the millisecond of its deadline.
pub(crate) async fn pass(instant: Timestamp) {
    while now() <= instant {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits for what the server, or the system, does by itself a moment later.
pub(crate) async fn eventually(happened: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !happened() {
        assert!(begun.elapsed() < GENEROUS.get(), "it did not happen");
        tokio::task::yield_now().await;
    }
}

/// All that an error says, by itself and by its sources, to whoever prints it.
pub(crate) fn all_that_it_says(error: &Error) -> String {
    let mut said = format!("{error}\n{error:?}\n{error:#?}");
    let mut source = error.source();
    while let Some(error) = source {
        said += &format!("\n{error}\n{error:?}");
        source = error.source();
    }
    said
}
