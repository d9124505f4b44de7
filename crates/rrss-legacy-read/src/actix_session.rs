//! Sessions of actix-session's Redis store: one JSON object, whose values are JSON text in strings.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use rrss_core::Session;
use serde::Deserialize;

/// How every session begins that `json-codec` stored.
const OURS: &[u8] = br#"{"$rrss":"#;

/// The fields; what has no escapes stays where it is.
#[derive(Deserialize)]
struct State<'a>(#[serde(borrow)] BTreeMap<Cow<'a, str>, Text<'a>>);

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The session in `bytes`; `None` where they are not in this form, and are the codec's to judge.
pub(crate) fn read(bytes: &Bytes) -> Option<Session> {
    if bytes.first() != Some(&b'{') || bytes.starts_with(OURS) {
        return None;
    }
    let State(fields) = serde_json::from_slice(bytes).ok()?;
    let mut session = Session::new();
    for (name, Text(json)) in &fields {
        session.insert_raw(name, json).ok()?;
    }
    Some(session)
}
