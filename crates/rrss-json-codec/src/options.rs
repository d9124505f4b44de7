//! What may stand in the step's table.

use rrss_core::{Error, ErrorKind, MAX_DEPTH, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// Stores a session as JSON text.
///
/// What is stored is one JSON object (RFC 8259): the session's fields, and in front of them the member `$rrss`
/// with the times of its creation and last write. Fields that did not change are stored as the bytes that were loaded.
///
/// # Examples
///
/// ```
/// use rrss_json_codec::Options;
///
/// let options = Options {
///     max_bytes: 64 * 1024,
///     ..Options::default()
/// };
/// assert_eq!(options.max_depth, 127);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The largest session, in bytes of JSON text. Saving a larger one is an error; so is loading one.
    #[serde(deserialize_with = "max_bytes")]
    #[schemars(range(min = 2))]
    pub max_bytes: usize,
    /// How deep the arrays and objects of a field's value may be nested, 1 to 127. A number or a text has depth 0, `[1]` has
    /// depth 1. Saving a deeper one is an error; so is loading one.
    #[serde(deserialize_with = "max_depth")]
    #[schemars(range(min = 1, max = 127))]
    pub max_depth: usize,
    /// The most fields of a session. Saving one with more is an error; so is loading one.
    #[serde(deserialize_with = "max_fields")]
    #[schemars(range(min = 1))]
    pub max_fields: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_bytes: 1024 * 1024,
            max_depth: MAX_DEPTH,
            max_fields: 1_000,
        }
    }
}

impl Options {
    /// Options that were written in code have not been checked yet.
    pub(crate) fn check(&self) -> Result<()> {
        let refused = |message, option| Error::new(ErrorKind::Config, message).with_option(option);
        if self.max_bytes < EMPTY.len() {
            return Err(refused(TOO_FEW, "max_bytes"));
        }
        if !(1..=MAX_DEPTH).contains(&self.max_depth) {
            return Err(refused(OUT_OF_RANGE, "max_depth"));
        }
        if self.max_fields == 0 {
            return Err(refused(NO_FIELDS, "max_fields"));
        }
        Ok(())
    }
}

/// The shortest session.
const EMPTY: &str = "{}";
const TOO_FEW: &str = "no session is that small: the empty one has 2 bytes, `{}`; write the size in bytes of the \
                       largest one, such as 1048576";
const OUT_OF_RANGE: &str = "the depth of nesting is a number from 1 to 127; write 127 if in doubt";
const NO_FIELDS: &str =
    "a session without fields holds nothing; write how many it may have, such as 1000";

fn max_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let max_bytes = usize::deserialize(deserializer)?;
    if max_bytes < EMPTY.len() {
        return Err(de::Error::custom(TOO_FEW));
    }
    Ok(max_bytes)
}

fn max_depth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let max_depth = usize::deserialize(deserializer)?;
    if !(1..=MAX_DEPTH).contains(&max_depth) {
        return Err(de::Error::custom(OUT_OF_RANGE));
    }
    Ok(max_depth)
}

fn max_fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let max_fields = usize::deserialize(deserializer)?;
    if max_fields == 0 {
        return Err(de::Error::custom(NO_FIELDS));
    }
    Ok(max_fields)
}
