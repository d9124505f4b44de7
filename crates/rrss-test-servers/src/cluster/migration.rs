//! Moves a slot from one master to another while clients use it.

use super::RedisCluster;

/// How many keys one `MIGRATE` takes along; the source answers nobody while it runs.
const BATCH: &str = "100";

/// How long `MIGRATE` may wait for the other node, in milliseconds.
const TIMEOUT: &str = "5000";

impl RedisCluster {
    /// Moves a slot with all its keys to another master, as
    /// [live resharding](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#live-reconfiguration)
    /// does; clients are sent after the keys with `ASK` first and with `MOVED` in the end.
    ///
    /// Returns when every node knows the new owner.
    ///
    /// # Panics
    ///
    /// When no master serves the slot, or `to` is not a master or serves the slot already.
    pub fn migrate_slot(&self, slot: u16, to: usize) {
        self.begin_migration(slot, to);
        self.finish_migration(slot, to);
    }

    /// Marks a slot as on its way to another master, and moves none of its keys yet.
    ///
    /// From here on the old owner answers `ASK` for each key that it does not have, and `TRYAGAIN` for a
    /// command with several keys of which it has some. The new owner answers `MOVED`, unless the client says
    /// [`ASKING`](https://redis.io/docs/latest/commands/asking/) first.
    ///
    /// # Panics
    ///
    /// As [`migrate_slot`](Self::migrate_slot).
    pub fn begin_migration(&self, slot: u16, to: usize) {
        let from = self.master_of_slot(slot);
        assert!(
            from != to,
            "node {to} of {self:?} serves slot {slot} already"
        );
        let slot = slot.to_string();
        // In this order: a client must not be sent to a node that would send it back.
        self.command_on(
            to,
            &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.ids[from]],
        );
        self.command_on(
            from,
            &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &self.ids[to]],
        );
    }

    /// Moves those keys of the slot that are there now, between
    /// [`begin_migration`](Self::begin_migration) and [`finish_migration`](Self::finish_migration): the old
    /// owner still serves the slot, and answers `ASK` for each of them.
    ///
    /// # Panics
    ///
    /// As [`migrate_slot`](Self::migrate_slot).
    pub fn move_keys(&self, slot: u16, to: usize) {
        let from = &self.nodes[self.master_of_slot(slot)];
        let (host, port) = (self.nodes[to].host(), self.nodes[to].port().to_string());
        let slot = slot.to_string();
        loop {
            let keys = from.strings(&["CLUSTER", "GETKEYSINSLOT", &slot, BATCH]);
            if keys.is_empty() {
                return;
            }
            let mut command = ["MIGRATE", host, &port, "", "0", TIMEOUT]
                .map(|word| word.as_bytes().to_vec())
                .to_vec();
            if let Some(password) = from.password() {
                command.extend([b"AUTH".to_vec(), password.as_bytes().to_vec()]);
            }
            command.push(b"KEYS".to_vec());
            command.extend(keys);
            from.command(&command);
        }
    }

    /// Moves the keys that are left, and makes the other master the owner of the slot; the old one answers
    /// `MOVED` from here on.
    ///
    /// Returns when every node knows the new owner.
    ///
    /// # Panics
    ///
    /// As [`migrate_slot`](Self::migrate_slot).
    pub fn finish_migration(&self, slot: u16, to: usize) {
        self.move_keys(slot, to);
        let from = self.master_of_slot(slot);
        let text = slot.to_string();
        // The new owner first: were it last, a node that failed in between would leave the slot to nobody.
        let others = self
            .masters()
            .into_iter()
            .filter(|&node| node != to && node != from);
        for node in [to, from].into_iter().chain(others) {
            self.command_on(node, &["CLUSTER", "SETSLOT", &text, "NODE", &self.ids[to]]);
        }
        self.wait_until_settled();
    }
}
