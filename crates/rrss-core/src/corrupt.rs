//! What is done about a stored session that cannot be read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a store does with a stored session that is [corrupt](crate::ErrorKind::Corrupt): its bytes fit no form that the
/// steps know.
///
/// It is about what was read. A backend that cannot be reached, or cannot hand a value over, is an error whatever this says.
///
/// # Examples
///
/// ```
/// use rrss_core::OnCorrupt;
///
/// assert_eq!(OnCorrupt::default(), OnCorrupt::Error);
/// assert_eq!(serde_json::to_string(&OnCorrupt::Quarantine)?, r#""quarantine""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OnCorrupt {
    /// Answer the error, at every request, and leave the bytes as they are.
    #[default]
    Error,
    /// Delete these bytes, and answer that there is no session. A key or a dictionary that is missing from the configuration
    /// makes every session that needs it corrupt: then this ends them all, for good.
    Discard,
    /// Move the bytes aside, under a key of their own and for a time, and answer that there is no session. They can be looked
    /// at and put back.
    Quarantine,
}
