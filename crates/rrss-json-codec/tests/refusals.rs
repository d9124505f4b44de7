//! What is not stored, and what is not read.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use proptest::prelude::*;
use rrss_core::{Error, ErrorKind, Session, Timestamp};
use rrss_json_codec::Options;
use support::{decode, decode_with, encode, encode_with, raw};

const STORED: &str = r#"{"$rrss":{"created":1795348800000,"written":1795348800001,"until":1795348800002},"user":42,"na\u006de":"\u00e9 \"☃\"","list":[1.10,{"a":[]}]}"#;

/// What the head of a session takes whose creation time nobody knows.
const HEAD: &str = r#""$rrss":{"written":0},"#;

fn holding(name: &str, json: &str) -> Session {
    let mut session = Session::new();
    session.insert_raw(name, json).unwrap();
    session
}

#[track_caller]
fn assert_corrupt(error: &Error, secret: &str) {
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        shown += &error.to_string();
        source = error.source();
    }
    assert!(!shown.contains(secret), "{shown}");
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn a_session_that_is_too_large_is_not_stored_and_limit_and_size_are_told() {
    let max_bytes = HEAD.len() + 20;
    let options = Options {
        max_bytes,
        ..Options::default()
    };
    let fits = holding("a", r#""0123456789ab""#);
    assert_eq!(encode_with(options.clone(), fits).unwrap().len(), max_bytes);

    let error = encode_with(options, holding("a", r#""0123456789abc""#)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(
        error.to_string(),
        format!(
            "the session is {} bytes of JSON, and `max_bytes` allows {max_bytes}; store less in it, or raise `max_bytes`",
            max_bytes + 1
        )
    );
}

#[test]
fn a_stored_session_that_is_too_large_is_not_read() {
    let options = Options {
        max_bytes: 20,
        ..Options::default()
    };
    assert!(decode_with(options.clone(), r#"{"a":"0123456789ab"}"#).is_ok());
    // Not even scanned: the text is no JSON at all, and it is the size that is told.
    let error = decode_with(options, "{hunter2 hunter2 hunt").unwrap_err();
    assert_corrupt(&error, "hunter2");
    assert!(error.to_string().contains("21 bytes"), "{error}");
    assert!(
        error.to_string().contains("`max_bytes` allows 20"),
        "{error}"
    );
}

/// An object of so many fields.
fn fields(count: usize) -> String {
    let members: Vec<String> = (0..count).map(|n| format!(r#""{n}":{n}"#)).collect();
    format!("{{{}}}", members.join(","))
}

fn at_most(max_fields: usize) -> Options {
    Options {
        max_fields,
        ..Options::default()
    }
}

#[test]
fn a_session_of_too_many_fields_is_not_stored_and_limit_and_number_are_told() {
    let with = |count| decode_with(at_most(100), fields(count)).unwrap();
    assert!(encode_with(at_most(12), with(12)).is_ok());
    let error = encode_with(at_most(12), with(13)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(
        error.to_string(),
        "the session has 13 fields, and `max_fields` allows 12; keep what there is much of in one field, as a list, or raise \
         `max_fields`"
    );
    let mut session = decode_with(at_most(12), fields(12)).unwrap();
    session.insert("one more", &1).unwrap();
    assert!(encode_with(at_most(12), session.clone()).is_err());
    session.remove("0");
    assert!(encode_with(at_most(12), session).is_ok());
}

#[test]
fn a_stored_session_of_too_many_fields_is_not_read_and_the_limit_is_told() {
    for most in [1, 12, 1_000, 4_000] {
        let stored = encode_with(
            at_most(most),
            decode_with(at_most(most), fields(most)).unwrap(),
        );
        let read = decode_with(at_most(most), stored.unwrap()).unwrap();
        assert_eq!(read.len(), most, "with the head of this step in front");
        for more in [most + 1, most + 2, 10 * most] {
            let error = decode_with(at_most(most), fields(more)).unwrap_err();
            assert_corrupt(&error, "hunter2");
            let told =
                format!("`max_fields` allows ({most}); if it is one of yours, raise `max_fields`");
            assert!(error.to_string().contains(&told), "{error}");
        }
    }
}

#[test]
fn what_is_in_a_field_does_not_count_as_fields() {
    let inner = fields(5_000);
    let json = format!(
        r#"{{"a":{inner},"b":[{inner},"::::"],"c":{:?}}}"#,
        ":".repeat(9_000)
    );
    let session = decode_with(at_most(3), json.clone()).unwrap();
    assert_eq!(session.len(), 3);
    assert!(decode_with(at_most(1), json).is_err());
}

#[test]
fn a_new_value_that_is_nested_too_deep_is_not_stored_and_its_field_is_told() {
    assert!(encode(holding("tree", &nested(127))).is_ok());
    let at_most_100 = Options {
        max_depth: 100,
        ..Options::default()
    };
    let error = encode_with(at_most_100, holding("tree", &nested(101))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(error.to_string().contains("field `tree`"), "{error}");
    assert!(error.to_string().contains("101 deep"), "{error}");

    let flat = Options {
        max_depth: 1,
        ..Options::default()
    };
    assert!(encode_with(flat.clone(), holding("a", r#"["[[[[",{}]"#)).is_err());
    assert!(encode_with(flat.clone(), holding("a", r#"["[[[[\"[[[","]]"]"#)).is_ok());
    assert!(encode_with(flat, holding("a", r#""[[""#)).is_ok());
}

#[test]
fn a_stored_value_that_is_nested_too_deep_is_not_read_and_the_limit_is_told() {
    let at_most = |max_depth| Options {
        max_depth,
        ..Options::default()
    };
    for most in [1, 2, 100, 127] {
        let stored = encode_with(at_most(most), holding("tree", &nested(most))).unwrap();
        assert!(decode_with(at_most(most), stored).is_ok());
        let texts = format!(r#"{{"a":{:?},"b":[]}}"#, "[".repeat(1_000));
        assert!(decode_with(at_most(most), texts).is_ok());
        let beside = format!(r#"{{"a":[{}[]]}}"#, "[],".repeat(1_000));
        assert_eq!(decode_with(at_most(most), beside).is_ok(), most > 1);

        for deeper in [most + 1, 1_000, 100_000] {
            let error = decode_with(at_most(most), format!(r#"{{"tree":{}}}"#, nested(deeper)));
            let error = error.unwrap_err();
            assert_corrupt(&error, "[[");
            let told =
                format!("`max_depth` allows ({most}); if it is one of yours, raise `max_depth`");
            assert!(error.to_string().contains(&told), "{error}");
        }
    }
}

#[test]
fn a_field_of_the_reserved_name_is_not_stored() {
    for session in [Session::new(), decode(STORED).unwrap()] {
        let mut session = session;
        session.insert("$rrss", "hunter2").unwrap();
        let error = encode(session).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(error.to_string().contains("`$rrss` is reserved"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn a_session_cut_short_anywhere_is_corrupt() {
    assert!(decode(STORED).is_ok());
    for at in 0..STORED.len() {
        let error = decode(STORED.as_bytes()[..at].to_vec()).unwrap_err();
        assert_corrupt(&error, "☃");
    }
}

#[test]
fn bytes_that_are_not_one_json_object_are_corrupt_and_not_quoted() {
    let texts: &[&[u8]] = &[
        b"",
        b" ",
        b"null",
        b"[]",
        b"\"hunter2\"",
        b"hunter2",
        b"42",
        b"{hunter2}",
        b"{\"hunter2\"}",
        b"{\"a\":hunter2}",
        b"{\"a\":\"hunter2}",
        b"{\"a\":1,}",
        b"{\"a\":1}hunter2",
        b"{\"a\":1}{\"a\":2}",
        b"{\"a\":1}\0",
        b"{'a':1}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\xff\"}",
        b"\x83\xa7hunter2\x01",
        b"\0{\"a\":1}",
        b"\xa0{}",
    ];
    for text in texts {
        let error = decode(text.to_vec()).unwrap_err();
        assert_corrupt(&error, "hunter2");
    }
}

#[test]
fn a_member_of_the_reserved_name_that_is_not_ours_is_corrupt() {
    for head in [
        "1",
        "null",
        "\"hunter2\"",
        "[7]",
        "[{}]",
        r#"{"created":"hunter2"}"#,
        r#"{"created":-1}"#,
        r#"{"created":1.5}"#,
        r#"{"created":[]}"#,
        r#"{"created":1,"created":2}"#,
        r#"{"created":1,"written":"hunter2"}"#,
        r#"{"written":-1}"#,
        r#"{"written":{}}"#,
        r#"{"written":1,"written":1}"#,
        r#"{"written":1,"until":"hunter2"}"#,
        r#"{"until":0.5}"#,
        r#"{"until":18446744073709551616}"#,
        r#"{"until":true}"#,
        r#"{"until":1,"until":2}"#,
    ] {
        let error = decode(format!(r#"{{"$rrss":{head},"a":1}}"#)).unwrap_err();
        assert_corrupt(&error, "hunter2");
        assert!(error.to_string().contains("`$rrss`"), "{error}");
    }
}

#[test]
fn compressed_bytes_are_corrupt_with_the_step_that_is_missing() {
    for magic in [[0x28, 0xb5, 0x2f, 0xfd], [0x04, 0x22, 0x4d, 0x18]] {
        let error = decode([&magic[..], b"hunter2"].concat()).unwrap_err();
        assert_corrupt(&error, "hunter2");
        assert!(
            error.to_string().contains("put a `compression` step back"),
            "{error}"
        );
    }
    let other = decode("hunter2").unwrap_err();
    assert!(!other.to_string().contains("compression"), "{other}");
}

#[test]
fn a_million_open_brackets_are_corrupt_without_a_crash() {
    let mut text = br#"{"a":"#.to_vec();
    text.resize(1_000_000, b'[');
    assert_corrupt(&decode(text).unwrap_err(), "[");
}

proptest! {
    #[test]
    fn bytes_of_any_sort_are_a_session_or_corrupt(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = decode(bytes) {
            prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn a_changed_byte_is_corrupt_or_what_any_json_reader_sees(at in 0..STORED.len(), byte in any::<u8>()) {
        let mut bytes = STORED.as_bytes().to_vec();
        bytes[at] = byte;
        match decode(bytes.clone()) {
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
            Ok(session) => {
                let mut seen: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes).unwrap();
                seen.remove("$rrss");
                prop_assert_eq!(support::values(&session), seen);
            }
        }
    }
}

#[test]
fn other_operations_and_answers_pass_untouched() {
    use rrss_core::{Action, Answer, Operation, Outcome, Payload, Transform};
    let codec = rrss_json_codec::JsonCodec::new(Options::default()).unwrap();
    for action in [Action::Load, Action::Touch, Action::Delete, Action::Count] {
        let mut op = Operation::new(action, Timestamp::from_millis(0));
        codec.before(&mut op).unwrap();
        for outcome in [
            Outcome::Missing,
            Outcome::Done,
            Outcome::Taken,
            Outcome::Count(1),
        ] {
            let mut answer = Answer::new(outcome.clone());
            codec.after(&op, &mut answer).unwrap();
            assert_eq!(answer.outcome, outcome);
            assert!(matches!(answer.payload, Payload::None));
        }
    }
    assert_eq!(raw(&decode("{}").unwrap()), []);
}
