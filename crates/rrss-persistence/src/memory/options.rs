//! The options of the `memory` step.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keeps sessions in this process: for tests and development.
///
/// They are gone when the process ends, and other processes do not see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The most sessions to keep.
    ///
    /// Where they are all live, no new one is accepted; a live session is never dropped to make room.
    pub capacity: NonZeroUsize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            capacity: const { NonZeroUsize::new(100_000).expect("it is not zero") },
        }
    }
}
