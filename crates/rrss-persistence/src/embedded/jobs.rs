//! Work that may wait for the disk and makes no commit of single sessions: loads, and what looks at many sessions.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rrss_core::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::directory::Directory;
use super::engine::{Engine, lock};

/// How much work waits at most.
const WAITING: usize = 8_192;

/// Work that waits for one of the threads that do it, and work that is being done.
#[derive(Default)]
pub(super) struct Jobs {
    state: Mutex<State>,
    come: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<dyn Job>>,
    /// By thread.
    running: Vec<Option<Arc<dyn Job>>>,
    idle: usize,
    is_stopping: bool,
}

pub(super) trait Job: Send + Sync {
    fn since(&self) -> Instant;
    /// Does the work and answers.
    fn run(&self, directory: &Directory);
    /// Answers, and leaves the work undone where it has not begun.
    fn give_up(&self, error: Error);
}

impl Jobs {
    /// Leaves work to be done.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] where too much waits already.
    pub(super) fn push<T, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        F: FnOnce(&Engine) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (done, answer) = oneshot::channel();
        let call = Call {
            since: Instant::now(),
            work: Mutex::new(Some(work)),
            done: Mutex::new(Some(done)),
        };
        let mut state = lock(&self.state);
        if state.waiting.len() >= WAITING {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!(
                    "{WAITING} operations wait for the disk already; see that it is fast enough"
                ),
            ));
        }
        state.waiting.push_back(Arc::new(call));
        if state.idle > 0 {
            self.come.notify_one();
        }
        Ok(answer)
    }

    /// Makes room for one more thread, and answers its number.
    pub(super) fn add_thread(&self) -> usize {
        let mut state = lock(&self.state);
        state.running.push(None);
        state.running.len() - 1
    }

    /// Waits for work; `None` where none will come.
    pub(super) fn next(&self, thread: usize) -> Option<Arc<dyn Job>> {
        let mut state = lock(&self.state);
        state.running[thread] = None;
        loop {
            if let Some(job) = state.waiting.pop_front() {
                state.running[thread] = Some(Arc::clone(&job));
                return Some(job);
            }
            if state.is_stopping {
                return None;
            }
            state.idle += 1;
            let woken = self.come.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Lets the threads end, once they have done what waits.
    pub(super) fn stop(&self) {
        lock(&self.state).is_stopping = true;
        self.come.notify_all();
    }

    /// Answers what has waited for as long as `limit`, and says since when the next one waits.
    pub(super) fn give_up(&self, limit: Duration) -> Option<Instant> {
        let mut state = lock(&self.state);
        let is_late = |job: &Arc<dyn Job>| job.since().elapsed() >= limit;
        let mut late = Vec::new();
        for running in &mut state.running {
            late.extend(running.take_if(|job| is_late(job)));
        }
        while state.waiting.front().is_some_and(is_late) {
            late.extend(state.waiting.pop_front());
        }
        let running = state.running.iter().flatten();
        let oldest = running
            .chain(state.waiting.front())
            .map(|job| job.since())
            .min();
        drop(state);
        for job in late {
            job.give_up(too_late(limit));
        }
        oldest
    }
}

fn too_late(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "the disk did not answer within the {limit:?} of `timeout`; see that it is well and fast enough"
        ),
    )
}

struct Call<T, F> {
    since: Instant,
    work: Mutex<Option<F>>,
    done: Mutex<Option<oneshot::Sender<Result<T>>>>,
}

impl<T, F> Call<T, F> {
    fn answer(&self, answer: Result<T>) {
        // A caller that has stopped waiting needs no answer.
        if let Some(done) = lock(&self.done).take() {
            let _ = done.send(answer);
        }
    }
}

impl<T, F> Job for Call<T, F>
where
    F: FnOnce(&Engine) -> Result<T> + Send,
    T: Send,
{
    fn since(&self) -> Instant {
        self.since
    }

    fn run(&self, directory: &Directory) {
        let work = lock(&self.work).take();
        if let Some(work) = work {
            self.answer(directory.with(work));
        }
    }

    fn give_up(&self, error: Error) {
        drop(lock(&self.work).take());
        self.answer(Err(error));
    }
}
