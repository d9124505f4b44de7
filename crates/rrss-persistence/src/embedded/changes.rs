//! What changes the keyspaces.

use std::sync::MutexGuard;

use bytes::Bytes;
use fjall::{OwnedWriteBatch, UserKey};
use rrss_core::{ErrorKind, Operation, Result, StorageKey, Timestamp, Written};

use super::engine::{Engine, lock};
use super::notes::{End, NoteMoves};
use super::record::{Stored, due_key, encode_deadline};
use crate::fate::{Fate, fate, lives, refusal};

/// Changes that share a commit: all of them are done by it, or none.
///
/// While this lives nobody else changes anything, so that what was read of a session holds until the commit. A
/// change is not seen by the next one: each of them is of another key.
///
/// `deadlines` holds at least one entry for every session with a deadline, and one of them is not after it. A save
/// that moves the deadline further away leaves the entry where it is, for the sweep to move: so most saves
/// write one record. Entries of sessions that have ended meanwhile are left for the sweep to drop.
pub(super) struct Changes<'e> {
    engine: &'e Engine,
    batch: OwnedWriteBatch,
    /// What the batch makes of records; `None` where it removes one.
    records: Vec<(UserKey, Option<Stored>)>,
    /// Keys that are rotated away, from when and until when each is remembered.
    rotated: Vec<(StorageKey, Timestamp, Timestamp)>,
    /// Who holds it is alone.
    _alone: MutexGuard<'e, ()>,
}

impl Engine {
    /// Waits until nobody else changes anything.
    pub(super) fn changes(&self) -> Changes<'_> {
        let alone = lock(&self.changing);
        Changes {
            engine: self,
            batch: self.database.batch().durability(Some(self.acknowledge_at)),
            records: Vec::new(),
            rotated: Vec::new(),
            _alone: alone,
        }
    }
}

impl Changes<'_> {
    /// Stores `record`, which is [`encoded`](Stored::encode) but for its deadline.
    pub(super) fn write(&mut self, op: &Operation, record: Vec<u8>) -> Result<Written> {
        let key = op.key()?.as_bytes();
        let before = self.stored(key)?;
        let live = before
            .as_ref()
            .filter(|stored| lives(stored.deadline, op.now()));
        if let Some(refused) = refusal(op, live.map(|stored| &*stored.bytes))? {
            return Ok(refused);
        }
        match fate(op, live.and_then(|stored| stored.deadline)) {
            Fate::Ends => match &before {
                None => {}
                Some(before) if lives(before.deadline, op.now()) => self.expire(op, key)?,
                Some(before) => self.remove(key, End::of(before))?,
            },
            Fate::Lives(deadline) => {
                let (engine, before) = (self.engine, before.as_ref());
                let entries = engine.entries_to_write(op, key, before)?;
                let note = engine.note_to_write(op, key, before, deadline)?;
                entries.add_to(&mut self.batch, engine, key);
                note.add_to(&mut self.batch, engine, key);
                let due = before.and_then(|stored| stored.deadline);
                self.put(key, due, deadline, record);
            }
        }
        Ok(Written::Done)
    }

    /// Stores `record` under the key of `op`, and removes the session whose place it takes, if the guard holds of that.
    pub(super) fn rotate(&mut self, op: &Operation, record: Vec<u8>) -> Result<Written> {
        let (key, now, replaced) = (op.key()?.as_bytes(), op.now(), op.replaced()?);
        let old = replaced.key()?;
        let before = self.stored(old.as_bytes())?;
        let live = before.filter(|stored| lives(stored.deadline, now));
        if let Some(refused) = refusal(op, live.as_ref().map(|stored| &*stored.bytes))? {
            return Ok(refused);
        }
        let dead = self.stored(key)?;
        if dead.as_ref().is_some_and(|dead| lives(dead.deadline, now)) {
            return Ok(Written::Taken);
        }
        match fate(op, live.and_then(|stored| stored.deadline)) {
            Fate::Ends => self.expire(op, old.as_bytes())?,
            Fate::Lives(deadline) => {
                let (engine, dead) = (self.engine, dead.as_ref());
                let entries = engine.entries_to_write(op, key, dead)?;
                let note = engine.note_to_write(op, key, dead, deadline)?;
                self.remove(old.as_bytes(), End::Deleted)?;
                entries.add_to(&mut self.batch, engine, key);
                note.add_to(&mut self.batch, engine, key);
                let due = dead.and_then(|stored| stored.deadline);
                self.put(key, due, deadline, record);
            }
        }
        self.rotated
            .push((old.clone(), now, now + replaced.known_for));
        Ok(Written::Done)
    }

    /// Moves the deadline of what is live under the key of `op`, if its guard holds.
    pub(super) fn touch(&mut self, op: &Operation) -> Result<Written> {
        let key = op.key()?.as_bytes();
        let before = self.stored(key)?;
        let live = before.filter(|stored| lives(stored.deadline, op.now()));
        if let Some(refused) = refusal(op, live.as_ref().map(|stored| &*stored.bytes))? {
            return Ok(refused);
        }
        let Some(live) = live else {
            return Ok(Written::Gone);
        };
        match fate(op, live.deadline) {
            Fate::Ends => self.expire(op, key)?,
            Fate::Lives(deadline) => {
                let note = self.engine.note_to_write(op, key, Some(&live), deadline)?;
                if !op.index.put.is_empty() {
                    let entries = self.engine.entries_to_write(op, key, Some(&live))?;
                    entries.add_to(&mut self.batch, self.engine, key);
                }
                note.add_to(&mut self.batch, self.engine, key);
                if deadline != live.deadline {
                    self.put(key, live.deadline, deadline, Stored::encode(&live.bytes));
                }
            }
        }
        Ok(Written::Done)
    }

    pub(super) fn delete(&mut self, op: &Operation) -> Result<Written> {
        let key = op.key()?.as_bytes();
        let (refused, end) = match self.stored(key) {
            Ok(None) => return Ok(Written::Gone),
            Ok(Some(stored)) if lives(stored.deadline, op.now()) => {
                (refusal(op, Some(&*stored.bytes))?, End::Deleted)
            }
            Ok(Some(stored)) => (refusal(op, None)?, End::of(&stored)),
            // Deleting is the one way to be rid of what cannot be read.
            Err(error) if error.kind() == ErrorKind::Corrupt => (None, End::Deleted),
            Err(error) => return Err(error),
        };
        if refused != Some(Written::Changed) {
            self.remove(key, end)?;
        }
        Ok(refused.unwrap_or(Written::Done))
    }

    /// Sees whether changes can be made.
    pub(super) fn ping(&self) -> Result<()> {
        self.engine.ping()
    }

    /// What is stored under `key`, live or not.
    pub(super) fn stored(&self, key: &[u8]) -> Result<Option<Stored>> {
        match self.engine.kept.recent.get(key) {
            Ok(stored) => Ok(Some(stored)),
            Err(_) => self.engine.stored(key),
        }
    }

    /// Removes a session, and what it is found by; of one that has expired, the note stays.
    pub(super) fn remove(&mut self, key: &[u8], end: End) -> Result<()> {
        let note = self.engine.note_to_remove(key, end)?;
        self.remove_with(key, note)
    }

    /// Ends a live session by the deadline that `op` gives it.
    fn expire(&mut self, op: &Operation, key: &[u8]) -> Result<()> {
        let note = self.engine.note_to_expire(op, key)?;
        self.remove_with(key, note)
    }

    fn remove_with(&mut self, key: &[u8], note: NoteMoves) -> Result<()> {
        let entries = self.engine.entries_to_remove(key)?;
        entries.add_to(&mut self.batch, self.engine, key);
        note.add_to(&mut self.batch, self.engine, key);
        self.batch.remove(&self.engine.sessions, key);
        self.records.push((UserKey::from(key), None));
        Ok(())
    }

    /// Drops an entry of `untold`, and what is kept of the session that expired under `key`.
    pub(super) fn drop_untold(&mut self, entry: &UserKey, key: Option<&[u8]>) {
        self.batch.remove(&self.engine.untold, entry.clone());
        if let Some(key) = key {
            self.batch.remove(&self.engine.expired, key);
        }
    }

    /// Drops an entry of `deadlines`.
    pub(super) fn drop_entry(&mut self, entry: UserKey) {
        self.batch.remove(&self.engine.deadlines, entry);
    }

    /// Makes an entry of `deadlines` for the session under `key`.
    pub(super) fn add_entry(&mut self, deadline: Timestamp, key: &[u8]) {
        self.batch
            .insert(&self.engine.deadlines, due_key(deadline, key), b"");
    }

    /// Carries out all of them, or none.
    pub(super) fn commit(self) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let under_way = self.engine.kept.recent.change(self.records);
        self.engine.commit(self.batch)?;
        under_way.settle();
        for (key, now, until) in self.rotated {
            lock(&self.engine.kept.rotated).insert(key.as_str(), now, until);
        }
        Ok(())
    }

    /// Stores `record` until `deadline`, in place of what was `due` before.
    fn put(
        &mut self,
        key: &[u8],
        due: Option<Timestamp>,
        deadline: Option<Timestamp>,
        mut record: Vec<u8>,
    ) {
        if let Some(deadline) = deadline
            && due.is_none_or(|due| deadline < due)
        {
            self.add_entry(deadline, key);
        }
        encode_deadline(deadline, &mut record);
        let (key, record) = (UserKey::from(key), Bytes::from(record));
        let stored = Stored::of_record(deadline, &record);
        self.records.push((key.clone(), Some(stored)));
        self.batch.insert(&self.engine.sessions, key, record);
    }
}
