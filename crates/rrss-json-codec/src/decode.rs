//! A session from stored bytes, or why they are none.

use std::borrow::Cow;

use bytes::Bytes;
use rrss_core::{Error, ErrorKind, Result, Session, Timestamp};

use crate::head::Head;
use crate::members::has_more_than;
use crate::nesting::is_deeper_than;
use crate::options::Options;
use crate::step::RESERVED;

/// Zstandard, [RFC 8878](https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1), and the LZ4 frame format.
const COMPRESSED: [[u8; 4]; 2] = [[0x28, 0xb5, 0x2f, 0xfd], [0x04, 0x22, 0x4d, 0x18]];

/// What the stored form of the `encryption` step begins with; no UTF-8 text has the byte.
const ENCRYPTED: u8 = 0xc1;

/// The session that `bytes` are the stored form of.
pub(crate) fn decode(bytes: Bytes, options: &Options) -> Result<Session> {
    if bytes.len() > options.max_bytes {
        return Err(corrupt(format!(
            "the stored session is {} bytes of JSON, and `max_bytes` allows {}; raise `max_bytes` to read it",
            bytes.len(),
            options.max_bytes
        )));
    }
    if !is_object(&bytes) {
        return Err(corrupt(
            if COMPRESSED.iter().any(|magic| bytes.starts_with(magic)) {
                "the stored session is compressed: put a `compression` step back below this one; it reads old \
                 sessions whatever its options"
            } else if bytes.first() == Some(&ENCRYPTED) {
                "the stored session is encrypted: put the `encryption` step back below this one, with the key that it was \
                 stored under"
            } else {
                "the stored session is not JSON: this step did not write it, or a step below it that did is missing"
            },
        ));
    }
    // One member more is what this step adds, and one that occurs twice is one field.
    if has_more_than(options.max_fields.saturating_add(1), &bytes) {
        return Err(too_many_fields(options));
    }
    // The object that a session is counts for one.
    if is_deeper_than(options.max_depth + 1, &bytes) {
        return Err(corrupt(format!(
            "a value of the stored session is nested deeper than `max_depth` allows ({}); if it is one of yours, raise \
             `max_depth` to read it",
            options.max_depth
        )));
    }
    let (session, head) = Session::from_json(bytes, Some(RESERVED))?;
    if session.len() > options.max_fields {
        return Err(too_many_fields(options));
    }
    let Some(head) = head else {
        return Ok(session);
    };
    // serde_json's message is not kept as the source: it may quote what was stored.
    let head = Head::read(&head).ok_or_else(|| {
        corrupt(format!(
            "the member `{RESERVED}` of the stored session is not what this step writes there"
        ))
    })?;
    Ok(session
        .with_created_at(head.created.map(Timestamp::from_millis))
        .with_written_at(head.written.map(Timestamp::from_millis))
        .with_own_deadline(head.until.map(Timestamp::from_millis)))
}

/// Whether a JSON object begins here, after white space as RFC 8259 has it.
fn is_object(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !b" \t\n\r".contains(byte));
    first == Some(&b'{')
}

fn too_many_fields(options: &Options) -> Error {
    corrupt(format!(
        "the stored session has more fields than `max_fields` allows ({}); if it is one of yours, raise `max_fields` to \
         read it",
        options.max_fields
    ))
}

fn corrupt(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Corrupt, message)
}
