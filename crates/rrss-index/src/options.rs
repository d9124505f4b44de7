//! What may stand in the step's table.

use std::num::NonZeroUsize;

use rrss_core::{DurationOption, Error, ErrorKind, OnLimit, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// Finds sessions by the value of a field: all those of a user, to show them or to end them.
///
/// It can bound how many live sessions one value may have, and keep what is to be told of sessions when they have expired.
///
/// # Examples
///
/// ```
/// use rrss_index::Options;
///
/// let options = Options::of(["user_id"]);
/// assert_eq!(options.fields, ["user_id"]);
/// assert_eq!(options.max_per_value, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The names of the fields that sessions are found by, such as `["user_id"]`.
    #[serde(deserialize_with = "fields")]
    #[schemars(length(min = 1), extend("uniqueItems" = true), inner(length(min = 1)))]
    pub fields: Vec<String>,
    /// How many live sessions may have the same value in one of the fields. Where it is not given, any number may.
    #[serde(
        default,
        deserialize_with = "max_per_value",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_per_value: Option<NonZeroUsize>,
    /// What happens to a session that would be one too many: `"evict-oldest"`, where it is not given, lets it in and ends
    /// the oldest; `"reject"` refuses to save it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_limit: Option<OnLimit>,
    /// How long after its deadline what is to be told of an expired session is kept, for the listeners of the application:
    /// its handle and the values of the fields. Where it is not given, nothing is kept, and there are no such events.
    #[serde(
        default,
        deserialize_with = "keep_expired",
        skip_serializing_if = "Option::is_none"
    )]
    pub keep_expired: Option<DurationOption>,
}

impl Options {
    /// An index of these fields, without a limit.
    pub fn of(fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            fields: fields.into_iter().map(Into::into).collect(),
            max_per_value: None,
            on_limit: None,
            keep_expired: None,
        }
    }

    /// What does not go together, and what was written in code and so has not been checked yet.
    pub(crate) fn check(&self) -> Result<()> {
        let refused =
            |message: String, option| Error::new(ErrorKind::Config, message).with_option(option);
        if let Some(wrong) = wrong_fields(&self.fields) {
            return Err(refused(wrong, "fields"));
        }
        if self.on_limit.is_some() && self.max_per_value.is_none() {
            let alone = "`on_limit` says what happens at a limit, and there is none; add `max_per_value`, or remove \
                         `on_limit`";
            return Err(refused(alone.to_owned(), "on_limit"));
        }
        if self.keep_expired.is_some_and(|keep| keep.get().is_zero()) {
            return Err(refused(NO_TIME.to_owned(), "keep_expired"));
        }
        Ok(())
    }
}

const NO_FIELDS: &str =
    "an index without fields finds nothing; name a field, such as \"user_id\", or remove the step";
const NO_NAME: &str = "the name of a field to index is empty; write one, such as \"user_id\"";
const NO_SESSIONS: &str =
    "a limit of 0 lets nobody in; write how many sessions one value may have, such as 5";
const NO_TIME: &str = "a `keep_expired` of 0 drops what is to be told of a session as it expires; write how long it is \
                       kept, such as \"1d\", or leave `keep_expired` out";

fn wrong_fields(fields: &[String]) -> Option<String> {
    if fields.is_empty() {
        return Some(NO_FIELDS.to_owned());
    }
    if fields.iter().any(String::is_empty) {
        return Some(NO_NAME.to_owned());
    }
    let twice = (1..fields.len()).find(|&at| fields[..at].contains(&fields[at]))?;
    Some(format!(
        "the field `{}` is listed twice; once is enough",
        fields[twice]
    ))
}

fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let fields = Vec::deserialize(deserializer)?;
    match wrong_fields(&fields) {
        None => Ok(fields),
        Some(wrong) => Err(de::Error::custom(wrong)),
    }
}

fn max_per_value<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<NonZeroUsize>, D::Error> {
    match NonZeroUsize::new(usize::deserialize(deserializer)?) {
        None => Err(de::Error::custom(NO_SESSIONS)),
        max => Ok(max),
    }
}

fn keep_expired<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DurationOption>, D::Error> {
    let keep = DurationOption::deserialize(deserializer)?;
    if keep.get().is_zero() {
        return Err(de::Error::custom(NO_TIME));
    }
    Ok(Some(keep))
}
