//! Removing what is past its deadline.

use std::collections::HashSet;
use std::ops::Bound;
use std::sync::MutexGuard;

use fjall::{Keyspace, UserKey};
use rrss_core::{ErrorKind, Operation, Result, Timestamp};

use super::engine::{Engine, failed, lock};
use super::notes::End;
use super::record::{not_due, split_due_key};

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
        let (mut removed, mut reached) = self.sweep_range(&from, &end, op.now(), limit)?;
        if reached.is_none() && !from.is_empty() {
            // The least key after `from`: this range ends where the first one began.
            from.push(0);
            let (more, again) = self.sweep_range(&[], &from, op.now(), limit - removed)?;
            removed += more;
            reached = again;
        }
        self.drop_outdated(op.now())?;
        *self.swept_to() = reached.map(|last| last.to_vec()).unwrap_or_default();
        Ok(removed as u64)
    }

    /// How many were removed, and the last entry seen where `limit` ended it.
    fn sweep_range(
        &self,
        after: &[u8],
        end: &[u8],
        now: Timestamp,
        limit: usize,
    ) -> Result<(usize, Option<UserKey>)> {
        let (mut removed, mut last) = (0, UserKey::from(after));
        while removed < limit {
            let due = entries(&self.deadlines, &last, end, BATCH.min(limit - removed))?;
            match due.last() {
                Some(seen) => last = seen.clone(),
                None => return Ok((removed, None)),
            }
            removed += self.remove_due(&due, now)?;
        }
        Ok((removed, Some(last)))
    }

    /// Removes the sessions of these entries that are past their deadline, and moves the entries of those that
    /// were renewed to the deadline that they have now.
    fn remove_due(&self, due: &[UserKey], now: Timestamp) -> Result<usize> {
        let mut changes = self.changes();
        let mut removed = HashSet::new();
        for entry in due {
            changes.drop_entry(entry.clone());
            let Some((_, key)) = split_due_key(entry) else {
                continue;
            };
            let stored = match changes.stored(key) {
                // It has no deadline that could be past.
                Err(error) if error.kind() == ErrorKind::Corrupt => None,
                stored => stored?,
            };
            match stored.and_then(|stored| stored.deadline) {
                None => {}
                Some(deadline) if now < deadline => changes.add_entry(deadline, key),
                Some(deadline) => {
                    changes.remove(key, End::Expired(deadline))?;
                    removed.insert(key);
                }
            }
        }
        changes.commit()?;
        Ok(removed.len())
    }

    fn swept_to(&self) -> MutexGuard<'_, Vec<u8>> {
        lock(&self.kept.swept_to)
    }
}

/// The first `limit` entries of a keyspace of deadlines after `after` and before `end`.
pub(super) fn entries(
    of: &Keyspace,
    after: &[u8],
    end: &[u8],
    limit: usize,
) -> Result<Vec<UserKey>> {
    let from = if after.is_empty() {
        Bound::Unbounded
    } else {
        Bound::Excluded(after)
    };
    of.range::<&[u8], _>((from, Bound::Excluded(end)))
        .take(limit)
        .map(|entry| entry.key().map_err(failed))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rrss_core::{Action, Deadline, Payload, Record, StorageKey, Written};

    use super::*;
    use crate::embedded::Options;
    use crate::embedded::record::Stored;

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

    fn load(engine: &Engine, op: &Operation) -> Option<Record> {
        match engine.kept.load_at_hand(op).unwrap() {
            Ok(record) => record,
            Err(missed) => engine.load(op, &missed).unwrap(),
        }
    }

    /// Sessions `0..due` that are due at 100, and `due..due + live` that are not.
    fn engine(due: usize, live: usize) -> (Engine, tempfile::TempDir) {
        let dir = tempfile::TempDir::new().unwrap();
        let engine = Engine::open(&Options::at(dir.path()), Arc::default()).unwrap();
        for n in 0..due + live {
            let deadline = if n < due { 100 } else { 1_000 };
            write(&engine, &op(Action::Create, n, 0, deadline));
        }
        (engine, dir)
    }

    fn write(engine: &Engine, op: &Operation) {
        let mut changes = engine.changes();
        let record = Stored::encode(op.bytes().unwrap());
        assert_eq!(changes.write(op, record).unwrap(), Written::Done);
        changes.commit().unwrap();
    }

    fn touch(engine: &Engine, op: &Operation) {
        let mut changes = engine.changes();
        assert_eq!(changes.touch(op).unwrap(), rrss_core::Written::Done);
        changes.commit().unwrap();
    }

    fn due(engine: &Engine) -> Vec<UserKey> {
        entries(&engine.deadlines, &[], &not_due(at(100)), usize::MAX).unwrap()
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
        touch(&engine, &op(Action::Touch, 0, 99, 2_000));
        write(&engine, &op(Action::Update, 1, 99, 2_000));
        assert_eq!(engine.remove_due(&seen, at(100)).unwrap(), 1);
        for (key, lives) in [(0, true), (1, true), (2, false)] {
            let loaded = load(&engine, &op(Action::Load, key, 100, 0));
            assert_eq!(loaded.is_some(), lives, "{key}");
        }
    }

    #[test]
    fn what_another_sweep_has_removed_is_not_counted_again() {
        let (engine, _dir) = engine(3, 0);
        let seen = due(&engine);
        assert_eq!(engine.remove_due(&seen, at(100)).unwrap(), 3);
        assert_eq!(engine.remove_due(&seen, at(100)).unwrap(), 0);
    }

    #[test]
    fn an_entry_whose_session_is_gone_is_dropped_and_not_counted() {
        let (engine, _dir) = engine(3, 0);
        let mut changes = engine.changes();
        changes.remove(b"s:1", End::Deleted).unwrap();
        changes.commit().unwrap();
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

    #[test]
    fn a_save_that_moves_the_deadline_away_leaves_the_entry_to_the_sweep_which_moves_it() {
        let (engine, _dir) = engine(2, 0);
        write(&engine, &op(Action::Update, 0, 50, 200));
        assert_eq!(due(&engine).len(), 2);
        assert_eq!(sweep(&engine, 10), 1);
        assert_eq!(due(&engine).len(), 0);
        let later = Operation::new(Action::Sweep { limit: 10 }, at(200));
        assert_eq!(engine.sweep(&later, 10).unwrap(), 1);
    }

    #[test]
    fn a_deadline_that_is_moved_nearer_is_swept_in_time_and_counted_once() {
        let (engine, _dir) = engine(0, 1);
        write(&engine, &op(Action::Update, 0, 10, 100));
        assert_eq!(sweep(&engine, 10), 1);
        write(&engine, &op(Action::Create, 0, 101, 900));
        write(&engine, &op(Action::Update, 0, 102, 800));
        let late = Operation::new(Action::Sweep { limit: 10 }, at(1_000));
        assert_eq!(engine.sweep(&late, 10).unwrap(), 1);
    }

    #[test]
    fn a_session_that_gets_a_deadline_later_is_swept() {
        let (engine, _dir) = engine(0, 0);
        let mut create = op(Action::Create, 0, 0, 0);
        create.deadline = Deadline::Never;
        write(&engine, &create);
        assert_eq!(sweep(&engine, 10), 0);
        touch(&engine, &op(Action::Touch, 0, 10, 100));
        assert_eq!(sweep(&engine, 10), 1);
    }
}
