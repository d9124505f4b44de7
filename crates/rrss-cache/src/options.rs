//! What may stand in the step's table.

use std::num::NonZeroU64;
use std::time::Duration;

use rrss_core::{DurationOption, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer};

/// Answers loads of sessions that this process has loaded before, for as long as they are unchanged.
///
/// # Examples
///
/// ```
/// use rrss_cache::{OnUntracked, Options};
///
/// let options = Options::default();
/// assert_eq!(options.max_age.to_string(), "10s");
/// assert_eq!(options.on_untracked, OnUntracked::Bypass);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How much memory the sessions may take, in bytes, about. What is used least has to go first.
    #[serde(deserialize_with = "capacity")]
    pub capacity: NonZeroU64,
    /// How long a session is answered without asking the backend again. It is the longest that a change which another
    /// process makes can go unnoticed, should the network to the backend fall silent and nothing say so.
    #[serde(deserialize_with = "max_age")]
    pub max_age: DurationOption,
    /// What to do where the backend tells of no changes: `"bypass"` asks it at every load, `"max-age"` keeps
    /// sessions for `max_age` all the same. Then a session that another process has ended, or changed, is answered for so long.
    pub on_untracked: OnUntracked,
}

/// What to do where the backend tells of no changes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, serde::Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OnUntracked {
    /// Nothing is kept: every load asks the backend.
    #[default]
    Bypass,
    /// Sessions are kept for `max_age`, whatever others do to them meanwhile.
    MaxAge,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            capacity: const { NonZeroU64::new(64 * 1024 * 1024).expect("it is not zero") },
            max_age: DurationOption::new(Duration::from_secs(10)),
            on_untracked: OnUntracked::default(),
        }
    }
}

impl Options {
    /// What was written in code and so has not been checked yet.
    pub(crate) fn check(&self) -> Result<()> {
        if self.max_age.get().is_zero() {
            return Err(Error::new(ErrorKind::Config, NO_TIME).with_option("max_age"));
        }
        Ok(())
    }
}

const NO_ROOM: &str = "a cache of zero bytes keeps nothing; write the bytes that it may take, such as 67108864, or remove the step";
const NO_TIME: &str = "a cache that keeps sessions for no time keeps nothing; write a time such as \"10s\", or remove the step";

fn capacity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU64, D::Error> {
    NonZeroU64::new(u64::deserialize(deserializer)?).ok_or_else(|| de::Error::custom(NO_ROOM))
}

fn max_age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DurationOption, D::Error> {
    let max_age = DurationOption::deserialize(deserializer)?;
    if max_age.get().is_zero() {
        return Err(de::Error::custom(NO_TIME));
    }
    Ok(max_age)
}
