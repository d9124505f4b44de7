//! What may stand in the step's table.

use rrss_core::{Error, ErrorKind, InstantOption, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::key::{Key, KeyId};

/// Stores sessions encrypted: who reads the store learns nothing of them, and nobody can make or change one there.
///
/// AES-256-GCM-SIV (RFC 8452). What is stored names its key, so keys can be replaced one by one. It stands directly above the
/// backend, below `compression`.
///
/// # Examples
///
/// ```
/// use rrss_encryption::{Key, KeyOption, Options};
///
/// let options = Options::new([KeyOption::new("2026-11".parse()?, Key::generate()?)]);
/// assert_eq!(options.accept_plaintext_until, None);
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The keys, each with the id by which stored sessions name it: the first encrypts, all decrypt. Put a new one in front, and
    /// remove an old one once `rrss rekey` has encrypted what was under it anew.
    #[schemars(length(min = 1))]
    pub keys: Vec<KeyOption>,

    /// Until this instant, stored sessions that are not encrypted are read as they are, such as `2026-12-31` (its first moment in
    /// UTC). To turn encryption on for a store that has sessions; `rrss check` warns of it, since who can write the store can
    /// make any session until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_plaintext_until: Option<InstantOption>,

    /// What sessions are bound to besides their key in the store, so that those of another application cannot be put in their
    /// place; the `name` of `[store]` where it is not given. Another one makes every stored session unreadable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// A key, and the id by which stored sessions name it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyOption {
    /// 1 to 32 letters, digits, `.`, `_` or `-`, such as the month in which the key was made. Everybody may see it. One that was
    /// removed must not come back for another key.
    pub id: KeyId,

    /// 32 bytes in base64 (the standard alphabet, with padding); `rrss keygen` makes one. Take it from a variable,
    /// `{ env = "RRSS_KEY" }`, or a file, `{ file = "key" }`.
    pub key: Key,
}

impl KeyOption {
    /// A key with its id.
    #[must_use]
    pub fn new(id: KeyId, key: Key) -> Self {
        Self { id, key }
    }
}

impl Options {
    /// These keys, of which the first encrypts; nothing that is not encrypted is read.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = KeyOption>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            accept_plaintext_until: None,
            namespace: None,
        }
    }

    /// What does not go together.
    pub(crate) fn check(&self) -> Result<()> {
        if self.keys.is_empty() {
            return Err(refused(
                "the list is empty, and without a key nothing can be encrypted; `rrss keygen` makes one",
                "keys".to_owned(),
            ));
        }
        for (at, one) in self.keys.iter().enumerate() {
            for (before, other) in self.keys[..at].iter().enumerate() {
                if one.id == other.id {
                    return Err(refused(
                        format!(
                            "`{}` is the id of keys[{before}] already; sessions name keys by their ids, so give each \
                             its own",
                            one.id.as_str()
                        ),
                        format!("keys[{at}].id"),
                    ));
                }
                if one.key.is(&other.key) {
                    return Err(refused(
                        format!(
                            "`{}` and `{}` are one key; `rrss keygen` makes a new one",
                            other.id.as_str(),
                            one.id.as_str()
                        ),
                        format!("keys[{at}].key"),
                    ));
                }
            }
        }
        Ok(())
    }
}

fn refused(message: impl Into<std::borrow::Cow<'static, str>>, option: String) -> Error {
    Error::new(ErrorKind::Config, message).with_option(option)
}
