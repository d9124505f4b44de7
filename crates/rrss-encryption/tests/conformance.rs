//! The `encryption` step under the suites that every transform is held to, and whole pipelines with it under those of stores.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use std::sync::OnceLock;

use rrss::{
    Compression, Embedded, Expiry, Index, JsonCodec, KeyMapper, Memory, Redis, StoreBuilder,
};
use rrss_encryption::Encryption;
use rrss_test_servers::{Flavor, RedisServer};
use rrss_testkit::{Specimen, Subject};

fn encryption() -> Specimen {
    Specimen::of_step::<Encryption>(support::options(&["new", "old"]))
}

rrss_testkit::transform_promises!(encryption());
rrss_testkit::round_trip_promises!(encryption());

/// Every step that can stand above it.
fn encrypted(subject: Subject) -> Subject {
    let steps = |builder: StoreBuilder, prefix: &str, index: Option<rrss::index::Options>| {
        let mut builder = builder
            .name("shop")
            .step::<KeyMapper>(rrss::key_mapper::Options {
                template: format!("{prefix}{{id}}").parse().unwrap(),
                ..Default::default()
            });
        // Those that find sessions set deadlines of their own, and touch past them.
        builder = match index {
            Some(index) => builder.step::<Index>(index),
            None => builder.step::<Expiry>(Default::default()),
        };
        builder
            .step::<JsonCodec>(Default::default())
            .step::<Compression>(Default::default())
            .step::<Encryption>(support::options(&["new", "old"]))
    };
    subject
        .with_steps(move |builder, prefix| steps(builder, prefix, None))
        .with_indexed_steps(move |builder, prefix, index| steps(builder, prefix, Some(index)))
}

fn memory() -> Subject {
    encrypted(Subject::new(Memory::default()))
}

fn embedded() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let options = rrss::embedded::Options {
        path: folder.path().join("sessions"),
        ..Default::default()
    };
    encrypted(Subject::of_step::<Embedded>(options).keeping(folder))
}

fn redis(flavor: Flavor) -> Subject {
    static SERVERS: [OnceLock<RedisServer>; 2] = [const { OnceLock::new() }; 2];
    let server = SERVERS[flavor as usize].get_or_init(|| RedisServer::start(flavor));
    let options = rrss::redis::Options {
        url: Some(server.url().parse().unwrap()),
        timeout: std::time::Duration::from_secs(60).into(),
        connect_timeout: std::time::Duration::from_secs(60).into(),
        ..Default::default()
    };
    encrypted(Subject::of_step::<Redis>(options).real_time())
}

macro_rules! on {
    ($($of:ident: $subject:expr,)+) => {
        $(
            mod $of {
                use super::*;

                fn subject() -> Subject {
                    $subject
                }

                mod store {
                    rrss_testkit::store_promises!(super::subject());
                }

                mod find {
                    rrss_testkit::find_promises!(super::subject());
                }

                mod expired {
                    rrss_testkit::expired_promises!(super::subject());
                }

                mod interleavings {
                    rrss_testkit::interleaving_promises!(super::subject());
                }
            }
        )+
    };
}

on! {
    memory: crate::memory(),
    embedded: crate::embedded(),
    redis: crate::redis(Flavor::Redis),
    valkey: crate::redis(Flavor::Valkey),
}
