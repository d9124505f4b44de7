//! Notes of sessions: what is left to tell of one that has expired.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::id::StorageKey;
use crate::time::Timestamp;

/// What an operation changes in the note that a backend keeps beside a session, to tell of it when it has expired; a part
/// of [`IndexChanges`](crate::IndexChanges).
///
/// A note may be stale, but it is never missing: a session that expires has one, whatever was lost in between.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum NoteChange {
    /// It stays as it is; without a step that asks for notes, there is none.
    #[default]
    Leave,
    /// The session has this note from now on. A backend that cannot make the note and the write one atomic change makes
    /// the note first.
    ///
    /// A session that gets [no deadline](crate::Deadline::Never), or is new and [keeps](crate::Deadline::Keep) none, never
    /// expires and needs no note: then this removes the one that there is.
    Keep {
        /// What to tell of the session. Its meaning is that of the step that made it; steps below may seal it.
        note: Bytes,
        /// How long after the session's deadline it may be asked for.
        after: Duration,
    },
    /// The session ends by this operation, and nothing is to be told of it: once the operation is done, it has no note.
    Remove,
}

impl fmt::Debug for NoteChange {
    /// How large a note is, never what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leave => f.write_str("Leave"),
            Self::Keep { note, after } => {
                write!(f, "Keep({} bytes, {after:?})", note.len())
            }
            Self::Remove => f.write_str("Remove"),
        }
    }
}

/// The note of a session that has expired: see [`Backend::take_expired`](crate::Backend::take_expired).
#[derive(Clone, PartialEq, Eq)]
pub struct ExpiredNote {
    /// What the session was stored under.
    pub key: StorageKey,
    /// The deadline that it had.
    pub deadline: Timestamp,
    /// The note, exactly as it was [kept](NoteChange::Keep).
    pub note: Bytes,
}

impl fmt::Debug for ExpiredNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpiredNote")
            .field("deadline", &self.deadline)
            .field("note", &format_args!("{} bytes", self.note.len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_key_nor_note() {
        let change = NoteChange::Keep {
            note: Bytes::from_static(b"hunter2"),
            after: Duration::from_secs(1),
        };
        let expired = ExpiredNote {
            key: StorageKey::from("sessions:hunter2".to_owned()),
            deadline: Timestamp::from_millis(1),
            note: Bytes::from_static(b"hunter2"),
        };
        let debug = format!("{change:?} {expired:?}");
        assert!(
            !debug.contains("hunter2") && debug.matches("7 bytes").count() == 2,
            "{debug}"
        );
    }
}
