//! The notes of sessions that have expired, until they were told of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rrss_core::{ExpiredNote, KeySpace, StorageKey, Timestamp};

/// Notes by key, in the order in which they are to be given, and in that of their deadlines.
#[derive(Default)]
pub(super) struct Expired {
    by_key: BTreeMap<Arc<str>, Kept>,
    by_turn: BTreeSet<(Timestamp, Arc<str>)>,
    by_deadline: BTreeSet<(Timestamp, Arc<str>)>,
}

struct Kept {
    note: Bytes,
    deadline: Timestamp,
    /// From when on it is to be given: its deadline, or the end of a lease.
    turn: Timestamp,
}

impl Expired {
    /// Keeps the note of a session whose `deadline` has come.
    pub(super) fn insert(&mut self, key: Arc<str>, deadline: Timestamp, note: Bytes) {
        self.forget(&key);
        self.by_turn.insert((deadline, Arc::clone(&key)));
        self.by_deadline.insert((deadline, Arc::clone(&key)));
        let turn = deadline;
        let kept = Kept {
            note,
            deadline,
            turn,
        };
        self.by_key.insert(key, kept);
    }

    /// Gives up to `limit` notes of `space` whose turn has come, and gives them to nobody else before `until`.
    pub(super) fn take(
        &mut self,
        space: &KeySpace,
        now: Timestamp,
        limit: usize,
        until: Timestamp,
    ) -> Vec<ExpiredNote> {
        let due = self.by_turn.iter().take_while(|(turn, _)| *turn <= now);
        let ours = due.filter(|(_, key)| space.middle(key).is_some());
        let taken: Vec<_> = ours.take(limit).cloned().collect();
        let mut notes = Vec::with_capacity(taken.len());
        for (turn, key) in taken {
            if let Some(kept) = self.by_key.get_mut(&key) {
                kept.turn = until;
                notes.push(ExpiredNote {
                    key: StorageKey::from(key.to_string()),
                    deadline: kept.deadline,
                    note: kept.note.clone(),
                });
            }
            self.by_turn.remove(&(turn, Arc::clone(&key)));
            self.by_turn.insert((until, key));
        }
        notes
    }

    /// Drops up to `limit` notes of `space` whose deadline is `keep` ago, and says how many.
    pub(super) fn drop_old(
        &mut self,
        space: &KeySpace,
        now: Timestamp,
        keep: Duration,
        limit: usize,
    ) -> usize {
        let deadlines = self.by_deadline.iter();
        let old = deadlines
            .take_while(|(deadline, _)| *deadline <= now && now.since(*deadline) >= keep)
            .filter(|(_, key)| space.middle(key).is_some());
        let old: Vec<Arc<str>> = old.take(limit).map(|(_, key)| Arc::clone(key)).collect();
        for key in &old {
            self.forget(key);
        }
        old.len()
    }

    /// Forgets the note of `key`, and says whether there was one.
    pub(super) fn forget(&mut self, key: &str) -> bool {
        let Some((key, kept)) = self.by_key.remove_entry(key) else {
            return false;
        };
        self.by_turn.remove(&(kept.turn, Arc::clone(&key)));
        self.by_deadline.remove(&(kept.deadline, key));
        true
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> Vec<&str> {
        assert_eq!(self.by_key.len(), self.by_turn.len());
        assert_eq!(self.by_key.len(), self.by_deadline.len());
        self.by_key.keys().map(|key| &**key).collect()
    }
}
