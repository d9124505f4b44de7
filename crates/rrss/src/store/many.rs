//! Operations on the sessions of a store as a whole.

#[cfg(doc)]
use rrss_core::ErrorKind;
use rrss_core::{Action, Cursor, Outcome, Result, SessionId};

use super::{Store, unexpected};
use crate::sweeper;

/// One page of a listing: see [`Store::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// The ids of the sessions. Where ids are stored hashed (`hash` of the `key-mapper`), they are
    /// [private](SessionId::private): this store takes them, and no client can present them; show their
    /// [handles](rrss_core::Handle).
    pub ids: Vec<SessionId>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

impl Store {
    /// Names the sessions of this store, about `limit` at a time: begin with `None`, go on with
    /// [`Listing::next`]. A page may hold fewer or none and still have a next one. Sessions that are there all the
    /// while are named at least once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] where the key mapper is a plain function. Else as [`load`](Store::load).
    pub async fn list(&self, cursor: Option<Cursor>, limit: usize) -> Result<Listing> {
        let mut op = self.operation(Action::List { cursor, limit });
        let answer = self.run(&mut op).await?;
        match answer.outcome {
            Outcome::Page(page) => Ok(Listing {
                ids: page.ids,
                next: page.next,
            }),
            _ => Err(unexpected(&op, &answer)),
        }
    }

    /// Counts the sessions of this store; while others write, about.
    ///
    /// # Errors
    ///
    /// As [`list`](Store::list).
    pub async fn count(&self) -> Result<u64> {
        let mut op = self.operation(Action::Count);
        let answer = self.run(&mut op).await?;
        match answer.outcome {
            Outcome::Count(count) => Ok(count),
            _ => Err(unexpected(&op, &answer)),
        }
    }

    /// Removes the sessions that are past their deadline, in bounded batches, and says how many. The store does
    /// so by itself now and then; a backend that expires by itself answers zero. Then it tells the
    /// [listeners](Store::on_expired) of expired sessions, and waits for them. Safe with many at once.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load).
    pub async fn sweep(&self) -> Result<u64> {
        self.start();
        let (pipeline, clock) = (&self.inner.pipeline, &*self.inner.clock);
        let removed = sweeper::sweep(pipeline, clock).await?;
        let listeners = self.inner.sweeper.listeners();
        listeners.tell(pipeline, clock, None).await?;
        Ok(removed)
    }
}
