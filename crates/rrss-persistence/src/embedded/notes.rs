//! The notes of sessions: what is to be told of each when it has expired; see the [module](super).

use std::time::Duration;

use bytes::Bytes;
use fjall::{OwnedWriteBatch, Slice};
use rrss_core::{ErrorKind, NoteChange, Operation, Result, Timestamp};

use super::engine::{Engine, failed};
use super::record::{Stored, due_key};
use crate::fate::lives;

/// How an operation changes the note of a session.
///
/// Whoever changes a session reads this before the batch has anything of the change: others share the batch, and are
/// done even if the reading fails.
#[derive(Default)]
pub(super) struct NoteMoves {
    before: Option<Slice>,
    after: Option<Slice>,
    /// What is to be told of a session that ends now, and its deadline.
    expired: Option<(Timestamp, Slice)>,
    /// A session that expired under the same key makes room for this one.
    replaces_expired: bool,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Somebody deleted it, and nothing is told of it.
    Deleted,
    /// At this deadline.
    Expired(Timestamp),
}

impl End {
    /// Of one that is past its deadline.
    pub(super) fn of(dead: &Stored) -> Self {
        dead.deadline.map_or(Self::Deleted, Self::Expired)
    }
}

impl Engine {
    /// What a write or a touch of `op` changes, in place of what was stored `before`, where the session lives on until
    /// `deadline`.
    pub(super) fn note_to_write(
        &self,
        op: &Operation,
        key: &[u8],
        before: Option<&Stored>,
        deadline: Option<Timestamp>,
    ) -> Result<NoteMoves> {
        let is_live = before.is_some_and(|before| lives(before.deadline, op.now()));
        if op.index.note == NoteChange::Leave && (is_live || before.is_none()) {
            return Ok(NoteMoves::default());
        }
        let before = match before {
            Some(_) => self.note(key)?,
            None => None,
        };
        let after = match &op.index.note {
            NoteChange::Keep { note, after } => deadline.map(|_| encode(note, *after)),
            NoteChange::Leave | NoteChange::Remove => None,
        };
        Ok(NoteMoves {
            before,
            after,
            expired: None,
            replaces_expired: !is_live && self.expired.contains_key(key).map_err(failed)?,
        })
    }

    /// What changes where `op`, a write or a touch, ends a live session by its deadline.
    pub(super) fn note_to_expire(&self, op: &Operation, key: &[u8]) -> Result<NoteMoves> {
        let before = self.note(key)?;
        let last = match &op.index.note {
            NoteChange::Keep { note, after } => Some(encode(note, *after)),
            NoteChange::Leave => before.clone(),
            NoteChange::Remove => None,
        };
        Ok(NoteMoves {
            before,
            expired: op.deadline.instant().zip(last),
            ..NoteMoves::default()
        })
    }

    /// What changes where a session goes because of `end`. A note that cannot be read does not keep it from that.
    pub(super) fn note_to_remove(&self, key: &[u8], end: End) -> Result<NoteMoves> {
        let before = match self.note(key) {
            Err(error) if error.kind() == ErrorKind::Corrupt => None,
            before => before?,
        };
        Ok(NoteMoves {
            expired: match end {
                End::Expired(deadline) => before.clone().map(|note| (deadline, note)),
                End::Deleted => None,
            },
            before,
            ..NoteMoves::default()
        })
    }

    fn note(&self, key: &[u8]) -> Result<Option<Slice>> {
        self.notes.get(key).map_err(failed)
    }
}

impl NoteMoves {
    /// Adds what differs; mostly nothing does.
    pub(super) fn add_to(self, batch: &mut OwnedWriteBatch, engine: &Engine, key: &[u8]) {
        if self.replaces_expired {
            batch.remove(&engine.expired, key);
        }
        if let Some((deadline, note)) = self.expired {
            batch.insert(&engine.expired, key, due_key(deadline, &note));
            batch.insert(&engine.untold, due_key(deadline, key), b"");
        }
        match self.after {
            after if after == self.before => {}
            Some(after) => batch.insert(&engine.notes, key, after),
            None => batch.remove(&engine.notes, key),
        }
    }
}

/// A value of `notes`.
fn encode(note: &[u8], after: Duration) -> Slice {
    let after = Timestamp::from_millis(0) + after;
    due_key(after, note).into()
}

/// What is kept of a session that has expired.
pub(super) struct Expired {
    pub(super) deadline: Timestamp,
    /// How long it is kept past the deadline.
    pub(super) after: Duration,
    pub(super) note: Bytes,
}

impl Expired {
    /// Takes a value of `expired` apart; `None` where it is too short to be one.
    pub(super) fn decode(value: Slice) -> Option<Self> {
        let mut bytes = Bytes::from(value);
        let mut millis = || {
            let first = *bytes.first_chunk::<8>()?;
            let _ = bytes.split_to(first.len());
            Some(u64::from_be_bytes(first))
        };
        Some(Self {
            deadline: Timestamp::from_millis(millis()?),
            after: Duration::from_millis(millis()?),
            note: bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_a_deadline_how_long_and_the_note() {
        let note = encode(b"{}", Duration::from_millis(0x0102));
        assert_eq!(note, b"\0\0\0\0\0\0\x01\x02{}");
        let value = due_key(Timestamp::from_millis(7), &note);
        let expired = Expired::decode(value.into()).unwrap();
        assert_eq!(expired.deadline.as_millis(), 7);
        assert_eq!(expired.after.as_millis(), 0x0102);
        assert_eq!(&*expired.note, b"{}");
        assert!(Expired::decode(Slice::from(b"fifteen bytes..")).is_none());
    }
}
