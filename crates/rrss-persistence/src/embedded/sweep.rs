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

#[cfg(test)]
mod tests {
    use rrss_core::{Action, Deadline, Payload, StorageKey, Timestamp};

    use super::*;
    use crate::embedded::Options;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn op(action: Action, key: usize, now: u64, deadline: u64) -> Operation {
        let mut op = Operation::new(action, at(now));
        op.key = Some(StorageKey::from(format!("s:{key}")));
        op.deadline = Deadline::At(at(deadline));
        op.payload = Payload::Bytes("{}".into());
        op
    }

    /// Sessions `0..due` that are due at 100, and `due..due + live` that are not.
    fn engine(due: usize, live: usize) -> (Engine, tempfile::TempDir) {
        let dir = tempfile::TempDir::new().unwrap();
        let engine = Engine::open(&Options::at(dir.path())).unwrap();
        for n in 0..due + live {
            let deadline = if n < due { 100 } else { 1_000 };
            engine.write(&op(Action::Create, n, 0, deadline)).unwrap();
        }
        (engine, dir)
    }

    fn due(engine: &Engine) -> Vec<UserKey> {
        engine.due(&[], &not_due(at(100)), usize::MAX).unwrap()
    }

    fn sweep(engine: &Engine, limit: usize) -> u64 {
        let op = Operation::new(Action::Sweep { limit }, at(100));
        engine.sweep(&op, limit).unwrap()
    }

    #[test]
    fn a_sweep_reads_only_what_is_due() {
        let (engine, _dir) = engine(100, 2_000);
        assert_eq!(due(&engine).len(), 100);
        assert_eq!(sweep(&engine, 1_000), 100);
        assert_eq!(due(&engine).len(), 0);
    }

    #[test]
    fn a_session_that_is_renewed_between_the_look_and_the_removal_stays() {
        let (engine, _dir) = engine(3, 0);
        let seen = due(&engine);
        engine.touch(&op(Action::Touch, 0, 99, 2_000)).unwrap();
        engine.write(&op(Action::Update, 1, 99, 2_000)).unwrap();
        assert_eq!(engine.remove_due(&seen).unwrap(), 1);
        for (key, lives) in [(0, true), (1, true), (2, false)] {
            let loaded = engine.load(&op(Action::Load, key, 100, 0)).unwrap();
            assert_eq!(loaded.is_some(), lives, "{key}");
        }
    }

    #[test]
    fn what_another_sweep_has_removed_is_not_counted_again() {
        let (engine, _dir) = engine(3, 0);
        let seen = due(&engine);
        assert_eq!(engine.remove_due(&seen).unwrap(), 3);
        assert_eq!(engine.remove_due(&seen).unwrap(), 0);
    }

    #[test]
    fn an_entry_whose_session_is_gone_is_dropped_and_not_counted() {
        let (engine, _dir) = engine(3, 0);
        engine.sessions.remove("s:1").unwrap();
        assert_eq!(sweep(&engine, 10), 2);
        assert_eq!(due(&engine).len(), 0);
    }

    #[test]
    fn a_limited_sweep_goes_on_where_the_last_one_ended() {
        let (engine, _dir) = engine(10, 0);
        assert_eq!(sweep(&engine, 4), 4);
        assert_eq!(engine.swept_to().as_slice(), b"\0\0\0\0\0\0\0\x64s:3");
        assert_eq!(sweep(&engine, 4), 4);
        assert_eq!(sweep(&engine, 4), 2);
        assert!(engine.swept_to().is_empty());
    }
}
