//! What a test asks a cluster, with no Redis client.

use std::collections::BTreeMap;

use super::RedisCluster;
use crate::redis::RedisServer;

/// What this value and the servers among themselves send, beside what [`RedisServer`] leaves out.
const OWN: [&str; 13] = [
    "cluster|addslotsrange",
    "cluster|getkeysinslot",
    "cluster|info",
    "cluster|meet",
    "cluster|myid",
    "cluster|nodes",
    "cluster|set-config-epoch",
    "cluster|setslot",
    "migrate",
    "psync",
    "replconf",
    "restore-asking",
    // Before the keys that `MIGRATE` brings; a cluster has one database, so clients have no use for it.
    "select",
];

impl RedisCluster {
    /// Sends one command to a node and returns its reply as text; see
    /// [`RedisServer::command`]. Redirections are not followed.
    ///
    /// # Panics
    ///
    /// When the node answers with an error, `MOVED` and `ASK` among them; `node(index).try_command` returns
    /// it.
    pub fn command_on<A: AsRef<[u8]>>(&self, node: usize, command: &[A]) -> String {
        self.node(node).command(command)
    }

    /// Every key of the cluster, sorted; of the masters that answer.
    ///
    /// # Examples
    ///
    /// ```
    /// # use rrss_test_servers::{Flavor, RedisCluster};
    /// let cluster = RedisCluster::start(Flavor::Redis);
    /// for key in ["a", "b", "c"] {
    ///     cluster.command_on(cluster.master_of(key), &["SET", key, ""]);
    /// }
    /// assert_eq!(cluster.keys(), ["a", "b", "c"]);
    /// ```
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self
            .answering_masters()
            .flat_map(|node| node.scan("*"))
            .collect();
        keys.sort();
        keys
    }

    /// How often each command has run since [`reset_counts`](Self::reset_counts), by its lowercase name, over
    /// the masters that answer; see [`RedisServer::command_counts`].
    ///
    /// Left out is what this value sends by itself, what servers send each other, and what replicas run,
    /// which is what their masters tell them; `node(index).command_counts()` tells of one of them. A command
    /// that was redirected did not run and is not counted; see [`error_counts`](Self::error_counts). A replica
    /// that has become a master counts what it ran as a replica.
    pub fn command_counts(&self) -> BTreeMap<String, u64> {
        let mut counts = sum(self.answering_masters().map(RedisServer::command_counts));
        counts.retain(|name, _| !OWN.contains(&name.as_str()));
        counts
    }

    /// How often a node has refused a command with each error since [`reset_counts`](Self::reset_counts), by
    /// the first word of the error, such as `MOVED`, `ASK` or `CLUSTERDOWN`, over all nodes that answer.
    pub fn error_counts(&self) -> BTreeMap<String, u64> {
        sum(self.answering().map(RedisServer::error_counts))
    }

    /// Sets every count of [`command_counts`](Self::command_counts) and of
    /// [`error_counts`](Self::error_counts) to nought, on all nodes that answer.
    pub fn reset_counts(&self) {
        self.answering().for_each(RedisServer::reset_counts);
    }

    /// How many connections clients hold open now, over all nodes that answer; see
    /// [`RedisServer::connections`].
    pub fn connections(&self) -> usize {
        self.answering().map(RedisServer::connections).sum()
    }

    fn answering_masters(&self) -> impl Iterator<Item = &RedisServer> {
        self.masters().into_iter().map(|index| &self.nodes[index])
    }
}

fn sum(counts: impl Iterator<Item = BTreeMap<String, u64>>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (name, count) in counts.flatten() {
        *sums.entry(name).or_default() += count;
    }
    sums
}
