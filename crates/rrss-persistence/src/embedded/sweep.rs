//! Removing what is past its deadline.

use std::ops::Bound;
use std::sync::{MutexGuard, PoisonError};

use fjall::UserKey;
use rrss_core::{Operation, Result};

use super::engine::{Engine, failed};
use super::record::{Stored, not_due, split_due_key};

/// How many sessions one batch removes at most: operations on them wait for it.
const BATCH: usize = 256;

impl Engine {
    /// Removes up to `limit` sessions that are past their deadline.
    ///
    /// A removed entry stays in an LSM tree as a tombstone until it is compacted away, and a range read passes
    /// over it. A sweep therefore goes on where the last one ended, and returns to the beginning once at the
    /// end: a million sessions that are due cost two passes, in however many calls they are removed.
    pub(super) fn sweep(&self, op: &Operation, limit: usize) -> Result<u64> {
        let end = not_due(op.now());
        let mut from = self.swept_to().clone();
        if from.as_slice() >= end.as_slice() {
            from.clear();
        }
        let (mut removed, mut reached) = self.sweep_range(&from, &end, limit)?;
        if reached.is_none() && !from.is_empty() {
            // The least key after `from`: this range ends where the first one began.
            from.push(0);
            let (more, again) = self.sweep_range(&[], &from, limit - removed)?;
            removed += more;
            reached = again;
        }
        *self.swept_to() = reached.map(|last| last.to_vec()).unwrap_or_default();
        Ok(removed as u64)
    }

    /// How many were removed, and the last entry seen where `limit` ended it.
    fn sweep_range(
        &self,
        after: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<(usize, Option<UserKey>)> {
        let (mut removed, mut last) = (0, UserKey::from(after));
        while removed < limit {
            let due = self.due(&last, end, BATCH.min(limit - removed))?;
            match due.last() {
                Some(seen) => last = seen.clone(),
                None => return Ok((removed, None)),
            }
            removed += self.remove_due(&due)?;
        }
        Ok((removed, Some(last)))
    }

    /// The first `limit` entries of `deadlines` after `after` and before `end`.
    fn due(&self, after: &[u8], end: &[u8], limit: usize) -> Result<Vec<UserKey>> {
        let from = if after.is_empty() {
            Bound::Unbounded
        } else {
            Bound::Excluded(after)
        };
        self.deadlines
            .range::<&[u8], _>((from, Bound::Excluded(end)))
            .take(limit)
            .map(|entry| entry.key().map_err(failed))
            .collect()
    }

    /// Removes the sessions whose deadline is still what the entry says, and all of the entries.
    fn remove_due(&self, due: &[UserKey]) -> Result<usize> {
        let split = || due.iter().filter_map(|entry| split_due_key(entry));
        let _locks = self.stripes.lock_all(split().map(|(_, key)| key));
        let mut batch = self.batch();
        for entry in due {
            batch.remove(&self.deadlines, entry.clone());
        }
        let mut removed = 0;
        for (deadline, key) in split() {
            let value = self.sessions.get(key).map_err(failed)?;
            let stored = value.map(Stored::decode).and_then(Result::ok);
            if stored.is_some_and(|stored| stored.deadline == Some(deadline)) {
                batch.remove(&self.sessions, key);
                removed += 1;
            }
        }
        batch.commit().map_err(failed)?;
        Ok(removed)
    }

    fn swept_to(&self) -> MutexGuard<'_, Vec<u8>> {
        self.swept_to.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
