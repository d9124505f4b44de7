//! The type of options that name an instant.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::value::{Date, Datetime, Offset, Time};

use crate::time::Timestamp;

/// The end of the year 9999, the last instant that [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) can write.
const LAST: Timestamp = Timestamp::from_millis(253_402_300_799_999);

const DAY: Duration = Duration::from_secs(86_400);

/// An instant in a file: a date of TOML (`2026-12-31`), which is its first moment in UTC, or a date and time with an offset
/// (`2026-12-31T18:00:00+01:00`). The same in quotes, as a variable of the environment gives it, is the same instant.
///
/// # Examples
///
/// ```
/// use rrss_core::{InstantOption, Timestamp};
///
/// let day: InstantOption = serde_json::from_str(r#""2026-12-31""#)?;
/// assert_eq!(day.get(), Timestamp::from_millis(1_798_675_200_000));
/// assert_eq!(day.to_string(), "2026-12-31T00:00:00Z");
///
/// let evening: InstantOption = serde_json::from_str(r#""2026-12-31T01:00:00+01:00""#)?;
/// assert_eq!(evening, day);
/// assert!(serde_json::from_str::<InstantOption>(r#""2026-12-31T01:00:00""#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstantOption(Timestamp);

impl InstantOption {
    /// An option of this instant.
    #[must_use]
    pub const fn new(instant: Timestamp) -> Self {
        Self(instant)
    }

    /// The instant.
    #[must_use]
    pub const fn get(self) -> Timestamp {
        self.0
    }
}

impl From<Timestamp> for InstantOption {
    fn from(instant: Timestamp) -> Self {
        Self(instant)
    }
}

impl fmt::Display for InstantOption {
    /// As RFC 3339 in UTC: `2026-12-31T00:00:00Z`. One after the year 9999 is shown as the last of that year.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = SystemTime::from(self.0.min(LAST));
        humantime::format_rfc3339(instant).fmt(f)
    }
}

impl fmt::Debug for InstantOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for InstantOption {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InstantOption {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InstantVisitor)
    }
}

struct InstantVisitor;

impl<'de> Visitor<'de> for InstantVisitor {
    type Value = InstantOption;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date such as 2026-12-31, or a date and time such as 2026-12-31T18:00:00Z")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<InstantOption, E> {
        let datetime: Datetime = text
            .parse()
            .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))?;
        instant(&datetime)
    }

    /// TOML gives a date as a table that its own type alone reads.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InstantOption, A::Error> {
        let datetime = Datetime::deserialize(MapAccessDeserializer::new(map))
            .map_err(|_| de::Error::invalid_type(de::Unexpected::Map, &self))?;
        instant(&datetime)
    }
}

fn instant<E: de::Error>(datetime: &Datetime) -> Result<InstantOption, E> {
    let since_1970 = match *datetime {
        Datetime {
            date: Some(date),
            time: None,
            ..
        } => midnight(date),
        Datetime {
            date: Some(date),
            time: Some(time),
            offset: Some(offset),
        } => {
            let behind = match offset {
                Offset::Z => 0,
                Offset::Custom { minutes } => i64::from(minutes) * 60_000,
            };
            midnight(date) + since_midnight(time) - behind
        }
        Datetime { date: Some(_), .. } => {
            return Err(E::custom(
                "the time has no offset, so it is another instant in every place; write one behind it, such as Z for UTC",
            ));
        }
        Datetime { date: None, .. } => {
            return Err(E::custom(
                "a time of day is no instant; write a date such as 2026-12-31",
            ));
        }
    };
    let millis = u64::try_from(since_1970)
        .map_err(|_| E::custom("the date is before 1970; write one that is to come"))?;
    Ok(InstantOption(Timestamp::from_millis(millis)))
}

/// The milliseconds from 1970 to the beginning of a day, by the
/// [calendar](https://howardhinnant.github.io/date_algorithms.html#days_from_civil) that TOML's dates are of.
fn midnight(date: Date) -> i64 {
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    let year = i64::from(date.year) - i64::from(month <= 2);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    days * DAY.as_millis() as i64
}

fn since_midnight(time: Time) -> i64 {
    let minutes = i64::from(time.hour) * 60 + i64::from(time.minute);
    let seconds = minutes * 60 + i64::from(time.second.unwrap_or(0));
    seconds * 1_000 + i64::from(time.nanosecond.unwrap_or(0) / 1_000_000)
}

impl JsonSchema for InstantOption {
    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Options {
        until: InstantOption,
    }

    #[track_caller]
    fn read(value: &str) -> Result<InstantOption, String> {
        let options = toml::from_str(&format!("until = {value}"));
        options
            .map(|Options { until }| until)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_date_and_the_same_in_quotes_are_the_instant_that_it_prints_as() {
        for (written, instant) in [
            ("1970-01-01", "1970-01-01T00:00:00Z"),
            ("2000-02-29", "2000-02-29T00:00:00Z"),
            ("2026-03-01", "2026-03-01T00:00:00Z"),
            ("2100-12-31", "2100-12-31T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2026-12-31T23:59:59Z"),
            ("2026-12-31 23:30:00-01:00", "2027-01-01T00:30:00Z"),
            ("9999-12-31", "9999-12-31T00:00:00Z"),
        ] {
            for written in [written.to_owned(), format!("'{written}'")] {
                assert_eq!(read(&written).unwrap().to_string(), instant, "{written}");
            }
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_one_day_after_the_last() {
        let mut last = read("1970-01-01").unwrap().get();
        for day in 1..146_097_u32 {
            let instant = Timestamp::from_millis(u64::from(day) * 86_400_000);
            let written = InstantOption::new(instant).to_string();
            let again = read(&written[..10]).unwrap().get();
            assert_eq!(again.since(last), DAY, "{written}");
            last = again;
        }
    }

    #[test]
    fn what_is_no_instant_says_what_one_looks_like() {
        for (written, said) in [
            ("2026-12-31T18:00:00", "offset"),
            ("18:00:00", "a time of day"),
            ("1969-12-31", "before 1970"),
            ("'soon'", "2026-12-31"),
            ("20261231", "2026-12-31"),
            ("{ day = 1 }", "invalid type"),
        ] {
            let error = read(written).unwrap_err();
            assert!(error.contains(said), "{written}: {error}");
        }
    }
}
