//! What a write, a touch or a delete does to the session's own key, and what the replies to it mean.

use redis::{Cmd, Pipeline, Value};
use rrss_core::{Action, Deadline, Error, ErrorKind, Guard, Operation, Result, Written};

use super::commands::{self, Nonsense, Part, Request};
use super::compare::{self, CompareAndSet};
use super::rotated;

/// The commands, and how their replies are read.
pub(super) struct Own<'a> {
    command: Command<'a>,
    reading: Reading,
}

enum Command<'a> {
    One(Cmd),
    Two([Cmd; 2]),
    CompareAndSet(CompareAndSet<'a>),
}

/// What the replies say.
#[derive(Clone, Copy)]
pub(super) enum Reading {
    /// Whether a `SET` was done, and what it means that it was not.
    Set(Written),
    /// Whether there was a session.
    Found,
    /// Whether there was none.
    Free,
    Compared,
}

impl<'a> Own<'a> {
    /// What `op` does: a write, a touch or a delete.
    pub(super) fn of(op: &'a Operation, on_cluster: bool) -> Result<Self> {
        let key = op.key()?.as_str();
        let past = op.deadline.is_past(op.now());
        let (command, reading) = match (op.action(), &op.guard) {
            (Action::Delete, Guard::Unchanged(loaded)) => (
                Command::CompareAndSet(CompareAndSet::delete(key, loaded.as_bytes())),
                Reading::Compared,
            ),
            (Action::Delete, _) => (unlink(op, key, on_cluster), Reading::Found),
            (Action::Touch, Guard::Unchanged(loaded)) if op.deadline != Deadline::Keep => (
                Command::CompareAndSet(CompareAndSet::touch(op, loaded.as_bytes())?),
                Reading::Compared,
            ),
            (Action::Touch | Action::Reindex, _) => (touch(op, key), Reading::Found),
            (_, Guard::Unchanged(loaded)) => (
                Command::CompareAndSet(CompareAndSet::new(op, loaded.as_bytes())?),
                Reading::Compared,
            ),
            (_, Guard::Absent) if past => (Command::One(commands::exists(key)), Reading::Free),
            (_, Guard::Exists) if past => (Command::One(commands::unlink(key)), Reading::Found),
            (_, guard) => {
                let set = commands::set(key, op.bytes()?, guard, op.deadline).ok_or_else(|| {
                    Error::new(
                        ErrorKind::Unsupported,
                        "the `redis` backend does not know the guard of this write; update `rrss-persistence`",
                    )
                })?;
                let refused = match guard {
                    Guard::Absent => Written::Taken,
                    _ => Written::Gone,
                };
                (Command::One(set), Reading::Set(refused))
            }
        };
        Ok(Self { command, reading })
    }

    /// How the replies are read.
    pub(super) fn reading(&self) -> Reading {
        self.reading
    }

    /// How many replies there are.
    pub(super) fn replies(&self) -> usize {
        match self.command {
            Command::Two(_) => 2,
            Command::One(_) | Command::CompareAndSet(_) => 1,
        }
    }

    /// Whether no other session is met than the one that is there.
    pub(super) fn compares(&self) -> bool {
        matches!(self.command, Command::CompareAndSet(_))
    }

    pub(super) fn into_request(self) -> Request<'a> {
        match self.command {
            Command::One(command) => Request::One(command),
            Command::Two(commands) => {
                let mut both = Pipeline::with_capacity(2);
                for command in commands {
                    both.add_command(command);
                }
                Request::Several(both)
            }
            Command::CompareAndSet(write) => Request::CompareAndSet(write),
        }
    }

    /// The same, among other commands.
    pub(super) fn into_part(self) -> Part<'a> {
        match self.command {
            Command::One(command) => Part::Commands(vec![command]),
            Command::Two(commands) => Part::Commands(commands.into()),
            Command::CompareAndSet(write) => Part::CompareAndSet(write),
        }
    }
}

/// On a Cluster a session that is being rotated goes with its new key. Two commands, since one with two keys is refused
/// while their slot is moved.
fn unlink<'a>(op: &Operation, key: &str, on_cluster: bool) -> Command<'a> {
    let space = op.key_space.as_ref().filter(|_| on_cluster);
    match space.and_then(|space| rotated::half(key, space)) {
        Some(half) => Command::Two([commands::unlink(key), commands::unlink(&half)]),
        None => Command::One(commands::unlink(key)),
    }
}

fn touch<'a>(op: &Operation, key: &str) -> Command<'a> {
    match op.deadline {
        _ if op.deadline.is_past(op.now()) => Command::One(commands::unlink(key)),
        Deadline::At(instant) => Command::One(commands::expire(key, instant)),
        Deadline::Keep => Command::One(commands::exists(key)),
        Deadline::Never => Command::Two(commands::persist(key)),
    }
}

impl Reading {
    /// What became of the session.
    pub(super) fn of(self, replies: &[Value]) -> Result<Written, Nonsense> {
        let (is_done, refused) = match self {
            Self::Compared => return compare::written(replies.first().ok_or(Nonsense)?),
            Self::Set(refused) => (
                commands::was_set(replies.first().ok_or(Nonsense)?)?,
                refused,
            ),
            Self::Found => (commands::found(replies)?, Written::Gone),
            Self::Free => (!commands::found(replies)?, Written::Taken),
        };
        Ok(if is_done { Written::Done } else { refused })
    }
}
