//! What is promised of expired sessions, on a Redis Cluster of its own: what is kept of them stays for an hour, and the scans
//! of other tests would come across it.
#![cfg(feature = "redis")]

use std::sync::OnceLock;
use std::time::Duration;

use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisCluster};
use rrss_testkit::Subject;

/// The keys of two subjects do not meet.
fn subject(flavor: Flavor) -> Subject {
    static REDIS: OnceLock<RedisCluster> = OnceLock::new();
    static VALKEY: OnceLock<RedisCluster> = OnceLock::new();
    let cluster = match flavor {
        Flavor::Redis => &REDIS,
        Flavor::Valkey => &VALKEY,
        Flavor::Redis8 => unreachable!("it is not one of `Flavor::ALL`"),
    };
    let nodes = cluster.get_or_init(|| RedisCluster::start(flavor)).nodes();
    let nodes = nodes.iter().map(|node| node.parse().expect("it is a node"));
    Subject::of_step::<Redis>(Options {
        nodes: Some(nodes.collect()),
        timeout: Duration::from_secs(60).into(),
        connect_timeout: Duration::from_secs(60).into(),
        ..Options::default()
    })
    .real_time()
}

mod on_redis {
    use super::{Flavor, subject};

    rrss_testkit::expired_promises!(subject(Flavor::Redis));
}

mod on_valkey {
    use super::{Flavor, subject};

    rrss_testkit::expired_promises!(subject(Flavor::Valkey));
}
