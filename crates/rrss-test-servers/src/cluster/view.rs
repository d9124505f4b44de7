//! What one node of a cluster says of all of them.

use std::ops::RangeInclusive;

/// The answer to [`CLUSTER NODES`](https://redis.io/docs/latest/commands/cluster-nodes/).
#[derive(Debug)]
pub(super) struct View {
    pub(super) nodes: Vec<Seen>,
}

/// One node as another one, or itself, sees it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) id: String,
    flags: Vec<String>,
    /// The id of the node whose replica this one is.
    pub(super) master: Option<String>,
    pub(super) epoch: u64,
    linked: bool,
    pub(super) slots: Vec<RangeInclusive<u16>>,
}

impl View {
    /// # Panics
    ///
    /// When the text is not what the command answers.
    pub(super) fn parse(text: &str) -> View {
        let nodes = text.lines().filter(|line| !line.is_empty()).map(|line| {
            Seen::parse(line).unwrap_or_else(|| panic!("a node is not told as expected: {line}"))
        });
        View {
            nodes: nodes.collect(),
        }
    }

    pub(super) fn myself(&self) -> &Seen {
        self.nodes
            .iter()
            .find(|seen| seen.is("myself"))
            .expect("a node lists itself")
    }

    pub(super) fn of(&self, id: &str) -> Option<&Seen> {
        self.nodes.iter().find(|seen| seen.id == id)
    }

    pub(super) fn owner(&self, slot: u16) -> Option<&Seen> {
        self.nodes.iter().find(|seen| seen.owns(slot))
    }
}

impl Seen {
    fn parse(line: &str) -> Option<Seen> {
        let words: Vec<&str> = line.split(' ').collect();
        let [id, _, flags, master, _, _, epoch, link, slots @ ..] = words.as_slice() else {
            return None;
        };
        let slots = slots
            .iter()
            // What is in brackets is being moved.
            .filter(|range| !range.starts_with('['))
            .map(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                Some(first.parse().ok()?..=last.parse().ok()?)
            })
            .collect::<Option<_>>()?;
        Some(Seen {
            id: (*id).to_owned(),
            flags: flags.split(',').map(str::to_owned).collect(),
            master: (*master != "-").then(|| (*master).to_owned()),
            epoch: epoch.parse().ok()?,
            linked: *link == "connected",
            slots,
        })
    }

    fn is(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    pub(super) fn is_master(&self) -> bool {
        self.is("master")
    }

    /// Whether the node is reached, and neither suspected to have failed nor a stranger still.
    pub(super) fn is_well(&self) -> bool {
        let ill = ["fail", "fail?", "handshake", "noaddr"];
        self.linked && !ill.iter().any(|flag| self.is(flag))
    }

    pub(super) fn owns(&self, slot: u16) -> bool {
        self.slots.iter().any(|range| range.contains(&slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_slots_and_failures_are_read() {
        let view = View::parse(
            "a1 127.0.0.1:30001@31001 myself,master - 0 0 1 connected 0-5460 9000 [93-<-b2]\n\
             b2 127.0.0.1:30002@31002,,tls-port=0 master,fail - 1 2 7 disconnected 5461-8999\n\
             c3 127.0.0.1:30003@31003 slave a1 0 1426238317239 1 connected\n",
        );
        assert_eq!(view.myself().id, "a1");
        assert_eq!(view.owner(9000).unwrap().id, "a1");
        assert_eq!(view.owner(5461).unwrap().id, "b2");
        assert!(view.owner(9001).is_none());
        let (failed, replica) = (view.of("b2").unwrap(), view.of("c3").unwrap());
        assert!(failed.is_master() && !failed.is_well());
        assert_eq!(failed.epoch, 7);
        assert!(!replica.is_master() && replica.is_well());
        assert_eq!(replica.master.as_deref(), Some("a1"));
    }
}
