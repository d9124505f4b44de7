//! The operations on the keyspaces. They block; [`Embedded`](super::Embedded) runs them where that is allowed.

use std::sync::{Mutex, MutexGuard};

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
        let locked = self.lock(key);
        let before = locked.stored()?;
        let live = before
            .as_ref()
            .filter(|stored| lives(stored.deadline, op.now()));
        if let Some(refused) = refusal(op, live.map(|stored| &*stored.bytes))? {
            return Ok(refused);
        }
        let fate = fate(op, live.and_then(|stored| stored.deadline));
        match (fate, &before) {
            (Fate::Ends, None) => {}
            (Fate::Ends, Some(before)) => locked.remove(before.deadline)?,
            (Fate::Lives(deadline), before) => {
                let due = before.as_ref().and_then(|before| before.deadline);
                locked.replace(due, deadline, bytes)?;
            }
        }
        Ok(Written::Done)
    }

    pub(super) fn touch(&self, op: &Operation) -> Result<bool> {
        let locked = self.lock(op.key()?.as_bytes());
        let Some(Stored { deadline, bytes }) = locked
            .stored()?
            .filter(|stored| lives(stored.deadline, op.now()))
        else {
            return Ok(false);
        };
        match fate(op, deadline) {
            Fate::Ends => locked.remove(deadline)?,
            Fate::Lives(moved) if moved != deadline => locked.replace(deadline, moved, &bytes)?,
            Fate::Lives(_) => {}
        }
        Ok(true)
    }

    pub(super) fn delete(&self, op: &Operation) -> Result<bool> {
        let locked = self.lock(op.key()?.as_bytes());
        match locked.stored() {
            Ok(None) => Ok(false),
            Ok(Some(stored)) => {
                locked.remove(stored.deadline)?;
                Ok(lives(stored.deadline, op.now()))
            }
            // Deleting is the one way to be rid of what cannot be read.
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                locked.remove(None)?;
                Ok(true)
            }
            Err(error) => Err(error),
        }
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
    fn stored(&self, key: &[u8]) -> Result<Option<Stored>> {
        if !is_storable(key) {
            return Ok(None);
        }
        let value = self.sessions.get(key).map_err(failed)?;
        value.map(Stored::decode).transpose()
    }

    pub(super) fn batch(&self) -> OwnedWriteBatch {
        self.database.batch().durability(Some(self.acknowledge_at))
    }

    fn lock<'e>(&'e self, key: &'e [u8]) -> Locked<'e> {
        Locked {
            engine: self,
            key,
            _lock: self.stripes.lock(key),
        }
    }
}

/// A key that nobody else writes to meanwhile: what is read of it holds until the change is committed. There is
/// no other way to change one session, and each of the ways ends the lock.
struct Locked<'e> {
    engine: &'e Engine,
    key: &'e [u8],
    _lock: MutexGuard<'e, ()>,
}

impl Locked<'_> {
    fn stored(&self) -> Result<Option<Stored>> {
        self.engine.stored(self.key)
    }

    /// Stores `bytes` until `deadline`, in place of what was `due` before.
    fn replace(
        self,
        due: Option<Timestamp>,
        deadline: Option<Timestamp>,
        bytes: &[u8],
    ) -> Result<()> {
        let Engine {
            sessions,
            deadlines,
            ..
        } = self.engine;
        let mut batch = self.engine.batch();
        if due != deadline {
            if let Some(due) = due {
                batch.remove(deadlines, due_key(due, self.key));
            }
            if let Some(deadline) = deadline {
                batch.insert(deadlines, due_key(deadline, self.key), b"");
            }
        }
        batch.insert(sessions, self.key, Stored::encode(deadline, bytes));
        batch.commit().map_err(failed)
    }

    /// Removes what was `due` then.
    fn remove(self, due: Option<Timestamp>) -> Result<()> {
        let mut batch = self.engine.batch();
        if let Some(due) = due {
            batch.remove(&self.engine.deadlines, due_key(due, self.key));
        }
        batch.remove(&self.engine.sessions, self.key);
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
