//! Listing with [`SCAN`](https://redis.io/docs/latest/commands/scan/), which never stops the server for long.

use redis::{Cmd, Value};
use rrss_core::{Cursor, Error, ErrorKind, KeySpace, Result};

use super::commands::{Nonsense, Request};
use super::rotated;

/// How many keys the server looks at in one call, at most: a fraction of a millisecond of its time.
pub(super) const AT_ONCE: usize = 1_000;

/// How many it looks at, at least: a page of one key in a database of many others would take long to fill.
const AT_LEAST: usize = 10;

/// Where a scan begins, and where it ends.
pub(super) const START: u64 = 0;

/// The type of value that sessions are; a foreign value of another among our keys is none, and could not be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Hash,
}

/// One call of `SCAN`. It answers keys of the pattern and the type, live ones only, some perhaps twice.
pub(super) fn scan(from: u64, space: &KeySpace, kind: Kind, count: usize) -> Request<'static> {
    let mut command = Cmd::new();
    command
        .arg("SCAN")
        .arg(from)
        .arg("MATCH")
        .arg(pattern(space))
        .arg("COUNT")
        .arg(count.clamp(AT_LEAST, AT_ONCE))
        .arg("TYPE")
        .arg(match kind {
            Kind::String => "string",
            Kind::Hash => "hash",
        });
    command.into()
}

/// The glob pattern of a key space, with what stands for other characters escaped.
fn pattern(space: &KeySpace) -> String {
    format!("{}*{}", escaped(space.prefix()), escaped(space.suffix()))
}

fn escaped(text: &str) -> String {
    let special = |c: char| "*?[]\\".contains(c);
    text.chars()
        .flat_map(|c| special(c).then_some('\\').into_iter().chain([c]))
        .collect()
}

/// The reply of `SCAN`: where to go on, and the keys that are of the key space.
pub(super) fn page(reply: Value, space: &KeySpace) -> Result<(u64, Vec<String>), Nonsense> {
    let Value::Array(parts) = reply else {
        return Err(Nonsense);
    };
    let Ok([Value::BulkString(next), Value::Array(keys)]) = <[Value; 2]>::try_from(parts) else {
        return Err(Nonsense);
    };
    let next = number(&next).ok_or(Nonsense)?;
    let keys = keys
        .into_iter()
        .filter_map(|key| match key {
            Value::BulkString(key) => String::from_utf8(key).ok(),
            _ => None,
        })
        .filter(|key| space.middle(key).is_some() && !rotated::is_companion(key, space))
        .collect();
    Ok((next, keys))
}

/// The place in a scan that a cursor of ours stands for.
pub(super) fn place(cursor: Option<&Cursor>) -> Result<u64> {
    cursor.map_or(Ok(START), |cursor| {
        number(cursor.as_bytes()).ok_or_else(|| {
            Error::new(
                ErrorKind::Value,
                "this cursor is not one of the `redis` backend; list from the first page again",
            )
        })
    })
}

/// Where the next page begins, unless the scan has come round.
pub(super) fn cursor(next: u64) -> Option<Cursor> {
    (next != START).then(|| next.to_string().into_bytes().into())
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_stand_for_others_are_escaped() {
        for (prefix, suffix, expected) in [
            ("sessions:", "", "sessions:*"),
            ("sessions:", ":data", "sessions:*:data"),
            ("a*b?", "[c]\\", "a\\*b\\?*\\[c\\]\\\\"),
        ] {
            assert_eq!(pattern(&KeySpace::new(prefix, suffix)), expected);
        }
    }

    #[test]
    fn a_page_holds_the_keys_that_are_text_and_of_the_key_space() {
        let text = |text: &[u8]| Value::BulkString(text.to_vec());
        let keys = [&b"s:1"[..], b"t:1", b"s:\xff", b"s:2"].map(text);
        let reply = Value::Array(vec![text(b"7"), Value::Array(keys.to_vec())]);
        let (next, keys) = page(reply, &KeySpace::new("s:", "")).unwrap();
        assert_eq!((next, keys), (7, vec!["s:1".to_owned(), "s:2".to_owned()]));
    }

    #[test]
    fn a_cursor_survives_its_journey_and_another_is_refused() {
        assert_eq!(place(None).unwrap(), START);
        assert_eq!(cursor(START), None);
        let last = cursor(u64::MAX).unwrap();
        assert_eq!(place(Some(&last)).unwrap(), u64::MAX);
        for foreign in ["", "sessions:1", "-1", "1 MATCH *"] {
            let foreign = Cursor::from(foreign.as_bytes().to_vec());
            assert_eq!(place(Some(&foreign)).unwrap_err().kind(), ErrorKind::Value);
        }
    }
}
