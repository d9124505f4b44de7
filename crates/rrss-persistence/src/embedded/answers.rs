//! The answers to changes that shared a commit.

use rrss_core::Result;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot;

use super::commits::{Change, Changed};

/// How many answers the committing thread gives by itself. To wake a task takes this thread as long as to store a session,
/// since it is no thread of the runtime; the runtime does it in a fraction of that.
const BY_ITSELF: usize = 2;

/// What became of changes, for those who wait for it.
pub(super) struct Answers {
    answers: Vec<Answer>,
    /// The one that all who wait are on.
    runtime: Option<Handle>,
    is_of_one_runtime: bool,
}

struct Answer {
    /// Kept so that it is dropped where the answer is given, not by the thread that commits.
    _change: Change,
    done: oneshot::Sender<Result<Changed>>,
    changed: Result<Changed>,
}

impl Answers {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            answers: Vec::with_capacity(capacity),
            runtime: None,
            is_of_one_runtime: true,
        }
    }

    pub(super) fn add(
        &mut self,
        change: Change,
        done: oneshot::Sender<Result<Changed>>,
        runtime: Option<Handle>,
        changed: Result<Changed>,
    ) {
        let id = |runtime: &Option<Handle>| runtime.as_ref().map(Handle::id);
        self.is_of_one_runtime &= self.answers.is_empty() || id(&self.runtime) == id(&runtime);
        self.runtime = runtime;
        self.answers.push(Answer {
            _change: change,
            done,
            changed,
        });
    }

    /// Answers everybody.
    ///
    /// A runtime of one thread may not be running, and one may be busy while another waits for its answers: these are not
    /// asked.
    pub(super) fn send(mut self) {
        if let Some(runtime) = self.runtime.take()
            && self.is_of_one_runtime
            && self.answers.len() > BY_ITSELF
            && runtime.runtime_flavor() == RuntimeFlavor::MultiThread
        {
            runtime.spawn(async move { drop(self) });
        }
    }
}

impl Drop for Answers {
    /// Here, so that a runtime that is stopping, or has stopped, sends them as well.
    fn drop(&mut self) {
        for Answer { done, changed, .. } in self.answers.drain(..) {
            // A caller that has stopped waiting needs no answer.
            let _ = done.send(changed);
        }
    }
}
