//! Which commands carry out an operation, and what their replies mean. Nothing is sent here.

use std::sync::Arc;

use bytes::Bytes;
use redis::{Cmd, Pipeline, Value};
use rrss_core::{Deadline, Guard, Timestamp};

use super::compare::CompareAndSet;
use super::script::Script;
use super::tracking::Watch;

/// What is sent to the server in one go.
pub(super) enum Request<'a> {
    One(Cmd),
    /// Commands of one key.
    Several(Pipeline),
    /// Commands that read one key, which is watched from before they are sent.
    Watched(Pipeline, Arc<Watch>),
    /// One command; which one depends on what the server has.
    CompareAndSet(CompareAndSet<'a>),
    /// A script, whole where the server does not know it.
    Script(Script<'a>),
    /// Commands of several keys, answered by one array of all replies.
    ///
    /// No part may begin before those in front of it are done. One server does what it is sent in order, so it is sent
    /// all parts at once. In a Cluster the keys may be of several servers: there a part is sent when the one before it
    /// is answered, and its commands to their servers at the same time, those of one key in order.
    InOrder(Vec<Part<'a>>),
}

/// A part of [`Request::InOrder`].
pub(super) enum Part<'a> {
    Commands(Vec<Cmd>),
    CompareAndSet(CompareAndSet<'a>),
}

impl Request<'_> {
    /// Commands of one key, of which each has a reply of its own.
    pub(super) fn several(&self) -> Option<&Pipeline> {
        match self {
            Self::Several(commands) | Self::Watched(commands, _) => Some(commands),
            _ => None,
        }
    }

    /// These commands, sent in the same way.
    pub(super) fn with_commands(&self, commands: Pipeline) -> Request<'static> {
        match self {
            Self::Watched(_, watch) => Request::Watched(commands, Arc::clone(watch)),
            _ => Request::Several(commands),
        }
    }
}

impl From<Cmd> for Request<'_> {
    fn from(command: Cmd) -> Self {
        Self::One(command)
    }
}

/// A reply that the command does not have.
#[derive(Debug)]
pub(super) struct Nonsense;

/// [`GET`](https://redis.io/docs/latest/commands/get/).
pub(super) fn get(key: &str) -> Request<'static> {
    of_key("GET", key).into()
}

/// [`GET`](https://redis.io/docs/latest/commands/get/) and
/// [`PEXPIRETIME`](https://redis.io/docs/latest/commands/pexpiretime/).
pub(super) fn get_with_deadline(key: &str) -> Pipeline {
    let mut both = Pipeline::with_capacity(2);
    both.add_command(of_key("GET", key));
    both.add_command(deadline_of(key));
    both
}

/// [`PEXPIRETIME`](https://redis.io/docs/latest/commands/pexpiretime/).
pub(super) fn deadline_of(key: &str) -> Cmd {
    of_key("PEXPIRETIME", key)
}

/// [`EXISTS`](https://redis.io/docs/latest/commands/exists/).
pub(super) fn exists(key: &str) -> Cmd {
    of_key("EXISTS", key)
}

/// [`UNLINK`](https://redis.io/docs/latest/commands/unlink/): as `DEL`, with the memory freed in the background.
pub(super) fn unlink(key: &str) -> Cmd {
    of_key("UNLINK", key)
}

/// [`PING`](https://redis.io/docs/latest/commands/ping/).
pub(super) fn ping() -> Request<'static> {
    let mut command = Cmd::with_capacity(1, 4);
    command.arg("PING");
    command.into()
}

/// [`SET`](https://redis.io/docs/latest/commands/set/) under a guard, with a deadline that is not past; `None` for
/// a guard that this crate does not know.
pub(super) fn set(key: &str, bytes: &[u8], guard: &Guard, deadline: Deadline) -> Option<Cmd> {
    // The longest form has a number of up to 19 digits.
    let mut command = Cmd::with_capacity(6, 16 + key.len() + bytes.len() + 19);
    command.arg("SET").arg(key).arg(bytes);
    match guard {
        Guard::Absent => command.arg("NX"),
        Guard::Exists => command.arg("XX"),
        _ => return None,
    };
    // A session that is new has no deadline to keep.
    if *guard == Guard::Exists || deadline != Deadline::Keep {
        put_deadline(&mut command, deadline);
    }
    Some(command)
}

/// The part of a `SET` that says until when.
pub(super) fn put_deadline(command: &mut Cmd, deadline: Deadline) {
    match deadline {
        Deadline::At(instant) => {
            command.arg("PXAT").arg(millis(instant));
        }
        Deadline::Keep => {
            command.arg("KEEPTTL");
        }
        Deadline::Never => {}
    }
}

/// [`PEXPIREAT`](https://redis.io/docs/latest/commands/pexpireat/).
pub(super) fn expire(key: &str, deadline: Timestamp) -> Cmd {
    let mut command = Cmd::with_capacity(3, 9 + key.len() + 19);
    command.arg("PEXPIREAT").arg(key).arg(millis(deadline));
    command
}

/// [`PERSIST`](https://redis.io/docs/latest/commands/persist/), which answers the same for a key without a deadline
/// as for no key; so `EXISTS` goes with it.
pub(super) fn persist(key: &str) -> [Cmd; 2] {
    [of_key("PERSIST", key), exists(key)]
}

fn of_key(name: &str, key: &str) -> Cmd {
    let mut command = Cmd::with_capacity(2, name.len() + key.len());
    command.arg(name).arg(key);
    command
}

/// Redis' instants end with `i64`, 292 million years from now.
pub(super) fn millis(instant: Timestamp) -> i64 {
    i64::try_from(instant.as_millis()).unwrap_or(i64::MAX)
}

/// The reply of `GET`.
pub(super) fn bytes(reply: Value) -> Result<Option<Bytes>, Nonsense> {
    match reply {
        Value::BulkString(bytes) => Ok(Some(bytes.into())),
        Value::Nil => Ok(None),
        _ => Err(Nonsense),
    }
}

/// The replies of `GET` and `PEXPIRETIME`.
pub(super) fn bytes_and_deadline(
    reply: Value,
) -> Result<Option<(Bytes, Option<Timestamp>)>, Nonsense> {
    let Value::Array(replies) = reply else {
        return Err(Nonsense);
    };
    let [stored, Value::Int(deadline)] = <[Value; 2]>::try_from(replies).map_err(|_| Nonsense)?
    else {
        return Err(Nonsense);
    };
    let deadline = u64::try_from(deadline).ok().map(Timestamp::from_millis);
    Ok(bytes(stored)?.map(|bytes| (bytes, deadline)))
}

/// The reply of a `SET` with a condition: whether it held.
pub(super) fn was_set(reply: &Value) -> Result<bool, Nonsense> {
    match reply {
        Value::Okay => Ok(true),
        Value::Nil => Ok(false),
        _ => Err(Nonsense),
    }
}

/// The replies of commands that say how many keys they found: whether any did.
pub(super) fn found(replies: &[Value]) -> Result<bool, Nonsense> {
    replies.iter().try_fold(false, |any, reply| match reply {
        Value::Int(count) => Ok(any || *count > 0),
        _ => Err(Nonsense),
    })
}

/// The reply of `PING`.
pub(super) fn pong(reply: &Value) -> Result<(), Nonsense> {
    match reply {
        Value::SimpleString(_) => Ok(()),
        _ => Err(Nonsense),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Cmd) -> String {
        let words = command.args_iter().map(|arg| match arg {
            redis::Arg::Simple(word) => String::from_utf8_lossy(word).into_owned(),
            _ => panic!("a cursor"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_set_says_guard_and_deadline() {
        let at = Deadline::At(Timestamp::from_millis(1_795_348_800_000));
        let end = Deadline::At(Timestamp::from_millis(u64::MAX));
        for (guard, deadline, expected) in [
            (Guard::Absent, at, "SET k v NX PXAT 1795348800000"),
            (Guard::Absent, Deadline::Keep, "SET k v NX"),
            (Guard::Absent, Deadline::Never, "SET k v NX"),
            (Guard::Exists, at, "SET k v XX PXAT 1795348800000"),
            (Guard::Exists, Deadline::Keep, "SET k v XX KEEPTTL"),
            (Guard::Exists, Deadline::Never, "SET k v XX"),
            (Guard::Exists, end, "SET k v XX PXAT 9223372036854775807"),
        ] {
            let set = set("k", b"v", &guard, deadline).unwrap();
            assert_eq!(words(&set), expected);
        }
    }

    #[test]
    fn a_reply_of_another_kind_is_nonsense() {
        let text = || Value::BulkString(b"17".to_vec());
        assert!(bytes(Value::Int(1)).is_err());
        assert!(was_set(&text()).is_err());
        assert!(found(&[text()]).is_err());
        assert!(found(&[Value::Int(1), text()]).is_err());
        let replies = |one, other| Value::Array(vec![one, other]);
        assert!(bytes_and_deadline(text()).is_err());
        assert!(bytes_and_deadline(replies(text(), text())).is_err());
        assert!(bytes_and_deadline(replies(Value::Okay, Value::Int(1))).is_err());
        assert!(pong(&text()).is_err());
    }

    #[test]
    fn either_of_two_commands_may_have_found_the_key() {
        for (replies, expected) in [([1, 0], true), ([0, 1], true), ([0, 0], false)] {
            assert_eq!(found(&replies.map(Value::Int)).unwrap(), expected);
        }
    }
}
