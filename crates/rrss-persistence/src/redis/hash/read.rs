//! A session from the entries of its hash.

use redis::{Cmd, Value};
use rrss_core::{Error, ErrorKind, Record, Result, Session, Timestamp};

use super::bounds::Bounds;
use super::form::Form;
use super::head::{self, Head};
use super::text::{self, Readers};
use crate::redis::commands::Nonsense;

/// Names and values, as they are stored.
pub(super) type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// What a server has told of a hash.
pub(super) enum Told {
    /// All entries; none where there is no hash.
    All(Entries),
    /// There are more.
    TooMany,
    /// Some entries, and not how many there are.
    Some,
}

/// All entries of a hash that has at most `most`: [`HSCAN`](https://redis.io/docs/latest/commands/hscan/) from its beginning, which ends
/// once it has more, where [`HGETALL`](https://redis.io/docs/latest/commands/hgetall/) would answer with a million.
pub(super) fn at_most(most: usize, key: &str) -> Cmd {
    let mut command = Cmd::with_capacity(5, 32 + key.len());
    command.arg("HSCAN").arg(key).arg(0);
    command.arg("COUNT").arg(most.saturating_add(1));
    command
}

/// The reply to [`at_most`].
pub(super) fn told(most: usize, reply: Value) -> Result<Told, Nonsense> {
    let Value::Array(reply) = reply else {
        return Err(Nonsense);
    };
    let [cursor, entries] = <[Value; 2]>::try_from(reply).map_err(|_| Nonsense)?;
    let (Value::BulkString(cursor), Value::Array(entries)) = (cursor, entries) else {
        return Err(Nonsense);
    };
    if entries.len() / 2 > most {
        return Ok(Told::TooMany);
    }
    if cursor != b"0" {
        return Ok(Told::Some);
    }
    let mut both = entries.into_iter();
    let mut all = Vec::with_capacity(both.len() / 2);
    while let Some(name) = both.next() {
        let (Value::BulkString(name), Some(Value::BulkString(value))) = (name, both.next()) else {
            return Err(Nonsense);
        };
        all.push((name, value));
    }
    Ok(Told::All(all))
}

/// All entries, however many: for a hash of which [`at_most`] found few. A server goes through ten places of the table for each
/// entry that it is to find, and one that has been much larger, and was made smaller while a child of the server wrote a
/// snapshot, is emptier than that.
pub(super) fn all(key: &str) -> Cmd {
    let mut command = Cmd::with_capacity(2, 7 + key.len());
    command.arg("HGETALL").arg(key);
    command
}

/// The reply to [`all`].
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
/// [`ErrorKind::Corrupt`] where they are no text, or no session, or too large for one.
pub(super) fn session(
    entries: &[(Vec<u8>, Vec<u8>)],
    bounds: Bounds,
    readers: Readers,
    expires_at: Option<Timestamp>,
) -> Result<Option<Record>> {
    if entries.is_empty() {
        return Ok(None);
    }
    let bytes: usize = entries
        .iter()
        .filter(|(name, _)| name != head::NAME.as_bytes())
        .map(|(name, value)| name.len() + value.len())
        .sum();
    bounds.expect(bytes)?;
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
        text::put_read(&mut json, value, readers);
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
