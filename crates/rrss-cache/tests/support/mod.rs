//! Two stores over the same servers, as two processes have them: what the tests of coherence share.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::time::{Duration, Instant};

use rrss::{Expiry, Index, JsonCodec, KeyMapper, Redis, Session, SessionId, Store, StoreBuilder};
use rrss_cache::{Cache, Options};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// Far longer than a server takes to tell.
pub(crate) const SOON: Duration = Duration::from_secs(60);
/// For what is always answered, on a machine that is busy.
pub(crate) const GENEROUS: Duration = Duration::from_secs(60);
/// For what is not answered at all: it has to run out, and is long for all that answer.
pub(crate) const SHORT: Duration = Duration::from_secs(3);

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

pub(crate) fn steps() -> StoreBuilder {
    Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
        .step::<Index>(rrss::index::Options::of(["user"]))
}

pub(crate) fn caching(steps: StoreBuilder, max_age: Duration) -> StoreBuilder {
    steps.step::<Cache>(Options {
        max_age: max_age.into(),
        ..Options::default()
    })
}

pub(crate) fn on_redis(steps: StoreBuilder, redis: rrss::redis::Options) -> Store {
    let steps = steps.step::<JsonCodec>(Default::default());
    steps.step::<Redis>(redis).build().unwrap()
}

pub(crate) async fn count(store: &Store, id: &SessionId) -> u64 {
    let session = store.load(id).await.unwrap().unwrap();
    session.get("count").unwrap().unwrap()
}

/// Loads, though a connection may have to be given up first, and the new master looked for.
pub(crate) async fn count_at_last(store: &Store, id: &SessionId) -> u64 {
    let begun = Instant::now();
    loop {
        match store.load(id).await {
            Ok(session) => return session.unwrap().get("count").unwrap().unwrap(),
            Err(error) => assert!(error.is_temporary() && begun.elapsed() < SOON, "{error}"),
        }
    }
}

pub(crate) async fn change(store: &Store, id: &SessionId, count: u64) {
    let mut session = store.load(id).await.unwrap().unwrap();
    session.insert("count", &count).unwrap();
    store.save(&mut session).await.unwrap();
}

/// Loads until what is answered is as it is to be.
pub(crate) async fn until(
    what: &str,
    store: &Store,
    id: &SessionId,
    is: impl Fn(Option<&Session>) -> bool,
) {
    let begun = Instant::now();
    loop {
        let seen = match store.load(id).await {
            // It was rotated away a moment ago.
            Err(error) if error.is_gone() => None,
            seen => seen.unwrap(),
        };
        if is(seen.as_ref()) {
            return;
        }
        assert!(begun.elapsed() < SOON, "{what}: not seen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// As [`until_count`], though connections may have to be given up first.
pub(crate) async fn until_count_at_last(what: &str, store: &Store, id: &SessionId, count: u64) {
    let begun = Instant::now();
    while count_at_last(store, id).await != count {
        assert!(begun.elapsed() < SOON, "{what}: not seen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) async fn until_count(what: &str, store: &Store, id: &SessionId, count: u64) {
    let is = |seen: Option<&Session>| seen.unwrap().get("count").unwrap() == Some(count);
    until(what, store, id, is).await;
}
