//! The threads that wait for the disk, so that neither the async runtime nor its threads for blocking work do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rrss_core::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::changes::Changes;
use super::commits::{Change, Changed, Commits, Round, split_off_repeated};
use super::directory::Directory;
use super::engine::{Engine, Kept, lock};
use super::jobs::Jobs;
use super::options::Options;
use super::watch::Watch;

/// How many threads carry out loads: as many as there are processors, within these bounds.
const LOADS: (usize, usize) = (2, 8);

/// How many threads look at many sessions.
const SCANS: usize = 2;

/// How long dropping waits for the directory at least.
const UNTIL_RELEASED: Duration = Duration::from_secs(10);

/// The directory and the threads that work on it. They end when this is dropped, which waits until the directory is given up.
pub(super) struct Threads {
    shared: Arc<Shared>,
}

struct Shared {
    directory: Directory,
    kept: Arc<Kept>,
    commits: Commits,
    loads: Jobs,
    scans: Jobs,
    watch: Watch,
    limit: Duration,
    is_released: Mutex<bool>,
    released: Condvar,
}

impl Threads {
    /// Opens the directory and starts the threads.
    pub(super) fn start(options: &Options) -> Result<Self> {
        let kept = Arc::<Kept>::default();
        let threads = Self {
            shared: Arc::new(Shared {
                directory: Directory::open(options, Arc::clone(&kept))?,
                kept,
                commits: Commits::default(),
                loads: Jobs::default(),
                scans: Jobs::default(),
                watch: Watch::default(),
                limit: options.timeout.get(),
                // So it is until the thread runs that gives the directory up.
                is_released: Mutex::new(true),
                released: Condvar::default(),
            }),
        };
        *lock(&threads.shared.is_released) = false;
        threads
            .spawn("rrss-commit", Shared::commit)
            .inspect_err(|_| *lock(&threads.shared.is_released) = true)?;
        threads.spawn("rrss-limit", Shared::watch)?;
        let (least, most) = LOADS;
        let processors = thread::available_parallelism().map_or(least, usize::from);
        for _ in 0..processors.clamp(least, most) {
            threads.spawn("rrss-load", |shared| shared.work(&shared.loads))?;
        }
        for _ in 0..SCANS {
            threads.spawn("rrss-scan", |shared| shared.work(&shared.scans))?;
        }
        Ok(threads)
    }

    pub(super) fn kept(&self) -> &Kept {
        &self.shared.kept
    }

    /// Carries out a change, in one commit with others that come at the same time.
    pub(super) async fn change(&self, change: Change) -> Result<Changed> {
        let answer = self.shared.commits.push(change)?;
        self.shared.watch.something_waits();
        answered(answer).await
    }

    /// Does what reads few records, within the time limit.
    pub(super) async fn load<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&Engine) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let answer = self.shared.loads.push(work)?;
        self.shared.watch.something_waits();
        answered(answer).await
    }

    /// Does what may look at all records, however long that takes.
    pub(super) async fn scan<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&Engine) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        answered(self.shared.scans.push(work)?).await
    }

    fn spawn(&self, name: &str, work: impl FnOnce(&Shared) + Send + 'static) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let spawned = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&shared));
        spawned.map(drop).map_err(|error| {
            Error::new(
                ErrorKind::Unavailable,
                "a thread of the `embedded` backend could not be started; see how many threads the process may have",
            )
            .with_source(error)
        })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.commits.stop();
        shared.loads.stop();
        shared.scans.stop();
        shared.watch.stop();
        // A disk that hangs does not hold up the caller for ever; the thread gives the directory up when it can.
        let longest = shared.limit.max(UNTIL_RELEASED);
        let is_released = lock(&shared.is_released);
        let waited = shared
            .released
            .wait_timeout_while(is_released, longest, |is_released| !*is_released);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

async fn answered<T>(answer: oneshot::Receiver<Result<T>>) -> Result<T> {
    answer.await.map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            "the engine failed before the operation was done, which may have happened",
        )
        .with_source(error)
    })?
}

/// Says that the directory was given up, also where the thread that does it panics.
struct Release<'s>(&'s Shared);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        *lock(&self.0.is_released) = true;
        self.0.released.notify_all();
    }
}

impl Shared {
    fn commit(&self) {
        let _release = Release(self);
        loop {
            let round = self.commits.next();
            if matches!(round, Round::Stop) {
                break;
            }
            // A panic of the engine costs those who wait their answer, and no others.
            let _ = catch_unwind(AssertUnwindSafe(|| self.carry_out(round)));
            self.commits.end_round();
        }
        if let Err(error) = self.directory.close() {
            tracing::warn!("closing the directory of the `embedded` backend failed: {error}");
        }
    }

    fn carry_out(&self, round: Round) {
        match round {
            Round::Stop => {}
            Round::Close => {
                let closed = self.directory.close().map(|()| Changed::Nothing);
                self.commits.answer(vec![(0, Change::Close, closed)]);
            }
            Round::Changes(mut changes) => {
                while !changes.is_empty() {
                    let later = split_off_repeated(&mut changes);
                    self.commits.answer(self.make(changes));
                    changes = later;
                }
            }
        }
    }

    /// Makes changes of different keys in one commit.
    fn make(&self, mut changes: Vec<(usize, Change)>) -> Vec<(usize, Change, Result<Changed>)> {
        let admitted = self.directory.admit();
        let committed = admitted.and_then(|()| {
            let made = self.directory.with(|engine| {
                let mut batch = engine.changes();
                let changed: Vec<_> = changes
                    .iter_mut()
                    .map(|(_, change)| add(change, &mut batch))
                    .collect();
                Ok((changed, batch.commit()))
            });
            let (changed, committed) = made?;
            match committed {
                Ok(()) => {
                    self.directory.is_well();
                    Ok(changed)
                }
                Err(error) => Err(self.directory.fails(error)),
            }
        });
        let answers = match committed {
            Ok(changed) => changed,
            Err(error) => changes.iter().map(|_| Err(error.clone())).collect(),
        };
        let answered = changes.into_iter().zip(answers);
        answered
            .map(|((number, change), changed)| (number, change, changed))
            .collect()
    }

    fn watch(&self) {
        self.watch.run(self.limit, || {
            let change = self.commits.give_up(self.limit);
            let load = self.loads.give_up(self.limit);
            change.into_iter().chain(load).min()
        });
    }

    fn work(&self, jobs: &Jobs) {
        let thread = jobs.add_thread();
        while let Some(job) = jobs.next(thread) {
            // Whoever waits for a job that panics is told when the job is dropped.
            let _ = catch_unwind(AssertUnwindSafe(|| job.run(&self.directory)));
        }
    }
}

/// Adds a change to the batch; what it answers holds once the batch is committed.
fn add(change: &mut Change, batch: &mut Changes<'_>) -> Result<Changed> {
    match change {
        Change::Write(op, record) => batch
            .write(op, std::mem::take(record))
            .map(Changed::Written),
        Change::Rotate(op, record) => batch
            .rotate(op, std::mem::take(record))
            .map(Changed::Written),
        Change::Touch(op) => batch.touch(op).map(Changed::Written),
        Change::Delete(op) => batch.delete(op).map(Changed::Written),
        Change::Ping => batch.ping().map(|()| Changed::Nothing),
        Change::Close => Ok(Changed::Nothing),
    }
}

#[cfg(test)]
mod tests;
