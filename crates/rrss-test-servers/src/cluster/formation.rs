//! Six servers become one cluster, and agree again after a change.

use super::slot::SLOTS;
use super::view::{Seen, View};
use super::{MASTERS, RedisCluster};
use crate::poll;
use crate::redis::{Flavor, RedisServer};

impl RedisCluster {
    /// Makes a cluster of servers that know nothing of each other.
    pub(super) fn form(flavor: Flavor, nodes: Vec<RedisServer>) -> RedisCluster {
        let ids = nodes.iter().map(|node| node.command(&["CLUSTER", "MYID"]));
        let cluster = RedisCluster {
            flavor,
            ids: ids.collect(),
            nodes,
        };
        cluster.share_out_slots();
        cluster.introduce();
        for (replica, node) in cluster.nodes.iter().enumerate().skip(MASTERS) {
            node.command(&["CLUSTER", "REPLICATE", &cluster.ids[replica - MASTERS]]);
        }
        cluster.wait_until_settled();
        cluster
    }

    fn share_out_slots(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            // Nodes that began with the same epoch would have to agree on others first.
            let epoch = (index + 1).to_string();
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
        }
        let start = |master: usize| master * usize::from(SLOTS) / MASTERS;
        for (master, node) in self.nodes.iter().take(MASTERS).enumerate() {
            let (first, last) = (start(master).to_string(), start(master + 1) - 1);
            node.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last.to_string()]);
        }
    }

    fn introduce(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            // Gossip would spread the word too, but takes seconds.
            for other in &self.nodes[index + 1..] {
                let bus_port = other.bus_port().expect("a node has a bus").to_string();
                let port = other.port().to_string();
                node.command(&["CLUSTER", "MEET", other.host(), &port, &bus_port]);
            }
        }
        poll::until("the nodes know each other", || {
            for node in &self.nodes {
                let view = view(node);
                let known = |id: &String| view.of(id).is_some_and(Seen::is_well);
                if !self.ids.iter().all(known) {
                    return Err(format!("{node:?} sees {view:?}"));
                }
            }
            Ok(())
        });
    }

    /// Waits until every node that answers says that the cluster is well, all of them agree on what each of
    /// them is and serves, and their replicas follow their masters.
    pub(super) fn wait_until_settled(&self) {
        poll::until("the cluster settles", || self.settled());
    }

    fn settled(&self) -> Result<(), String> {
        let views: Vec<(&RedisServer, View)> =
            self.answering().map(|node| (node, view(node))).collect();
        for (node, seen_by_node) in &views {
            let info = node.command(&["CLUSTER", "INFO"]);
            let all = format!("cluster_slots_ok:{SLOTS}");
            if !["cluster_state:ok", &all]
                .iter()
                .all(|line| info.contains(line))
            {
                return Err(format!("{node:?} says {info}"));
            }
            for (other, seen_by_other) in &views {
                let truth = seen_by_other.myself();
                let agreed = seen_by_node.of(&truth.id).is_some_and(|seen| {
                    seen.is_well()
                        && seen.is_master() == truth.is_master()
                        && seen.master == truth.master
                        && seen.slots == truth.slots
                });
                if !agreed {
                    return Err(format!("{node:?} knows {other:?} in {seen_by_node:?}"));
                }
            }
            self.linked(node, seen_by_node)?;
        }
        Ok(())
    }

    /// Whether the node, if it is the replica of a master that answers, follows it.
    fn linked(&self, node: &RedisServer, view: &View) -> Result<(), String> {
        let Some(master) = &view.myself().master else {
            return Ok(());
        };
        let answers = self
            .index(master)
            .is_some_and(|index| self.nodes[index].answers());
        if answers && node.replication("master_link_status").as_deref() != Some("up") {
            return Err(format!("{node:?} does not follow its master"));
        }
        Ok(())
    }
}

pub(super) fn view(node: &RedisServer) -> View {
    View::parse(&node.command(&["CLUSTER", "NODES"]))
}
