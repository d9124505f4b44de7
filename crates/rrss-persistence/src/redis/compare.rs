//! Replacing exactly what was loaded: compare and set, in one round trip.

use std::sync::LazyLock;

use redis::{Cmd, RedisError, Value};
use rrss_core::{Deadline, Operation, Result, Written};

use super::commands::{Nonsense, millis, put_deadline};

/// Compares the whole value, and answers 1 where it was replaced or touched, 0 where there is none, -1 where it is another.
/// A deadline that is past comes as `UNLINK`, a touch as `PEXPIREAT` or `PERSIST`.
const SCRIPT: &str = "\
local stored = redis.call('GET', KEYS[1])
if not stored then return 0 end
if stored ~= ARGV[1] then return -1 end
if ARGV[3] == 'UNLINK' then redis.call('UNLINK', KEYS[1])
elseif ARGV[3] == 'PERSIST' then redis.call('PERSIST', KEYS[1])
elseif ARGV[3] == 'PEXPIREAT' then redis.call('PEXPIREAT', KEYS[1], ARGV[4])
elseif ARGV[4] then redis.call('SET', KEYS[1], ARGV[2], ARGV[3], ARGV[4])
elseif ARGV[3] then redis.call('SET', KEYS[1], ARGV[2], ARGV[3])
else redis.call('SET', KEYS[1], ARGV[2]) end
return 1
";

/// The SHA-1 of the script, by which `EVALSHA` names it.
static HASH: LazyLock<String> = LazyLock::new(|| redis::Script::new(SCRIPT).get_hash().to_owned());

/// A write, a touch or a delete of a session that must still be as it was loaded.
#[derive(Clone, Copy)]
pub(super) struct CompareAndSet<'a> {
    key: &'a str,
    loaded: &'a [u8],
    /// What to store; `None` for a touch.
    bytes: Option<&'a [u8]>,
    /// `None` where it is past: the session ends.
    deadline: Option<Deadline>,
}

impl<'a> CompareAndSet<'a> {
    pub(super) fn new(op: &'a Operation, loaded: &'a [u8]) -> Result<Self> {
        Ok(Self {
            key: op.key()?.as_str(),
            loaded,
            bytes: Some(op.bytes()?),
            deadline: (!op.deadline.is_past(op.now())).then_some(op.deadline),
        })
    }

    pub(super) fn key(&self) -> &'a str {
        self.key
    }

    /// A delete of a session that must still be as it was loaded.
    pub(super) fn delete(key: &'a str, loaded: &'a [u8]) -> Self {
        Self {
            key,
            loaded,
            bytes: None,
            deadline: None,
        }
    }

    /// A touch of a session that must still be as it was loaded.
    pub(super) fn touch(op: &'a Operation, loaded: &'a [u8]) -> Result<Self> {
        Ok(Self {
            key: op.key()?.as_str(),
            loaded,
            bytes: None,
            deadline: (!op.deadline.is_past(op.now())).then_some(op.deadline),
        })
    }

    /// The way to try first.
    pub(super) fn first_way(&self, has_ifeq: bool) -> Way {
        if has_ifeq && self.deadline.is_some() && self.bytes.is_some() {
            Way::Native
        } else {
            Way::ByHash
        }
    }

    /// The one command that does it this way.
    pub(super) fn command(&self, way: Way) -> Cmd {
        match way {
            Way::Native => self.native().unwrap_or_else(|| self.by_hash()),
            Way::ByHash => self.by_hash(),
            Way::Whole => self.whole(),
        }
    }

    /// [`SET … IFEQ`](https://valkey.io/commands/set/), of Valkey 8.1 and Redis 8.4; `None` where the session ends,
    /// since `SET` has no condition for that.
    fn native(&self) -> Option<Cmd> {
        let (deadline, bytes) = (self.deadline?, self.bytes?);
        let mut command = Cmd::with_capacity(7, 27 + self.length());
        command
            .arg("SET")
            .arg(self.key)
            .arg(bytes)
            .arg("IFEQ")
            .arg(self.loaded);
        put_deadline(&mut command, deadline);
        Some(command)
    }

    /// [`EVALSHA`](https://redis.io/docs/latest/commands/evalsha/): the script by its hash.
    fn by_hash(&self) -> Cmd {
        self.script("EVALSHA", &HASH)
    }

    /// [`EVAL`](https://redis.io/docs/latest/commands/eval/): the script whole, which the server then knows.
    fn whole(&self) -> Cmd {
        self.script("EVAL", SCRIPT)
    }

    fn script(&self, name: &str, code: &str) -> Cmd {
        let mut command = Cmd::with_capacity(8, 31 + code.len() + self.length());
        command
            .arg(name)
            .arg(code)
            .arg(1)
            .arg(self.key)
            .arg(self.loaded);
        command.arg(
            self.bytes
                .filter(|_| self.deadline.is_some())
                .unwrap_or_default(),
        );
        match (self.deadline, self.bytes) {
            (None, _) => {
                command.arg("UNLINK");
            }
            (Some(deadline), Some(_)) => put_deadline(&mut command, deadline),
            (Some(Deadline::At(instant)), None) => {
                command.arg("PEXPIREAT").arg(millis(instant));
            }
            (Some(_), None) => {
                command.arg("PERSIST");
            }
        }
        command
    }

    fn length(&self) -> usize {
        self.key.len() + self.loaded.len() + self.bytes.map_or(0, <[u8]>::len)
    }
}

/// How to compare and set; which of them works depends on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Native,
    ByHash,
    Whole,
}

impl Way {
    /// The way to try where the server refused this one as unknown; it has not done it then.
    pub(super) fn instead(self, refusal: &RedisError) -> Option<Self> {
        match (self, refusal.code()?) {
            (Self::Native, "ERR") if refusal.detail() == Some("syntax error") => Some(Self::ByHash),
            (Self::ByHash, "NOSCRIPT") => Some(Self::Whole),
            _ => None,
        }
    }
}

/// The reply of either. `SET … IFEQ` does not tell another value from none.
pub(super) fn written(reply: &Value) -> Result<Written, Nonsense> {
    match reply {
        Value::Okay | Value::Int(1) => Ok(Written::Done),
        Value::Int(0) => Ok(Written::Gone),
        Value::Nil | Value::Int(-1) => Ok(Written::Changed),
        _ => Err(Nonsense),
    }
}

#[cfg(test)]
mod tests {
    use rrss_core::{Action, Payload, StorageKey, Timestamp};

    use super::*;

    fn words(command: &Cmd) -> String {
        let words = command.args_iter().map(|arg| match arg {
            redis::Arg::Simple(word) => String::from_utf8_lossy(word).into_owned(),
            _ => panic!("a cursor"),
        });
        words
            .collect::<Vec<_>>()
            .join(" ")
            .replace(SCRIPT, "script")
            .replace(&*HASH, "hash")
    }

    #[test]
    fn every_way_says_what_was_loaded_and_until_when() {
        let mut op = Operation::new(Action::Update, Timestamp::from_millis(5));
        op.key = Some(StorageKey::from("k".to_owned()));
        op.payload = Payload::Bytes("new".into());
        for (deadline, native, by_hash) in [
            (
                Deadline::Keep,
                Some("SET k new IFEQ old KEEPTTL"),
                "EVALSHA hash 1 k old new KEEPTTL",
            ),
            (
                Deadline::Never,
                Some("SET k new IFEQ old"),
                "EVALSHA hash 1 k old new",
            ),
            (
                Deadline::At(Timestamp::from_millis(6)),
                Some("SET k new IFEQ old PXAT 6"),
                "EVALSHA hash 1 k old new PXAT 6",
            ),
            (
                Deadline::At(Timestamp::from_millis(5)),
                None,
                "EVALSHA hash 1 k old  UNLINK",
            ),
        ] {
            op.deadline = deadline;
            let write = CompareAndSet::new(&op, b"old").unwrap();
            assert_eq!(write.native().as_ref().map(words).as_deref(), native);
            assert_eq!(words(&write.by_hash()), by_hash);
            let whole = by_hash.replace("EVALSHA hash", "EVAL script");
            assert_eq!(words(&write.whole()), whole);
        }
    }

    #[test]
    fn a_reply_of_another_kind_is_nonsense() {
        assert!(written(&Value::Int(2)).is_err());
        assert!(written(&Value::BulkString(b"OK".to_vec())).is_err());
    }
}
