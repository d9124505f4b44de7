//! Changes that wait for each other's sake: those that come while one commit is written share the next.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rrss_core::{Operation, Result, Written};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::answers::Answers;
use super::engine::Engine;

/// How many changes share a commit at most: the first of them waits for the last.
const AT_ONCE: usize = 256;

/// What an operation changes.
pub(super) enum Change {
    /// The record to write, [`encoded`](super::record::Stored::encode) by who asks for it: the leader has enough to do.
    Write(Vec<u8>),
    /// Stores this record in the place of another one.
    Rotate(Vec<u8>),
    Touch,
    Delete,
}

/// Changes that nobody has begun to carry out.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    changes: VecDeque<Request>,
    /// Whether there is a [`Leader`], who looks again before it leaves.
    is_led: bool,
}

struct Request {
    change: Change,
    op: Operation,
    done: oneshot::Sender<Result<Written>>,
}

/// Who carries out the changes that wait, its own and all that come meanwhile, where that may block.
pub(super) struct Leader {
    engine: Arc<Engine>,
    runtime: Handle,
    has_left: bool,
}

impl Queue {
    /// Leaves a change to be carried out; by the leader that this answers with, where there is none yet.
    ///
    /// The answer fails where the leader was dropped before it came to the change.
    pub(super) fn push(
        engine: &Arc<Engine>,
        change: Change,
        op: Operation,
        runtime: &Handle,
    ) -> (oneshot::Receiver<Result<Written>>, Option<Leader>) {
        let (done, answer) = oneshot::channel();
        let mut waiting = engine.queue.lock();
        waiting.changes.push_back(Request { change, op, done });
        let is_first = !std::mem::replace(&mut waiting.is_led, true);
        let leader = is_first.then(|| Leader {
            engine: Arc::clone(engine),
            runtime: runtime.clone(),
            has_left: false,
        });
        (answer, leader)
    }

    /// The queue is whole whenever the lock is free: each change of it is one call.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leader {
    /// Carries out what waits, until nothing does.
    pub(super) fn lead(mut self) {
        while let Some(mut requests) = self.next() {
            while !requests.is_empty() {
                let later = split_off_repeated(&mut requests);
                self.carry_out(requests);
                requests = later;
            }
        }
    }

    fn next(&mut self) -> Option<Vec<Request>> {
        let mut waiting = self.engine.queue.lock();
        if waiting.changes.is_empty() {
            waiting.is_led = false;
            drop(waiting);
            self.has_left = true;
            return None;
        }
        let first = waiting.changes.len().min(AT_ONCE);
        Some(waiting.changes.drain(..first).collect())
    }

    fn carry_out(&self, requests: Vec<Request>) {
        let mut changes = self.engine.changes();
        let mut answers = Answers::with_capacity(requests.len());
        for Request { change, op, done } in requests {
            let changed = match change {
                Change::Write(record) => changes.write(&op, record),
                Change::Rotate(record) => changes.rotate(&op, record),
                Change::Touch => changes.touch(&op),
                Change::Delete => changes.delete(&op),
            };
            answers.add(op, done, changed);
        }
        let committed = changes.commit();
        answers.send(committed, &self.runtime);
    }
}

impl Drop for Leader {
    /// A leader that did not come to its end, because its runtime stopped or it panicked, leaves nobody waiting.
    fn drop(&mut self) {
        if !self.has_left {
            let mut waiting = self.engine.queue.lock();
            waiting.is_led = false;
            let left = std::mem::take(&mut waiting.changes);
            drop(waiting);
            drop(left);
        }
    }
}

/// Takes out the changes whose key an earlier one has as well: they must see what that one has done.
fn split_off_repeated(requests: &mut Vec<Request>) -> Vec<Request> {
    let mut keys = HashSet::with_capacity(requests.len());
    let is_first: Vec<bool> = requests
        .iter()
        .map(|request| {
            let old = request
                .op
                .replaces
                .as_ref()
                .and_then(|old| old.key.as_ref());
            let own = request.op.key.as_ref();
            // Both are taken, whether the other one is free or not.
            let taken = own
                .into_iter()
                .chain(old)
                .filter(|key| !keys.insert(key.as_bytes()));
            taken.count() == 0
        })
        .collect();
    drop(keys);
    if is_first.iter().all(|first| *first) {
        return Vec::new();
    }
    let (first, repeated): (Vec<_>, Vec<_>) = requests
        .drain(..)
        .zip(is_first)
        .partition(|(_, is_first)| *is_first);
    requests.extend(first.into_iter().map(|(request, _)| request));
    repeated.into_iter().map(|(request, _)| request).collect()
}
