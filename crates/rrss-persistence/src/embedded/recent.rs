//! What was stored of late, as it is on the disk, so that a save does not search the engine for what it replaces.

use std::collections::HashMap;

use fjall::UserKey;

use super::record::Stored;

/// How many bytes one [`Generation`] holds; there are two.
const BYTES: usize = 16 * 1024 * 1024;

/// A record that is larger is not kept: what it costs is not the search.
const LARGEST: usize = 64 * 1024;

/// What an entry takes beside its key and its bytes, about.
const OVERHEAD: usize = 160;

/// The records that changes wrote last. Whoever changes a record in the engine changes it here, or takes it out.
///
/// It is bounded: when the younger generation is full it becomes the older one, and what was not used since is
/// dropped with that.
#[derive(Default)]
pub(super) struct Recent {
    younger: Generation,
    older: Generation,
    /// Whether there are changes in it that the engine may not have.
    in_doubt: bool,
}

#[derive(Default)]
struct Generation {
    records: HashMap<UserKey, Stored>,
    bytes: usize,
}

impl Recent {
    /// Begins changes, which hold once they are [settled](Recent::settle). If the last ones were not, nothing is
    /// known any more.
    pub(super) fn begin(&mut self) {
        if self.in_doubt {
            *self = Self::default();
        }
        self.in_doubt = true;
    }

    /// The engine has the changes too.
    pub(super) fn settle(&mut self) {
        self.in_doubt = false;
    }

    pub(super) fn get(&mut self, key: &[u8]) -> Option<&Stored> {
        if let Some((key, stored)) = self.older.take(key) {
            self.put(key, stored);
        }
        self.younger.records.get(key)
    }

    pub(super) fn put(&mut self, key: UserKey, stored: Stored) {
        if size(&key, &stored) > LARGEST {
            return self.remove(&key);
        }
        if self.younger.bytes >= BYTES {
            self.older = std::mem::take(&mut self.younger);
        }
        // One generation has it at most: the older one may have become so just now.
        self.older.take(&key);
        self.younger.put(key, stored);
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
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
    use bytes::Bytes;

    use super::*;

    fn stored(size: usize) -> Stored {
        Stored {
            deadline: None,
            bytes: Bytes::from(vec![b'x'; size]),
        }
    }

    fn settled(keys: &[&str]) -> Recent {
        let mut recent = Recent::default();
        recent.begin();
        for key in keys {
            recent.put(UserKey::from(*key), stored(2));
        }
        recent.settle();
        recent
    }

    #[test]
    fn what_was_settled_is_known_and_what_was_removed_is_not() {
        let mut recent = settled(&["a", "b"]);
        recent.begin();
        recent.remove(b"a");
        recent.settle();
        recent.begin();
        assert!(recent.get(b"a").is_none());
        assert_eq!(&*recent.get(b"b").unwrap().bytes, b"xx");
    }

    #[test]
    fn after_changes_that_were_not_settled_nothing_is_known() {
        let mut recent = settled(&["a"]);
        recent.begin();
        recent.put(UserKey::from("b"), stored(2));
        recent.begin();
        assert!(recent.get(b"a").is_none());
        assert!(recent.get(b"b").is_none());
    }

    /// Fills the younger generation.
    fn fill(recent: &mut Recent, name: &str) {
        for n in 0..=BYTES / LARGEST {
            let key = UserKey::from(format!("{name}:{n}"));
            recent.put(key, stored(LARGEST - OVERHEAD - 32));
        }
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes_when_there_is_no_room() {
        let mut recent = settled(&["used", "unused"]);
        for round in 0..4 {
            fill(&mut recent, &round.to_string());
            assert!(recent.get(b"used").is_some());
        }
        assert!(recent.get(b"unused").is_none());
        assert!(recent.get(b"0:0").is_none());
        let sum: usize = [&recent.younger, &recent.older]
            .into_iter()
            .flat_map(|generation| &generation.records)
            .map(|(key, stored)| size(key, stored))
            .sum();
        assert_eq!(sum, recent.younger.bytes + recent.older.bytes);
        assert!(sum < 2 * (BYTES + LARGEST));
    }

    #[test]
    fn the_last_version_is_the_one_that_is_known_wherever_the_one_before_was() {
        let mut recent = settled(&[]);
        for version in 0..3 * BYTES / LARGEST {
            for key in ["a", "b"] {
                recent.put(UserKey::from(key), stored(version));
            }
            recent.put(UserKey::from(format!("{version}")), stored(LARGEST / 2));
            assert_eq!(recent.get(b"a").unwrap().bytes.len(), version);
        }
        while recent.younger.bytes < BYTES {
            let name = format!("more:{}", recent.younger.bytes);
            recent.put(UserKey::from(name), stored(LARGEST / 2));
        }
        recent.put(UserKey::from("a"), stored(1));
        assert_eq!(recent.get(b"a").unwrap().bytes.len(), 1);
        recent.remove(b"a");
        assert!(recent.get(b"a").is_none());
    }

    #[test]
    fn a_large_record_is_not_kept_and_nor_is_the_one_it_replaces() {
        let mut recent = settled(&["a"]);
        recent.put(UserKey::from("a"), stored(LARGEST));
        assert!(recent.get(b"a").is_none());
    }
}
