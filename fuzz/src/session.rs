//! The scan of a session, with `serde_json` as its oracle.

use std::fmt;

use bytes::Bytes;
use rrss_core::{ErrorKind, Session};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\",
    "\\\"",
    "\\u0041",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\n",
    "true",
    "false",
    "null",
    "-",
    "0",
    "-0",
    "1",
    "1.5",
    "1e9",
    "1E+2",
    "0.0e-1",
    "01",
    ".",
    " ",
    "\t",
    "\r\n",
    "\u{0}",
    "\u{1f}",
    "\u{7f}",
    "é",
    "😀",
    "{}",
    "[]",
    "{\"a\":1}",
    "\"a\":",
    ",\"b\":[1,2]",
    "\"$rrss\":",
    "\"user_id\":42",
    "[[[[[[[[",
    "]]]]]]]]",
    "{\"a\":{\"a\":",
    "                ",
    "aaaaaaaaaaaaaaaa",
    "\\\\\\\\\\\\\\\\",
];

/// serde_json parses no value that is nested deeper; nor does the scan accept one that is much deeper.
const DEEP: usize = 120;

pub(crate) fn run(input: &[u8]) {
    let scanned = Session::from_json(Bytes::copy_from_slice(input), None);
    let expected = serde_json::from_slice::<Fields>(input);
    let (session, expected) = match (scanned, expected) {
        (Ok((session, _)), Ok(expected)) => (session, expected.0),
        (Err(error), Err(_)) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            return;
        }
        (Err(_), Ok(_)) => {
            assert!(depth(input) > DEEP, "what serde_json accepts is refused");
            return;
        }
        (Ok(_), Err(error)) => panic!("what serde_json refuses is accepted: {error}"),
    };
    let found: Vec<_> = session.iter_raw().collect();
    let wanted: Vec<_> = expected
        .iter()
        .map(|(name, value)| (name.as_str(), value.get()))
        .collect();
    assert_eq!(found, wanted);
    for (name, raw) in wanted {
        let value = serde_json::from_str::<Value>(raw);
        match (session.get::<Value>(name), value) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, Some(wanted)),
            (Err(error), Err(_)) => assert_eq!(error.kind(), ErrorKind::Value),
            (found, wanted) => panic!("{found:?} where serde_json says {wanted:?}"),
        }
    }
}

/// How deep brackets could be nested at most.
fn depth(input: &[u8]) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for byte in input {
        match byte {
            b'[' | b'{' => now += 1,
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// The fields in the order of their first occurrence, each with its last value.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    match fields.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => *known = value,
                        None => fields.push((name, value)),
                    }
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
