//! Records that are at hand, as they are on the disk: a load of one of them does not go to another thread, and a save does
//! not search the engine for what it replaces.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use fjall::UserKey;

use super::record::Stored;

/// So that loads on many processors seldom wait for each other.
const SHARDS: usize = 64;

/// How many bytes one [`Generation`] holds; each shard has two, and all shards together 32 MiB.
const BYTES: usize = 32 * 1024 * 1024 / SHARDS / 2;

/// A record that is larger is not kept: what it costs is not the search.
const LARGEST: usize = BYTES / 4;

/// What an entry takes beside its key and its bytes, about.
const OVERHEAD: usize = 160;

/// The records that were written or read last.
///
/// What is in it is in the engine: whoever [changes](Recent::change) records takes them out before, and puts them in again
/// when the engine has them. It is bounded: when the younger generation of a shard is full it becomes the older one, and
/// what was not used since is dropped with that. No lock is held for longer than that takes, and none while the disk is
/// waited for.
pub(super) struct Recent {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

#[derive(Default)]
struct Shard {
    younger: Generation,
    older: Generation,
    /// How many changes have begun, and how many have ended: what was read while one was under way is not learnt.
    changes: u64,
    /// How many of them have not ended: the engine may have them or not.
    under_way: usize,
}

#[derive(Default)]
struct Generation {
    records: HashMap<UserKey, Stored>,
    bytes: usize,
}

/// When a record was looked for that was not at hand.
pub(super) struct Missed {
    changes: u64,
}

/// Changes that the engine may have or not: until this is dropped, nobody learns their records.
pub(super) struct UnderWay<'r> {
    recent: &'r Recent,
    changes: Vec<(UserKey, Option<Stored>)>,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
        }
    }
}

impl Recent {
    /// The record, or what is needed to [learn](Recent::learn) it.
    pub(super) fn get(&self, key: &[u8]) -> Result<Stored, Missed> {
        let mut shard = self.shard(key);
        let changes = shard.changes;
        shard.get(key).cloned().ok_or(Missed { changes })
    }

    /// Keeps what the engine had after the record was missed, unless it may have changed since.
    pub(super) fn learn(&self, missed: &Missed, key: &[u8], stored: &Stored) {
        if size(key, stored) > LARGEST {
            return;
        }
        // What the engine gave may be a part of a larger block, which would be kept whole.
        let stored = Stored {
            deadline: stored.deadline,
            bytes: Bytes::copy_from_slice(&stored.bytes),
        };
        let mut shard = self.shard(key);
        if shard.under_way == 0 && shard.changes == missed.changes {
            shard.put(UserKey::from(key), stored);
        }
    }

    /// Begins changes of these records to what is beside them; `None` for those that are removed.
    pub(super) fn change(&self, changes: Vec<(UserKey, Option<Stored>)>) -> UnderWay<'_> {
        for (key, _) in &changes {
            self.shard(key).begin(key);
        }
        UnderWay {
            recent: self,
            changes,
        }
    }

    /// Forgets all records, before the directory is given up: others may change it then.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.changes += 1;
            shard.younger = Generation::default();
            shard.older = Generation::default();
        }
    }

    /// A shard is whole whenever its lock is free: nothing in it fails half-way.
    fn shard(&self, key: &[u8]) -> MutexGuard<'_, Shard> {
        let shard = &self.shards[self.hasher.hash_one(key) as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay<'_> {
    /// The engine has the changes.
    pub(super) fn settle(mut self) {
        for (key, stored) in std::mem::take(&mut self.changes) {
            let mut shard = self.recent.shard(&key);
            shard.end();
            if let Some(stored) = stored
                && size(&key, &stored) <= LARGEST
            {
                shard.put(key, stored);
            }
        }
    }
}

impl Drop for UnderWay<'_> {
    /// What became of the changes is not known; the engine is asked for their records.
    fn drop(&mut self) {
        for (key, _) in &self.changes {
            self.recent.shard(key).end();
        }
    }
}

impl Shard {
    fn begin(&mut self, key: &[u8]) {
        self.changes += 1;
        self.under_way += 1;
        self.remove(key);
    }

    fn end(&mut self) {
        self.changes += 1;
        self.under_way -= 1;
    }

    fn get(&mut self, key: &[u8]) -> Option<&Stored> {
        if let Some((key, stored)) = self.older.take(key) {
            self.put(key, stored);
        }
        self.younger.records.get(key)
    }

    fn put(&mut self, key: UserKey, stored: Stored) {
        if self.younger.bytes >= BYTES {
            self.older = std::mem::take(&mut self.younger);
        }
        // One generation has it at most: the older one may have become so just now.
        self.older.take(&key);
        self.younger.put(key, stored);
    }

    fn remove(&mut self, key: &[u8]) {
        self.younger.take(key);
        self.older.take(key);
    }
}

impl Generation {
    fn put(&mut self, key: UserKey, stored: Stored) {
        self.bytes += size(&key, &stored);
        let length = key.len();
        if let Some(replaced) = self.records.insert(key, stored) {
            self.bytes -= OVERHEAD + length + replaced.bytes.len();
        }
    }

    fn take(&mut self, key: &[u8]) -> Option<(UserKey, Stored)> {
        let (key, stored) = self.records.remove_entry(key)?;
        self.bytes -= size(&key, &stored);
        Some((key, stored))
    }
}

fn size(key: &[u8], stored: &Stored) -> usize {
    OVERHEAD + key.len() + stored.bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(size: usize) -> Stored {
        Stored {
            deadline: None,
            bytes: Bytes::from(vec![b'x'; size]),
        }
    }

    fn write(recent: &Recent, key: &str, size: usize) {
        recent
            .change(vec![(UserKey::from(key), Some(stored(size)))])
            .settle();
    }

    fn length(recent: &Recent, key: &str) -> Option<usize> {
        let stored = recent.get(key.as_bytes()).ok()?;
        Some(stored.bytes.len())
    }

    fn missed(recent: &Recent, key: &str) -> Missed {
        recent.get(key.as_bytes()).err().unwrap()
    }

    #[test]
    fn what_was_written_or_read_is_known_and_what_was_removed_is_not() {
        let recent = Recent::default();
        write(&recent, "a", 1);
        write(&recent, "b", 2);
        recent.learn(&missed(&recent, "c"), b"c", &stored(3));
        recent.change(vec![(UserKey::from("a"), None)]).settle();
        assert_eq!(
            ["a", "b", "c"].map(|key| length(&recent, key)),
            [None, Some(2), Some(3)]
        );
    }

    #[test]
    fn a_record_is_not_known_while_it_changes_and_nor_after_a_change_that_failed() {
        let recent = Recent::default();
        write(&recent, "a", 1);
        write(&recent, "b", 1);
        let changes = recent.change(vec![
            (UserKey::from("a"), Some(stored(2))),
            (UserKey::from("b"), None),
        ]);
        for key in ["a", "b"] {
            recent.learn(&missed(&recent, key), key.as_bytes(), &stored(1));
            assert_eq!(length(&recent, key), None);
        }
        drop(changes);
        for key in ["a", "b"] {
            let missed = missed(&recent, key);
            recent.learn(&missed, key.as_bytes(), &stored(5));
            assert_eq!(length(&recent, key), Some(5));
        }
    }

    #[test]
    fn what_was_read_before_a_change_is_not_learnt_after_it() {
        let recent = Recent::default();
        let before = missed(&recent, "a");
        recent.change(vec![(UserKey::from("a"), None)]).settle();
        recent.learn(&before, b"a", &stored(1));
        assert_eq!(length(&recent, "a"), None);
    }

    #[test]
    fn what_was_read_while_a_change_was_under_way_is_not_learnt_after_it() {
        let recent = Recent::default();
        let changes = recent.change(vec![(UserKey::from("a"), Some(stored(2)))]);
        let during = missed(&recent, "a");
        changes.settle();
        recent.learn(&during, b"a", &stored(1));
        assert_eq!(length(&recent, "a"), Some(2));
        let changes = recent.change(vec![(UserKey::from("a"), None)]);
        let during = missed(&recent, "a");
        drop(changes);
        recent.learn(&during, b"a", &stored(1));
        assert_eq!(length(&recent, "a"), None);
    }

    #[test]
    fn what_was_read_before_a_change_that_failed_is_not_learnt_after_it() {
        let recent = Recent::default();
        let before = missed(&recent, "a");
        drop(recent.change(vec![(UserKey::from("a"), None)]));
        recent.learn(&before, b"a", &stored(1));
        assert_eq!(length(&recent, "a"), None);
    }

    /// Fills the younger generation of every shard, several times over.
    fn fill(recent: &Recent, name: &str) {
        for n in 0..8 * SHARDS * (BYTES / LARGEST) {
            write(recent, &format!("{name}:{n}"), LARGEST - OVERHEAD - 32);
        }
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes_when_there_is_no_room() {
        let recent = Recent::default();
        write(&recent, "used", 2);
        write(&recent, "unused", 2);
        for round in 0..32 * SHARDS * (BYTES / LARGEST) {
            write(&recent, &round.to_string(), LARGEST - OVERHEAD - 32);
            assert_eq!(length(&recent, "used"), Some(2));
        }
        assert_eq!(length(&recent, "unused"), None);
        assert_eq!(length(&recent, "0"), None);
    }

    #[test]
    fn its_size_is_bounded_and_what_is_counted_is_there() {
        let recent = Recent::default();
        for round in 0..4 {
            fill(&recent, &round.to_string());
        }
        let mut all = 0;
        for shard in &recent.shards {
            let shard = shard.lock().unwrap();
            let records = [&shard.younger, &shard.older]
                .into_iter()
                .flat_map(|generation| &generation.records);
            let sum: usize = records.map(|(key, stored)| size(key, stored)).sum();
            assert_eq!(sum, shard.younger.bytes + shard.older.bytes);
            assert_eq!(shard.under_way, 0);
            all += sum;
        }
        assert!(all > SHARDS * BYTES / 2, "{all}");
        assert!(all < SHARDS * 2 * (BYTES + LARGEST), "{all}");
    }

    #[test]
    fn the_last_version_is_the_one_that_is_known_wherever_the_one_before_was() {
        let recent = Recent::default();
        for version in 0..2_000 {
            for key in ["a", "b"] {
                write(&recent, key, version);
            }
            write(&recent, &format!("{version}"), LARGEST / 2);
            assert_eq!(length(&recent, "a"), Some(version));
        }
        recent.change(vec![(UserKey::from("a"), None)]).settle();
        assert_eq!(length(&recent, "a"), None);
    }

    #[test]
    fn a_large_record_is_not_kept_and_nor_is_the_one_it_replaces() {
        let recent = Recent::default();
        write(&recent, "a", 2);
        write(&recent, "a", LARGEST);
        assert_eq!(length(&recent, "a"), None);
        recent.learn(&missed(&recent, "a"), b"a", &stored(LARGEST));
        assert_eq!(length(&recent, "a"), None);
    }
}
