//! Records of tower-sessions in MessagePack.

use std::collections::BTreeMap;

use bytes::Bytes;
use rrss_core::{Error, ErrorKind, Result, Session, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use time::{Date, Time, UtcOffset};

/// How MessagePack begins an array of three: no JSON and no compressed frame begins so.
const ARRAY_OF_THREE: u8 = 0x93;

/// More levels than `json-codec` would store again, and few enough for any stack.
const DEEPEST: usize = 160;

/// The id, the fields, the expiry date.
#[derive(Deserialize)]
struct Record(IgnoredAny, BTreeMap<String, Value>, ExpiryDate);

/// Year, day of the year, hour, minute, second, nanoseconds; hours, minutes and seconds that its clock is ahead of UTC.
#[derive(Deserialize)]
struct ExpiryDate(i32, u16, u8, u8, u8, u32, i8, i8, i8);

/// Whether a record begins here.
pub(crate) fn may_be(bytes: &[u8]) -> bool {
    bytes.first() == Some(&ARRAY_OF_THREE)
}

/// The session in a record.
pub(crate) fn read(bytes: &Bytes) -> Result<Session> {
    let mut rest = &bytes[..];
    let mut reader = rmp_serde::Deserializer::new(&mut rest);
    reader.set_max_depth(DEEPEST);
    let Record(_, fields, expiry_date) =
        Record::deserialize(&mut reader).map_err(|_| unreadable())?;
    if !rest.is_empty() {
        return Err(unreadable());
    }
    let json = serde_json::to_vec(&fields).map_err(|_| unreadable())?;
    let (session, _) = Session::from_json(json.into(), None)?;
    let deadline = expiry_date.instant().ok_or_else(unreadable)?;
    Ok(session.with_own_deadline(Some(deadline)))
}

/// What is wrong in the record is not said: it could quote a value.
fn unreadable() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "the stored session begins as a record of tower-sessions does, and is no whole one",
    )
}

impl ExpiryDate {
    /// The instant, if there is such a date. One before 1970 is in the past, and no more is asked of it.
    fn instant(&self) -> Option<Timestamp> {
        let Self(year, day, hour, minute, second, nanos, hours, minutes, seconds) = *self;
        let date = Date::from_ordinal_date(year, day).ok()?;
        let time = Time::from_hms_nano(hour, minute, second, nanos).ok()?;
        let ahead = UtcOffset::from_hms(hours, minutes, seconds).ok()?;
        let nanos = date
            .with_time(time)
            .assume_offset(ahead)
            .unix_timestamp_nanos();
        let millis = u64::try_from(nanos / 1_000_000).unwrap_or(0);
        Some(Timestamp::from_millis(millis))
    }
}
