//! The background sweep of expired sessions, and who is told of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rrss_core::{Action, Background, Clock, Operation, Outcome, Pipeline, Result, Stop};
use tokio::sync::Notify;

use crate::store::{Listeners, unexpected};

/// How often expired sessions are swept where no step says so.
const RESOLUTION: Duration = Duration::from_secs(600);

/// How many one operation removes at most, so that none holds the backend for long.
const BATCH: usize = 1_000;

/// Sweeps a backend that needs it, and tells of expired sessions where that is kept, from the first moment that there is a
/// runtime to do so on.
pub(crate) struct Sweeper {
    background: Background,
    listeners: Arc<Listeners>,
    started: AtomicBool,
    every: Option<Duration>,
}

impl Sweeper {
    pub(crate) fn new(pipeline: &Pipeline) -> Self {
        let works = pipeline.needs_sweep() || tells(pipeline);
        let every = works.then(|| pipeline.sweep_every().unwrap_or(RESOLUTION));
        Self {
            background: Background::new(),
            listeners: Arc::default(),
            started: AtomicBool::new(every.is_none()),
            every,
        }
    }

    /// Starts the sweep if there is a runtime and it has not started; a store may be built before its runtime.
    pub(crate) fn start(&self, pipeline: &Pipeline, clock: &Arc<dyn Clock>) {
        if self.started.load(Ordering::Relaxed) || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let Some(every) = self
            .every
            .filter(|_| !self.started.swap(true, Ordering::AcqRel))
        else {
            return;
        };
        let turn = Turn {
            pipeline: pipeline.clone(),
            clock: clock.clone(),
            swept: Arc::default(),
        };
        if tells(pipeline) {
            let (turn, listeners) = (turn.clone(), self.listeners.clone());
            self.background
                .spawn("rrss-expired", move |stop| turn.tell(stop, listeners));
        }
        self.background
            .spawn("rrss-sweep", move |stop| turn.sweep_every(every, stop));
    }

    pub(crate) fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    pub(crate) async fn shutdown(&self, within: Duration) -> Vec<&'static str> {
        self.started.store(true, Ordering::Release);
        self.background.shutdown(within).await
    }
}

fn tells(pipeline: &Pipeline) -> bool {
    pipeline
        .index()
        .is_some_and(|rules| rules.keep_expired.is_some())
}

/// What the two tasks share. Listeners have a task of their own, so that no sweep waits for one.
#[derive(Clone)]
struct Turn {
    pipeline: Pipeline,
    clock: Arc<dyn Clock>,
    swept: Arc<Notify>,
}

impl Turn {
    async fn sweep_every(self, every: Duration, mut stop: Stop) {
        while stop.sleep(every).await {
            if self.pipeline.needs_sweep() {
                match sweep(&self.pipeline, &*self.clock).await {
                    Ok(0) => {}
                    Ok(removed) => tracing::debug!(removed, "swept expired sessions"),
                    Err(error) => {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(
                            error,
                            "sweeping expired sessions failed; it is tried again at its next turn"
                        );
                    }
                }
            }
            self.swept.notify_one();
        }
        // For the other to see that it is to stop.
        self.swept.notify_one();
    }

    async fn tell(self, stop: Stop, listeners: Arc<Listeners>) {
        loop {
            self.swept.notified().await;
            if stop.is_stopped() {
                return;
            }
            let told = listeners.tell(&self.pipeline, &*self.clock, Some(&stop));
            if let Err(error) = told.await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "reading which sessions have expired failed; it is tried again after the next sweep"
                );
            }
        }
    }
}

/// Removes what is past its deadline, batch by batch, and says how many.
pub(crate) async fn sweep(pipeline: &Pipeline, clock: &dyn Clock) -> Result<u64> {
    let mut removed = 0;
    loop {
        let mut op = Operation::new(Action::Sweep { limit: BATCH }, clock.now());
        let answer = pipeline.run(&mut op).await?;
        let Outcome::Count(batch) = answer.outcome else {
            return Err(unexpected(&op, &answer));
        };
        removed += batch;
        if batch < BATCH as u64 {
            return Ok(removed);
        }
        tokio::task::yield_now().await;
    }
}
