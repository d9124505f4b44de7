//! A session as the text of one JSON object.

use bytes::Bytes;
use rrss_core::{Error, ErrorKind, Result, Session, Timestamp};
use serde::Serialize;

use crate::nesting::depth;
use crate::options::Options;
use crate::step::RESERVED;

/// `{"$rrss":{"created":18446744073709551615,"written":…,"until":…},`
const LONGEST_HEAD: usize = 102;
/// `"":,`
const PER_FIELD: usize = 4;

/// The stored form of `session`, written at `now`. Values are copied as they stand, so those that did not change keep
/// their bytes.
pub(crate) fn encode(session: &Session, now: Timestamp, options: &Options) -> Result<Bytes> {
    check_changes(session, options.max_depth)?;
    let (fields, length) = session
        .iter_raw()
        .fold((0, 0), |(fields, length), (name, value)| {
            (fields + 1, length + name.len() + value.len() + PER_FIELD)
        });
    if fields > options.max_fields {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the session has {fields} fields, and `max_fields` allows {}; keep what there is much of in one field, as a \
                 list, or raise `max_fields`",
                options.max_fields
            ),
        ));
    }

    let mut text = Vec::with_capacity(LONGEST_HEAD + length);
    text.push(b'{');
    put_head(&mut text, session, now)?;
    for (name, value) in session.iter_raw() {
        if text.len() > 1 {
            text.push(b',');
        }
        put(&mut text, name)?;
        text.push(b':');
        text.extend_from_slice(value.as_bytes());
    }
    text.push(b'}');

    if text.len() > options.max_bytes {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the session is {} bytes of JSON, and `max_bytes` allows {}; store less in it, or raise `max_bytes`",
                text.len(),
                options.max_bytes
            ),
        ));
    }
    Ok(text.into())
}

/// What is kept of a session beside its fields, in milliseconds since 1970.
fn put_head(text: &mut Vec<u8>, session: &Session, now: Timestamp) -> Result<()> {
    put(text, RESERVED)?;
    text.extend_from_slice(b":{");
    if let Some(created) = session.created_at() {
        text.extend_from_slice(br#""created":"#);
        put(text, &created.as_millis())?;
        text.push(b',');
    }
    text.extend_from_slice(br#""written":"#);
    put(text, &now.as_millis())?;
    if let Some(until) = session.own_deadline() {
        text.extend_from_slice(br#","until":"#);
        put(text, &until.as_millis())?;
    }
    text.push(b'}');
    Ok(())
}

fn put<T: Serialize + ?Sized>(text: &mut Vec<u8>, value: &T) -> Result<()> {
    serde_json::to_writer(text, value).map_err(|error| {
        Error::new(ErrorKind::Value, "the session does not serialise to JSON").with_source(error)
    })
}

/// What is not changed passed this check when it was read.
fn check_changes(session: &Session, max_depth: usize) -> Result<()> {
    for (name, value) in session.changes() {
        let Some(value) = value else { continue };
        if name == RESERVED {
            return Err(Error::new(
                ErrorKind::Value,
                format!(
                    "the name `{RESERVED}` is reserved for what rrss stores beside the fields; give the field another \
                     name"
                ),
            ));
        }
        let depth = depth(value.as_bytes());
        if depth > max_depth {
            return Err(Error::new(
                ErrorKind::Value,
                format!(
                    "the value of the field `{name}` is nested {depth} deep, and `max_depth` allows {max_depth}; \
                     store it flatter"
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_is_large_enough_from_the_start_and_hardly_larger() {
        let mut session =
            Session::new().with_created_at(Some(rrss_core::Timestamp::from_millis(u64::MAX)));
        for n in 0..100 {
            session.insert(&format!("field{n}"), &n).unwrap();
        }
        let options = Options::default();
        let now = rrss_core::Timestamp::from_millis(u64::MAX);
        let text = Vec::from(encode(&session, now, &options).unwrap());
        assert!(text.capacity() - text.len() < LONGEST_HEAD);
    }
}
