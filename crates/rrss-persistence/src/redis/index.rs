//! The index: which entries are put and removed beside a session, in which order, and how sessions are found by them.
//!
//! # What is stored
//!
//! The sessions that have a value and end are members of a sorted set under the value's own key, each with a score of
//! its deadline in milliseconds. The set has a deadline as well, never before the last of its members'. Sessions that do
//! not end are members of a second set, which has none: an entry of a session that ends would give it one.
//!
//! An entry may be there without a session, never a session without its entry. So entries are put before the session is
//! written and removed after. A score only ever grows: a write that would bring the deadline forward may still be refused.
//! An entry goes at the latest deadline that it was put with, at the latest.
//!
//! # Who removes an entry
//!
//! Every put makes the score grow by a little, so a score also says whether the entry was put again. An entry is taken
//! away from a session that lives only if it has the score that was seen before the write that makes it superfluous: one
//! that another request has put since, for a write that is still to come, stays.

use redis::{Cmd, Value};
use rrss_core::{Action, Deadline, Guard, KeySpace, Operation, Result, Timestamp, Written};

use super::commands::{Nonsense, Part, deadline_of, millis};
use super::notes::{NoteChanges, Refused};

/// By how many milliseconds a put makes a score grow. Scores are of double precision: deadlines up to the year 9999 take up
/// 48 bits, which leaves five.
const PUT: &str = "0.03125";

/// The end of the year 9999: the last deadline that scores hold with their puts. The entry of a session that lives longer
/// goes then.
const FARTHEST: i64 = 253_402_300_799_999;

/// How long past its deadline an entry is removed: clocks of processes that differ by less remove no entry of a session
/// that lives by the clock of the server.
const LEEWAY: u64 = 3_600_000;

/// Removes an entry with a certain score.
const REMOVE: &str = "\
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) == tonumber(ARGV[2]) then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return 0
";

/// The two sets of one value.
pub(super) struct Sets {
    pub(super) ending: String,
    pub(super) endless: String,
}

impl Sets {
    pub(super) fn of(entry: &rrss_core::IndexKey, space: &KeySpace) -> Self {
        let ending = entry.storage_key(space).as_str().to_owned();
        let endless = format!("{ending}:forever");
        Self { ending, endless }
    }
}

/// What an operation changes in the index.
pub(super) struct Changes<'a> {
    session: &'a str,
    now: Timestamp,
    put: Vec<Sets>,
    removed: Vec<Sets>,
    until: Until,
    note: Option<NoteChanges<'a>>,
}

/// Until when the session will live, if the operation is done.
#[derive(Clone, Copy)]
enum Until {
    At(Timestamp),
    Endless,
    /// It keeps the deadline that it has, which only the server knows.
    Kept,
}

/// What was asked for the index beside a write, in order.
pub(super) struct Beside<'r> {
    /// The replies to [`Changes::before`].
    pub(super) before: &'r [Value],
    /// The replies to [`Changes::after`].
    pub(super) after: &'r [Value],
}

impl<'a> Changes<'a> {
    /// `None` where nothing changes.
    pub(super) fn of(op: &'a Operation) -> Result<Option<Self>> {
        let index = &op.index;
        if !changes_index(op) {
            return Ok(None);
        }
        let space = op.key_space()?;
        let removed = index.removed.iter().filter(|key| !index.put.contains(key));
        Ok(Some(Self {
            session: op.key()?.as_str(),
            now: op.now(),
            put: index.put.iter().map(|key| Sets::of(key, space)).collect(),
            removed: removed.map(|key| Sets::of(key, space)).collect(),
            until: match op.deadline {
                Deadline::At(instant) => Until::At(instant),
                Deadline::Never => Until::Endless,
                Deadline::Keep if op.guard == Guard::Absent => Until::Endless,
                Deadline::Keep => Until::Kept,
            },
            note: NoteChanges::of(op)?,
        }))
    }

    /// What precedes the write: the note, the entries, and the scores of those that may have to go.
    pub(super) fn before(&self) -> Vec<Cmd> {
        let mut commands = self.before_end();
        commands.reserve(PUT_ENDING * self.put.len());
        for sets in &self.put {
            match self.until {
                Until::At(deadline) => {
                    self.put_ending(sets, deadline, &mut commands);
                    commands.push(score_of(&sets.endless, self.session));
                }
                Until::Endless | Until::Kept => commands.push(self.put_again(&sets.endless, "1")),
            }
        }
        for sets in &self.removed {
            commands.push(score_of(&sets.ending, self.session));
            commands.push(score_of(&sets.endless, self.session));
        }
        commands
    }

    /// What follows the write.
    pub(super) fn after(&self) -> Vec<Cmd> {
        let asks = || self.note.as_ref().is_some_and(NoteChanges::asks_deadline);
        match self.until {
            Until::Kept if !self.put.is_empty() || asks() => vec![deadline_of(self.session)],
            _ => Vec::new(),
        }
    }

    /// The entry, and a deadline of the set that is not before it. The set must not end while this goes on, and others
    /// may put entries into the same set at the same time: so its deadline grows before, and once more after.
    ///
    /// [`ZADD`](https://redis.io/docs/latest/commands/zadd/),
    /// [`ZREMRANGEBYSCORE`](https://redis.io/docs/latest/commands/zremrangebyscore/).
    fn put_ending(&self, sets: &Sets, deadline: Timestamp, commands: &mut Vec<Cmd>) {
        let at = millis(deadline).min(FARTHEST);
        let expire = |when| command("PEXPIREAT", &sets.ending, |c| c.arg(at).arg(when));
        commands.push(long_past(&sets.ending, self.now));
        commands.push(expire("GT"));
        commands.push(command("ZADD", &sets.ending, |c| {
            c.arg("GT").arg(at).arg(self.session)
        }));
        commands.push(self.put_again(&sets.ending, PUT));
        commands.push(expire("NX"));
        commands.push(expire("GT"));
    }

    fn put_again(&self, set: &str, by: &str) -> Cmd {
        command("ZADD", set, |c| c.arg("INCR").arg(by).arg(self.session))
    }

    /// What is left to do once `written` is known, in order; nothing, mostly.
    pub(super) fn settle(
        &self,
        written: Written,
        beside: &Beside<'_>,
    ) -> Result<Vec<Part<'static>>, Nonsense> {
        let is_done = written == Written::Done;
        let kept = match beside.after.first() {
            None => None,
            Some(Value::Int(reply)) => Some(*reply),
            Some(_) => return Err(Nonsense),
        };
        let is_gone = written == Written::Gone || kept == Some(NO_KEY);
        let (mut put, mut removed) = (Vec::new(), Vec::new());
        let mut replies = beside.before;
        if let Some(note) = &self.note
            && let Some(before) = self.note_score(&mut replies)?
            && is_done
        {
            put.extend(note.settle(before, kept)?);
        }
        for sets in &self.put {
            match self.until {
                Until::At(_) => {
                    let [_, _, added, put, _, _, endless] = next(&mut replies)?;
                    if is_done {
                        removed.extend(self.remove(&sets.endless, score(endless)?));
                    } else if is_gone && *added == Value::Int(1) {
                        removed.extend(self.remove(&sets.ending, score(put)?));
                    }
                }
                Until::Endless | Until::Kept => {
                    let [entry] = next(&mut replies)?;
                    let entry = score(entry)?;
                    match kept {
                        Some(deadline @ 0..) if is_done => {
                            let deadline = Timestamp::from_millis(deadline.unsigned_abs());
                            self.put_ending(sets, deadline, &mut put);
                            removed.extend(self.remove(&sets.endless, entry));
                        }
                        // Nobody else had put it.
                        _ if !is_done || is_gone => {
                            let own = entry.filter(|score| *score == 1.0);
                            removed.extend(self.remove(&sets.endless, own));
                        }
                        _ => {}
                    }
                }
            }
        }
        for sets in &self.removed {
            let [ending, endless] = next(&mut replies)?;
            if is_done {
                removed.extend(self.remove(&sets.ending, score(ending)?));
                removed.extend(self.remove(&sets.endless, score(endless)?));
            }
        }
        let parts = [put, removed].into_iter().filter(|part| !part.is_empty());
        Ok(parts.map(Part::Commands).collect())
    }

    /// The score that the note had; the replies to what is put for its sake come first.
    fn note_score<'r>(&self, replies: &mut &'r [Value]) -> Result<Option<&'r Value>, Nonsense> {
        let count = self.note.as_ref().map_or(0, NoteChanges::replies);
        let (note, rest) = replies.split_at_checked(count).ok_or(Nonsense)?;
        *replies = rest;
        Ok(note.last())
    }

    /// Whether it changes what is to be told of the session.
    pub(super) fn changes_note(&self) -> bool {
        self.note.is_some()
    }

    /// What precedes the end of the session: what is to be told of it, where it expires by that.
    pub(super) fn before_end(&self) -> Vec<Cmd> {
        self.note
            .as_ref()
            .map_or_else(Vec::new, NoteChanges::before)
    }

    /// What was put for nothing, where the write was refused.
    pub(super) fn refused(&self, mut before: &[Value]) -> Result<Option<Refused<'_>>, Nonsense> {
        let score = self.note_score(&mut before)?;
        self.note
            .as_ref()
            .map_or(Ok(None), |note| note.refused(score))
    }

    /// What follows the end of the session, where it is known or not whether it `was_there`: no entry of it is left.
    /// [`ZREM`](https://redis.io/docs/latest/commands/zrem/).
    pub(super) fn forget(&self, was_there: Option<bool>) -> Vec<Cmd> {
        let note = self.note.iter().flat_map(|note| note.forget(was_there));
        let sets = self.put.iter().chain(&self.removed);
        sets.flat_map(|sets| [&sets.ending, &sets.endless])
            .map(|set| command("ZREM", set, |c| c.arg(self.session)))
            .chain(note)
            .collect()
    }

    fn remove(&self, set: &str, score: Option<f64>) -> Option<Cmd> {
        let score = score?.to_string();
        let mut command = Cmd::new();
        command.arg("EVAL").arg(REMOVE).arg(1).arg(set);
        command.arg(self.session).arg(score);
        Some(command)
    }
}

/// Whether `op` changes entries or an event.
pub(super) fn changes_index(op: &Operation) -> bool {
    // A create that is past its deadline only sees whether the key is free.
    let changes_nothing = *op.action() == Action::Create && op.deadline.is_past(op.now());
    !op.index.is_empty() && !changes_nothing
}

/// How many replies the put of an entry of a session that ends has.
const PUT_ENDING: usize = 7;

/// What `PEXPIRETIME` answers where there is no key.
pub(super) const NO_KEY: i64 = -2;

/// Removes the entries of a set that are long past their deadline.
pub(super) fn long_past(set: &str, now: Timestamp) -> Cmd {
    command("ZREMRANGEBYSCORE", set, |c| {
        c.arg("-inf").arg(below_long_past(now))
    })
}

/// The upper end of the scores of entries that are long past their deadline.
pub(super) fn below_long_past(now: Timestamp) -> String {
    format!("({}", now.as_millis().saturating_sub(LEEWAY))
}

/// [`ZSCORE`](https://redis.io/docs/latest/commands/zscore/).
fn score_of(set: &str, session: &str) -> Cmd {
    command("ZSCORE", set, |c| c.arg(session))
}

pub(super) fn command(name: &str, set: &str, rest: impl FnOnce(&mut Cmd) -> &mut Cmd) -> Cmd {
    let mut command = Cmd::new();
    rest(command.arg(name).arg(set));
    command
}

/// The replies of the next `N` commands.
fn next<'r, const N: usize>(replies: &mut &'r [Value]) -> Result<&'r [Value; N], Nonsense> {
    let (next, rest) = replies.split_first_chunk().ok_or(Nonsense)?;
    *replies = rest;
    Ok(next)
}

/// A score; `None` where there is no such entry.
pub(super) fn score(reply: &Value) -> Result<Option<f64>, Nonsense> {
    match reply {
        Value::Double(score) => Ok(Some(*score)),
        Value::Nil => Ok(None),
        _ => Err(Nonsense),
    }
}

#[cfg(test)]
mod tests {
    use rrss_core::{IndexKey, Payload, StorageKey};
    use rrss_test_servers::{Flavor, RedisServer};

    use super::*;

    fn key(name: &str) -> IndexKey {
        IndexKey::of("user", &format!("{name:?}")).unwrap().unwrap()
    }

    fn update(put: &[&str], removed: &[&str], deadline: Deadline) -> Operation {
        let mut op = Operation::new(Action::Update, Timestamp::from_millis(5));
        op.key = Some(StorageKey::from("s:1".to_owned()));
        op.key_space = Some(KeySpace::new("s:", ""));
        op.payload = Payload::Bytes("{}".into());
        op.deadline = deadline;
        op.index.put = put.iter().map(|name| key(name)).collect();
        op.index.removed = removed.iter().map(|name| key(name)).collect();
        op
    }

    fn words(command: &Cmd) -> Vec<String> {
        let words = command.args_iter().map(|arg| match arg {
            redis::Arg::Simple(word) => String::from_utf8_lossy(word).into_owned(),
            _ => panic!("a cursor"),
        });
        words.collect()
    }

    fn settled(op: &Operation, written: Written, before: &[Value], after: &[Value]) -> Vec<Cmd> {
        let changes = Changes::of(op).unwrap().unwrap();
        assert_eq!(changes.before().len(), before.len());
        assert_eq!(changes.after().len(), after.len());
        let parts = changes.settle(written, &Beside { before, after }).unwrap();
        let commands = parts.into_iter().flat_map(|part| match part {
            Part::Commands(commands) => commands,
            Part::CompareAndSet(_) => panic!("it is of the session"),
        });
        commands.collect()
    }

    /// The session got the value again, by a request that put the entry before this one came to remove it.
    #[test]
    fn an_entry_that_was_put_again_since_the_write_stays() {
        let op = update(&[], &["ann"], Deadline::Keep);
        let set = Sets::of(&key("ann"), op.key_space().unwrap()).ending;
        for flavor in Flavor::ALL {
            let server = RedisServer::start(flavor);
            let put = || {
                server.command(&["ZADD", &set, "GT", "1795348800000", "s:1"]);
                let score = server.command(&["ZADD", &set, "INCR", PUT, "s:1"]);
                Value::Double(score.parse().unwrap())
            };
            let seen = [put(), Value::Nil];
            let seen_later = [put(), Value::Nil];
            assert_ne!(seen, seen_later, "{flavor}");
            for (seen, removed) in [(seen, "0"), (seen_later, "1")] {
                let [remove] = &settled(&op, Written::Done, &seen, &[])[..] else {
                    panic!("{flavor}: not one command");
                };
                assert_eq!(server.command(&words(remove)), removed, "{flavor}");
            }
            assert_eq!(server.scan("*"), Vec::<String>::new());
        }
    }

    #[test]
    fn nothing_is_left_to_do_after_most_writes() {
        let put = [0, 0, 1, 1_000, 1, 0].map(Value::Int);
        let mut put = put.to_vec();
        put[3] = Value::Double(1_000.5);
        put.push(Value::Nil);
        let op = update(
            &["ann"],
            &["ann"],
            Deadline::At(Timestamp::from_millis(1_000)),
        );
        for written in [Written::Done, Written::Changed, Written::Taken] {
            assert!(settled(&op, written, &put, &[]).is_empty(), "{written:?}");
        }
        assert_eq!(settled(&op, Written::Gone, &put, &[]).len(), 1);
        put[2] = Value::Int(0);
        assert!(settled(&op, Written::Gone, &put, &[]).is_empty());

        let op = update(&["ann"], &[], Deadline::Keep);
        let [again, fresh] = [2.0, 1.0].map(Value::Double);
        for (written, put, ends, commands) in [
            (Written::Done, &fresh, -1, 0),
            (Written::Done, &fresh, 1_000, 7),
            (Written::Changed, &fresh, 1_000, 1),
            (Written::Changed, &again, 1_000, 0),
            (Written::Gone, &again, NO_KEY, 0),
        ] {
            let left = settled(&op, written, std::slice::from_ref(put), &[Value::Int(ends)]);
            assert_eq!(left.len(), commands, "{written:?} {ends}");
        }
    }

    #[test]
    fn a_reply_of_another_kind_is_nonsense() {
        let op = update(&["ann"], &[], Deadline::Keep);
        let changes = Changes::of(&op).unwrap().unwrap();
        for (before, after) in [
            (vec![], vec![]),
            (vec![Value::Okay], vec![Value::Int(-1)]),
            (vec![Value::Double(1.0)], vec![Value::Okay]),
        ] {
            let (before, after) = (&before[..], &after[..]);
            let settled = changes.settle(Written::Done, &Beside { before, after });
            assert!(settled.is_err());
        }
    }

    #[test]
    fn changes_of_the_index_need_to_know_which_keys_are_the_stores_own() {
        let mut op = update(&["ann"], &[], Deadline::Keep);
        op.key_space = None;
        let error = Changes::of(&op).map(drop).unwrap_err();
        assert_eq!(error.kind(), rrss_core::ErrorKind::Unsupported);
    }
}
