//! What may stand in the step's table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id_format::IdFormat;
use crate::template::Template;

/// Makes session ids, refuses malformed ones, and makes the key that a session is stored under.
///
/// An id that is not of the form that `id` names is "no such session", and the backend is never asked for it.
/// Changing either option makes the sessions stored so far unreachable; they go at their deadline.
///
/// # Examples
///
/// ```
/// use rrss_key_mapper::{IdFormat, Options};
///
/// let options = Options {
///     template: "shop:sessions:{id}".parse()?,
///     id: IdFormat::Token,
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
}
