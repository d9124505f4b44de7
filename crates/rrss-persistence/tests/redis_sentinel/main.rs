//! What the `redis` backend promises over sentinels, while masters die and are replaced.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, reason = "what goes wrong here is a failed test")]

#[path = "../authority/mod.rs"]
mod authority;
#[path = "../redis_cluster/operations.rs"]
mod operations;

mod conformance;
mod failover;
mod outages;
mod tls;

use rrss_core::DurationOption;
use rrss_persistence::redis::{Options, Redis, SentinelOptions};
use rrss_test_servers::RedisSentinel;

/// The server that `sentinels` watch under `master`.
/// With limits that a busy machine does not reach.
fn to(master: &str, sentinels: &[String]) -> Options {
    let nodes = sentinels.iter().map(|node| node.parse().unwrap());
    Options {
        sentinel: Some(SentinelOptions {
            master: master.to_owned(),
            nodes: nodes.collect(),
            username: None,
            password: None,
        }),
        timeout: operations::GENEROUS,
        connect_timeout: operations::GENEROUS,
        ..Options::default()
    }
}

fn connect(group: &RedisSentinel) -> Redis {
    limited(group, operations::GENEROUS)
}

fn limited(group: &RedisSentinel, limit: DurationOption) -> Redis {
    Redis::new(Options {
        timeout: limit,
        connect_timeout: limit,
        ..to(group.master_name(), &group.sentinels())
    })
    .unwrap()
}
