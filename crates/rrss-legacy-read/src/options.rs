//! What may stand in the step's table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads sessions that another store wrote under the same keys, and leaves those of this one alone.
///
/// # Examples
///
/// ```
/// use rrss_legacy_read::{Format, Options};
///
/// let options = Options::of(Format::TowerSessions);
/// assert_eq!(options.format, Format::TowerSessions);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// The store that wrote them: `"tower-sessions"`, for tower-sessions-redis-store, or `"actix-session"`, for its
    /// `RedisSessionStore`.
    pub format: Format,
    /// The largest session that is read, in bytes as they are stored; a larger one is an error.
    #[serde(default = "max_bytes")]
    pub max_bytes: usize,
}

/// As large as `json-codec` stores one, unless told otherwise.
fn max_bytes() -> usize {
    1024 * 1024
}

/// The form in which another store wrote its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// Records of tower-sessions in MessagePack, as tower-sessions-redis-store 0.16 writes them: id, fields, expiry date.
    TowerSessions,
    /// One JSON object whose values are JSON text in strings, as actix-session 0.11 writes it to Redis.
    ActixSession,
}

impl Options {
    /// Sessions in this form are read.
    #[must_use]
    pub fn of(format: Format) -> Self {
        Self {
            format,
            max_bytes: max_bytes(),
        }
    }
}
