//! What may stand in the step's table.

use rrss_core::{Error, ErrorKind, InstantOption, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::id_format::IdFormat;
use crate::template::Template;

/// Makes session ids, refuses malformed ones, and makes the key that a session is stored under.
///
/// An id that is not of the form that `id` names is "no such session", and the backend is never asked for it.
/// Changing `template`, `id` or `hash` makes the sessions stored so far unreachable; they go at their deadline. From
/// `hash = "none"` to `"sha256"` there is a way that keeps them: `accept_raw_keys_until`.
///
/// # Examples
///
/// ```
/// use rrss_key_mapper::{Hash, IdFormat, Options};
///
/// let options = Options {
///     template: "shop:sessions:{id}".parse()?,
///     id: IdFormat::Token,
///     hash: Hash::Sha256,
///     ..Options::default()
/// };
/// assert_eq!(Options::default().template.to_string(), "sessions:{id}");
/// assert_ne!(options, Options::default());
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The key of a session, with `{id}` where its id goes. Give each application that shares a backend a text of
    /// its own in front: listing and counting go by it.
    pub template: Template,
    /// What ids look like: `"uuid"`, a random UUID v4 with 122 random bits, or `"token"`, 256 random bits in 43
    /// characters; `"tower-sessions"` and `"actix-session"` are the forms of those stores, to take over their sessions.
    pub id: IdFormat,
    /// What of an id goes into its key: `"none"`, the id itself, or `"sha256"`, a digest of it, so that the backend never
    /// holds an id that anybody could present. Sessions are listed by their handles then.
    pub hash: Hash,
    /// While ids become hashed: until this date, sessions that were stored before `hash` was set are read under the keys that
    /// hold their ids. They stay there until they end or get a new id; after the date they are not found any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_raw_keys_until: Option<InstantOption>,
}

impl Options {
    pub(crate) fn check(&self) -> Result<()> {
        if self.hash == Hash::None && self.accept_raw_keys_until.is_some() {
            return Err(Error::new(
                ErrorKind::Config,
                "`accept_raw_keys_until` is for the time when ids become hashed, and `hash` does not say so; write \
                 `hash = \"sha256\"` beside it, or remove it",
            )
            .with_option("accept_raw_keys_until"));
        }
        Ok(())
    }
}
