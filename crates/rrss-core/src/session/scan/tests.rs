//! The scan against `serde_json`: the same texts, the same names, the same values, and the same place of a fault.

use std::fmt;

use bytes::Bytes;
use proptest::prelude::*;
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::raw_object::RawObject;
use super::*;

type Members = Vec<(String, String)>;

/// What the scan is to find.
fn oracle(text: &str) -> serde_json::Result<Members> {
    struct All;

    impl<'de> Visitor<'de> for All {
        type Value = Members;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
            let mut members = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                members.push((name, value.get().to_owned()));
            }
            Ok(members)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(All)?;
    deserializer.end()?;
    Ok(members)
}

fn scanned(text: &str) -> Option<Members> {
    let mut all = Vec::new();
    members(text, |member| {
        let name = if member.has_escapes {
            let quoted = member.name.start - 1..member.name.end + 1;
            serde_json::from_str(&text[quoted]).ok()?
        } else {
            text[member.name].to_owned()
        };
        all.push((name, text[member.value].to_owned()));
        Some(())
    })?;
    Some(all)
}

/// The last value of each name, at the first place of the name.
fn last_values(members: Members) -> Members {
    let mut fields: Members = Vec::new();
    for (name, value) in members {
        match fields.iter_mut().find(|(earlier, _)| *earlier == name) {
            Some(field) => field.1 = value,
            None => fields.push((name, value)),
        }
    }
    fields
}

fn check(text: &str) {
    let object = RawObject::scan(Bytes::copy_from_slice(text.as_bytes()), None);
    match oracle(text) {
        Ok(members) => {
            assert_eq!(scanned(text).as_ref(), Some(&members), "{text}");
            let (object, _) = object.unwrap();
            let fields = object.iter();
            let fields: Members = fields
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            assert_eq!(fields, last_values(members), "{text}");
        }
        Err(error) => {
            assert_eq!(scanned(text), None, "{text}");
            let place = format!("(line {}, column {})", error.line(), error.column());
            let message = object.unwrap_err().to_string();
            assert!(message.ends_with(&place), "{message}, not {place}: {text}");
        }
    }
}

/// As applications keep them, with what a scan may stumble over in one place or another.
const SESSIONS: [&str; 3] = [
    r#"{"$rrss":{"created":1795348800000,"written":1795348801000},"user_id":42,"roles":["customer","editor"],"csrf":"dGhlIHF1aWNrIGJyb3duIGZveA==","ok":true,"none":null,"off":false,"name":"Zoë \"Z\" Ångström","path":"a\\b\\","cart":{"items":[{"sku":"A-1","price":24.5,"n":2},{"sku":"B\u00e9","price":-0.5e-3,"n":10}],"coupon":null},"empty":{},"list":[],"":"","cl\u0065f":[[],[{}]],"user_id":7}"#,
    "\r\n{\n\t\"user_id\" : 10000000 ,\n\t\"roles\": [ \"a\" , [ ] , { } ],\n\t\"text\": \"☃ 🦀 \\ud83e\\udd80 \\ud800\" ,\n\t\"deep\": { \"a\" : { \"b\" : [ 1 , 2.25 , 3e8 , -0 ] } }\n}\n ",
    r#"{"message":"{\"level\":\"info\",\"text\":\"said \\\"hello\\\"\\n\"}","return_to":"\/a\/b?c=d\u0026e=f","long":"Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua."}"#,
];

/// Bytes that mean something to a scan, or just do not.
const TELLING: &[u8] =
    b"\"\\{}[]:, \n\t\x00\x0b\x0c\x1f\x20\x7f0919-+.eEutfna/\x80\xa0\xbf\xc3\xff";

#[test]
fn sessions_are_scanned_as_serde_json_scans_them() {
    for session in SESSIONS {
        assert!(oracle(session).is_ok());
        check(session);
    }
}

#[test]
fn each_prefix_and_each_suffix_of_a_session_is_judged_alike() {
    for session in SESSIONS {
        for (at, _) in session.char_indices() {
            check(&session[..at]);
            check(&session[at..]);
        }
    }
}

#[test]
fn a_session_with_any_byte_changed_inserted_or_missing_is_judged_alike() {
    for session in SESSIONS.map(str::as_bytes) {
        for at in 0..session.len() {
            let (head, tail) = (&session[..at], &session[at..]);
            let flipped = (0..8).map(|bit| tail[0] ^ 1 << bit);
            for byte in flipped.chain(TELLING.iter().copied()) {
                check_bytes([head, &[byte], &tail[1..]].concat());
                check_bytes([head, &[byte], tail].concat());
            }
            check_bytes([head, &tail[1..]].concat());
        }
    }
}

fn check_bytes(text: Vec<u8>) {
    match str::from_utf8(&text) {
        Ok(text) => check(text),
        Err(_) => assert!(RawObject::scan(text.into(), None).is_err()),
    }
}

#[test]
fn whatever_crosses_the_border_of_a_block_is_judged_alike() {
    let parts = [
        r#""""#,
        r#""\"""#,
        r#""\\""#,
        r#""\\\"a\\""#,
        r#""\u00e9\n""#,
        r#""\u00eg""#,
        r#""\x""#,
        r#""\""#,
        r#""\\"""#,
        "\"a\nb\"",
        "\"\x1f\"",
        "\"☃🦀\"",
        "\n\"a\"\n",
        "1234567890123456789.5",
        "true",
        "tru",
        "[{},[]]",
        "[{]}",
    ];
    for part in parts {
        for length in 0..140 {
            let filling = "x".repeat(length);
            check(&format!(r#"{{"a":"{filling}","b":{part},"c":"d"}}"#));
            check(&format!(r#"{{"{filling}":{part}}}"#));
            check(&format!(r#"{{{}"a":{part}}}"#, " ".repeat(length)));
            check(&format!(r#"{{"a":[{}{part}]}}"#, "0,".repeat(length)));
        }
    }
}

#[test]
fn backslashes_in_a_row_escape_each_other() {
    for before in 0..70 {
        for backslashes in 0..70 {
            let (before, row) = ("x".repeat(before), "\\".repeat(backslashes));
            check(&format!(r#"{{"a":"{before}{row}","b":1}}"#));
            check(&format!(r#"{{"{before}{row}":1}}"#));
        }
    }
}

#[test]
fn every_pair_of_bytes_behind_a_backslash_is_judged_alike() {
    for one in 0..128_u8 {
        for other in [b'"', b'\\', b'u', b'0'] {
            let pair = String::from_utf8(vec![one, other]).unwrap();
            check(&format!(r#"{{"a":"\{pair}"}}"#));
            check(&format!(r#"{{"a":"\u{pair}00"}}"#));
            check(&format!(r#"{{"a":\{pair}}}"#));
        }
    }
}

#[test]
fn half_a_surrogate_pair_may_be_in_a_value_and_not_in_a_name() {
    for half in [r"\ud800", r"\udc00", r"\ud800\u0041", r"\ud83e\udd80"] {
        check(&format!(r#"{{"a":"{half}"}}"#));
        check(&format!(r#"{{"a":{{"{half}":1}}}}"#));
        check(&format!(r#"{{"{half}":1}}"#));
    }
    assert_eq!(scanned(r#"{"\ud800":1}"#), None);
}

#[test]
fn values_nested_to_any_depth_are_read() {
    let mixed = |depth: usize| {
        let levels = 0..depth;
        let open: String = levels
            .clone()
            .map(|level| if level % 3 == 0 { r#"{"k":"# } else { "[" })
            .collect();
        let close: String = levels
            .rev()
            .map(|level| if level % 3 == 0 { '}' } else { ']' })
            .collect();
        (open, close)
    };
    for depth in (0..200).chain([1_000, 100_000]) {
        let (open, close) = mixed(depth);
        check(&format!(r#"{{"a":{open}1{close},"b":2}}"#));
        check(&format!(r#"{{"a":{open}{close}"#));
        check(&format!(r#"{{"a":{open}1{close}}}}}"#));
        check(&format!(r#"{{"a":{open}1"#));
    }
    for depth in 0..140 {
        for wrong in 0..depth {
            let (open, mut close) = mixed(depth);
            let other = if &close[wrong..=wrong] == "]" {
                "}"
            } else {
                "]"
            };
            close.replace_range(wrong..=wrong, other);
            assert_eq!(scanned(&format!(r#"{{"a":{open}1{close}}}"#)), None);
        }
    }
}

#[test]
fn of_texts_of_up_to_three_telling_characters_the_same_are_objects() {
    let alphabet = r#""\{}[]:, 01-.eta"#;
    let mut values = vec![String::new()];
    for _ in 0..4 {
        for value in &values {
            check(value);
            check(&format!("{{{value}}}"));
            check(&format!("{{\"\":{value}}}"));
        }
        let longer = values.iter().flat_map(|value| {
            alphabet
                .chars()
                .map(move |character| format!("{value}{character}"))
        });
        values = longer.collect();
    }
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just(String::new()), 1 => "[ \t\r\n]{1,3}", 1 => " {60,70}"]
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => r#""[a-z_]{0,12}""#,
        2 => r#""[ -!#-\[\]-~é☃🦀]{0,80}""#,
        2 => r#""([a-z]{0,6}\\(["\\/bfnrt]|u[0-9a-fA-F]{4})){1,12}[a-z]{0,3}""#,
    ]
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => string(),
        3 => r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,10})?([eE][+-]?[0-9]{1,3})?",
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
        1 => Just("null".to_owned()),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        let element = (space(), inner.clone(), space()).prop_map(|(a, b, c)| a + &b + &c);
        prop_oneof![
            prop::collection::vec(element, 0..6)
                .prop_map(|elements| format!("[{}]", elements.join(","))),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let member = (space(), string(), space(), space(), value, space())
        .prop_map(|(a, name, b, c, value, d)| format!("{a}{name}{b}:{c}{value}{d}"));
    (space(), prop::collection::vec(member, 0..8)).prop_map(|(blank, members)| {
        if members.is_empty() {
            format!("{{{blank}}}")
        } else {
            format!("{{{}}}", members.join(","))
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_object_is_scanned_as_serde_json_scans_it(text in object(value())) {
        check(&text);
    }

    #[test]
    fn any_object_that_was_changed_in_places_is_judged_alike(
        text in object(value()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(TELLING), 0..3), 1..4),
    ) {
        let mut bytes = text.into_bytes();
        for (at, byte, change) in changes {
            let at = at.index(bytes.len());
            match change {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => {}
            }
        }
        check_bytes(bytes);
    }
}
