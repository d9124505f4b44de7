//! How many sessions could not be read.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// What became of stored sessions that could not be read: see [`Store::corrupt_counts`](crate::Store::corrupt_counts).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CorruptCounts {
    /// How often a session was asked for and could not be read; one that stays as it is counts each time.
    pub found: u64,
    /// How many were deleted, as `on_corrupt = "discard"` has it.
    pub discarded: u64,
    /// How many were moved aside, as `on_corrupt = "quarantine"` has it.
    pub quarantined: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) found: AtomicU64,
    pub(super) discarded: AtomicU64,
    pub(super) quarantined: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self) -> CorruptCounts {
        CorruptCounts {
            found: self.found.load(Relaxed),
            discarded: self.discarded.load(Relaxed),
            quarantined: self.quarantined.load(Relaxed),
        }
    }
}
