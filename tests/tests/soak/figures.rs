//! What happened in a soak, in numbers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that many tasks count up.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// How often each thing happened.
#[derive(Default)]
pub(crate) struct Figures {
    /// Updates of a task's own field, those that came with a rotation among them.
    pub(crate) updates: Count,
    /// Updates of the counter that tasks share.
    pub(crate) counted: Count,
    /// Saves that found that others had saved meanwhile, and kept both.
    pub(crate) merged: Count,
    pub(crate) rotations: Count,
    /// Rotations that took along what others had saved meanwhile.
    pub(crate) merged_rotations: Count,
    pub(crate) deletes: Count,
    /// Loads of a session that had just ended under that id, and deletes that came too late.
    pub(crate) absent: Count,
    /// Refused with `Gone`.
    pub(crate) gone: Count,
    /// Refused with `Conflict`, after all the tries that the store makes.
    pub(crate) conflicts: Count,
    /// Failed with `Unavailable`.
    pub(crate) unavailable: Count,
    /// Failed with `Timeout`.
    pub(crate) timeouts: Count,
    /// How often a task found its field as it was before an update that was acknowledged, in a session whose master was killed.
    pub(crate) lost: Count,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = [
            (&self.updates, "updates"),
            (&self.counted, "counted"),
            (&self.merged, "saves merged"),
            (&self.rotations, "rotations"),
            (&self.merged_rotations, "of them merged"),
            (&self.deletes, "deletes"),
            (&self.absent, "absent"),
            (&self.gone, "gone"),
            (&self.conflicts, "conflicts"),
            (&self.unavailable, "unavailable"),
            (&self.timeouts, "timeouts"),
            (&self.lost, "lost with a master"),
        ];
        for (at, (count, name)) in figures.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{} {name}", count.get())?;
        }
        Ok(())
    }
}
