//! The data and the deadline of a record of tower-sessions, as the fields and the deadline of a session, and back.

use std::collections::HashMap;

use rrss::{Error, ErrorKind, Result, Session, Timestamp};
use serde_json::Value;
use time::OffsetDateTime;

pub(crate) type Data = HashMap<String, Value>;

/// The last millisecond of the year 9999, which is the last year of `time`.
const LAST_MILLISECOND: i64 = 253_402_300_799_999;

/// Gives `session` each entry of `data` as a field, and `expiry_date` as a deadline of its own.
///
/// The fields are in the order of their names: equal records are stored as equal bytes.
pub(crate) fn fill(session: &mut Session, data: &Data, expiry_date: OffsetDateTime) -> Result<()> {
    let mut entries: Vec<_> = data.iter().collect();
    entries.sort_unstable_by_key(|(name, _)| *name);
    for (name, value) in entries {
        session.insert(name, value)?;
    }
    session.set_expires_at(deadline(expiry_date));
    Ok(())
}

/// The fields of a stored session.
pub(crate) fn data(session: &Session) -> Result<Data> {
    session
        .iter_raw()
        .map(|(name, json)| {
            let value = serde_json::from_str(json).map_err(|error| {
                Error::new(
                    ErrorKind::Corrupt,
                    "a field of the stored session is not JSON that tower-sessions can hold",
                )
                .with_source(error)
            })?;
            Ok((name.to_owned(), value))
        })
        .collect()
}

/// When a stored session ends: as the record said that was stored; or, where another program has stored it, as the backend
/// says; or never, which is the end of the year 9999.
pub(crate) fn expiry_date(session: &Session) -> OffsetDateTime {
    let end = session
        .own_deadline()
        .or(session.expires_at())
        .and_then(|deadline| i64::try_from(deadline.as_millis()).ok())
        .unwrap_or(LAST_MILLISECOND)
        .min(LAST_MILLISECOND);
    let nanoseconds = i128::from(end) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A part of a millisecond counts as a whole one, so that nothing ends before it was to; what is before 1970 is 1970.
fn deadline(expiry_date: OffsetDateTime) -> Timestamp {
    let milliseconds = expiry_date
        .unix_timestamp_nanos()
        .max(0)
        .unsigned_abs()
        .div_ceil(1_000_000);
    Timestamp::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::Duration;

    fn at(milliseconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(milliseconds)
    }

    #[test]
    fn each_entry_is_a_field() {
        let stored = Data::from([
            ("user_id".to_owned(), json!(42)),
            ("cart".to_owned(), json!({ "tea": [1, null, "\u{0}🦀"] })),
            (String::new(), json!(u64::MAX)),
        ]);
        let mut session = Session::new();
        fill(&mut session, &stored, at(5)).unwrap();
        assert_eq!(session.keys().collect::<Vec<_>>(), ["", "cart", "user_id"]);
        assert_eq!(session.get::<u32>("user_id").unwrap(), Some(42));
        assert_eq!(data(&session).unwrap(), stored);
    }

    #[test]
    fn the_deadline_is_exact_to_the_millisecond_and_never_early() {
        for (nanoseconds, milliseconds) in [(0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2)] {
            let date = OffsetDateTime::UNIX_EPOCH + Duration::nanoseconds(nanoseconds);
            assert_eq!(deadline(date), Timestamp::from_millis(milliseconds));
        }
        assert_eq!(deadline(at(-1)), Timestamp::from_millis(0));
    }

    #[test]
    fn the_furthest_dates_come_back() {
        let mut session = Session::new();
        fill(&mut session, &Data::new(), at(LAST_MILLISECOND)).unwrap();
        assert_eq!(expiry_date(&session), at(LAST_MILLISECOND));
        session.set_expires_at(Timestamp::from_millis(u64::MAX));
        assert_eq!(expiry_date(&session), at(LAST_MILLISECOND));
        assert_eq!(expiry_date(&Session::new()), at(LAST_MILLISECOND));
    }
}
