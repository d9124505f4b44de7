//! A store for one command: opened, used and closed.

use std::time::Duration;

use rrss::Store;
use rrss_loader::Plan;
use tokio::runtime::Builder;

use super::Context;
use crate::exit::Failure;

/// How long closing a store may take.
const CLOSING: Duration = Duration::from_secs(10);

/// Does `work` with the store of a checked file, and closes the store whatever came of it, so that what was
/// acknowledged is safe.
pub(super) fn with_store(
    plan: Plan,
    work: impl AsyncFnOnce(&Store) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("starting the async runtime failed", error))?;
    let done = runtime.block_on(async {
        let store = Store::from_plan(plan).map_err(|error| Failure::build(&error))?;
        let done = work(&store).await;
        let closed = store.shutdown(CLOSING).await;
        done.and(closed.map_err(Failure::from))
    });
    // A name lookup that hangs must not hold the process after its time is over.
    runtime.shutdown_background();
    done
}

impl Context<'_> {
    /// [`with_store`] of the file that the command line names.
    pub(super) fn with_store(
        &mut self,
        work: impl AsyncFnOnce(&mut Self, &Store) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let plan = self.plan(&self.config())?;
        with_store(plan, async |store| work(self, store).await)
    }
}
