//! The sessions of one store in memory, in the order of their keys and of their deadlines, and by their entries; and what is
//! to be told of those that have expired.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use rrss_core::{
    Error, ErrorKind, IndexChanges, IndexKey, KeySpace, NoteChange, Operation, Result, Timestamp,
    Written,
};

use super::entries::Entries;
use super::expired::Expired;
use super::page::{AT_ONCE, page, start};
use crate::fate::{Fate, fate, lives, refusal};
use crate::rotated::Rotated;

/// Sessions by key, and the keys of those that end, by deadline: so a sweep costs what it removes, and a page
/// of a listing what it names, however many sessions there are.
#[derive(Default)]
pub(super) struct Sessions {
    by_key: BTreeMap<Arc<str>, Stored>,
    by_deadline: BTreeSet<(Timestamp, Arc<str>)>,
    by_entry: Entries,
    pub(super) expired: Expired,
    rotated: Rotated,
}

/// What is stored under one key.
pub(super) struct Stored {
    pub(super) bytes: Bytes,
    pub(super) deadline: Option<Timestamp>,
    entries: Box<[IndexKey]>,
    /// What is to be told of the session when it has expired.
    note: Option<Bytes>,
}

impl Sessions {
    /// What is live under `key`.
    pub(super) fn live(&self, key: &str, now: Timestamp) -> Option<&Stored> {
        self.by_key
            .get(key)
            .filter(|stored| lives(stored.deadline, now))
    }

    /// Stores the bytes of `op`, if its guard holds and there is room.
    pub(super) fn write(&mut self, op: &Operation, capacity: NonZeroUsize) -> Result<Written> {
        let (key, bytes, now) = (op.key()?.as_str(), op.bytes()?, op.now());
        let live = self.live(key, now);
        if let Some(refused) = refusal(op, live.map(|stored| &*stored.bytes))? {
            return Ok(refused);
        }
        let is_live = live.is_some();
        match fate(op, live.and_then(|stored| stored.deadline)) {
            Fate::Ends if is_live => self.expire_by(op, key),
            Fate::Ends => drop(self.expire(key)),
            Fate::Lives(deadline) => {
                // What is past its deadline leaves nothing to the session that takes its key.
                if !is_live && !self.remove(key) {
                    self.make_room(capacity, now)?;
                }
                self.insert(key, bytes.clone(), deadline, &op.index);
                self.change_note(key, &op.index.note);
            }
        }
        Ok(Written::Done)
    }

    /// Stores the bytes of `op` under its key, and removes the session whose place it takes, if the guard holds of that.
    pub(super) fn rotate(&mut self, op: &Operation) -> Result<Written> {
        let (key, now, replaced) = (op.key()?.as_str(), op.now(), op.replaced()?);
        let old = replaced.key()?.as_str();
        let live = self.live(old, now);
        if let Some(refused) = refusal(op, live.map(|stored| &*stored.bytes))? {
            return Ok(refused);
        }
        if self.live(key, now).is_some() {
            return Ok(Written::Taken);
        }
        match fate(op, live.and_then(|stored| stored.deadline)) {
            Fate::Ends => self.expire_by(op, old),
            Fate::Lives(deadline) => {
                self.remove(old);
                self.remove(key);
                self.insert(key, op.bytes()?.clone(), deadline, &op.index);
                self.change_note(key, &op.index.note);
            }
        }
        self.rotated.insert(old, now, now + replaced.known_for);
        Ok(Written::Done)
    }

    /// Whether the session under `key` was rotated away a moment ago.
    pub(super) fn was_rotated(&self, key: &str, now: Timestamp) -> bool {
        self.rotated.contains(key, now)
    }

    /// Moves the deadline of what is live under the key of `op`, if its guard holds. Entries have no deadline of their own.
    pub(super) fn touch(&mut self, op: &Operation) -> Result<Written> {
        let key = op.key()?.as_str();
        let live = self.live(key, op.now());
        if let Some(refused) = refusal(op, live.map(|stored| &*stored.bytes))? {
            return Ok(refused);
        }
        match fate(op, live.and_then(|stored| stored.deadline)) {
            Fate::Ends => self.expire_by(op, key),
            Fate::Lives(deadline) => {
                self.move_deadline(key, deadline);
                if !op.index.put.is_empty() {
                    self.change_entries(key, &op.index);
                }
                self.change_note(key, &op.index.note);
            }
        }
        Ok(Written::Done)
    }

    /// Removes what is under the key of `op`, if its guard holds; what is past its deadline in any case, and that is told.
    pub(super) fn delete(&mut self, op: &Operation) -> Result<Written> {
        let key = op.key()?.as_str();
        let live = self.live(key, op.now());
        let refused = refusal(op, live.map(|stored| &*stored.bytes))?;
        match refused {
            Some(Written::Changed) => {}
            Some(_) => drop(self.expire(key)),
            None => drop(self.remove(key)),
        }
        Ok(refused.unwrap_or(Written::Done))
    }

    /// Removes what is under `key`, live or not, with nothing to be told of it, and says whether anything was.
    pub(super) fn remove(&mut self, key: &str) -> bool {
        if let Some(stored) = self.by_key.get_mut(key) {
            stored.note = None;
        }
        self.expire(key)
    }

    /// Removes what is under `key`, to be told of by its note, and says whether anything was.
    fn expire(&mut self, key: &str) -> bool {
        let Some((key, stored)) = self.by_key.remove_entry(key) else {
            return false;
        };
        self.by_entry.remove(&stored.entries, &key);
        if let Some(deadline) = stored.deadline {
            self.by_deadline.remove(&(deadline, Arc::clone(&key)));
            if let Some(note) = stored.note {
                self.expired.insert(key, deadline, note);
            }
        }
        true
    }

    /// Ends what is live under `key`, since the deadline that `op` gives it has come already.
    fn expire_by(&mut self, op: &Operation, key: &str) {
        self.move_deadline(key, op.deadline.instant());
        self.change_note(key, &op.index.note);
        self.expire(key);
    }

    /// Changes the note of what is under `key`. What never ends has none.
    fn change_note(&mut self, key: &str, change: &NoteChange) {
        let Some(stored) = self.by_key.get_mut(key) else {
            return;
        };
        match change {
            NoteChange::Leave => {}
            NoteChange::Keep { note, .. } => {
                stored.note = stored.deadline.is_some().then(|| note.clone());
            }
            NoteChange::Remove => stored.note = None,
        }
    }

    /// Removes up to `limit` sessions whose deadline is not after `now`, the oldest deadlines first.
    pub(super) fn sweep(&mut self, now: Timestamp, limit: usize) -> usize {
        for removed in 0..limit {
            match self.by_deadline.first() {
                Some((deadline, _)) if *deadline <= now => {}
                _ => return removed,
            }
            if let Some((_, key)) = self.by_deadline.pop_first() {
                self.expire(&key);
            }
        }
        limit
    }

    /// The live keys of `space` after `after`, at most `limit` of them, and after which key to go on; `None` at
    /// the end.
    pub(super) fn keys<'s>(
        &'s self,
        space: &KeySpace,
        after: Option<&str>,
        now: Timestamp,
        limit: usize,
    ) -> (Vec<&'s str>, Option<&'s str>) {
        let range = (start(space, after), Bound::Unbounded);
        let keys = self.by_key.range::<str, _>(range);
        let keys = keys.map(|(key, stored)| (&**key, lives(stored.deadline, now)));
        page(keys, space, limit)
    }

    /// As [`keys`](Self::keys), of the sessions that have `entry`.
    pub(super) fn found<'s>(
        &'s self,
        entry: &IndexKey,
        space: &KeySpace,
        after: Option<&str>,
        now: Timestamp,
        limit: usize,
    ) -> (Vec<&'s str>, Option<&'s str>) {
        let keys = self.by_entry.keys(entry, start(space, after));
        let keys = keys.map(|key| (&**key, self.live(key, now).is_some()));
        page(keys, space, limit)
    }

    /// How many are stored, those past their deadline included.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Stores `bytes` under `key`. An operation that says nothing of the index leaves the entries as they are; else those
    /// that it puts are all that the session has.
    fn insert(
        &mut self,
        key: &str,
        bytes: Bytes,
        deadline: Option<Timestamp>,
        index: &IndexChanges,
    ) {
        self.move_deadline(key, deadline);
        let Some(stored) = self.by_key.get_mut(key) else {
            let key: Arc<str> = Arc::from(key);
            if let Some(deadline) = deadline {
                self.by_deadline.insert((deadline, Arc::clone(&key)));
            }
            self.by_entry.insert(&index.put, &key);
            let entries = index.put.as_slice().into();
            let stored = Stored {
                bytes,
                deadline,
                entries,
                note: None,
            };
            // The note of an expired session makes room for that of its successor.
            self.expired.forget(&key);
            self.by_key.insert(key, stored);
            return;
        };
        stored.bytes = bytes;
        self.change_entries(key, index);
    }

    /// Gives what is stored under `key` other entries. An operation that says nothing of the index leaves them as they are.
    fn change_entries(&mut self, key: &str, index: &IndexChanges) {
        if index.is_empty() {
            return;
        }
        let Some(stored) = self.by_key.get_mut(key) else {
            return;
        };
        if *stored.entries == *index.put {
            return;
        }
        let before = std::mem::replace(&mut stored.entries, index.put.as_slice().into());
        self.by_entry.remove(&before, key);
        if let Some((key, _)) = self.by_key.get_key_value(key) {
            self.by_entry.insert(&index.put, key);
        }
    }

    /// Gives what is stored under `key` another deadline.
    fn move_deadline(&mut self, key: &str, deadline: Option<Timestamp>) {
        let Some(stored) = self.by_key.get_mut(key) else {
            return;
        };
        let before = std::mem::replace(&mut stored.deadline, deadline);
        if before == deadline {
            return;
        }
        let Some((key, _)) = self.by_key.get_key_value(key) else {
            return;
        };
        if let Some(before) = before {
            self.by_deadline.remove(&(before, Arc::clone(key)));
        }
        if let Some(deadline) = deadline {
            self.by_deadline.insert((deadline, Arc::clone(key)));
        }
    }

    fn make_room(&mut self, capacity: NonZeroUsize, now: Timestamp) -> Result<()> {
        if self.len() < capacity.get() || self.sweep(now, AT_ONCE) > 0 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "there is no room for a new session: {capacity} are live already; raise `capacity`, let sessions \
                 end sooner, or keep them with `embedded` or `redis`"
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn entries(values: &[&str]) -> IndexChanges {
        let entry = |value: &&str| IndexKey::of("f", value).unwrap().unwrap();
        IndexChanges {
            put: values.iter().map(entry).collect(),
            ..IndexChanges::default()
        }
    }

    #[test]
    fn all_orders_hold_the_same_sessions_after_every_change() {
        let mut sessions = Sessions::default();
        let agree = |sessions: &Sessions| {
            let stored = sessions.by_key.iter();
            let ending: BTreeSet<_> = stored
                .filter_map(|(key, stored)| Some((stored.deadline?, Arc::clone(key))))
                .collect();
            assert_eq!(ending, sessions.by_deadline);
            let stored = sessions.by_key.iter();
            let entries: BTreeSet<_> = stored
                .flat_map(|(key, stored)| {
                    let entries = stored.entries.iter().cloned();
                    entries.map(|entry| (entry, Arc::clone(key)))
                })
                .collect();
            assert_eq!(entries, sessions.by_entry.all());
            entries.len()
        };
        let none = IndexChanges::default();
        sessions.insert("a", Bytes::new(), Some(at(10)), &entries(&["1"]));
        assert_eq!(agree(&sessions), 1);
        sessions.insert("a", Bytes::new(), Some(at(20)), &entries(&["2", "3"]));
        assert_eq!(agree(&sessions), 2);
        sessions.insert("b", Bytes::new(), None, &entries(&["2"]));
        sessions.insert("c", Bytes::new(), Some(at(20)), &none);
        assert_eq!(agree(&sessions), 3);
        sessions.insert("c", Bytes::new(), None, &entries(&["3"]));
        sessions.insert("c", Bytes::new(), Some(at(30)), &none);
        assert_eq!(agree(&sessions), 4);
        sessions.move_deadline("c", None);
        assert!(sessions.remove("b") && !sessions.remove("b"));
        assert_eq!(agree(&sessions), 3);
        assert_eq!(sessions.sweep(at(20), 10), 1);
        assert_eq!(agree(&sessions), 1);
        assert_eq!(sessions.len(), 1);
        let mut removed = none;
        removed.removed = entries(&["3"]).put;
        sessions.insert("c", Bytes::new(), None, &removed);
        assert_eq!(agree(&sessions), 0);
    }

    fn note(text: &'static str) -> NoteChange {
        NoteChange::Keep {
            note: Bytes::from_static(text.as_bytes()),
            after: std::time::Duration::from_secs(1),
        }
    }

    #[test]
    fn what_expires_leaves_its_last_note_and_what_is_removed_leaves_none() {
        let mut sessions = Sessions::default();
        let index = |note| IndexChanges {
            note,
            ..IndexChanges::default()
        };
        for key in ["deleted", "never", "silent", "swept", "without"] {
            sessions.insert(key, Bytes::new(), Some(at(10)), &index(NoteChange::Leave));
            if key != "without" {
                sessions.change_note(key, &note("first"));
            }
        }
        sessions.change_note("swept", &note("last"));
        sessions.change_note("swept", &NoteChange::Leave);
        sessions.change_note("silent", &NoteChange::Remove);
        sessions.move_deadline("never", None);
        sessions.change_note("never", &note("never"));
        assert!(sessions.by_key["never"].note.is_none());
        assert!(sessions.remove("deleted"));
        assert_eq!(sessions.sweep(at(10), 10), 3);
        assert_eq!(sessions.expired.keys(), ["swept"]);

        let space = KeySpace::new("sw", "");
        let taken = sessions.expired.take(&space, at(10), 10, at(20));
        assert_eq!(
            (&taken[0].note[..], taken[0].deadline),
            (&b"last"[..], at(10))
        );
        sessions.insert("swept", Bytes::new(), None, &index(NoteChange::Leave));
        assert_eq!(
            sessions.expired.keys(),
            [""; 0],
            "its successor took its place"
        );
    }

    #[test]
    fn a_page_looks_at_a_bounded_number_of_sessions() {
        let mut sessions = Sessions::default();
        let index = entries(&["1"]);
        for n in 0..=AT_ONCE {
            sessions.insert(&format!("s:{n:04}"), Bytes::new(), Some(at(10)), &index);
        }
        let space = KeySpace::new("s:", "");
        let (keys, next) = sessions.keys(&space, None, at(10), 10);
        assert_eq!((keys.len(), next), (0, Some("s:0999")));
        let (keys, next) = sessions.keys(&space, next, at(10), 10);
        assert_eq!((keys.len(), next), (0, None));
        let entry = &index.put[0];
        let (keys, next) = sessions.found(entry, &space, None, at(10), 10);
        assert_eq!((keys.len(), next), (0, Some("s:0999")));
        let (keys, next) = sessions.found(entry, &space, next, at(9), 10);
        assert_eq!((keys, next), (vec!["s:1000"], None));
    }
}
