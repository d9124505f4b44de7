//! What a server is among others.

use std::fs::File;
use std::path::Path;

use crate::port;

/// The name of the file that a sentinel reads, and writes what it learns to.
const SENTINEL_FILE: &str = "sentinel.conf";

/// Whether a server stands alone (where a replica counts too), is the node of a cluster, or a sentinel.
#[derive(Debug, Clone)]
pub(super) enum Role {
    Alone,
    ClusterNode { bus_port: u16 },
    Sentinel,
}

impl Role {
    /// Puts into the server's folder what it does not start without.
    pub(super) fn prepare(&self, folder: &Path) {
        if matches!(self, Role::Sentinel) {
            File::create(folder.join(SENTINEL_FILE)).expect("a temporary folder can be written to");
        }
    }

    /// Chooses the port of the cluster bus; by itself it would be 10000 above the other, and may be taken.
    pub(super) fn choose_port_beside(&mut self, other: u16) {
        if let Role::ClusterNode { bus_port } = self {
            *bus_port = other;
            while *bus_port == other {
                *bus_port = port::free();
            }
        }
    }

    pub(super) fn bus_port(&self) -> Option<u16> {
        match self {
            Role::ClusterNode { bus_port } => Some(*bus_port),
            Role::Alone | Role::Sentinel => None,
        }
    }

    /// What the command line begins with.
    pub(super) fn arguments(&self) -> Vec<String> {
        let bus_port = self.bus_port().unwrap_or_default().to_string();
        let words: &[&str] = match self {
            Role::Alone => &[],
            Role::ClusterNode { .. } => &[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus_port,
                // Without it a node does not know its address before another one has called it.
                "--cluster-announce-ip",
                "127.0.0.1",
            ],
            Role::Sentinel => &[SENTINEL_FILE, "--sentinel"],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }
}
