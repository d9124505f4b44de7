//! Work that goes on though its caller went away: `Store::shutdown` waits for it.

use std::sync::Arc;

use tokio::sync::watch;

/// How much work of a store is under way.
pub(super) struct Unfinished(Arc<watch::Sender<usize>>);

/// Work on the sessions of a store that must come to its end before the store shuts down; until this is dropped,
/// [`Store::shutdown`](crate::Store::shutdown) waits.
///
/// For hosts that go on with a save in a task when the client that asked for it went away.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
/// # let store = rrss::Store::from_toml("step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]")?;
/// let mut session = rrss::Session::new();
/// session.insert("user_id", &42)?;
///
/// let (saving, work) = (store.clone(), store.begin_work());
/// let task = tokio::spawn(async move {
///     let saved = saving.save(&mut session).await;
///     drop(work);
///     saved
/// });
/// store.shutdown(std::time::Duration::from_secs(5)).await?;
/// assert!(task.is_finished());
/// # task.await.unwrap()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "shutdown waits only while this is kept"]
pub struct Work(Arc<watch::Sender<usize>>);

impl Default for Unfinished {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Unfinished {
    pub(super) fn begin(&self) -> Work {
        self.0.send_modify(|count| *count += 1);
        Work(Arc::clone(&self.0))
    }

    /// Waits until none is under way.
    pub(super) async fn wait(&self) {
        // The sender is kept here, so this cannot fail.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
