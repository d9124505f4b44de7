//! What a look at a backend found.

use crate::{KeySpace, StorageKey};

/// One thing that a backend found out about itself: see [`Backend::examine`](crate::Backend::examine).
///
/// # Examples
///
/// ```
/// use rrss_core::{Finding, Severity};
///
/// let finding = Finding::warning("eviction", "allkeys-lru", "set `maxmemory-policy noeviction`");
/// assert_eq!(finding.severity, Severity::Warning);
/// assert_eq!(finding.advice.as_deref(), Some("set `maxmemory-policy noeviction`"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at, in one or two words: `version`, `role`.
    pub topic: String,
    /// What was found, in a few words. It holds no id, key, secret or value.
    pub found: String,
    /// Whether sessions can be kept with that.
    pub severity: Severity,
    /// What to do about it.
    pub advice: Option<String>,
}

/// What a [`Finding`] means for the sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// It is as it should be.
    Fine,
    /// The store works, and there is something to know or to change.
    Warning,
    /// The store does not work, or not with all that its pipeline needs.
    Fatal,
}

impl Finding {
    /// It is as it should be.
    #[must_use]
    pub fn fine(topic: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            found: found.into(),
            severity: Severity::Fine,
            advice: None,
        }
    }

    /// The store works, and there is something to know or to change.
    #[must_use]
    pub fn warning(
        topic: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            advice: Some(advice.into()),
            ..Self::fine(topic, found)
        }
    }

    /// The store does not work, or not with all that its pipeline needs.
    #[must_use]
    pub fn fatal(
        topic: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Fatal,
            ..Self::warning(topic, found, advice)
        }
    }
}

/// What a pipeline needs of its backend; what [`Backend::examine`](crate::Backend::examine) looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// A key of the pipeline under which no session is stored.
    pub key: StorageKey,
    /// The key space of the pipeline, where its key mapper knows it.
    pub key_space: Option<KeySpace>,
    /// Whether sessions are found by fields.
    pub index: bool,
    /// Whether events of expired sessions are kept.
    pub expired: bool,
    /// Whether a step keeps sessions, and needs to know of changes that others make.
    pub changes: bool,
}

impl Needs {
    /// Those of a pipeline that loads, saves and ends sessions.
    #[must_use]
    pub fn new(key: StorageKey) -> Self {
        Self {
            key,
            key_space: None,
            index: false,
            expired: false,
            changes: false,
        }
    }
}
