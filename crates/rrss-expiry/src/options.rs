//! What may stand in the step's table.

use std::time::Duration;

use rrss_core::{DurationOption, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::renew::Renew;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Gives sessions a deadline, after which they are never returned again.
///
/// The deadline is `duration` after the last change or use. One that the application asks for on a session wins over
/// it, and none is later than `absolute` allows.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rrss_expiry::{Options, Renew};
///
/// let options = Options {
///     duration: Duration::from_secs(30 * 60).into(),
///     renew: Renew::Load,
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
    /// What gives a session its time anew: `"write"`, each change of it; `"load"`, each use of it.
    pub renew: Renew,
    /// With `renew = "load"`: how far the deadline must have fallen behind before a load moves it, so that reading is not
    /// writing. A tenth of `duration` where it is not given.
    #[serde(
        deserialize_with = "renew_after",
        skip_serializing_if = "Option::is_none"
    )]
    pub renew_after: Option<DurationOption>,
    /// How long a session lives in all, from its creation, however much it is used. No limit where it is not given.
    #[serde(deserialize_with = "absolute", skip_serializing_if = "Option::is_none")]
    pub absolute: Option<DurationOption>,
    /// By how much sessions may end before their `duration`, each by a part of its own, so that many that were saved at
    /// one moment do not all end at one moment. None where it is not given.
    #[serde(deserialize_with = "jitter", skip_serializing_if = "Option::is_none")]
    pub jitter: Option<DurationOption>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            duration: DurationOption::new(DAY.saturating_mul(7)),
            resolution: DurationOption::new(Duration::from_secs(10 * 60)),
            renew: Renew::default(),
            renew_after: None,
            absolute: None,
            jitter: None,
        }
    }
}

impl Options {
    /// How far a deadline must have fallen behind before a load moves it.
    pub(crate) fn renewed_after(&self) -> Duration {
        match self.renew_after {
            Some(given) => given.get(),
            // A `duration` of less than ten nanoseconds has no tenth, and every difference counts then.
            None => (self.duration.get() / 10).max(Duration::from_nanos(1)),
        }
    }

    /// Whether each option is in range, and whether they go together.
    pub(crate) fn check(&self) -> Result<()> {
        let given = [
            ("duration", Some(self.duration), ZERO_DURATION),
            ("resolution", Some(self.resolution), ZERO_RESOLUTION),
            ("renew_after", self.renew_after, ZERO_RENEW_AFTER),
            ("absolute", self.absolute, ZERO_ABSOLUTE),
            ("jitter", self.jitter, ZERO_JITTER),
        ];
        for (name, value, words) in given {
            if value.is_some_and(|value| value.get().is_zero()) {
                return Err(refused(name, words.to_owned()));
            }
        }
        self.check_absolute()?;
        self.check_jitter()?;
        self.check_renewal()
    }

    fn check_absolute(&self) -> Result<()> {
        let duration = self.duration;
        match self.absolute {
            Some(absolute) if absolute < duration => Err(refused(
                "absolute",
                format!(
                    "an `absolute` of {absolute} ends every session before its `duration` of {duration} has passed; write \
                     {duration} or more, or shorten `duration`"
                ),
            )),
            _ => Ok(()),
        }
    }

    fn check_jitter(&self) -> Result<()> {
        let duration = self.duration;
        match self.jitter {
            Some(jitter) if jitter >= duration => Err(refused(
                "jitter",
                format!(
                    "a `jitter` of {jitter} may leave nothing of a `duration` of {duration}; write less than {duration}"
                ),
            )),
            _ => Ok(()),
        }
    }

    fn check_renewal(&self) -> Result<()> {
        let duration = self.duration;
        if self.renew != Renew::Load {
            return match self.renew_after {
                Some(_) => Err(refused(
                    "renew_after",
                    "`renew_after` says when a load renews a session, and without `renew = \"load\"` none does; write \
                     `renew = \"load\"`, or leave `renew_after` out"
                        .to_owned(),
                )),
                None => Ok(()),
            };
        }
        let renew_after = DurationOption::new(self.renewed_after());
        if renew_after >= duration {
            return Err(refused(
                "renew_after",
                format!(
                    "a `renew_after` of {renew_after} comes too late for a `duration` of {duration}: the session has ended \
                     by then; write less than {duration}"
                ),
            ));
        }
        let shortest = duration
            .get()
            .saturating_sub(self.jitter.map_or(Duration::ZERO, DurationOption::get));
        if renew_after.get() >= shortest {
            let at = match self.renew_after {
                Some(_) => "renew_after",
                None => "jitter",
            };
            return Err(refused(
                at,
                format!(
                    "a session that ends early by all of `jitter` lives {}, and a load renews it only after {renew_after}; \
                     write a smaller `{at}`",
                    DurationOption::new(shortest)
                ),
            ));
        }
        Ok(())
    }
}

fn refused(option: &'static str, message: String) -> Error {
    Error::new(ErrorKind::Config, message).with_option(option)
}

const ZERO_DURATION: &str = "a duration of zero ends every session as it is saved; write how long one lives, such as \"7d\"";
const ZERO_RESOLUTION: &str =
    "a resolution of zero sweeps without a pause; write how often to sweep, such as \"10m\"";
const ZERO_RENEW_AFTER: &str = "a `renew_after` of zero makes every load a write; write how old a deadline may become, such as \"1h\", or \
     \"1ms\" if every load is to write";
const ZERO_ABSOLUTE: &str = "an `absolute` of zero ends every session as it is created; write how long one lives in all, such as \"30d\", or \
     leave it out";
const ZERO_JITTER: &str = "a `jitter` of zero is none; leave it out, or write by how much sessions may end early, such as \"10m\"";

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DurationOption, D::Error> {
    positive(deserializer, ZERO_DURATION)
}

fn resolution<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DurationOption, D::Error> {
    positive(deserializer, ZERO_RESOLUTION)
}

fn renew_after<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DurationOption>, D::Error> {
    positive(deserializer, ZERO_RENEW_AFTER).map(Some)
}

fn absolute<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DurationOption>, D::Error> {
    positive(deserializer, ZERO_ABSOLUTE).map(Some)
}

fn jitter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DurationOption>, D::Error> {
    positive(deserializer, ZERO_JITTER).map(Some)
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
