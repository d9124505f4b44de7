//! What a pipeline answers: the way back of an operation.

use bytes::Bytes;

use crate::expired::ExpiredNote;
use crate::id::{SessionId, StorageKey};
use crate::operation::Cursor;
use crate::payload::{Payload, StoredForm};
use crate::session::Session;
use crate::time::Timestamp;
use crate::validity::Validity;

/// The answer to one operation. It passes the steps backwards, from the backend to the store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// How the operation went.
    pub outcome: Outcome,
    /// What was loaded: bytes below the codec, a session above it.
    pub payload: Payload,
    /// The bytes that the backend holds for the session now, as they were loaded or written.
    pub stored: Option<StoredForm>,
    /// The deadline that the session has now, where the backend or the operation tells.
    pub expires_at: Option<Timestamp>,
    /// The deadline that a step wants a loaded session to have from now on; the store moves it there.
    pub renew: Option<Timestamp>,
    /// Whether a loaded session is still what is stored; where it was [wanted](crate::Operation::wants_validity) and the
    /// backend is told of changes.
    pub validity: Option<Validity>,
    /// Whether a step answered from what it keeps, and the backend was not asked.
    pub is_kept: bool,
}

/// How an operation went.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Load: there is such a session, and the payload holds it.
    Found,
    /// Load, touch, delete: there is no such session. Update, rotation: it does not exist any more.
    Missing,
    /// Load: there is no such session, and its id was rotated away a moment ago.
    Rotated,
    /// Create, rotation: another session has the new id already.
    Taken,
    /// Update, rotation, touch, delete: what is stored is not what was loaded any more. It may have changed, or be gone.
    Changed,
    /// The write, rotation, touch or delete happened.
    Done,
    /// List, find: one page.
    Page(Page),
    /// Count: this many; sweep: this many were removed; notes forgotten: this many were there.
    Count(u64),
    /// Notes taken: these.
    Expired(Vec<ExpiredNote>),
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Page {
    /// The storage keys, from the backend.
    pub keys: Vec<StorageKey>,
    /// The ids that the `key-mapper` made of those keys that are of its form; it leaves the others out.
    pub ids: Vec<SessionId>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

impl Page {
    /// A page of keys, and where the next one begins.
    #[must_use]
    pub fn new(keys: Vec<StorageKey>, next: Option<Cursor>) -> Self {
        Self {
            keys,
            ids: Vec::new(),
            next,
        }
    }
}

impl Answer {
    /// The same answer, by a clock that is `ahead` milliseconds ahead of the one that it was given by.
    pub(crate) fn shifted(mut self, ahead: i64) -> Self {
        self.expires_at = self.expires_at.map(|instant| instant.shifted(ahead));
        if let Outcome::Expired(events) = &mut self.outcome {
            for event in events {
                event.deadline = event.deadline.shifted(ahead);
            }
        }
        self
    }

    /// An answer without payload.
    #[must_use]
    pub fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            payload: Payload::None,
            stored: None,
            expires_at: None,
            renew: None,
            validity: None,
            is_kept: false,
        }
    }

    /// The session that was loaded, for steps above the codec.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.payload.session()
    }

    /// The session that was loaded, to change what the store sees of it.
    pub fn session_mut(&mut self) -> Option<&mut Session> {
        self.payload.session_mut()
    }

    /// Takes the session out, as the store does at the end.
    pub fn take_session(&mut self) -> Option<Session> {
        self.payload.take_session()
    }

    /// Takes the bytes out, as a codec does before it puts a session in their place.
    pub fn take_bytes(&mut self) -> Option<Bytes> {
        self.payload.take_bytes()
    }
}
