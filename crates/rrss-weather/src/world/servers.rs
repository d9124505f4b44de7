//! The servers of a run, and what befalls them.

use std::time::{Duration, Instant};

use anyhow::Result;
use rrss::redis::{self, SentinelOptions};
use rrss_test_servers::{RedisCluster, RedisSentinel, RedisServer};

use super::way::Way;
use crate::setup::Backend;

/// The servers of a run.
#[derive(Debug)]
pub(crate) enum Servers {
    One(RedisServer),
    Sentinel(Box<RedisSentinel>),
    Cluster(RedisCluster),
}

/// Whom stores log in as, whose rights can be taken.
const USER: &str = "app";
const PASSWORD: &str = "weather";

impl Servers {
    pub(super) fn start(backend: Backend) -> Servers {
        let flavor = backend.flavor();
        match backend {
            Backend::Sentinel => Self::Sentinel(Box::new(RedisSentinel::start(flavor))),
            Backend::Cluster => Self::Cluster(RedisCluster::start(flavor)),
            _ => Self::One(RedisServer::start(flavor)),
        }
    }

    /// The ports of all of them, sentinels first.
    pub(super) fn ports(&self) -> Vec<u16> {
        match self {
            Self::One(server) => vec![server.port()],
            Self::Sentinel(group) => {
                let sentinels = group.sentinels();
                let sentinels = sentinels
                    .iter()
                    .filter_map(|url| url.rsplit(':').next()?.parse().ok());
                let mut ports: Vec<u16> = sentinels.collect();
                ports.extend([group.master().port(), group.replica().port()]);
                ports
            }
            Self::Cluster(cluster) => (0..RedisCluster::NODES)
                .map(|node| cluster.node(node).port())
                .collect(),
        }
    }

    /// How a store reaches them on this way.
    pub(super) fn options(&self, way: &Way) -> Result<redis::Options> {
        let urls = way.urls();
        let mut options = redis::Options {
            username: Some(USER.to_owned()),
            password: Some(PASSWORD.to_owned().into()),
            ..redis::Options::default()
        };
        match self {
            Self::One(_) => options.url = Some(urls[0].parse()?),
            Self::Sentinel(group) => {
                let sentinels = urls.iter().take(group.sentinels().len());
                options.sentinel = Some(SentinelOptions {
                    master: group.master_name().to_owned(),
                    nodes: sentinels.map(|url| url.parse()).collect::<Result<_, _>>()?,
                    username: None,
                    password: None,
                });
            }
            Self::Cluster(_) => {
                let nodes = urls.iter().map(|url| url.parse());
                options.nodes = Some(nodes.collect::<Result<_, _>>()?);
            }
        }
        Ok(options)
    }

    /// Without keys, with room, and with all rights.
    pub(crate) fn reset(&mut self) {
        self.full(false);
        self.allow();
        self.masters(|server| drop(server.command(&["FLUSHALL"])));
    }

    pub(crate) fn full(&self, is_full: bool) {
        let most = if is_full { "1" } else { "0" };
        self.all(|server| drop(server.command(&["CONFIG", "SET", "maxmemory", most])));
    }

    pub(crate) fn allow(&self) {
        let password = format!(">{PASSWORD}");
        let user = ["ACL", "SETUSER", USER, "on", &password, "~*", "&*", "+@all"];
        self.all(|server| drop(server.command(&user)));
    }

    pub(crate) fn forbid(&self, command: &str) {
        let right = format!("-{command}");
        self.all(|server| drop(server.try_command(&["ACL", "SETUSER", USER, &right])));
    }

    pub(crate) fn flush_scripts(&self) {
        self.all(|server| drop(server.command(&["SCRIPT", "FLUSH"])));
    }

    pub(crate) fn evict_index(&self) {
        self.masters(|server| {
            for key in server.scan("*index:*") {
                server.command(&["DEL", &key]);
            }
        });
    }

    /// A master dies, and its replica takes its place, with or without what the master had last. Nothing happens to a server
    /// that has no replica.
    pub(crate) fn kill_master(&mut self, turn: usize, loses: bool) -> Option<(u16, usize)> {
        match self {
            Self::One(_) => None,
            Self::Sentinel(group) => {
                if !loses {
                    group.wait_for_replica();
                }
                group.kill_master();
                None
            }
            Self::Cluster(cluster) => {
                if !loses {
                    cluster.wait_for_replicas();
                }
                // One slot of each third.
                let slot = [0, 6_000, 12_000][turn % 3];
                let victim = cluster.master_of_slot(slot);
                cluster.kill_master(victim);
                Some((slot, victim))
            }
        }
    }

    /// Waits until the dead master is replaced, and starts it again as a replica.
    pub(crate) fn replace_master(&mut self, dead: Option<(u16, usize)>) {
        match self {
            Self::One(_) => {}
            Self::Sentinel(group) => {
                group.wait_for_failover();
                group.restart();
            }
            Self::Cluster(cluster) => {
                if let Some((slot, node)) = dead {
                    cluster.wait_for_failover(slot);
                    cluster.restart(node);
                }
            }
        }
        self.allow();
    }

    /// Waits until the servers have done all that was sent on connections that are broken now.
    pub(crate) fn wait_for_silence(&self) {
        let until = Instant::now() + Duration::from_secs(2);
        let mut open = true;
        while open && Instant::now() < until {
            open = false;
            self.masters(|server| {
                let clients = server.command(&["CLIENT", "LIST"]);
                open |= clients.contains(&format!("user={USER} "));
            });
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn masters(&self, mut each: impl FnMut(&RedisServer)) {
        match self {
            Self::One(server) => each(server),
            Self::Sentinel(group) => each(group.master()),
            Self::Cluster(cluster) => {
                for node in cluster.masters() {
                    each(cluster.node(node));
                }
            }
        }
    }

    fn all(&self, mut each: impl FnMut(&RedisServer)) {
        match self {
            Self::One(server) => each(server),
            Self::Sentinel(group) => {
                each(group.master());
                each(group.replica());
            }
            Self::Cluster(cluster) => {
                for node in 0..RedisCluster::NODES {
                    each(cluster.node(node));
                }
            }
        }
    }
}
