//! What may stand in the step's table.

use std::time::Duration;

use rrss_core::{DurationOption, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::renew::Renew;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Gives sessions a deadline, after which they are never returned again.
///
/// The deadline is `duration` after the last change. One that the application asks for on a session wins over it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rrss_expiry::Options;
///
/// let options = Options {
///     duration: Duration::from_secs(30 * 60).into(),
///     ..Options::default()
/// };
/// assert_eq!(options.resolution.to_string(), "10m");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How long a session lives from its last renewal: seconds, or text such as "1h 30m".
    #[serde(deserialize_with = "duration")]
    pub duration: DurationOption,
    /// How often expired sessions are swept out of a backend that does not remove them by itself. An expired
    /// session is never returned, swept or not.
    #[serde(deserialize_with = "resolution")]
    pub resolution: DurationOption,
    /// What gives a session its time anew: `"write"`, each change of it.
    pub renew: Renew,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            duration: DurationOption::new(DAY.saturating_mul(7)),
            resolution: DurationOption::new(Duration::from_secs(10 * 60)),
            renew: Renew::default(),
        }
    }
}

impl Options {
    /// Options that were written in code have not been checked yet.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, value, words) in [
            ("duration", self.duration, ZERO_DURATION),
            ("resolution", self.resolution, ZERO_RESOLUTION),
        ] {
            if value.get().is_zero() {
                return Err(Error::new(ErrorKind::Config, words).with_option(name));
            }
        }
        Ok(())
    }
}

const ZERO_DURATION: &str = "a duration of zero ends every session as it is saved; write how long one lives, such as \"7d\"";
const ZERO_RESOLUTION: &str =
    "a resolution of zero sweeps without a pause; write how often to sweep, such as \"10m\"";

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DurationOption, D::Error> {
    positive(deserializer, ZERO_DURATION)
}

fn resolution<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DurationOption, D::Error> {
    positive(deserializer, ZERO_RESOLUTION)
}

fn positive<'de, D: Deserializer<'de>>(
    deserializer: D,
    words: &str,
) -> Result<DurationOption, D::Error> {
    let value = DurationOption::deserialize(deserializer)?;
    if value.get().is_zero() {
        return Err(de::Error::custom(words));
    }
    Ok(value)
}
