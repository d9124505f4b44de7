//! What of an id goes into its key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What of an id goes into its key.
///
/// # Examples
///
/// ```
/// use rrss_key_mapper::Hash;
///
/// assert_eq!(serde_json::to_string(&Hash::Sha256)?, r#""sha256""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Hash {
    /// The id itself: who reads the keys of the backend can present it.
    #[default]
    None,
    /// The name of its [digest](rrss_core::IdDigest): `sha256:` and 43 characters, of which nobody can make the id.
    Sha256,
}
