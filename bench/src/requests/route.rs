//! What all applications answer, each under the same path.

use serde_json::{Map, Value};

use crate::corpus::BEGIN;
use crate::peer::Result;

/// Stores the fields of the JSON object that is sent.
pub const FILL: &str = "/fill";
/// Answers the fields that the JSON list names, as a JSON object.
pub const TELL: &str = "/tell";

/// What [`Route::Still`] answers.
pub const HELLO: &str = "hello";

/// How often the session was written.
pub const VISITS: &str = "visits";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The session is not touched.
    Still,
    /// One field is read, and answered.
    Read,
    /// A counter is read, counted up and answered, and another field is changed.
    Write,
}

impl Route {
    pub const ALL: [Self; 3] = [Self::Still, Self::Read, Self::Write];

    pub const fn path(self) -> &'static str {
        match self {
            Self::Still => "/still",
            Self::Read => "/read",
            Self::Write => "/write",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Still => "the session is not touched",
            Self::Read => "one field is read",
            Self::Write => "the session is read and written",
        }
    }
}

/// What the changed field is after so many visits.
pub fn seen(visits: u64) -> u64 {
    BEGIN + visits
}

/// The fields that are sent to be stored.
pub fn fields(body: &[u8]) -> Result<Map<String, Value>> {
    Ok(serde_json::from_slice(body)?)
}

/// The names of the fields that are asked for.
pub fn names(body: &[u8]) -> Result<Vec<String>> {
    Ok(serde_json::from_slice(body)?)
}
