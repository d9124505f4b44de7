//! Work beside the operations: named, and stopped under a deadline.

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Tasks that run beside the operations of a store. Each has a name, which the logs show when it starts, stops
/// or has to be aborted. They are told to stop when this is dropped.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rrss_core::Background;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let background = Background::new();
/// background.spawn("tick", |mut stop| async move {
///     while stop.sleep(Duration::from_millis(1)).await {}
/// });
/// assert!(background.shutdown(Duration::from_secs(1)).await.is_empty());
/// # }
/// ```
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<(&'static str, JoinHandle<()>)>>,
}

impl Background {
    /// Without tasks.
    #[must_use]
    pub fn new() -> Self {
        Self {
            stop: watch::Sender::new(false),
            tasks: Mutex::default(),
        }
    }

    /// Starts a task on the current tokio runtime.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn spawn<F, T>(&self, name: &'static str, task: F)
    where
        F: FnOnce(Stop) -> T,
        T: Future<Output = ()> + Send + 'static,
    {
        let task = task(Stop(self.stop.subscribe()));
        let handle = tokio::spawn(async move {
            tracing::debug!(task = name, "background task started");
            task.await;
            tracing::debug!(task = name, "background task stopped");
        });
        self.lock().push((name, handle));
    }

    /// Tells all tasks to stop and waits for them, at most `within` in all. Tasks that have not stopped by then
    /// are aborted; their names are the answer.
    pub async fn shutdown(&self, within: Duration) -> Vec<&'static str> {
        self.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.lock());
        let deadline = tokio::time::Instant::now() + within;
        let mut aborted = Vec::new();
        for (name, mut handle) in tasks {
            if tokio::time::timeout_at(deadline, &mut handle)
                .await
                .is_err()
            {
                handle.abort();
                tracing::warn!(
                    task = name,
                    ?within,
                    "background task did not stop in time; aborted"
                );
                aborted.push(name);
            }
        }
        aborted
    }

    /// The names of the tasks that were started and not yet shut down.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.lock().iter().map(|(name, _)| *name).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(&'static str, JoinHandle<()>)>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Background {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// Tells a background task when to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits until the task is to stop.
    pub async fn stopped(&mut self) {
        // An error means that the sender is gone, and with it the store.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Whether the task is to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Sleeps; `false` as soon as the task is to stop.
    pub async fn sleep(&mut self, duration: Duration) -> bool {
        tokio::time::timeout(duration, self.stopped())
            .await
            .is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_stop_is_aborted_and_named() {
        let background = Background::new();
        background.spawn("polite", |mut stop| async move { stop.stopped().await });
        background.spawn("stuck", |_| std::future::pending());
        assert_eq!(background.names(), ["polite", "stuck"]);
        assert_eq!(
            background.shutdown(Duration::from_millis(20)).await,
            ["stuck"]
        );
        assert!(background.names().is_empty());
    }

    #[tokio::test]
    async fn dropping_it_tells_the_tasks_to_stop() {
        let background = Background::new();
        let (tell, told) = tokio::sync::oneshot::channel();
        background.spawn("polite", |mut stop| async move {
            stop.stopped().await;
            let _ = tell.send(());
        });
        drop(background);
        told.await.unwrap();
    }
}
