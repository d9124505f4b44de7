//! Pipelines with a `cache` keep every promise that stores make: over a backend that tells of nothing, and over Redis.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::sync::OnceLock;

use rrss::core::{Backend, Step};
use rrss::{Expiry, Index, JsonCodec, KeyMapper, Memory, Redis, StoreBuilder};
use rrss_cache::{Cache, OnUntracked, Options};
use rrss_test_servers::{Flavor, RedisServer};
use rrss_testkit::Subject;

/// All stores of a test share one cache, as all requests to one process do. What reaches a cache from outside, and when, is in
/// `coherence.rs`. The suite of interleavings has no place here: it holds a load at the backend and waits for another of the
/// same session, which with a cache waits for the first; what overtakes what is in `loads.rs`.
fn under_a_cache(subject: Subject, on_untracked: OnUntracked) -> Subject {
    let options = Options {
        on_untracked,
        ..Options::default()
    };
    let cache = Cache::new(&options).unwrap();
    let keeps_fields = subject.keeps_fields();
    let steps = move |builder: StoreBuilder, prefix: &str, index: Option<rrss::index::Options>| {
        let mut builder = builder
            .step::<KeyMapper>(rrss::key_mapper::Options {
                template: format!("{prefix}{{id}}").parse().unwrap(),
                ..Default::default()
            })
            .step::<Expiry>(Default::default());
        if let Some(index) = index {
            builder = builder.step::<Index>(index);
        }
        builder = builder.around("cache", Cache::shape(&options), cache.clone());
        if keeps_fields {
            builder
        } else {
            builder.step::<JsonCodec>(Default::default())
        }
    };
    let indexed = steps.clone();
    subject
        .with_steps(move |builder, prefix| steps(builder, prefix, None))
        .with_indexed_steps(move |builder, prefix, index| indexed(builder, prefix, Some(index)))
}

fn memory() -> Subject {
    let subject = Subject::new(Memory::default());
    under_a_cache(subject, OnUntracked::MaxAge)
}

fn redis(flavor: Flavor) -> Subject {
    static SERVERS: [OnceLock<RedisServer>; 2] = [const { OnceLock::new() }; 2];
    let server = SERVERS[flavor as usize].get_or_init(|| RedisServer::start(flavor));
    let redis = Redis::new(rrss::redis::Options {
        url: Some(server.url().parse().unwrap()),
        timeout: std::time::Duration::from_secs(60).into(),
        connect_timeout: std::time::Duration::from_secs(60).into(),
        ..Default::default()
    });
    let redis = redis.unwrap();
    assert!(redis.tells_changes());
    let subject = Subject::new(redis).real_time();
    under_a_cache(subject, OnUntracked::Bypass)
}

mod memory {
    mod store {
        rrss_testkit::store_promises!(crate::memory());
    }

    mod find {
        rrss_testkit::find_promises!(crate::memory());
    }
}

macro_rules! on_redis {
    ($($of:ident: $flavor:ident,)+) => {
        $(
            mod $of {
                fn subject() -> rrss_testkit::Subject {
                    crate::redis(rrss_test_servers::Flavor::$flavor)
                }

                mod store {
                    rrss_testkit::store_promises!(super::subject());
                }

                mod find {
                    rrss_testkit::find_promises!(super::subject());
                }
            }
        )+
    };
}

on_redis! {
    redis: Redis,
    valkey: Valkey,
}
