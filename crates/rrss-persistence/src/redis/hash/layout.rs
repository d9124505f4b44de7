//! How sessions are laid out in Redis: what the options `layout` and `compat` may say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a session is stored.
///
/// # Examples
///
/// ```
/// use rrss_persistence::redis::Layout;
///
/// assert_eq!(serde_json::to_string(&Layout::default())?, r#""string""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Layout {
    /// As one string: the bytes that the steps above made of it.
    #[default]
    String,
    /// As a hash with an entry for each field, so that a save writes only the fields that changed. No codec stands above.
    Hash,
}

/// With which other program sessions are shared.
///
/// # Examples
///
/// ```
/// use rrss_persistence::redis::Compat;
///
/// let compat: Compat = serde_json::from_str(r#""rrss-0.2""#)?;
/// assert_eq!(compat, Compat::Rrss02);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Compat {
    /// The rrss of Clojure, version 0.2, which keeps the time of each session's last write in the sorted set
    /// `sessions:all`.
    #[serde(rename = "rrss-0.2")]
    Rrss02,
}
