//! Replacing exactly what was loaded: compare and set, in one round trip.

use std::sync::LazyLock;

use redis::{Cmd, Value};
use rrss_core::{Deadline, Operation, Result, Written};

use super::commands::{Nonsense, put_deadline};

/// Compares the whole value, and answers 1 where it was replaced, 0 where there is none, -1 where it is another.
/// A deadline that is past comes as `UNLINK`.
const SCRIPT: &str = "\
local stored = redis.call('GET', KEYS[1])
if not stored then return 0 end
if stored ~= ARGV[1] then return -1 end
if ARGV[3] == 'UNLINK' then redis.call('UNLINK', KEYS[1])
elseif ARGV[4] then redis.call('SET', KEYS[1], ARGV[2], ARGV[3], ARGV[4])
elseif ARGV[3] then redis.call('SET', KEYS[1], ARGV[2], ARGV[3])
else redis.call('SET', KEYS[1], ARGV[2]) end
return 1
";

/// The SHA-1 of the script, by which `EVALSHA` names it.
static HASH: LazyLock<String> = LazyLock::new(|| redis::Script::new(SCRIPT).get_hash().to_owned());

/// A write of a session that must still be as it was loaded.
pub(super) struct CompareAndSet<'a> {
    key: &'a str,
    loaded: &'a [u8],
    bytes: &'a [u8],
    /// `None` where it is past: the session ends.
    deadline: Option<Deadline>,
}

impl<'a> CompareAndSet<'a> {
    pub(super) fn new(op: &'a Operation, loaded: &'a [u8]) -> Result<Self> {
        Ok(Self {
            key: op.key()?.as_str(),
            loaded,
            bytes: op.bytes()?,
            deadline: (!op.deadline.is_past(op.now())).then_some(op.deadline),
        })
    }

    /// [`SET … IFEQ`](https://valkey.io/commands/set/), of Valkey 8.1 and Redis 8.4; `None` where the session ends,
    /// since `SET` has no condition for that.
    pub(super) fn native(&self) -> Option<Cmd> {
        let deadline = self.deadline?;
        let mut command = Cmd::with_capacity(7, 27 + self.length());
        command
            .arg("SET")
            .arg(self.key)
            .arg(self.bytes)
            .arg("IFEQ")
            .arg(self.loaded);
        put_deadline(&mut command, deadline);
        Some(command)
    }

    /// [`EVALSHA`](https://redis.io/docs/latest/commands/evalsha/): the script by its hash.
    pub(super) fn by_hash(&self) -> Cmd {
        self.script("EVALSHA", &HASH)
    }

    /// [`EVAL`](https://redis.io/docs/latest/commands/eval/): the script whole, which the server then knows.
    pub(super) fn whole(&self) -> Cmd {
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
        match self.deadline {
            None => {
                command.arg("").arg("UNLINK");
            }
            Some(deadline) => {
                command.arg(self.bytes);
                put_deadline(&mut command, deadline);
            }
        }
        command
    }

    fn length(&self) -> usize {
        self.key.len() + self.loaded.len() + self.bytes.len()
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
