//! What travels with an operation or its answer.

use bytes::Bytes;

use crate::session::Session;

/// What travels with an operation or its answer.
#[derive(Debug, Clone)]
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
