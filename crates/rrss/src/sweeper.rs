//! The background sweep of expired sessions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rrss_core::{Action, Background, Clock, Operation, Outcome, Pipeline, Result, Stop};

use crate::store::unexpected;

/// How often expired sessions are swept where no step says so.
const RESOLUTION: Duration = Duration::from_secs(600);

/// How many one operation removes at most, so that none holds the backend for long.
const BATCH: usize = 1_000;

/// Sweeps a backend that needs it, from the first moment that there is a runtime to do so on.
pub(crate) struct Sweeper {
    background: Background,
    started: AtomicBool,
    every: Option<Duration>,
}

impl Sweeper {
    pub(crate) fn new(pipeline: &Pipeline) -> Self {
        let every = pipeline
            .needs_sweep()
            .then(|| pipeline.sweep_every().unwrap_or(RESOLUTION));
        Self {
            background: Background::new(),
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
        let (pipeline, clock) = (pipeline.clone(), clock.clone());
        self.background.spawn("rrss-sweep", move |stop| {
            sweep_every(every, stop, pipeline, clock)
        });
    }

    pub(crate) async fn shutdown(&self, within: Duration) -> Vec<&'static str> {
        self.started.store(true, Ordering::Release);
        self.background.shutdown(within).await
    }
}

async fn sweep_every(every: Duration, mut stop: Stop, pipeline: Pipeline, clock: Arc<dyn Clock>) {
    while stop.sleep(every).await {
        match sweep(&pipeline, &*clock).await {
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
