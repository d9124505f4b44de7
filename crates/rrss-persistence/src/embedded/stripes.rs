//! Locks for keys: a read, a check and a write of one key are one thing to the other operations on it.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

const STRIPES: usize = 64;

/// A fixed number of locks; a key has one of them, which it shares with others.
///
/// A caller holds the lock of one key, or takes those of many keys at once and in one order: nobody who holds
/// one waits for a smaller one.
pub(super) struct Stripes {
    locks: [Mutex<()>; STRIPES],
    hasher: RandomState,
}

impl Stripes {
    pub(super) fn new() -> Self {
        Self {
            locks: [const { Mutex::new(()) }; STRIPES],
            hasher: RandomState::new(),
        }
    }

    /// The lock of `key`.
    pub(super) fn lock(&self, key: &[u8]) -> MutexGuard<'_, ()> {
        self.take(self.of(key))
    }

    /// The locks of all `keys`.
    pub(super) fn lock_all<'k>(
        &self,
        keys: impl Iterator<Item = &'k [u8]>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let mut stripes: Vec<usize> = keys.map(|key| self.of(key)).collect();
        stripes.sort_unstable();
        stripes.dedup();
        stripes
            .into_iter()
            .map(|stripe| self.take(stripe))
            .collect()
    }

    fn of(&self, key: &[u8]) -> usize {
        // The remainder of a number that fits `usize` by STRIPES fits it too.
        (self.hasher.hash_one(key) % STRIPES as u64) as usize
    }

    /// The lock guards no data of its own, so a panic under it has broken none.
    fn take(&self, stripe: usize) -> MutexGuard<'_, ()> {
        self.locks[stripe]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
