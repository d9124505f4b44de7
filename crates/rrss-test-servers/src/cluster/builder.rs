//! What a cluster is started with.

use std::fmt;

use super::RedisCluster;
use crate::redis::{Flavor, RedisServer, RedisServerBuilder};

/// Settings for a [`RedisCluster`] to start; see [`RedisCluster::builder`].
///
/// # Examples
///
/// ```
/// use rrss_test_servers::{Flavor, RedisCluster};
///
/// let cluster = RedisCluster::builder(Flavor::Redis)
///     .password("open sesame")
///     .arg("--cluster-require-full-coverage", "yes")
///     .start();
/// assert!(cluster.seed_url().starts_with("redis://:open%20sesame@127.0.0.1:"));
/// assert_eq!(
///     cluster.command_on(5, &["CONFIG", "GET", "cluster-require-full-coverage"]),
///     "cluster-require-full-coverage\nyes",
/// );
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `start`"]
pub struct RedisClusterBuilder {
    flavor: Flavor,
    node: RedisServerBuilder,
}

impl RedisClusterBuilder {
    pub(super) fn new(flavor: Flavor) -> RedisClusterBuilder {
        let node = RedisServer::builder(flavor)
            .cluster_node()
            .arg("--cluster-node-timeout", "1000")
            // A dead master then takes down its own slots alone, and a test knows what the others answer.
            .arg("--cluster-require-full-coverage", "no")
            // Replicas stay with the masters that they were given to, and a master that gave all its slots
            // away stays a master.
            .arg("--cluster-allow-replica-migration", "no")
            // Without a file a replica waits 5 s for others to come, and up to a second more for what was
            // written since.
            .arg("--repl-diskless-sync", "no");
        RedisClusterBuilder { flavor, node }
    }

    /// Demands this password of every client and of every replica (`requirepass`, `masterauth`).
    pub fn password(mut self, password: &str) -> RedisClusterBuilder {
        self.node = self.node.password(password);
        self.arg("--masterauth", password)
    }

    /// Sets a directive of every node's configuration, such as `--maxmemory`; the last of a name counts.
    pub fn arg(mut self, directive: &str, value: &str) -> RedisClusterBuilder {
        self.node = self.node.arg(directive, value);
        self
    }

    /// Starts six servers, forms the cluster, and returns when each of them says that it is well and every
    /// master has its replica.
    ///
    /// # Panics
    ///
    /// When the server's program is missing, saying how to install it, when a server does not start, with
    /// what it said, or when the cluster does not form, with what it lacks.
    pub fn start(self) -> RedisCluster {
        let nodes = (0..RedisCluster::NODES).map(|_| self.node.clone().start());
        RedisCluster::form(self.flavor, nodes.collect())
    }
}

impl fmt::Debug for RedisClusterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisClusterBuilder")
            .field("flavor", &self.flavor)
            .finish_non_exhaustive()
    }
}
