//! The clusters that tests share.

use std::sync::{Arc, OnceLock};

use rrss_core::DurationOption;
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisCluster};
use tokio::sync::{Mutex, MutexGuard};

pub(crate) use super::operations::*;

/// Makes two tests of each function: one on Redis, one on Valkey, on the cluster that all tests share. They move slots,
/// so they run one after the other; the suites of `conformance` go on meanwhile.
macro_rules! on_both_clusters {
    ($($test:ident,)+) => {
        on_both_clusters! { alone => $($test,)+ }
    };
    ($of:ident => $($test:ident,)+) => {
        mod redis {
            $(
                #[tokio::test]
                async fn $test() {
                    let (cluster, _alone) = $crate::support::$of(rrss_test_servers::Flavor::Redis).await;
                    super::$test(cluster).await;
                }
            )+
        }

        mod valkey {
            $(
                #[tokio::test]
                async fn $test() {
                    let (cluster, _alone) = $crate::support::$of(rrss_test_servers::Flavor::Valkey).await;
                    super::$test(cluster).await;
                }
            )+
        }
    };
}

struct Shared {
    cluster: OnceLock<RedisCluster>,
    turn: Mutex<()>,
}

impl Shared {
    const fn new() -> Self {
        Self {
            cluster: OnceLock::new(),
            turn: Mutex::const_new(()),
        }
    }
}

fn shared(flavor: Flavor) -> &'static Shared {
    static REDIS: Shared = Shared::new();
    static VALKEY: Shared = Shared::new();
    match flavor {
        Flavor::Redis => &REDIS,
        Flavor::Valkey => &VALKEY,
        Flavor::Redis8 => unreachable!("it is not one of `Flavor::ALL`"),
    }
}

/// The one cluster of its flavour; the keys of two tests do not meet.
pub(crate) fn cluster(flavor: Flavor) -> &'static RedisCluster {
    shared(flavor)
        .cluster
        .get_or_init(|| RedisCluster::start(flavor))
}

/// The same, with nobody else to move its slots.
pub(crate) async fn alone(flavor: Flavor) -> (&'static RedisCluster, MutexGuard<'static, ()>) {
    let turn = shared(flavor).turn.lock().await;
    (cluster(flavor), turn)
}

/// A cluster of their own for tests that list: what the suites leave on the shared one is thousands of pages.
pub(crate) async fn apart(flavor: Flavor) -> (&'static RedisCluster, MutexGuard<'static, ()>) {
    static REDIS: Shared = Shared::new();
    static VALKEY: Shared = Shared::new();
    let apart = match flavor {
        Flavor::Redis => &REDIS,
        Flavor::Valkey => &VALKEY,
        Flavor::Redis8 => unreachable!("it is not one of `Flavor::ALL`"),
    };
    let turn = apart.turn.lock().await;
    let cluster = apart.cluster.get_or_init(|| RedisCluster::start(flavor));
    (cluster, turn)
}

pub(crate) fn connect(cluster: &RedisCluster) -> Arc<Redis> {
    Arc::new(limited(cluster, GENEROUS))
}

pub(crate) fn limited(cluster: &RedisCluster, limit: DurationOption) -> Redis {
    Redis::new(Options {
        timeout: limit,
        connect_timeout: limit,
        ..to(&cluster.nodes()[..2])
    })
    .unwrap()
}

/// With limits that a busy machine does not reach.
pub(crate) fn to(nodes: &[impl AsRef<str>]) -> Options {
    let nodes = nodes.iter().map(|node| node.as_ref().parse().unwrap());
    Options {
        nodes: Some(nodes.collect()),
        timeout: GENEROUS,
        connect_timeout: GENEROUS,
        ..Options::default()
    }
}

/// A master that does not serve the slot, and another.
pub(crate) fn others(cluster: &RedisCluster, slot: u16) -> [usize; 2] {
    let owner = cluster.master_of_slot(slot);
    let mut others = cluster.masters();
    others.retain(|master| *master != owner);
    [others[0], others[1]]
}
