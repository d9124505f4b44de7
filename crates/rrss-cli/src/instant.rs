//! Instants as people and programs read them.

use std::time::SystemTime;

use rrss_core::Timestamp;

/// The last instant that [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) can write: the end of the year 9999.
const LAST: Timestamp = Timestamp::from_millis(253_402_300_799_999);

/// The instant as RFC 3339 in UTC, with milliseconds, such as `2026-11-22T12:00:00.001Z`. One after the year 9999 is
/// shown as the last of that year.
pub(crate) fn rfc3339(instant: Timestamp) -> String {
    let instant = SystemTime::from(instant.min(LAST));
    humantime::format_rfc3339_millis(instant).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_one_width_up_to_the_end_of_time() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_348_800_001, "2026-11-22T12:00:00.001Z"),
            (LAST.as_millis(), "9999-12-31T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(Timestamp::from_millis(millis)), text);
        }
    }
}
