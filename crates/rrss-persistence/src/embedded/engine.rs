//! The operations on the keyspaces. They block; [`Embedded`](super::Embedded) runs them where that is allowed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fjall::{Database, Keyspace, PersistMode};
use rrss_core::{Error, ErrorKind, Operation, Record, Result};

use super::expired::Taken;
use super::queue::Queue;
use super::recent::{Missed, Recent};
use super::record::{Stored, is_storable};
use crate::fate::lives;
use crate::rotated::Rotated;

/// An open directory of sessions.
///
/// It is changed by [`Changes`](super::changes::Changes) alone, one at a time. Reads wait for no change: they read one
/// record, which is replaced as a whole.
pub(super) struct Engine {
    pub(super) database: Database,
    pub(super) sessions: Keyspace,
    pub(super) deadlines: Keyspace,
    pub(super) index: Keyspace,
    pub(super) indexed: Keyspace,
    pub(super) notes: Keyspace,
    pub(super) expired: Keyspace,
    pub(super) untold: Keyspace,
    pub(super) meta: Keyspace,
    pub(super) recent: Recent,
    /// Held by who changes anything; nobody else needs it.
    pub(super) changing: Mutex<()>,
    pub(super) queue: Queue,
    /// Keys that were rotated away; those of another run of the process are forgotten.
    pub(super) rotated: Mutex<Rotated>,
    /// How far a write must have come before it is acknowledged.
    pub(super) acknowledge_at: PersistMode,
    /// Where in `deadlines` the last sweep ended; see [`Engine::sweep`].
    pub(super) swept_to: Mutex<Vec<u8>>,
    /// What was given of `expired`. Held by who takes or forgets; nobody else needs it.
    pub(super) taken: Mutex<Taken>,
}

impl Engine {
    pub(super) fn rotated(&self) -> MutexGuard<'_, Rotated> {
        self.rotated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a load answers where the record is at hand, without waiting for the disk.
    pub(super) fn load_at_hand(&self, op: &Operation) -> Result<Result<Option<Record>, Missed>> {
        let stored = self.recent.get(op.key()?.as_bytes());
        Ok(stored.map(|stored| record(Some(stored), op)))
    }

    pub(super) fn load(&self, op: &Operation, missed: &Missed) -> Result<Option<Record>> {
        let key = op.key()?.as_bytes();
        let stored = self.stored(key)?;
        if let Some(stored) = &stored {
            self.recent.learn(missed, key, stored);
        }
        Ok(record(stored, op))
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
}

/// The record, if it lives.
fn record(stored: Option<Stored>, op: &Operation) -> Option<Record> {
    stored
        .filter(|stored| lives(stored.deadline, op.now()))
        .map(|stored| Record::new(stored.bytes, stored.deadline))
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
