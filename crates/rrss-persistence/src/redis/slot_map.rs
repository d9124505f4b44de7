//! Which node of a cluster serves which slots, as one of them says.

use std::ops::RangeInclusive;

use redis::{Cmd, Value};

use super::address::Address;
use super::commands::{Nonsense, Request};
use super::connection::Server;
use super::slots;

/// The masters of a cluster, by slot.
#[derive(Clone)]
pub(super) struct SlotMap {
    /// The place in `masters` for each slot.
    owners: Box<[Option<u16>]>,
    masters: Vec<Server>,
    replicas: Vec<Address>,
}

/// The nodes that have a range of slots: the master, then its replicas.
pub(super) type Shard = (RangeInclusive<u16>, Address, Vec<Address>);

/// [`CLUSTER SLOTS`](https://redis.io/docs/latest/commands/cluster-slots/).
pub(super) fn cluster_slots() -> Request<'static> {
    let mut command = Cmd::new();
    command.arg("CLUSTER").arg("SLOTS");
    command.into()
}

/// The reply of `CLUSTER SLOTS` by the node `asked`. Ranges whose master it cannot name are left out.
pub(super) fn shards(reply: Value, asked: &Address) -> Result<Vec<Shard>, Nonsense> {
    let Value::Array(ranges) = reply else {
        return Err(Nonsense);
    };
    let shards = ranges.into_iter().map(|range| shard(range, asked));
    shards.filter_map(Result::transpose).collect()
}

fn shard(range: Value, asked: &Address) -> Result<Option<Shard>, Nonsense> {
    let Value::Array(parts) = range else {
        return Err(Nonsense);
    };
    let [Value::Int(first), Value::Int(last), nodes @ ..] = parts.as_slice() else {
        return Err(Nonsense);
    };
    let slot = |number: i64| {
        u16::try_from(number)
            .ok()
            .filter(|slot| *slot < slots::COUNT)
    };
    let (Some(first), Some(last)) = (slot(*first), slot(*last)) else {
        return Err(Nonsense);
    };
    let mut nodes = nodes.iter().map(|node| address(node, asked));
    let master = nodes.next().ok_or(Nonsense)??;
    let replicas = nodes
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    Ok(master.map(|master| (first..=last, master, replicas)))
}

fn address(node: &Value, asked: &Address) -> Result<Option<Address>, Nonsense> {
    let Value::Array(parts) = node else {
        return Err(Nonsense);
    };
    let [host, Value::Int(port), ..] = parts.as_slice() else {
        return Err(Nonsense);
    };
    let host = match host {
        Value::BulkString(host) => std::str::from_utf8(host).map_err(|_| Nonsense)?,
        Value::SimpleString(host) => host,
        // The host by which it was asked.
        Value::Nil => "",
        _ => return Err(Nonsense),
    };
    Ok(asked.named_here(&format!("{host}:{port}")))
}

impl SlotMap {
    /// The map that `shards` are; `server` makes the server at an address, or does not.
    pub(super) fn new(shards: Vec<Shard>, mut server: impl FnMut(&Address) -> Server) -> Self {
        let mut map = Self {
            owners: vec![None; usize::from(slots::COUNT)].into(),
            masters: Vec::new(),
            replicas: Vec::new(),
        };
        for (range, master, replicas) in shards {
            map.give(range, &server(&master));
            for replica in replicas {
                if !map.replicas.contains(&replica) {
                    map.replicas.push(replica);
                }
            }
        }
        map
    }

    /// The same, but that `master` has `slot`.
    pub(super) fn with(&self, slot: u16, master: &Server) -> Self {
        let mut map = self.clone();
        map.give(slot..=slot, master);
        map
    }

    fn give(&mut self, range: RangeInclusive<u16>, master: &Server) {
        let known = self
            .masters
            .iter()
            .position(|other| other.address() == master.address());
        let place = known.unwrap_or(self.masters.len());
        if known.is_none() {
            self.masters.push(master.clone());
        }
        for slot in range {
            self.owners[usize::from(slot)] = u16::try_from(place).ok();
        }
    }

    /// The node that serves `slot`.
    pub(super) fn owner(&self, slot: u16) -> Option<&Server> {
        let place = (*self.owners.get(usize::from(slot))?)?;
        self.masters.get(usize::from(place))
    }

    pub(super) fn masters(&self) -> &[Server] {
        &self.masters
    }

    pub(super) fn replicas(&self) -> &[Address] {
        &self.replicas
    }

    pub(super) fn names(&self, address: &Address) -> bool {
        self.replicas.contains(address) || self.is_master(address)
    }

    pub(super) fn is_master(&self, address: &Address) -> bool {
        self.masters
            .iter()
            .any(|master| master.address() == address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Address {
        Address::Tcp {
            host: "seed".to_owned(),
            port: 1,
            tls: false,
        }
    }

    fn node(host: Value, port: i64) -> Value {
        let id = Value::BulkString(b"id".to_vec());
        Value::Array(vec![host, Value::Int(port), id, Value::Array(vec![])])
    }

    fn named(host: &str, port: i64) -> Value {
        node(Value::BulkString(host.into()), port)
    }

    fn range(first: i64, last: i64, nodes: Vec<Value>) -> Value {
        let mut parts = vec![Value::Int(first), Value::Int(last)];
        parts.extend(nodes);
        Value::Array(parts)
    }

    #[test]
    fn masters_and_replicas_are_read_and_an_unknown_host_is_that_of_the_node_asked() {
        let reply = Value::Array(vec![
            range(0, 5460, vec![named("10.0.0.1", 7000), named("", 7001)]),
            range(5461, 16383, vec![node(Value::Nil, 7002), named("?", 7003)]),
            range(9, 9, vec![named("?", 7004)]),
        ]);
        let shards = shards(reply, &asked()).unwrap();
        let shown: Vec<_> = shards
            .iter()
            .map(|(slots, master, replicas)| {
                let replicas: Vec<_> = replicas.iter().map(ToString::to_string).collect();
                (slots.clone(), master.to_string(), replicas)
            })
            .collect();
        assert_eq!(
            shown,
            [
                (
                    0..=5460,
                    "10.0.0.1:7000".to_owned(),
                    vec!["seed:7001".to_owned()]
                ),
                (5461..=16383, "seed:7002".to_owned(), vec![]),
            ]
        );
    }

    #[test]
    fn a_reply_of_another_kind_is_nonsense() {
        for reply in [
            Value::Nil,
            Value::Array(vec![Value::Int(1)]),
            Value::Array(vec![range(0, 16384, vec![named("a", 1)])]),
            Value::Array(vec![range(0, 1, vec![])]),
            Value::Array(vec![range(0, 1, vec![Value::Int(1)])]),
            Value::Array(vec![range(0, 1, vec![node(Value::Int(1), 1)])]),
        ] {
            assert!(shards(reply, &asked()).is_err());
        }
    }
}
