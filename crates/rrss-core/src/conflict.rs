//! What is done about a session that changed in the store since it was loaded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a save does when the stored session changed since this one was loaded: two requests of one browser.
///
/// # Examples
///
/// ```
/// use rrss_core::Conflict;
///
/// assert_eq!(Conflict::default(), Conflict::Merge);
/// assert_eq!(serde_json::to_string(&Conflict::LastWrite)?, r#""last-write""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Conflict {
    /// Make this session's changes to what is stored now: each changed field gets the later save's value, and
    /// the fields that others changed stay.
    #[default]
    Merge,
    /// Store nothing, and say so: [`ErrorKind::Conflict`](crate::ErrorKind::Conflict).
    Reject,
    /// Replace the whole session; what others changed meanwhile is lost.
    LastWrite,
}
