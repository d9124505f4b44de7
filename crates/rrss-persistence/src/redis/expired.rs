//! Giving the notes of sessions that have expired, and forgetting those that were told.
//!
//! A shard is asked for what is due, and leases that out in the same script. Then each session is looked for: one that is
//! there lives, and gets its deadline back. So nobody has to watch sessions expire.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};
use rrss_core::{ExpiredNote, KeySpace, Operation, Result, StorageKey, Timestamp};

use super::commands::{self, Nonsense, Part, Request};
use super::failure::Doing;
use super::index::NO_KEY;
use super::link::Link;
use super::notes::{SHARDS, Shard};

/// How many notes one script looks at, at most: a fraction of a millisecond of the server's time.
const AT_ONCE: usize = 128;

/// Leases out what is due by the clocks of both sides, and answers each session's key, its deadline and its note.
const CLAIM: &str = "\
local time = redis.call('TIME')
local now = math.min(tonumber(ARGV[1]), time[1] * 1000 + math.floor(time[2] / 1000) - 1)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local claimed = {}
for i = 1, #due, 2 do
  local key, score = due[i], tonumber(due[i + 1])
  local claim = '\\255' .. key
  local deadline = score % 1 ~= 0 and redis.call('HGET', KEYS[2], claim) or string.format('%.0f', score)
  redis.call('ZADD', KEYS[1], ARGV[3], key)
  redis.call('HSET', KEYS[2], claim, deadline)
  claimed[#claimed + 1] = key
  claimed[#claimed + 1] = deadline
  claimed[#claimed + 1] = redis.call('HGET', KEYS[2], key)
end
return claimed
";

/// Gives a note that is still leased out to the same its deadline back.
const RELEASE: &str = "\
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 0 end
redis.call('HDEL', KEYS[2], '\\255' .. ARGV[1])
return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
";

/// Removes the notes that are leased out, to whomever, and answers how many.
const FORGET: &str = "\
local count = 0
for _, key in ipairs(ARGV) do
  local score = redis.call('ZSCORE', KEYS[1], key)
  if score and tonumber(score) % 1 ~= 0 then
    count = count + redis.call('ZREM', KEYS[1], key)
    redis.call('HDEL', KEYS[2], key, '\\255' .. key)
  end
end
return count
";

/// What a session leaves that may have expired.
struct Claimed {
    session: String,
    deadline: Timestamp,
    note: Option<Bytes>,
}

/// What is taken, for how long.
struct Taking<'a> {
    link: &'a Link,
    space: &'a KeySpace,
    now: Timestamp,
    keep: Duration,
    /// The score of what is leased out: see [`super::notes`].
    lease: String,
    /// Until when what is wanted was due.
    due: u64,
}

/// As [`Backend::take_expired`](rrss_core::Backend::take_expired).
pub(super) async fn take(
    link: &Link,
    op: &Operation,
    limit: usize,
    lease: Duration,
    keep: Duration,
) -> Result<Vec<ExpiredNote>> {
    let (space, now) = (op.key_space()?, op.now());
    let due = match limit {
        0 => {
            let keep = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
            now.as_millis().checked_sub(keep)
        }
        _ => Some(now.as_millis()),
    };
    let Some(due) = due else {
        return Ok(Vec::new());
    };
    let until = now + lease.max(Duration::from_millis(1));
    let taking = Taking {
        link,
        space,
        now,
        keep,
        lease: format!("{}.5", until.as_millis()),
        due,
    };
    // Begun elsewhere each time, so that a small limit gives of all of them.
    let first = (now.as_millis() % u64::from(SHARDS)) as u16;
    let shards = (0..SHARDS).map(|place| Shard::at((first + place) % SHARDS, space));
    let (mut open, mut given): (Vec<Shard>, _) = (shards.collect(), Vec::new());
    while !open.is_empty() && (limit == 0 || given.len() < limit) {
        let left = match limit {
            0 => usize::from(SHARDS) * AT_ONCE,
            limit => limit - given.len(),
        };
        let asked = open.len().min(left);
        let each = (left / asked).min(AT_ONCE);
        let claimed = taking.claim(&open[..asked], each).await?;
        let mut counts = claimed.iter().map(Vec::len);
        open.retain(|_| counts.next().is_none_or(|count| count == each));
        let claimed = claimed.into_iter().flatten().collect();
        taking.sort_out(claimed, &mut given).await?;
    }
    Ok(given)
}

impl Taking<'_> {
    /// Up to `each` of every one of `shards`.
    async fn claim(&self, shards: &[Shard], each: usize) -> Result<Vec<Vec<Claimed>>> {
        let claims = shards.iter().map(|shard| {
            let mut script = shard.script(CLAIM);
            script.arg(self.due).arg(each).arg(&self.lease);
            script
        });
        ask(self.link, claims.collect(), |replies| {
            replies.into_iter().map(claimed).collect()
        })
        .await
    }

    /// Gives what has expired, drops what is too old, and puts back what lives.
    async fn sort_out(&self, claimed: Vec<Claimed>, given: &mut Vec<ExpiredNote>) -> Result<()> {
        // What is of another store in the same place is leased out for nothing; that one takes it later.
        let ours = |claimed: &Claimed| self.space.middle(&claimed.session).is_some();
        let claimed: Vec<_> = claimed.into_iter().filter(ours).collect();
        if claimed.is_empty() {
            return Ok(());
        }
        let looks = claimed
            .iter()
            .map(|claimed| commands::deadline_of(&claimed.session))
            .collect();
        let deadlines = ask(self.link, looks, |replies| {
            replies.iter().map(integer).collect::<Result<Vec<_>, _>>()
        })
        .await?;
        let (mut left, mut old) = (Vec::new(), Vec::new());
        for (claimed, found) in claimed.into_iter().zip(deadlines) {
            match found {
                NO_KEY => match claimed.note {
                    Some(note) if self.now.since(claimed.deadline) < self.keep => {
                        given.push(ExpiredNote {
                            key: StorageKey::from(claimed.session),
                            deadline: claimed.deadline,
                            note,
                        });
                    }
                    _ => old.push(claimed.session),
                },
                0.. if found.unsigned_abs() > self.due => {
                    left.push(self.release(&claimed.session, found));
                }
                // It never ends, or the clock of its node is behind: it is looked for again after the lease.
                _ => {}
            }
        }
        left.extend(forgetting(old.iter().map(String::as_str), self.space));
        if left.is_empty() {
            return Ok(());
        }
        ask(self.link, left, |_| Ok(())).await
    }

    fn release(&self, session: &str, deadline: i64) -> Cmd {
        let mut script = Shard::of(session, self.space).script(RELEASE);
        script.arg(session).arg(&self.lease).arg(deadline);
        script
    }
}

/// As [`Backend::forget_expired`](rrss_core::Backend::forget_expired).
pub(super) async fn forget(link: &Link, op: &Operation, keys: &[StorageKey]) -> Result<u64> {
    let mut forgotten = 0;
    for keys in keys.chunks(AT_ONCE * usize::from(SHARDS)) {
        let scripts = forgetting(keys.iter().map(StorageKey::as_str), op.key_space()?);
        forgotten += ask(link, scripts, |replies| {
            let counts = replies.iter().map(integer);
            counts.sum::<Result<i64, Nonsense>>()
        })
        .await?;
    }
    Ok(forgotten.unsigned_abs())
}

/// A script for each shard that has notes of these sessions, several where there are many.
fn forgetting<'k>(keys: impl Iterator<Item = &'k str>, space: &KeySpace) -> Vec<Cmd> {
    let mut by_shard: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for key in keys {
        by_shard.entry(Shard::place(key)).or_default().push(key);
    }
    let mut scripts = Vec::with_capacity(by_shard.len());
    for (place, keys) in by_shard {
        let shard = Shard::at(place, space);
        for keys in keys.chunks(AT_ONCE) {
            let mut script = shard.script(FORGET);
            script.arg(keys);
            scripts.push(script);
        }
    }
    scripts
}

/// Sends `commands` at the same time, and reads their replies.
async fn ask<T>(
    link: &Link,
    commands: Vec<Cmd>,
    read: impl FnOnce(Vec<Value>) -> Result<T, Nonsense>,
) -> Result<T> {
    let request = Request::InOrder(vec![Part::Commands(commands)]);
    link.read(Doing::Expired, &request, |reply| match reply {
        Value::Array(replies) => read(replies),
        _ => Err(Nonsense),
    })
    .await
}

/// The reply of [`CLAIM`].
fn claimed(reply: Value) -> Result<Vec<Claimed>, Nonsense> {
    let Value::Array(words) = reply else {
        return Err(Nonsense);
    };
    let mut claimed = Vec::with_capacity(words.len() / 3);
    let mut words = words.into_iter();
    while let Some(session) = words.next() {
        let (Some(deadline), Some(note)) = (words.next(), words.next()) else {
            return Err(Nonsense);
        };
        let (Value::BulkString(session), Value::BulkString(deadline)) = (session, deadline) else {
            return Err(Nonsense);
        };
        let note = commands::bytes(note)?;
        let deadline = std::str::from_utf8(&deadline).ok();
        let deadline = deadline
            .and_then(|text| text.parse().ok())
            .ok_or(Nonsense)?;
        // What is no text was not put by us.
        if let Ok(session) = String::from_utf8(session) {
            claimed.push(Claimed {
                session,
                deadline: Timestamp::from_millis(deadline),
                note,
            });
        }
    }
    Ok(claimed)
}

fn integer(reply: &Value) -> Result<i64, Nonsense> {
    match reply {
        Value::Int(number) => Ok(*number),
        _ => Err(Nonsense),
    }
}
