//! What a node of a cluster says of its own slots.

use redis::{Cmd, Value};

use super::address::Address;
use super::commands::{Nonsense, Request};
use super::slots::{self, Slots};

/// What a node says of its own slots. A replica has none.
#[derive(Debug)]
pub(super) struct View {
    pub(super) owned: Slots,
    pub(super) importing: Slots,
    /// The slots that are being moved away, and to where.
    pub(super) migrating: Vec<(u16, Address)>,
}

/// [`CLUSTER NODES`](https://redis.io/docs/latest/commands/cluster-nodes/).
pub(super) fn cluster_nodes() -> Request<'static> {
    let mut command = Cmd::new();
    command.arg("CLUSTER").arg("NODES");
    command.into()
}

impl View {
    /// The reply of `CLUSTER NODES` by the node at `here`.
    pub(super) fn of(reply: &Value, here: &Address) -> Result<Self, Nonsense> {
        let text = match reply {
            Value::BulkString(text) => std::str::from_utf8(text).ok(),
            Value::VerbatimString { text, .. } => Some(text.as_str()),
            _ => None,
        };
        text.and_then(|text| Self::parse(text, here))
            .ok_or(Nonsense)
    }

    /// Reads what the node at `here` says.
    fn parse(text: &str, here: &Address) -> Option<Self> {
        let mut nodes = Vec::new();
        let mut own = None;
        for line in text.lines().filter(|line| !line.is_empty()) {
            let mut words = line.split(' ');
            let (id, place, flags) = (words.next()?, words.next()?, words.next()?);
            if flags.split(',').any(|flag| flag == "myself") {
                own = Some(words.skip(5));
            }
            // `host:port@bus-port`, and perhaps more behind it.
            nodes.push((id, place.split('@').next()?));
        }
        let mut view = Self {
            owned: Slots::none(),
            importing: Slots::none(),
            migrating: Vec::new(),
        };
        for range in own? {
            let moving = range.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            let Some(moving) = moving else {
                view.owned.add(slots::parse_range(range)?);
                continue;
            };
            if let Some((slot, _)) = moving.split_once("-<-") {
                view.importing.add(slots::parse_range(slot)?);
            } else if let Some((slot, to)) = moving.split_once("->-") {
                let place = nodes.iter().find(|(id, _)| *id == to)?.1;
                view.migrating
                    .push((slot.parse().ok()?, here.named_here(place)?));
            }
        }
        Some(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> Address {
        Address::Tcp {
            host: "10.0.0.1".to_owned(),
            port,
            tls: false,
        }
    }

    #[test]
    fn what_a_node_says_of_itself_is_read() {
        let text = "a1 10.0.0.1:1@11,name myself,master - 0 0 1 connected 0-9 20 [5->-b2] [30-<-b2]\n\
                    b2 10.0.0.1:2@12 master - 0 0 2 connected 10-19\n";
        let view = View::parse(text, &at(1)).unwrap();
        assert_eq!(view.owned.to_string(), "0-9,20-20");
        assert_eq!(view.importing.to_string(), "30-30");
        assert_eq!(view.migrating, [(5, at(2))]);
        for text in ["", "a1 10.0.0.1:1@11 master - 0 0 1 connected 0-9\n"] {
            assert!(View::parse(text, &at(1)).is_none());
        }
    }
}
