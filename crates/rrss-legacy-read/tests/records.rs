//! Records that tower-sessions-redis-store 0.16.0 and actix-session 0.11.0 wrote to Redis: the files in `fixtures`, each
//! beside the key that it was stored under.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use rrss_core::{
    Action, Answer, ErrorKind, Operation, Outcome, Payload, Result, Session, Timestamp, Transform,
};
use rrss_legacy_read::{Format, LegacyRead, Options};
use serde_json::{Value, json};

const TOWER: &[u8] = include_bytes!("fixtures/tower-sessions.msgpack");
const TOWER_EMPTY: &[u8] = include_bytes!("fixtures/tower-sessions-small-id.msgpack");
const TOWER_OFFSET: &[u8] = include_bytes!("fixtures/tower-sessions-offset.msgpack");
const ACTIX: &[u8] = include_bytes!("fixtures/actix-session.json");
const ACTIX_EMPTY: &[u8] = include_bytes!("fixtures/actix-session-empty.json");

/// The first day of 2100, and 123 milliseconds: the expiry date of each record of tower-sessions.
const EXPIRY: Timestamp = Timestamp::from_millis(4_102_444_800_123);

/// What the fixtures with fields were made of.
fn fields() -> BTreeMap<String, Value> {
    serde_json::from_value(json!({
        "user_id": 42, "name": "Ann \u{1f980} \u{0}", "cart": [{"sku": "tea", "count": 2, "price": 1.5}],
        "big": u64::MAX, "small": i64::MIN, "fraction": 0.1, "nothing": null, "yes": true,
        "deep": {"a": {"b": [[], {}, "c"]}}, "": "empty name",
    }))
    .unwrap()
}

fn read_at(now: Timestamp, format: Format, stored: &[u8]) -> Result<Answer> {
    let mut answer = Answer::new(Outcome::Found);
    answer.payload = Payload::Bytes(stored.to_vec().into());
    LegacyRead::new(&Options::of(format)).after(&Operation::new(Action::Load, now), &mut answer)?;
    Ok(answer)
}

fn read(format: Format, stored: &[u8]) -> Result<Option<Session>> {
    Ok(read_at(Timestamp::from_millis(0), format, stored)?.take_session())
}

fn values(session: &Session) -> BTreeMap<String, Value> {
    session
        .iter_raw()
        .map(|(name, json)| (name.to_owned(), serde_json::from_str(json).unwrap()))
        .collect()
}

#[test]
fn a_record_of_tower_sessions_is_read_with_every_value_and_its_expiry_date() {
    let session = read(Format::TowerSessions, TOWER).unwrap().unwrap();
    assert_eq!(values(&session), fields());
    assert_eq!(session.get_raw("big"), Some("18446744073709551615"));
    assert_eq!(session.own_deadline(), Some(EXPIRY));
}

#[test]
fn an_expiry_date_is_an_instant_whatever_clock_it_was_written_by() {
    let session = read(Format::TowerSessions, TOWER_OFFSET).unwrap().unwrap();
    assert_eq!(session.own_deadline(), Some(EXPIRY));
    assert_eq!(session.get::<u8>("a").unwrap(), Some(1));
}

#[test]
fn a_session_of_actix_session_is_read_with_every_value_as_it_stands() {
    let session = read(Format::ActixSession, ACTIX).unwrap().unwrap();
    assert_eq!(values(&session), fields());
    assert_eq!(session.get_raw("fraction"), Some("0.1"));
    assert_eq!(session.own_deadline(), None);
}

#[test]
fn a_session_without_fields_is_one() {
    for (format, stored) in [
        (Format::TowerSessions, TOWER_EMPTY),
        (Format::ActixSession, ACTIX_EMPTY),
    ] {
        assert!(read(format, stored).unwrap().unwrap().is_empty());
    }
}

#[test]
fn a_record_past_its_expiry_date_is_no_session() {
    let answer = read_at(EXPIRY, Format::TowerSessions, TOWER).unwrap();
    assert_eq!(answer.outcome, Outcome::Missing);
    assert!(answer.payload.session().is_none() && answer.payload.bytes().is_none());
}

#[test]
fn what_json_codec_stored_passes_as_it_is() {
    let ours = br#"{"$rrss":{"written":1},"a":"\"b\""}"#;
    for format in [Format::TowerSessions, Format::ActixSession] {
        let mut answer = read_at(EXPIRY, format, ours).unwrap();
        assert_eq!(answer.take_bytes().unwrap(), &ours[..]);
    }
}

#[test]
fn a_record_that_was_cut_or_has_more_behind_it_is_corrupt() {
    for end in 1..TOWER.len() {
        let error = read(Format::TowerSessions, &TOWER[..end]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "cut at {end}");
    }
    let more = [TOWER, b"\x01"].concat();
    let error = read(Format::TowerSessions, &more).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn what_actix_session_cannot_have_written_is_left_to_the_codec() {
    let cut = &ACTIX[..ACTIX.len() - 1];
    for stored in [
        cut,
        br#"{"pin":1234}"#,
        br#"{"pin":"hunter2"}"#,
        br#"{"pin":"1,\"role\":\"admin\""}"#,
        br#"{"pin":{"a":1}}"#,
        b"[]",
    ] {
        let mut answer = read_at(Timestamp::from_millis(0), Format::ActixSession, stored).unwrap();
        assert_eq!(answer.take_bytes().unwrap(), stored);
    }
}

#[test]
fn impossible_dates_are_corrupt() {
    // The day of the year, of which 2100 has 365: `cd 08 34` is the year, `01` the day.
    let at = TOWER_EMPTY
        .windows(4)
        .position(|bytes| bytes == [0xcd, 0x08, 0x34, 1]);
    let mut stored = TOWER_EMPTY.to_vec();
    stored[at.unwrap() + 3] = 0;
    let error = read(Format::TowerSessions, &stored).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_claim_of_four_thousand_million_fields_takes_no_memory() {
    let stored = [0x93, 0x01, 0xdf, 0xff, 0xff, 0xff, 0xff];
    let error = read(Format::TowerSessions, &stored).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn a_tower_of_lists_is_corrupt_and_overflows_no_stack() {
    let mut stored = vec![0x93, 0x01, 0x81, 0xa1, b'a'];
    stored.resize(1 << 20, 0x91);
    let error = read(Format::TowerSessions, &stored).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

proptest! {
    #[test]
    fn any_bytes_are_a_session_or_corrupt_or_pass(mut stored: Vec<u8>, tower: bool) {
        if tower && !stored.is_empty() {
            stored[0] = 0x93;
        }
        for format in [Format::TowerSessions, Format::ActixSession] {
            match read_at(Timestamp::from_millis(0), format, &stored) {
                Ok(mut answer) => {
                    if let Some(bytes) = answer.take_bytes() {
                        prop_assert_eq!(&bytes, &stored);
                    }
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
            }
        }
    }

    #[test]
    fn a_changed_byte_never_panics(at in 0..186_usize, byte: u8) {
        let mut stored = TOWER.to_vec();
        stored[at] = byte;
        let _ = read(Format::TowerSessions, &stored);
    }
}
