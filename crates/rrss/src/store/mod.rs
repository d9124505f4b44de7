//! The store: a pipeline with the session API on top.

mod corrupt;
mod examine;
mod expired;
mod expired_listeners;
mod find;
mod limit;
mod load;
mod many;
mod overwrite;
mod quarantine;
mod recently_indexed;
mod reindex;
mod rotate;
mod save;
mod turns;
mod unfinished;
mod update;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rrss_core::{
    Action, Answer, Clock, Conflict, Error, ErrorKind, OnCorrupt, Operation, Outcome, Pipeline,
    Result, SessionId, SystemClock, Timestamp, Together,
};

use self::corrupt::Corrupt;
pub use self::corrupt::CorruptCounts;
pub use self::examine::{Examination, Tried};
pub use self::expired::Expired;
pub(crate) use self::expired_listeners::Listeners;
pub use self::find::{Found, SessionInfo};
pub use self::many::Listing;
pub use self::quarantine::{
    Name as QuarantineName, Quarantine, QuarantineNames, Quarantined, Restored,
};
use self::recently_indexed::RecentlyIndexed;
pub use self::reindex::Reindexed;
pub use self::save::Saved;
use self::turns::{Turn, Turns};
use self::unfinished::Unfinished;
pub use self::unfinished::Work;
use crate::builder::StoreBuilder;
use crate::sweeper::Sweeper;

/// What a host application holds: loads, saves and ends sessions through the steps of its pipeline.
///
/// Make one from a file with [`Store::from_file`], or in code with [`Store::builder`]. Clones share the store;
/// keep one in the application's state.
///
/// An operation that cannot be carried out is an error, and never looks like a missing session: see
/// [`ErrorKind`]. Every operation may be dropped midway (a client that goes away): it has then happened as a
/// whole or not at all.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
/// use rrss::{ErrorKind, Saved, Session, Store};
///
/// let store = Store::from_toml(r#"
///     step = [
///         { type = "key-mapper" },
///         { type = "expiry", duration = "7d" },
///         { type = "json-codec" },
///         { type = "memory" },
///     ]
/// "#)?;
///
/// let mut session = Session::new();
/// session.insert("user_id", &42)?;
/// assert_eq!(store.save(&mut session).await?, Saved::Created);
///
/// let id = session.id().unwrap().clone();
/// let mut copy = store.load(&id).await?.unwrap();
/// assert_eq!(copy.get::<u64>("user_id")?, Some(42));
///
/// store.delete(&id).await?;
/// copy.insert("late", &true)?;
/// assert_eq!(store.save(&mut copy).await.unwrap_err().kind(), ErrorKind::Gone);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    pipeline: Pipeline,
    clock: Arc<dyn Clock>,
    name: Option<String>,
    conflict: Conflict,
    together: Together,
    corrupt: Corrupt,
    rotated_for: Duration,
    recently_indexed: RecentlyIndexed,
    turns: Turns,
    unfinished: Unfinished,
    sweeper: Sweeper,
}

/// What a store has besides its pipeline.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) name: Option<String>,
    pub(crate) conflict: Conflict,
    pub(crate) together: Together,
    pub(crate) on_corrupt: OnCorrupt,
    pub(crate) quarantine_for: Duration,
    pub(crate) rotated_for: Duration,
}

/// Long enough for somebody to come back from a holiday.
const QUARANTINE_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// Longer than requests take that were under way when the session got its new id.
const ROTATED_FOR: Duration = Duration::from_secs(30);

impl Default for Parts {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            name: None,
            conflict: Conflict::default(),
            together: Together::default(),
            on_corrupt: OnCorrupt::default(),
            quarantine_for: QUARANTINE_FOR,
            rotated_for: ROTATED_FOR,
        }
    }
}

impl Parts {
    /// Refuses what cannot be carried out on this pipeline.
    pub(crate) fn check(&self, pipeline: &Pipeline) -> Result<()> {
        corrupt::check(pipeline, self.on_corrupt, self.quarantine_for)
    }
}

impl Store {
    /// Begins a store in code.
    #[must_use]
    pub fn builder() -> StoreBuilder {
        StoreBuilder::default()
    }

    /// A store over a pipeline that is built already.
    #[must_use]
    pub fn new(pipeline: Pipeline) -> Self {
        Self::with_parts(pipeline, Parts::default())
    }

    pub(crate) fn with_parts(pipeline: Pipeline, parts: Parts) -> Self {
        let Parts {
            clock,
            name,
            conflict,
            together,
            on_corrupt,
            quarantine_for,
            rotated_for,
        } = parts;
        let sweeper = Sweeper::new(&pipeline);
        let store = Self {
            inner: Arc::new(Inner {
                pipeline,
                clock,
                name,
                conflict,
                together,
                corrupt: Corrupt::new(on_corrupt, quarantine_for),
                rotated_for,
                recently_indexed: RecentlyIndexed::default(),
                turns: Turns::default(),
                unfinished: Unfinished::default(),
                sweeper,
            }),
        };
        store.start();
        store
    }

    /// Ends a session; says whether there was one. Ending one that is not there is fine.
    ///
    /// With an `index` step the session is loaded first, so that its entries end with it.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load).
    pub async fn delete(&self, id: &SessionId) -> Result<bool> {
        let mut op = self.operation(Action::Delete).with_id(id.clone());
        if self.inner.pipeline.wants_session(&op) {
            op = match self.inspect(id).await {
                Ok(Some(session)) => self.operation(Action::Delete).with_session(session),
                Ok(None) => return Ok(false),
                // Deleting is the one way to be rid of what cannot be read.
                Err(error) if error.kind() == ErrorKind::Corrupt => op,
                Err(error) => return Err(error),
            };
        }
        self.run_on_one(&mut op).await
    }

    /// Reaches the backend once, to see that it is there and lets us in. No other operation needs this first.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load).
    pub async fn ping(&self) -> Result<()> {
        self.inner.pipeline.ping().await
    }

    /// Begins work on sessions that [`shutdown`](Store::shutdown) is to wait for, until the value is dropped: a save that goes
    /// on in a task though the client that asked for it went away.
    pub fn begin_work(&self) -> Work {
        self.inner.unfinished.begin()
    }

    /// Waits for [work](Store::begin_work) that is under way, stops the background sweep, waits for
    /// [listeners](Store::on_expired) that are being called, and makes what was acknowledged safe, within a time. Call it before
    /// the process ends; operations after it still work, without the sweep.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`] where it took longer than `within`; what was still running was aborted.
    pub async fn shutdown(&self, within: Duration) -> Result<()> {
        let began = tokio::time::Instant::now();
        let waited = tokio::time::timeout(within, self.inner.unfinished.wait()).await;
        let left = within.saturating_sub(began.elapsed());
        let aborted = self.inner.sweeper.shutdown(left).await;
        let left = within.saturating_sub(began.elapsed());
        let closed = tokio::time::timeout(left, self.inner.pipeline.close()).await;
        if aborted.is_empty()
            && waited.is_ok()
            && let Ok(closed) = closed
        {
            return closed;
        }
        Err(Error::new(
            ErrorKind::Timeout,
            format!("the store did not shut down within {within:?}"),
        ))
    }

    /// The name that `[store]` gives it, if any.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name.as_deref()
    }

    /// What a save does when the stored session changed since it was loaded.
    #[must_use]
    pub fn conflict(&self) -> Conflict {
        self.inner.conflict
    }

    /// The fields that stand or fall together when changes are merged.
    #[must_use]
    pub fn together(&self) -> &Together {
        &self.inner.together
    }

    /// The pipeline.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.inner.pipeline
    }

    /// The present instant: of the store's clock, or of the server that expires its sessions, where that is known to differ by a
    /// second or more. So processes whose clocks differ agree on when a session was saved and when it ends.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.pipeline.now(self.inner.clock.now())
    }

    fn operation(&self, action: Action) -> Operation {
        Operation::new(action, self.now())
    }

    async fn run(&self, op: &mut Operation) -> Result<Answer> {
        self.start();
        let answer = self.inner.pipeline.run(op).await?;
        self.note_indexed(op, &answer);
        Ok(answer)
    }

    async fn run_on_one(&self, op: &mut Operation) -> Result<bool> {
        let answer = self.run(op).await?;
        match answer.outcome {
            Outcome::Done => Ok(true),
            Outcome::Missing => Ok(false),
            _ => Err(unexpected(op, &answer)),
        }
    }

    async fn turn(&self, id: &SessionId) -> Turn {
        self.inner.turns.wait(id).await
    }

    fn start(&self) {
        self.inner
            .sweeper
            .start(&self.inner.pipeline, &self.inner.clock);
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("name", &self.inner.name)
            .field("pipeline", &self.inner.pipeline)
            .finish_non_exhaustive()
    }
}

pub(crate) fn unexpected(op: &Operation, answer: &Answer) -> Error {
    let outcome = match &answer.outcome {
        Outcome::Page(_) => "a page".to_owned(),
        Outcome::Expired(_) => "notes of expired sessions".to_owned(),
        outcome => format!("{outcome:?}"),
    };
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "a step or the backend answered {:?} with {outcome}, which that operation does not know",
            op.action()
        ),
    )
}
