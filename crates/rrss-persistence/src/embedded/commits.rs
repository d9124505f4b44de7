//! Changes that wait to be carried out: those that come while one commit is written share the next.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rrss_core::{Error, ErrorKind, Operation, Result, StorageKey, Written};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::answers::Answers;
use super::engine::{lock, may_have_happened};

/// How many changes share a commit at most: the first of them waits for the last.
const AT_ONCE: usize = 256;

/// How many changes wait at most, and how many bytes they write.
const WAITING: usize = 8_192;
const BYTES: usize = 64 * 1024 * 1024;

/// What is to be done by the thread that commits.
pub(super) enum Change {
    /// With the record to write, [`encoded`](super::record::Stored::encode) by the caller: this thread has enough to do.
    Write(Operation, Vec<u8>),
    /// With the record to write under another key.
    Rotate(Operation, Vec<u8>),
    Touch(Operation),
    Delete(Operation),
    /// Sees whether changes can be made.
    Ping,
    /// Gives the directory up, once everything that came before is done.
    Close,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    Written(Written),
    /// There was nothing to change.
    Nothing,
}

/// Changes that wait, and those that are being carried out.
#[derive(Default)]
pub(super) struct Commits {
    waiting: Mutex<Waiting>,
    come: Condvar,
    /// The callers of what is being carried out; `None` where one has its answer.
    under_way: Mutex<Vec<Option<Caller>>>,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<(Change, Option<Caller>)>,
    bytes: usize,
    /// Whether the thread waits for a change to come.
    is_idle: bool,
    is_stopping: bool,
}

struct Caller {
    since: Instant,
    done: oneshot::Sender<Result<Changed>>,
    runtime: Option<Handle>,
}

/// What is to be carried out next.
pub(super) enum Round {
    /// Changes that may share commits, each with its number among the callers.
    Changes(Vec<(usize, Change)>),
    Close,
    /// Nothing is left, and nothing will come.
    Stop,
}

impl Commits {
    /// Leaves a change to be carried out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] where too many wait already.
    pub(super) fn push(&self, change: Change) -> Result<oneshot::Receiver<Result<Changed>>> {
        let (done, answer) = oneshot::channel();
        let caller = Caller {
            since: Instant::now(),
            done,
            runtime: Handle::try_current().ok(),
        };
        let mut waiting = lock(&self.waiting);
        let bytes = change.bytes();
        let is_full = waiting.requests.len() >= WAITING
            || (waiting.bytes > 0 && waiting.bytes + bytes > BYTES);
        if is_full && !matches!(change, Change::Close) {
            return Err(full());
        }
        waiting.bytes += bytes;
        waiting.requests.push_back((change, Some(caller)));
        if waiting.is_idle {
            self.come.notify_one();
        }
        Ok(answer)
    }

    /// Waits for what is to be carried out next.
    pub(super) fn next(&self) -> Round {
        let mut waiting = lock(&self.waiting);
        while waiting.requests.is_empty() {
            if waiting.is_stopping {
                return Round::Stop;
            }
            waiting.is_idle = true;
            let woken = self.come.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
            waiting.is_idle = false;
        }
        let close = |(change, _): &(Change, Option<Caller>)| matches!(change, Change::Close);
        let closes = waiting.requests.iter().take(AT_ONCE).position(close);
        let first = closes
            .map_or(AT_ONCE, |at| at.max(1))
            .min(waiting.requests.len());
        let taken: Vec<_> = waiting.requests.drain(..first).collect();
        let mut under_way = lock(&self.under_way);
        let (mut changes, mut callers) = (Vec::with_capacity(first), Vec::with_capacity(first));
        for (number, (change, caller)) in taken.into_iter().enumerate() {
            waiting.bytes -= change.bytes();
            changes.push((number, change));
            callers.push(caller);
        }
        *under_way = callers;
        match closes {
            Some(0) => Round::Close,
            _ => Round::Changes(changes),
        }
    }

    /// Answers changes of the round that is under way.
    pub(super) fn answer(&self, done: Vec<(usize, Change, Result<Changed>)>) {
        let mut answers = Answers::with_capacity(done.len());
        let mut under_way = lock(&self.under_way);
        for (number, change, changed) in done {
            if let Some(caller) = under_way.get_mut(number).and_then(Option::take) {
                answers.add(change, caller.done, caller.runtime, changed);
            }
        }
        drop(under_way);
        answers.send();
    }

    /// Ends the round: whoever has no answer yet gets none.
    pub(super) fn end_round(&self) {
        lock(&self.under_way).clear();
    }

    /// How many changes wait.
    #[cfg(test)]
    pub(super) fn waits(&self) -> usize {
        lock(&self.waiting).requests.len()
    }

    /// Whether a round is under way.
    #[cfg(test)]
    pub(super) fn is_under_way(&self) -> bool {
        !lock(&self.under_way).is_empty()
    }

    /// Lets the thread end, once it has carried out what waits.
    pub(super) fn stop(&self) {
        lock(&self.waiting).is_stopping = true;
        self.come.notify_all();
    }

    /// Answers those that have waited for as long as `limit`, and says since when the next one waits.
    pub(super) fn give_up(&self, limit: Duration) -> Option<Instant> {
        let is_late = |caller: &mut Caller| caller.since.elapsed() >= limit;
        let (mut late, mut not_begun) = (Vec::new(), Vec::new());
        // In the order in which the thread takes them: what leaves one is in the other.
        let mut waiting = lock(&self.waiting);
        let mut under_way = lock(&self.under_way);
        for caller in under_way.iter_mut() {
            late.extend(caller.take_if(is_late));
        }
        let Waiting {
            requests, bytes, ..
        } = &mut *waiting;
        requests.retain_mut(|(change, caller)| {
            let Some(caller) = caller.take_if(is_late) else {
                return true;
            };
            not_begun.push(caller);
            *bytes -= change.bytes();
            // The directory is given up in any case.
            matches!(change, Change::Close)
        });
        let callers = requests.iter().map(|(_, caller)| caller);
        let oldest = callers
            .chain(under_way.iter())
            .flatten()
            .map(|caller| caller.since)
            .min();
        drop(under_way);
        drop(waiting);
        for caller in late {
            let _ = caller.done.send(Err(too_late(limit)));
        }
        for caller in not_begun {
            let _ = caller.done.send(Err(never_begun(limit)));
        }
        oldest
    }
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Self::Write(_, record) | Self::Rotate(_, record) => record.len(),
            Self::Touch(_) | Self::Delete(_) | Self::Ping | Self::Close => 0,
        }
    }

    /// The keys that it reads and changes: two of a rotation.
    fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let op = match self {
            Self::Write(op, _) | Self::Rotate(op, _) | Self::Touch(op) | Self::Delete(op) => {
                Some(op)
            }
            Self::Ping | Self::Close => None,
        };
        let own = op.and_then(|op| op.key.as_ref());
        let replaced = op.and_then(|op| op.replaces.as_ref()?.key.as_ref());
        own.into_iter().chain(replaced).map(StorageKey::as_bytes)
    }
}

/// Takes out the changes whose key an earlier one has as well: they must see what that one has done.
pub(super) fn split_off_repeated(changes: &mut Vec<(usize, Change)>) -> Vec<(usize, Change)> {
    let mut keys = HashSet::with_capacity(changes.len());
    let is_first: Vec<bool> = changes
        .iter()
        // All of its keys are taken, whether one of them was or not.
        .map(|(_, change)| change.keys().filter(|key| !keys.insert(*key)).count() == 0)
        .collect();
    drop(keys);
    if is_first.iter().all(|first| *first) {
        return Vec::new();
    }
    let (first, repeated): (Vec<_>, Vec<_>) = changes
        .drain(..)
        .zip(is_first)
        .partition(|(_, is_first)| *is_first);
    changes.extend(first.into_iter().map(|(change, _)| change));
    repeated.into_iter().map(|(change, _)| change).collect()
}

fn full() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!(
            "{WAITING} changes, or changes of {} MiB, wait for the disk already, so nothing was stored; see that the disk \
             is fast enough",
            BYTES / 1024 / 1024
        ),
    )
}

fn never_begun(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!(
            "the disk was busy for the {limit:?} of `timeout`, so nothing was stored; see that it is well and fast enough"
        ),
    )
}

fn too_late(limit: Duration) -> Error {
    may_have_happened(Error::new(
        ErrorKind::Timeout,
        format!(
            "the disk did not answer within the {limit:?} of `timeout`, so the change may have happened; see that it is \
             well and fast enough"
        ),
    ))
}
