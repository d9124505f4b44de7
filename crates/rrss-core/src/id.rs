//! Session ids and storage keys: the two names of a session.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::id_digest::IdDigest;

/// What the client presents to name its session: opaque and unguessable.
///
/// Whoever knows it is logged in as its owner, so it has no `Display`, and `Debug` hides it: take it out on
/// purpose with [`SessionId::as_str`]. Any text can be an id here; the pipeline's `key-mapper` refuses the
/// ones that it could not have made, before a backend is asked. Clones share one text.
///
/// A store that keeps only digests of ids (`hash = "sha256"` of the `key-mapper`) finds sessions without knowing what their
/// clients present. Those have a [private](SessionId::private) id: it names the session to the store, and is made of no
/// text, so that nobody can present one.
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
#[derive(Clone)]
pub struct SessionId {
    text: Arc<str>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Presented,
    /// As that, of a session that lies where sessions lay before ids were hashed. It is the same id.
    Former,
    Private,
}

impl SessionId {
    /// What names the session whose id has this digest to its store.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::{IdDigest, SessionId};
    ///
    /// let id = SessionId::from("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60");
    /// let private = SessionId::private(IdDigest::of(id.as_str()));
    /// assert!(private.is_private() && private != id);
    /// assert!(private.names_same(&id));
    /// assert!(SessionId::from(private.as_str()) != private, "its text is no private id");
    /// ```
    #[must_use]
    pub fn private(digest: IdDigest) -> Self {
        Self {
            text: Arc::from(digest.name()),
            kind: Kind::Private,
        }
    }

    /// Whether it names a session to its store alone.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.kind == Kind::Private
    }

    /// The same id, of a session that lies where sessions lay before ids were hashed; a private one stays as it is.
    #[must_use]
    pub fn former(&self) -> Self {
        let kind = match self.kind {
            Kind::Private => Kind::Private,
            Kind::Presented | Kind::Former => Kind::Former,
        };
        Self {
            text: Arc::clone(&self.text),
            kind,
        }
    }

    /// Whether the session lies where sessions lay before ids were hashed.
    #[must_use]
    pub fn is_former(&self) -> bool {
        self.kind == Kind::Former
    }

    /// The digest of the id.
    #[must_use]
    pub fn digest(&self) -> IdDigest {
        let named = IdDigest::from_name(&self.text).filter(|_| self.is_private());
        named.unwrap_or_else(|| IdDigest::of(&self.text))
    }

    /// Whether both name one session, though one of them may be private.
    #[must_use]
    pub fn names_same(&self, other: &Self) -> bool {
        if self.is_private() == other.is_private() {
            self.text == other.text
        } else {
            self.digest() == other.digest()
        }
    }

    /// The id as text, to hand to its owner. Never log it. That of a private id is the name of its digest, and as an id of no
    /// form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for SessionId {
    /// Whether they have one text and are both private or neither is; see [`names_same`](SessionId::names_same).
    fn eq(&self, other: &Self) -> bool {
        self.is_private() == other.is_private() && self.text == other.text
    }
}

impl Eq for SessionId {}

impl Hash for SessionId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl From<&str> for SessionId {
    fn from(text: &str) -> Self {
        Self {
            text: Arc::from(text),
            kind: Kind::Presented,
        }
    }
}

impl From<String> for SessionId {
    fn from(text: String) -> Self {
        Self::from(&*text)
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
/// assert_eq!(space.or_middle_of(3).middle("sessions:423"), Some("423"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeySpace {
    prefix: Arc<str>,
    suffix: Arc<str>,
    middle_bytes: Option<usize>,
    other_middle_bytes: Option<usize>,
}

impl KeySpace {
    /// The keys that begin with `prefix` and end with `suffix`, the two not overlapping.
    pub fn new(prefix: impl Into<Arc<str>>, suffix: impl Into<Arc<str>>) -> Self {
        Self {
            prefix: prefix.into(),
            suffix: suffix.into(),
            middle_bytes: None,
            other_middle_bytes: None,
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

    /// Where the middle has so many bytes, it may have this many too: for a store that has keys of two forms.
    #[must_use]
    pub fn or_middle_of(self, bytes: usize) -> Self {
        Self {
            other_middle_bytes: self.middle_bytes.map(|_| bytes),
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
        let is_of = |bytes| middle.len() == bytes;
        let is_ours =
            self.middle_bytes.is_none_or(is_of) || self.other_middle_bytes.is_some_and(is_of);
        is_ours.then_some(middle)
    }
}
