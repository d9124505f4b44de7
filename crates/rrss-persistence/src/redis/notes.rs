//! The notes of sessions: what is to be told of each when it has expired.
//!
//! # What is stored
//!
//! Redis forgets a session at its deadline, so what is to be told of it lies elsewhere, and longer: in 16 shards, of which
//! each is a sorted set of sessions by deadline and a hash of their notes. Both end when the last of their notes may be
//! dropped. Their names share a hash tag, so that one script can use both on a Cluster.
//!
//! A note that was given to somebody has the end of the lease for a score, and half a millisecond, which no deadline has;
//! its deadline is in the hash as long, under the session's key behind the byte 255, which no key has.
//!
//! # In which order
//!
//! A note is put before its session is written, so it is never missing. The write may be refused then. Where the session
//! is not there, the note is what it was before, but for its bytes: none, or one that is told at the deadline that it had.
//! Where the session is there, it is looked for at its deadline at the latest.
//!
//! Only the server knows whether a session that a delete did not find had been deleted or had expired. A note is removed
//! by a delete where its deadline is still to come.

use std::time::Duration;

use redis::{Cmd, Value};
use rrss_core::{Action, Deadline, Guard, KeySpace, NoteChange, Operation, Result, Timestamp};

use super::commands::{Nonsense, Part, millis};
use super::index::{NO_KEY, command, score};
use super::slots;

/// How many parts the notes are in: so that on a Cluster they are of several nodes.
pub(super) const SHARDS: u16 = 16;

/// Puts a note, for as long as one may ask for it.
const PUT_NOTE: &str = "\
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PEXPIRETIME', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
";

/// Puts a deadline, for as long as one may ask for the note, and answers the score that was there.
const PUT_DEADLINE: &str = "\
local was = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if redis.call('PEXPIRETIME', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
return was
";

/// Changes a note that is there.
const CHANGE_NOTE: &str = "\
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
";

/// Puts both; with `XX`, nothing where nothing is there.
const PUT: &str = "\
if ARGV[5] == 'XX' and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
for i = 1, 2 do
  if redis.call('PEXPIRETIME', KEYS[i]) < tonumber(ARGV[4]) then redis.call('PEXPIREAT', KEYS[i], ARGV[4]) end
end
return 1
";

/// Removes the note of a session that was deleted, unless that has expired by the clock of the server.
const DELETE: &str = "\
local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0)
local time = redis.call('TIME')
if score % 1 ~= 0 or score < time[1] * 1000 + math.floor(time[2] / 1000) then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1], '\\255' .. ARGV[1])
";

/// Removes a note that has a certain score.
const REMOVE: &str = "\
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1], '\\255' .. ARGV[1])
";

/// Puts a score in the place of a later one, or of a certain one.
const LOOK_AT: &str = "\
local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '-inf')
if score > tonumber(ARGV[2]) or score == tonumber(ARGV[3]) then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end
";

/// One part of the notes of a store.
#[derive(Debug, Clone)]
pub(super) struct Shard {
    /// The sessions by deadline.
    pub(super) due: String,
    /// Their notes.
    pub(super) notes: String,
}

impl Shard {
    /// The one that has the note of the session under `key`.
    pub(super) fn of(key: &str, space: &KeySpace) -> Self {
        Self::at(Self::place(key), space)
    }

    /// Which one that is.
    pub(super) fn place(key: &str) -> u16 {
        slots::of(key.as_bytes()) % SHARDS
    }

    pub(super) fn at(place: u16, space: &KeySpace) -> Self {
        let (prefix, suffix) = (space.prefix(), space.suffix());
        Self {
            due: format!("{prefix}index:expired:{{{place:02}}}{suffix}"),
            notes: format!("{prefix}index:expired:{{{place:02}}}:notes{suffix}"),
        }
    }

    /// A script on both keys.
    pub(super) fn script(&self, code: &str) -> Cmd {
        let mut script = Cmd::new();
        script.arg("EVAL").arg(code).arg(2);
        script.arg(&self.due).arg(&self.notes);
        script
    }
}

/// A script on one key, whole: it is small, and a pipeline cannot wait for the answer that a hash is unknown.
fn script(code: &str, key: &str) -> Cmd {
    let mut script = Cmd::new();
    script.arg("EVAL").arg(code).arg(1).arg(key);
    script
}

/// What an operation changes in the note of its session.
pub(super) struct NoteChanges<'a> {
    session: &'a str,
    shard: Shard,
    change: Change<'a>,
}

enum Change<'a> {
    /// The session is to have this note, and lives or has lived until then.
    Put(Kept<'a>, Timestamp),
    /// It is to have this note, and keeps the deadline that it has, which only the server knows.
    Rewrite(Kept<'a>),
    /// It is to have none, and lives on.
    Remove,
    /// It ends, and is to have none.
    Delete,
}

#[derive(Clone, Copy)]
struct Kept<'a> {
    note: &'a [u8],
    after: Duration,
}

/// A note that was put for a write which was then refused.
pub(super) struct Refused<'a> {
    session: &'a str,
    shard: &'a Shard,
    deadline: Timestamp,
    was: Option<f64>,
}

impl<'a> NoteChanges<'a> {
    /// `None` where nothing changes.
    pub(super) fn of(op: &'a Operation) -> Result<Option<Self>> {
        let change = match &op.index.note {
            NoteChange::Leave => return Ok(None),
            NoteChange::Remove if ends(op) => Change::Delete,
            NoteChange::Remove => Change::Remove,
            NoteChange::Keep { .. } if *op.action() == Action::Delete => Change::Delete,
            NoteChange::Keep { note, after } => {
                let kept = Kept {
                    note,
                    after: *after,
                };
                match op.deadline {
                    Deadline::At(deadline) => Change::Put(kept, deadline),
                    Deadline::Keep if op.guard != Guard::Absent => Change::Rewrite(kept),
                    Deadline::Keep | Deadline::Never => Change::Remove,
                }
            }
        };
        let session = op.key()?.as_str();
        Ok(Some(Self {
            session,
            shard: Shard::of(session, op.key_space()?),
            change,
        }))
    }

    /// What precedes the write: the note, then its deadline. The last reply is the score that was there.
    ///
    /// Each command is of one key: on a Cluster, a slot that is being moved may have two keys on two nodes for long, and
    /// sessions are written all the same. A delete takes the two away in the other order, so neither is left alone.
    pub(super) fn before(&self) -> Vec<Cmd> {
        let Shard { due, notes } = &self.shard;
        let score = || command("ZSCORE", due, |c| c.arg(self.session));
        match self.change {
            Change::Put(kept, deadline) => {
                let until = millis(deadline + kept.after);
                let mut note = script(PUT_NOTE, notes);
                note.arg(self.session).arg(kept.note).arg(until);
                let mut at = script(PUT_DEADLINE, due);
                at.arg(self.session).arg(millis(deadline)).arg(until);
                vec![note, at]
            }
            Change::Rewrite(kept) => {
                let mut note = script(CHANGE_NOTE, notes);
                note.arg(self.session).arg(kept.note);
                vec![note, score()]
            }
            Change::Remove => vec![score()],
            Change::Delete => Vec::new(),
        }
    }

    /// How many commands that are.
    pub(super) fn replies(&self) -> usize {
        match self.change {
            Change::Put(..) | Change::Rewrite(_) => 2,
            Change::Remove => 1,
            Change::Delete => 0,
        }
    }

    /// Whether it matters which deadline a session kept.
    pub(super) fn asks_deadline(&self) -> bool {
        matches!(self.change, Change::Rewrite(_))
    }

    /// What is left to do after the write was done; nothing, mostly. `kept` is the deadline that the session kept, as the
    /// server says it.
    pub(super) fn settle(
        &self,
        before: &Value,
        kept: Option<i64>,
    ) -> Result<Option<Cmd>, Nonsense> {
        let was = score_of(before)?;
        Ok(match (&self.change, kept) {
            (Change::Rewrite(note), Some(deadline @ 0..)) => {
                let is_there = was == Some(deadline as f64);
                let deadline = Timestamp::from_millis(deadline.unsigned_abs());
                // Who deleted the session since has removed the note.
                let only = was.map_or("", |_| "XX");
                (!is_there).then(|| self.put(*note, deadline, only))
            }
            (Change::Rewrite(_), Some(kept)) if kept != NO_KEY => was.map(|was| self.remove(was)),
            (Change::Remove, _) => was.map(|was| self.remove(was)),
            _ => None,
        })
    }

    /// What was put for nothing, where the write was refused.
    pub(super) fn refused(&self, before: Option<&Value>) -> Result<Option<Refused<'_>>, Nonsense> {
        let (Change::Put(_, deadline), Some(before)) = (&self.change, before) else {
            return Ok(None);
        };
        Ok(Some(Refused {
            session: self.session,
            shard: &self.shard,
            deadline: *deadline,
            was: score_of(before)?,
        }))
    }

    /// What follows the end of the session, where it is known or not whether it `was_there`.
    pub(super) fn forget(&self, was_there: Option<bool>) -> Vec<Cmd> {
        match (&self.change, was_there) {
            (Change::Remove | Change::Delete, Some(true)) => {
                remove(self.session, &self.shard).into()
            }
            (Change::Remove | Change::Delete, None) => {
                let mut script = self.shard.script(DELETE);
                script.arg(self.session);
                vec![script]
            }
            // It has expired before, or does by this.
            _ => Vec::new(),
        }
    }

    fn put(&self, kept: Kept<'_>, deadline: Timestamp, only: &str) -> Cmd {
        let mut script = self.shard.script(PUT);
        script.arg(self.session).arg(kept.note);
        script
            .arg(millis(deadline))
            .arg(millis(deadline + kept.after));
        script.arg(only);
        script
    }

    fn remove(&self, score: f64) -> Cmd {
        let mut script = self.shard.script(REMOVE);
        script.arg(self.session).arg(score.to_string());
        script
    }
}

impl Refused<'_> {
    /// What is to be done where the session is not there.
    pub(super) fn without_session(&self) -> Part<'static> {
        Part::Commands(match self.was {
            None => remove(self.session, self.shard).into(),
            Some(was) => vec![self.look_at(&was.to_string())],
        })
    }

    /// What is to be done where the session is there, with the deadline that `PEXPIRETIME` says.
    pub(super) fn with_session(&self, deadline: i64) -> Option<Part<'static>> {
        match deadline {
            NO_KEY => Some(self.without_session()),
            0.. if deadline < millis(self.deadline) => {
                Some(Part::Commands(vec![self.look_at(&deadline.to_string())]))
            }
            _ => None,
        }
    }

    /// The key of the session.
    pub(super) fn session(&self) -> &str {
        self.session
    }

    /// Looks for the session at this instant, if it would later, or would when this write says: the lease of a note that was
    /// given to somebody may end after that.
    fn look_at(&self, instant: &str) -> Cmd {
        let mut look = script(LOOK_AT, &self.shard.due);
        look.arg(self.session).arg(instant);
        look.arg(millis(self.deadline));
        look
    }
}

fn ends(op: &Operation) -> bool {
    *op.action() == Action::Delete || op.deadline.is_past(op.now())
}

/// Removes the note of a session that is gone for good.
fn remove(session: &str, shard: &Shard) -> [Cmd; 2] {
    [
        command("ZREM", &shard.due, |c| c.arg(session)),
        command("HDEL", &shard.notes, |c| c.arg(session).arg(claim(session))),
    ]
}

/// Under what the deadline of a note is that was given to somebody.
fn claim(session: &str) -> Vec<u8> {
    [b"\xff", session.as_bytes()].concat()
}

/// A score, as a command or a script says it.
pub(super) fn score_of(reply: &Value) -> Result<Option<f64>, Nonsense> {
    match reply {
        Value::BulkString(text) => {
            let text = std::str::from_utf8(text).map_err(|_| Nonsense)?;
            text.parse().map(Some).map_err(|_| Nonsense)
        }
        reply => score(reply),
    }
}
