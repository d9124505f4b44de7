//! Sessions of actix-session's Redis store: one JSON object, whose values are JSON text in strings.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use rrss_core::{Result, Session};
use serde::Deserialize;
use serde_json::value::RawValue;

/// How every session begins that `json-codec` stored.
const OURS: &[u8] = br#"{"$rrss":"#;

/// The fields; what has no escapes stays where it is.
#[derive(Deserialize)]
struct State<'a>(#[serde(borrow)] BTreeMap<Cow<'a, str>, Text<'a>>);

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Whether a session may begin here that `json-codec` did not write.
pub(crate) fn may_be(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'{') && !bytes.starts_with(OURS)
}

/// The session in `bytes`; `None` where they are not in this form, and are the codec's to judge.
pub(crate) fn read(bytes: &Bytes) -> Result<Option<Session>> {
    let session = values_of(bytes).map(|json| Session::from_json(json.into(), None));
    Ok(session.transpose()?.map(|(session, _)| session))
}

/// The same object, with values in place of their texts.
fn values_of(bytes: &[u8]) -> Option<Vec<u8>> {
    let State(fields) = serde_json::from_slice(bytes).ok()?;
    let values = fields.iter().map(|(name, Text(json))| {
        let value: &RawValue = serde_json::from_str(json).ok()?;
        Some((&**name, value))
    });
    let values: BTreeMap<&str, &RawValue> = values.collect::<Option<_>>()?;
    serde_json::to_vec(&values).ok()
}
