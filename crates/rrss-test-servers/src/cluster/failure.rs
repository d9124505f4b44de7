//! Masters that die and replicas that take over.

use super::RedisCluster;
use super::formation::view;
use crate::poll;

impl RedisCluster {
    /// Kills a master (`SIGKILL`); after a few seconds its replica takes over, if there is one, with all that
    /// [`wait_for_replicas`](Self::wait_for_replicas) has waited for.
    ///
    /// # Panics
    ///
    /// When the node is not a master, or does not run.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_test_servers::{Flavor, RedisCluster};
    ///
    /// let mut cluster = RedisCluster::start(Flavor::Valkey);
    /// let (slot, master) = (RedisCluster::slot_of("greeting"), cluster.master_of("greeting"));
    /// cluster.kill_master(master);
    /// let successor = cluster.wait_for_failover(slot);
    /// assert_ne!(successor, master);
    /// assert_eq!(cluster.command_on(successor, &["SET", "greeting", "hello"]), "OK");
    /// ```
    pub fn kill_master(&mut self, node: usize) {
        assert!(
            self.masters().contains(&node),
            "node {node} of {self:?} is not a master that answers"
        );
        self.nodes[node].kill();
    }

    /// Waits until every replica that answers has run all that its master has run by now, so that it has it
    /// when it takes over; servers answer clients sooner than that.
    ///
    /// # Panics
    ///
    /// When that takes too long.
    pub fn wait_for_replicas(&self) {
        for replica in self.answering() {
            let master = view(replica).myself().master.clone();
            let master = master.and_then(|id| self.index(&id));
            if let Some(master) = master.map(|index| &self.nodes[index])
                && master.answers()
            {
                master.wait_for_replica(replica);
            }
        }
    }

    /// Waits until a node that answers serves the slot and every other one knows it; returns its index.
    ///
    /// To be called when the slot's master was killed or paused: where it still serves the slot, that is the
    /// node which is returned.
    ///
    /// # Panics
    ///
    /// When that takes too long.
    pub fn wait_for_failover(&self, slot: u16) -> usize {
        poll::until(&format!("a replica takes over slot {slot}"), || {
            let owner = self
                .owner(slot)
                .ok_or_else(|| format!("no node of {self:?} that answers serves it"))?;
            for node in self.answering() {
                let view = view(node);
                let agrees = view
                    .owner(slot)
                    .is_some_and(|seen| seen.id == self.ids[owner] && seen.is_well());
                let info = node.command(&["CLUSTER", "INFO"]);
                if !agrees || !info.contains("cluster_state:ok") {
                    return Err(format!("{node:?} sees {view:?} and says {info}"));
                }
            }
            Ok(owner)
        })
    }

    /// Starts a node again, on the same ports and in the same folder; one that runs is stopped first.
    ///
    /// Returns when the nodes agree again. A master whose replica took over comes back as the replica of that.
    /// One that comes back sooner is a master still, and its keys are gone, unless the cluster was built
    /// with `appendonly`.
    ///
    /// # Panics
    ///
    /// When the nodes do not agree, such as while another master is dead and has no replica.
    pub fn restart(&mut self, node: usize) {
        self.nodes[node].restart();
        self.wait_until_settled();
    }
}
