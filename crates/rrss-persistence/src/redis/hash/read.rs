//! A session from the entries of its hash.

use redis::{Cmd, Value};
use rrss_core::{Error, ErrorKind, Record, Result, Session, Timestamp};

use super::form::Form;
use super::head::{self, Head};
use super::text;
use crate::redis::commands::Nonsense;

/// Names and values, as they are stored.
pub(super) type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// [`HGETALL`](https://redis.io/docs/latest/commands/hgetall/).
pub(super) fn entries_of(key: &str) -> Cmd {
    let mut command = Cmd::with_capacity(2, 7 + key.len());
    command.arg("HGETALL").arg(key);
    command
}

/// The reply of `HGETALL`: the entries, none where there is no hash.
pub(super) fn entries(reply: Value) -> Result<Entries, Nonsense> {
    let Value::Map(entries) = reply else {
        return Err(Nonsense);
    };
    let both = entries.into_iter().map(|entry| match entry {
        (Value::BulkString(name), Value::BulkString(value)) => Ok((name, value)),
        _ => Err(Nonsense),
    });
    both.collect()
}

/// The session that the entries are; `None` where there are none.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`] where they are no text, or no session.
pub(super) fn session(
    entries: &[(Vec<u8>, Vec<u8>)],
    expires_at: Option<Timestamp>,
) -> Result<Option<Record>> {
    if entries.is_empty() {
        return Ok(None);
    }
    let bytes: usize = entries
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    let mut json = Vec::with_capacity(bytes + 6 * entries.len() + 2);
    let mut head = Head::default();
    let mut texts = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let (name, value) = (utf8(name)?, utf8(value)?);
        if name == head::NAME {
            head = Head::read(value)?;
            continue;
        }
        json.push(if json.is_empty() { b'{' } else { b',' });
        text::put_string(&mut json, name);
        json.push(b':');
        text::put_read(&mut json, value);
        texts.push((name, value));
    }
    if json.is_empty() {
        json.push(b'{');
    }
    json.push(b'}');
    let until = head.until.map_or(String::new(), |until| until.to_string());
    let mut form = Form::new(&until, bytes + 16 * texts.len());
    for (name, value) in texts {
        form.put(name);
        form.put(value);
    }
    let (session, _) = Session::from_json(json.into(), None)?;
    let session = head.put_on(session);
    Ok(Some(Record::of_session(
        session,
        Some(form.into()),
        expires_at,
    )))
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| {
        Error::new(
            ErrorKind::Corrupt,
            "a name or a value of the stored session is not UTF-8, so rrss did not write it",
        )
    })
}
