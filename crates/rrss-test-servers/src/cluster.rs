//! A cluster of Redis or Valkey servers.

mod builder;
mod commands;
mod failure;
mod formation;
mod migration;
mod slot;
mod view;

use std::fmt;

pub use self::builder::RedisClusterBuilder;
use self::formation::view;
use crate::redis::{Flavor, RedisServer};

/// How many nodes are masters when the cluster is formed; as many are their replicas.
const MASTERS: usize = 3;

/// A running [cluster](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/) with an
/// empty keyspace, whose six processes end when this value is dropped.
///
/// Nodes are known by their index. At first 0, 1 and 2 are masters, each of a third of the slots, and 3, 4
/// and 5 are their replicas, in this order. Each listens on two free ports of 127.0.0.1 (one for clients, one
/// for the other nodes), keeps its files in a temporary folder of its own, and saves no keys.
///
/// A node that does not answer for a second is taken for dead (`cluster-node-timeout 1000`). The others serve
/// their own slots all the while, and answer `MOVED` to the dead node for its slots
/// (`cluster-require-full-coverage no`). Left to their defaults they would answer `CLUSTERDOWN` for every key
/// until the last slot has a master again; [`arg`](RedisClusterBuilder::arg) brings that back.
///
/// Every method panics where a server does not do what it should: a test can do nothing else then.
///
/// # Examples
///
/// ```
/// use rrss_test_servers::{Flavor, RedisCluster};
///
/// let cluster = RedisCluster::start(Flavor::Redis);
/// let (slot, from) = (RedisCluster::slot_of("greeting"), cluster.master_of("greeting"));
/// cluster.command_on(from, &["SET", "greeting", "hello"]);
///
/// let to = (from + 1) % 3;
/// cluster.migrate_slot(slot, to);
/// assert_eq!(cluster.master_of("greeting"), to);
/// assert_eq!(cluster.command_on(to, &["GET", "greeting"]), "hello");
///
/// let error = cluster.node(from).try_command(&["GET", "greeting"]).unwrap_err();
/// assert_eq!(error, format!("MOVED {slot} 127.0.0.1:{}", cluster.node(to).port()));
/// ```
pub struct RedisCluster {
    flavor: Flavor,
    nodes: Vec<RedisServer>,
    /// What the nodes call each other, which a restart does not change.
    ids: Vec<String>,
}

impl RedisCluster {
    /// How many nodes a cluster has, masters and replicas.
    pub const NODES: usize = 2 * MASTERS;

    /// Starts a cluster with the settings that most tests want.
    pub fn start(flavor: Flavor) -> RedisCluster {
        RedisCluster::builder(flavor).start()
    }

    /// Settings for a cluster to start.
    pub fn builder(flavor: Flavor) -> RedisClusterBuilder {
        RedisClusterBuilder::new(flavor)
    }

    /// Which of the two servers the nodes are.
    pub fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// The address of every node by its index, those that were killed too; see [`RedisServer::url`].
    pub fn nodes(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// The address of one node that answers, from which a client learns the others.
    ///
    /// # Panics
    ///
    /// When all were killed.
    pub fn seed_url(&self) -> String {
        let node = self.answering().next();
        node.unwrap_or_else(|| panic!("no node of {self:?} answers"))
            .url()
    }

    /// A node, to send commands to, to read its counts, or to pause it.
    ///
    /// # Panics
    ///
    /// When the index is not below [`NODES`](Self::NODES).
    pub fn node(&self, index: usize) -> &RedisServer {
        assert!(index < Self::NODES, "{self:?} has no node {index}");
        &self.nodes[index]
    }

    /// The index of the node that serves the key, of those that answer.
    ///
    /// # Panics
    ///
    /// When none does, as between a master's death and the end of
    /// [`wait_for_failover`](Self::wait_for_failover).
    pub fn master_of(&self, key: impl AsRef<[u8]>) -> usize {
        self.master_of_slot(RedisCluster::slot_of(key))
    }

    /// As [`master_of`](Self::master_of), of a slot.
    ///
    /// # Panics
    ///
    /// When no node that answers serves the slot.
    pub fn master_of_slot(&self, slot: u16) -> usize {
        self.owner(slot)
            .unwrap_or_else(|| panic!("no node of {self:?} that answers serves slot {slot}"))
    }

    /// The indices of the masters that answer, in order.
    pub fn masters(&self) -> Vec<usize> {
        (0..Self::NODES)
            .filter(|&index| self.nodes[index].answers())
            .filter(|&index| view(&self.nodes[index]).myself().is_master())
            .collect()
    }

    /// The node that says of itself that it serves the slot; where two do, the one that was elected later.
    fn owner(&self, slot: u16) -> Option<usize> {
        let views = self.answering().map(view);
        let owner = views
            .filter(|view| view.myself().owns(slot))
            .max_by_key(|view| view.myself().epoch)?;
        self.index(&owner.myself().id)
    }

    fn index(&self, id: &str) -> Option<usize> {
        self.ids.iter().position(|own| own == id)
    }

    fn answering(&self) -> impl Iterator<Item = &RedisServer> {
        self.nodes.iter().filter(|node| node.answers())
    }
}

impl fmt::Debug for RedisCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports: Vec<u16> = self.nodes.iter().map(RedisServer::port).collect();
        write!(f, "cluster of {} on ports {ports:?}", self.flavor)
    }
}
