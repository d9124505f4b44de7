//! The operations on the keyspaces. They block, so they run on the [threads](super::threads) of the backend.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use fjall::{Database, Keyspace, OwnedWriteBatch, PersistMode, SeqNo};
use rrss_core::{Error, ErrorKind, Operation, Record, Result, Timestamp};

use super::expired::Taken;
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
    pub(super) kept: Arc<Kept>,
    /// Held by whoever changes anything.
    pub(super) changing: Mutex<()>,
    /// How far a write must have come before it is acknowledged.
    pub(super) acknowledge_at: PersistMode,
    /// The sequence number from which on the journal may hold what was refused.
    pub(super) refused_from: Mutex<Option<SeqNo>>,
}

/// What is kept in memory while the directory is closed and opened again.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) recent: Recent,
    /// Where in `deadlines` the last sweep ended; see [`Engine::sweep`].
    pub(super) swept_to: Mutex<Vec<u8>>,
    /// What was given of `expired`. Held by whoever takes or forgets.
    pub(super) taken: Mutex<Taken>,
    /// Keys that were rotated away. Those of another run of the process are forgotten.
    pub(super) rotated: Mutex<Rotated>,
}

impl Kept {
    /// Whether the session under `key` was rotated away a moment ago.
    pub(super) fn was_rotated(&self, key: &str, now: Timestamp) -> bool {
        lock(&self.rotated).contains(key, now)
    }

    /// What a load answers where the record is at hand, without waiting for the disk.
    pub(super) fn load_at_hand(&self, op: &Operation) -> Result<Result<Option<Record>, Missed>> {
        let stored = self.recent.get(op.key()?.as_bytes());
        Ok(stored.map(|stored| record(Some(stored), op)))
    }
}

/// The engine stops inside of a commit at 4 sealed memtables, or at 30 runs of tables in the first level, until its own
/// threads have worked them off, and for ever where an error has ended these. Commits wait before that, where an error is seen.
const SEALED: usize = 2;
const TABLES: usize = 24;
const LOOK_AGAIN: Duration = Duration::from_millis(1);

impl Engine {
    pub(super) fn load(&self, op: &Operation, missed: &Missed) -> Result<Option<Record>> {
        let key = op.key()?.as_bytes();
        let stored = self.stored(key)?;
        if let Some(stored) = &stored {
            self.kept.recent.learn(missed, key, stored);
        }
        Ok(record(stored, op))
    }

    /// Reads a record, and sees whether the engine still accepts writes.
    pub(super) fn ping(&self) -> Result<()> {
        self.meta.get(super::open::FORMAT_KEY).map_err(failed)?;
        self.database.persist(PersistMode::Buffer).map_err(failed)
    }

    /// Hands everything to the disk.
    pub(super) fn sync(&self) -> Result<()> {
        self.database.persist(PersistMode::SyncAll).map_err(failed)
    }

    /// Whether the engine accepts no more writes.
    pub(super) fn is_broken(&self) -> bool {
        self.database.persist(PersistMode::Buffer).is_err()
    }

    /// Carries out the batch, whole or not at all. Whoever calls this holds `changing`.
    ///
    /// After an error the engine accepts no more writes. Its journal may hold a part of the batch, or will be given the rest
    /// of it when the engine is closed: [`refused_from`](Engine::refused_from) says which part of the journal is to be cut off.
    pub(super) fn commit(&self, batch: OwnedWriteBatch) -> Result<()> {
        self.wait_for_tables().map_err(failed)?;
        // Batches are numbered upwards, and what is acknowledged has lower numbers than this.
        let from = self.database.snapshot().seqno();
        batch.commit().map_err(|error| {
            if !matches!(error, fjall::Error::Poisoned) {
                let mut refused = lock(&self.refused_from);
                refused.get_or_insert(from);
            }
            failed(error)
        })
    }

    /// From which sequence number on the journal may hold what was refused; `None` where nothing was.
    pub(super) fn refused_from(&self) -> Option<SeqNo> {
        *lock(&self.refused_from)
    }

    fn wait_for_tables(&self) -> fjall::Result<()> {
        let keyspaces = [
            &self.sessions,
            &self.deadlines,
            &self.index,
            &self.indexed,
            &self.notes,
            &self.expired,
            &self.untold,
        ];
        while keyspaces.iter().any(|keyspace| {
            keyspace.sealed_memtable_count() >= SEALED || keyspace.l0_table_count() >= TABLES
        }) {
            self.database.persist(PersistMode::Buffer)?;
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
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
            "an earlier write to the disk failed; see that the disk is well and has room: it is tried again without a \
             restart",
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

/// Nothing that these locks guard is left half done where their holder panics.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Marks an error of a change that may have been made all the same.
pub(super) fn may_have_happened(error: Error) -> Error {
    error.in_doubt()
}
