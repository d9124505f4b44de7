//! Types for the options of steps that many steps share: durations and secrets.

mod secret;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::secret::Secret;

/// A duration in a file: whole seconds (`3600`) or text (`"1h 30m"`, `"7d"`, `"250ms"`).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rrss_core::DurationOption;
///
/// let text: DurationOption = serde_json::from_str(r#""1h 30m""#)?;
/// let seconds: DurationOption = serde_json::from_str("5400")?;
/// assert_eq!(text, seconds);
/// assert_eq!(text.get(), Duration::from_secs(5400));
/// assert_eq!(text.to_string(), "1h 30m");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DurationOption(Duration);

impl DurationOption {
    /// An option of this duration.
    #[must_use]
    pub const fn new(duration: Duration) -> Self {
        Self(duration)
    }

    /// The duration.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl From<Duration> for DurationOption {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

/// The units that a duration is written in, and their nanoseconds. Months and years have no fixed length.
const UNITS: [(u128, &str); 7] = [
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "m"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

impl fmt::Display for DurationOption {
    /// As it is written in a file: `7d`, `1h 30m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_nanos();
        if left == 0 {
            return f.write_str("0s");
        }
        let mut space = "";
        for (nanos, unit) in UNITS {
            if left >= nanos {
                write!(f, "{space}{}{unit}", left / nanos)?;
                left %= nanos;
                space = " ";
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DurationOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for DurationOption {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DurationOption {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = DurationOption;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration: whole seconds, or text such as \"1h 30m\"")
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<DurationOption, E> {
        Ok(DurationOption(Duration::from_secs(seconds)))
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<DurationOption, E> {
        let seconds =
            u64::try_from(seconds).map_err(|_| E::custom("a duration cannot be negative"))?;
        self.visit_u64(seconds)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DurationOption, E> {
        humantime::parse_duration(text).map(DurationOption).map_err(|error| {
            E::custom(format!(
                "not a duration: {error}; write whole seconds, or text such as \"1h 30m\", \"7d\", \"250ms\""
            ))
        })
    }
}

impl JsonSchema for DurationOption {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": r"^\s*[0-9][0-9.\sa-zA-Zµ]*$" }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_printed_as_it_is_written() {
        for text in [
            "0s",
            "7d",
            "90d",
            "1h 30m",
            "250ms",
            "1d 1h 1m 1s 1ms 1us 1ns",
            "400d 12h",
        ] {
            let duration: DurationOption = serde_json::from_value(text.into()).unwrap();
            assert_eq!(duration.to_string(), text);
        }
    }

    #[test]
    fn a_bad_duration_says_what_a_good_one_looks_like() {
        for json in [r#""soon""#, r#""5 parsecs""#, "-1", "true", r#""""#] {
            let error = serde_json::from_str::<DurationOption>(json)
                .unwrap_err()
                .to_string();
            assert!(error.contains("duration"), "{json}: {error}");
        }
    }
}
