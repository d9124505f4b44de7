//! The operations on the keyspaces. They block; [`Embedded`](super::Embedded) runs them where that is allowed.

use std::sync::Mutex;

use fjall::{Database, Keyspace, OwnedWriteBatch, PersistMode};
use rrss_core::{Error, ErrorKind, Operation, Record, Result, Timestamp, Written};

use super::record::{Stored, check_size, due_key, is_storable};
use super::stripes::Stripes;
use crate::fate::{Fate, fate, lives, refusal};

/// An open directory of sessions.
///
/// `sessions` and `deadlines` change together, in one batch, under the stripe lock of the session's key. Reads
/// take no lock: they read one record, which is replaced as a whole.
pub(super) struct Engine {
    pub(super) database: Database,
    pub(super) sessions: Keyspace,
    pub(super) deadlines: Keyspace,
    pub(super) meta: Keyspace,
    pub(super) stripes: Stripes,
    /// How far a write must have come before it is acknowledged.
    pub(super) acknowledge_at: PersistMode,
    /// Where in `deadlines` the last sweep ended; see [`Engine::sweep`].
    pub(super) swept_to: Mutex<Vec<u8>>,
}

impl Engine {
    pub(super) fn load(&self, op: &Operation) -> Result<Option<Record>> {
        let stored = self.stored(op.key()?.as_bytes())?;
        Ok(stored
            .filter(|stored| lives(stored.deadline, op.now()))
            .map(|stored| Record::new(stored.bytes, stored.deadline)))
    }

    pub(super) fn write(&self, op: &Operation) -> Result<Written> {
        let (key, bytes) = (op.key()?.as_bytes(), op.bytes()?);
        check_size(key, bytes)?;
        let _lock = self.stripes.lock(key);
        let before = self.stored(key)?;
        let live = before
            .as_ref()
            .filter(|stored| lives(stored.deadline, op.now()));
        if let Some(refused) = refusal(op, live.is_some())? {
            return Ok(refused);
        }
        let kept = live.and_then(|stored| stored.deadline);
        let before = before.as_ref();
        match fate(op, kept) {
            Fate::Ends if before.is_none() => {}
            Fate::Ends => self.remove(key, before)?,
            Fate::Lives(deadline) => self.replace(key, before, deadline, bytes)?,
        }
        Ok(Written::Done)
    }

    pub(super) fn touch(&self, op: &Operation) -> Result<bool> {
        let key = op.key()?.as_bytes();
        let _lock = self.stripes.lock(key);
        let Some(stored) = self
            .stored(key)?
            .filter(|stored| lives(stored.deadline, op.now()))
        else {
            return Ok(false);
        };
        match fate(op, stored.deadline) {
            Fate::Ends => self.remove(key, Some(&stored))?,
            Fate::Lives(deadline) if deadline != stored.deadline => {
                self.replace(key, Some(&stored), deadline, &stored.bytes)?;
            }
            Fate::Lives(_) => {}
        }
        Ok(true)
    }

    pub(super) fn delete(&self, op: &Operation) -> Result<bool> {
        let key = op.key()?.as_bytes();
        let _lock = self.stripes.lock(key);
        let stored = match self.stored(key) {
            // Deleting is the one way to be rid of what cannot be read.
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                self.remove(key, None)?;
                return Ok(true);
            }
            stored => stored?,
        };
        let Some(stored) = stored else {
            return Ok(false);
        };
        self.remove(key, Some(&stored))?;
        Ok(lives(stored.deadline, op.now()))
    }

    /// Reads a record, and sees whether the engine still accepts writes.
    pub(super) fn ping(&self) -> Result<()> {
        self.meta.get(super::open::FORMAT_KEY).map_err(failed)?;
        self.database.persist(PersistMode::Buffer).map_err(failed)
    }

    pub(super) fn close(&self) -> Result<()> {
        self.database.persist(PersistMode::SyncAll).map_err(failed)
    }

    /// What is stored under `key`, live or not.
    pub(super) fn stored(&self, key: &[u8]) -> Result<Option<Stored>> {
        if !is_storable(key) {
            return Ok(None);
        }
        let value = self.sessions.get(key).map_err(failed)?;
        value.map(Stored::decode).transpose()
    }

    pub(super) fn batch(&self) -> OwnedWriteBatch {
        self.database.batch().durability(Some(self.acknowledge_at))
    }

    fn replace(
        &self,
        key: &[u8],
        before: Option<&Stored>,
        deadline: Option<Timestamp>,
        bytes: &[u8],
    ) -> Result<()> {
        let mut batch = self.batch();
        let due_before = before.and_then(|before| before.deadline);
        if due_before != deadline {
            if let Some(due) = due_before {
                batch.remove(&self.deadlines, due_key(due, key));
            }
            if let Some(due) = deadline {
                batch.insert(&self.deadlines, due_key(due, key), b"");
            }
        }
        batch.insert(&self.sessions, key, Stored::encode(deadline, bytes));
        batch.commit().map_err(failed)
    }

    fn remove(&self, key: &[u8], before: Option<&Stored>) -> Result<()> {
        let mut batch = self.batch();
        if let Some(due) = before.and_then(|before| before.deadline) {
            batch.remove(&self.deadlines, due_key(due, key));
        }
        batch.remove(&self.sessions, key);
        batch.commit().map_err(failed)
    }
}

/// What an error of the engine means for an operation.
pub(super) fn failed(error: fjall::Error) -> Error {
    let (kind, message) = match &error {
        fjall::Error::Poisoned => (
            ErrorKind::Unavailable,
            "an earlier write to the disk failed, and the engine accepts no more until the process is restarted; \
             see that the disk is well and has room",
        ),
        fjall::Error::Decompress(_)
        | fjall::Error::InvalidTag(_)
        | fjall::Error::InvalidTrailer
        | fjall::Error::Storage(
            fjall::LsmError::ChecksumMismatch { .. }
            | fjall::LsmError::Decompress(_)
            | fjall::LsmError::InvalidTag(_)
            | fjall::LsmError::InvalidTrailer
            | fjall::LsmError::InvalidHeader(_),
        ) => (
            ErrorKind::Corrupt,
            "a file of the engine is damaged; restore the directory from a backup",
        ),
        _ => (
            ErrorKind::Unavailable,
            "reading or writing the disk failed; see that it is well and has room",
        ),
    };
    Error::new(kind, message).with_source(error)
}
