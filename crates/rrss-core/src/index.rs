//! The index: sessions found by the value of a field.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::expired::NoteChange;
use crate::id::{KeySpace, StorageKey};

/// One value of one indexed field, as a backend knows it: the sessions that have it are found by it.
///
/// A backend sees a digest (SHA-256) of the value, so what is stored of the index has one size, however long the
/// value, and shows none. Two values are the same if their text is: the number `42` and the text `"42"` are found
/// by each other, `1` and `1.0` are not.
///
/// # Examples
///
/// ```
/// use rrss_core::{IndexKey, KeySpace};
///
/// let key = IndexKey::of("user_id", "42")?.unwrap();
/// assert_eq!(Some(&key), IndexKey::of("user_id", r#""42""#)?.as_ref());
/// assert_eq!(IndexKey::of("user_id", "null")?, None);
/// assert!(IndexKey::of("user_id", "[1]").is_err());
///
/// let stored_under = key.storage_key(&KeySpace::new("sessions:", ""));
/// assert!(stored_under.as_str().starts_with("sessions:index:user_id:"));
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexKey {
    field: Arc<str>,
    digest: [u8; 32],
}

impl IndexKey {
    /// The key for a field whose value is the JSON text `raw`; `None` for `null`, which is not indexed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Value`] where the value is an object or an array, or no JSON: it is compared as text, and
    /// those have many texts.
    pub fn of(field: impl Into<Arc<str>>, raw: &str) -> Result<Option<Self>> {
        let field = field.into();
        let digest = match raw.as_bytes().first() {
            Some(b'n') => return Ok(None),
            Some(b'"') => serde_json::from_str::<std::borrow::Cow<'_, str>>(raw)
                .ok()
                .map(|text| Sha256::digest(text.as_bytes())),
            Some(b'{' | b'[') | None => None,
            Some(_) => Some(Sha256::digest(raw.as_bytes())),
        };
        match digest {
            Some(digest) => Ok(Some(Self {
                field,
                digest: digest.into(),
            })),
            None => Err(Error::new(
                ErrorKind::Value,
                format!(
                    "the field `{field}` is indexed, and its value is neither text, a number, true nor false; store \
                     what sessions are to be found by in it, such as the id of a user"
                ),
            )),
        }
    }

    /// The field.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Where a backend that knows only keys keeps the entries: `index:FIELD:DIGEST` behind the prefix of the
    /// store's own keys, the digest as 64 hexadecimal digits. It is longer than any session's key.
    #[must_use]
    pub fn storage_key(&self, space: &KeySpace) -> StorageKey {
        let prefix = space.prefix();
        let mut key = String::with_capacity(prefix.len() + 8 + self.field.len() + 64);
        key.push_str(prefix);
        key.push_str("index:");
        key.push_str(&self.field);
        key.push(':');
        for byte in self.digest {
            for nibble in [byte >> 4, byte & 15] {
                key.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        key.into()
    }
}

impl fmt::Debug for IndexKey {
    /// The field alone: the digest of a short value gives the value away.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexKey(`{}`)", self.field)
    }
}

/// What an operation changes in the index; set by the `index` step, carried out by the backend together with the
/// operation.
///
/// An entry may be stale, so that who reads it verifies the session, but never missing for a live session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexChanges {
    /// What the session is found by after a write or a touch, until its deadline. A backend that cannot make the entries and
    /// the write one atomic change makes the entries first.
    pub put: Vec<IndexKey>,
    /// What it is not found by any more, once the operation is done.
    pub removed: Vec<IndexKey>,
    /// What becomes of what is to be told of the session when it has expired.
    pub note: NoteChange,
}

impl IndexChanges {
    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.removed.is_empty() && self.note == NoteChange::Leave
    }
}

/// Which fields sessions are found by, how many sessions one value may have, and whether expired ones are told of; what an
/// `index` step tells the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRules {
    /// The names of the fields.
    pub fields: Vec<Arc<str>>,
    /// How many live sessions may have the same value in one of the fields.
    pub max_per_value: Option<NonZeroUsize>,
    /// What happens to a session that would be one too many.
    pub on_limit: OnLimit,
    /// How long after its deadline an expired session can be told of; `None` where none is told of.
    pub keep_expired: Option<Duration>,
}

/// What happens when one value of an indexed field gets more sessions than it may have.
///
/// # Examples
///
/// ```
/// use rrss_core::OnLimit;
///
/// assert_eq!(serde_json::to_string(&OnLimit::EvictOldest)?, r#""evict-oldest""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OnLimit {
    /// The oldest sessions of that value end.
    #[default]
    EvictOldest,
    /// The save that would add one is refused, as too large.
    Reject,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_key_is_longer_than_any_id_and_shows_no_value() {
        let key = IndexKey::of("u", r#""ann""#).unwrap().unwrap();
        let space = KeySpace::new("s:", ":data").with_middle_of(43);
        let stored_under = key.storage_key(&space);
        assert_eq!(space.middle(stored_under.as_str()), None);
        assert_eq!(stored_under.as_str().len(), "s:index:u:".len() + 64);
        assert!(!stored_under.as_str().contains("ann"));
        assert_eq!(format!("{key:?}"), "IndexKey(`u`)");
    }

    #[test]
    fn values_are_compared_by_their_text() {
        let key = |raw: &str| IndexKey::of("f", raw).unwrap();
        assert_eq!(key(r#""\u0061""#), key(r#""a""#));
        assert_ne!(key("1"), key("1.0"));
        assert_ne!(key("true"), key("false"));
        assert_ne!(key(r#""""#), None);
        let long = format!("{:?}", "x".repeat(1 << 20));
        assert_ne!(key(&long), key(r#""x""#));
    }

    #[test]
    fn what_has_no_text_of_its_own_is_refused_without_showing_it() {
        for raw in [r#"{"pin":"hunter2"}"#, "[\"hunter2\"]", "", "\"hunter2"] {
            let error = IndexKey::of("user", raw).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value);
            assert!(error.to_string().contains("`user`"));
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
