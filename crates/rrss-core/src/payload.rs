//! What travels with an operation or its answer.

use std::fmt;

use bytes::Bytes;

use crate::session::Session;

/// What travels with an operation or its answer.
#[derive(Clone)]
#[non_exhaustive]
pub enum Payload {
    /// Nothing.
    None,
    /// A session, as the steps above the codec see it.
    Session(Session),
    /// Bytes, as the steps below the codec see them.
    Bytes(Bytes),
}

impl Payload {
    /// The session, above the codec.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Session(session) => Some(session),
            Self::None | Self::Bytes(_) => None,
        }
    }

    /// The session, above the codec, to change it.
    pub fn session_mut(&mut self) -> Option<&mut Session> {
        match self {
            Self::Session(session) => Some(session),
            Self::None | Self::Bytes(_) => None,
        }
    }

    /// The bytes, below the codec.
    #[must_use]
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::None | Self::Session(_) => None,
        }
    }

    /// Takes the session out and leaves nothing; another payload stays.
    pub fn take_session(&mut self) -> Option<Session> {
        match std::mem::replace(self, Self::None) {
            Self::Session(session) => Some(session),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Takes the bytes out and leaves nothing; another payload stays.
    pub fn take_bytes(&mut self) -> Option<Bytes> {
        match std::mem::replace(self, Self::None) {
            Self::Bytes(bytes) => Some(bytes),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl fmt::Debug for Payload {
    /// What it is and how large, never what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Session(session) => session.fmt(f),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
        }
    }
}

/// The bytes that a backend holds for a session, as they were loaded or written: by them it can tell whether
/// the stored session is still the same one. `Debug` hides them. Clones share them.
///
/// # Examples
///
/// ```
/// use rrss_core::StoredForm;
///
/// let stored = StoredForm::from(bytes::Bytes::from_static(b"{}"));
/// assert_eq!(stored.as_bytes(), b"{}");
/// assert_eq!(format!("{stored:?}"), "StoredForm(2 bytes)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoredForm(Bytes);

impl StoredForm {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Bytes> for StoredForm {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for StoredForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredForm({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Cursor, Operation, Record, Timestamp};

    #[test]
    fn debug_shows_no_stored_byte() {
        let bytes = Bytes::from_static(br#"{"pin":"hunter2"}"#);
        let mut op = Operation::new(Action::Update, Timestamp::from_millis(0));
        op.payload = Payload::Bytes(bytes.clone());
        let record = Record::new(bytes, None);
        let cursor = Some(Cursor::from(b"sessions:hunter2".to_vec()));
        let list = Operation::new(Action::List { cursor, limit: 1 }, Timestamp::from_millis(0));
        let debug = format!("{op:?} {record:?} {list:?}");
        assert!(
            !debug.contains("hunter2") && debug.contains("17 bytes"),
            "{debug}"
        );
    }
}
