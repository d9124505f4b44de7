//! Session ids and storage keys: the two names of a session.

use std::fmt;
use std::sync::Arc;

/// What the client presents to name its session: opaque and unguessable.
///
/// Whoever knows it is logged in as its owner, so it has no `Display`, and `Debug` hides it: take it out on
/// purpose with [`SessionId::as_str`]. Any text can be an id here; the pipeline's `key-mapper` refuses the
/// ones that it could not have made, before a backend is asked. Clones share one text.
///
/// # Examples
///
/// ```
/// use rrss_core::SessionId;
///
/// let id = SessionId::from("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60");
/// assert_eq!(id.as_str().len(), 36);
/// assert_eq!(format!("{id:?}"), "SessionId([redacted])");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(Arc<str>);

impl SessionId {
    /// The id as text, to hand to its owner. Never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SessionId {
    fn from(text: &str) -> Self {
        Self(Arc::from(text))
    }
}

impl From<String> for SessionId {
    fn from(text: String) -> Self {
        Self(Arc::from(text))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([redacted])")
    }
}

/// What a backend stores a session under; made from the id by the `key-mapper`.
///
/// It may hold the id, so `Debug` hides it as well.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageKey(String);

impl StorageKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<String> for StorageKey {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageKey([redacted])")
    }
}

/// The storage keys of one store, among all that a backend holds: those that begin and end like this. Clones share the text:
/// every operation carries one.
///
/// # Examples
///
/// ```
/// use rrss_core::KeySpace;
///
/// let space = KeySpace::new("sessions:", ":data");
/// assert_eq!(space.middle("sessions:42:data"), Some("42"));
/// assert_eq!(space.middle("carts:42:data"), None);
///
/// let space = KeySpace::new("sessions:", "").with_middle_of(2);
/// assert_eq!(space.middle("sessions:42"), Some("42"));
/// assert_eq!(space.middle("sessions:42:data"), None, "another store's key");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeySpace {
    prefix: Arc<str>,
    suffix: Arc<str>,
    middle_bytes: Option<usize>,
}

impl KeySpace {
    /// The keys that begin with `prefix` and end with `suffix`, the two not overlapping.
    pub fn new(prefix: impl Into<Arc<str>>, suffix: impl Into<Arc<str>>) -> Self {
        Self {
            prefix: prefix.into(),
            suffix: suffix.into(),
            middle_bytes: None,
        }
    }

    /// Of these, the keys with exactly this many bytes between prefix and suffix. It tells the keys of
    /// `sessions:{id}` from those of `sessions:{id}:data` in the same backend.
    #[must_use]
    pub fn with_middle_of(self, bytes: usize) -> Self {
        Self {
            middle_bytes: Some(bytes),
            ..self
        }
    }

    /// What every key begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What every key ends with.
    #[must_use]
    pub fn suffix(&self) -> &str {
        &self.suffix
    }

    /// The part of `key` between prefix and suffix, where it is one of these keys.
    #[must_use]
    pub fn middle<'k>(&self, key: &'k str) -> Option<&'k str> {
        let middle = key
            .strip_prefix(&*self.prefix)?
            .strip_suffix(&*self.suffix)?;
        self.middle_bytes
            .is_none_or(|bytes| middle.len() == bytes)
            .then_some(middle)
    }
}
