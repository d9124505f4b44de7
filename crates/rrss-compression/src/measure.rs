//! What the step makes of many sessions.

use bytes::Bytes;
use rrss_core::{Action, Operation, Payload, Result, Timestamp, Transform};

use crate::step::Compression;

/// What the step made of some sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Measured {
    /// How many there were.
    pub sessions: usize,
    /// The bytes of all of them as they came.
    pub plain_bytes: usize,
    /// The bytes that are stored of all of them.
    pub stored_bytes: usize,
    /// How many are stored in more bytes than they came in. The step stores none so, unless its bytes look like a frame.
    pub larger: usize,
}

impl Measured {
    /// The bytes that are stored of one, on average; 0 where there were none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.stored_bytes as f64 / self.sessions.max(1) as f64
    }

    /// The share of the bytes that is stored: 0.25 where it is a quarter; 1 where there were none.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.plain_bytes == 0 {
            return 1.0;
        }
        self.stored_bytes as f64 / self.plain_bytes as f64
    }
}

pub(crate) fn measure(step: &Compression, sessions: &[Bytes]) -> Result<Measured> {
    let mut measured = Measured::default();
    for session in sessions {
        let mut op = Operation::new(Action::Update, Timestamp::from_millis(0));
        op.payload = Payload::Bytes(session.clone());
        step.before(&mut op)?;
        let stored = op.bytes()?.len();
        measured.sessions += 1;
        measured.plain_bytes += session.len();
        measured.stored_bytes += stored;
        measured.larger += usize::from(stored > session.len());
    }
    Ok(measured)
}
