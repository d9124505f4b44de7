//! The answers to changes that shared a commit.

use rrss_core::{Operation, Result, Written};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot;

/// How many answers the leader gives by itself. To wake a task takes the leader as long as to store a session, since it
/// is on no thread of the runtime; the runtime does it in a fraction of that.
const BY_ITSELF: usize = 2;

/// What became of changes, for those who wait for it.
pub(super) struct Answers {
    answers: Vec<Answer>,
    /// `None` while nobody knows: those who wait are told that the leader stopped.
    committed: Option<Result<()>>,
}

struct Answer {
    /// Kept so that it is dropped where the answer is given, not by the leader.
    _op: Operation,
    done: oneshot::Sender<Result<Written>>,
    changed: Result<Written>,
}

impl Answers {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            answers: Vec::with_capacity(capacity),
            committed: None,
        }
    }

    pub(super) fn add(
        &mut self,
        op: Operation,
        done: oneshot::Sender<Result<Written>>,
        changed: Result<Written>,
    ) {
        self.answers.push(Answer {
            _op: op,
            done,
            changed,
        });
    }

    /// Answers everybody, where the commit came to `committed`.
    ///
    /// A runtime of one thread may not be running, and others may wait for these answers: it is not asked.
    pub(super) fn send(mut self, committed: Result<()>, runtime: &Handle) {
        self.committed = Some(committed);
        if self.answers.len() > BY_ITSELF && runtime.runtime_flavor() == RuntimeFlavor::MultiThread
        {
            runtime.spawn(async move { drop(self) });
        }
    }
}

impl Drop for Answers {
    /// Here, so that a runtime that is stopping sends them as well.
    fn drop(&mut self) {
        let Some(committed) = &self.committed else {
            return;
        };
        for Answer { done, changed, .. } in self.answers.drain(..) {
            // Who has stopped waiting needs no answer.
            let _ = done.send(committed.clone().and(changed));
        }
    }
}
