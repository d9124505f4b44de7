//! What was stored of late, as it is on the disk, so that a save does not search the engine for what it replaces.

use std::collections::HashMap;

use fjall::UserKey;

use super::record::Stored;

/// How many bytes one [`Generation`] holds; there are two.
const BYTES: usize = 16 * 1024 * 1024;

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
        if self.younger.bytes >= BYTES {
            self.older = std::mem::take(&mut self.younger);
        } else {
            self.older.take(&key);
        }
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
