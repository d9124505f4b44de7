//! The store: a pipeline with the session API on top.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rrss_core::{
    Action, Answer, Clock, Cursor, Deadline, Error, ErrorKind, Operation, Outcome, Pipeline,
    Result, Session, SessionId, SystemClock, Timestamp,
};

use crate::builder::StoreBuilder;
use crate::sweeper::Sweeper;

/// How often a create is tried again with a new id when the one that was made is taken.
///
/// Two random ids of 122 bits never meet by chance; what meets are the ids of a broken generator, and then
/// more tries do not help.
const CREATE_ATTEMPTS: usize = 3;

/// How many expired sessions one sweep operation removes at most, so that none holds the backend for long.
const SWEEP_BATCH: usize = 1_000;

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
    sweeper: Sweeper,
}

/// What a save did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Saved {
    /// The session was new and is stored under a fresh id.
    Created,
    /// The stored session was replaced.
    Replaced,
    /// There was no change to store; the backend was not asked.
    Unchanged,
    /// The session is new and has no fields; it was not stored, and the backend was not asked.
    Empty,
}

/// One page of a listing: see [`Store::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// The ids of the sessions.
    pub ids: Vec<SessionId>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
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
        Self::with_parts(pipeline, Arc::new(SystemClock), None)
    }

    pub(crate) fn with_parts(
        pipeline: Pipeline,
        clock: Arc<dyn Clock>,
        name: Option<String>,
    ) -> Self {
        let sweeper = Sweeper::new(&pipeline);
        let store = Self {
            inner: Arc::new(Inner {
                pipeline,
                clock,
                name,
                sweeper,
            }),
        };
        store.start();
        store
    }

    /// Loads a session; `None` where there is none with this id: unknown, deleted, expired or malformed. A
    /// malformed id never reaches the backend.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] and [`ErrorKind::Timeout`] where the backend cannot tell;
    /// [`ErrorKind::Corrupt`] where what it holds is no session. The stored bytes stay as they are.
    pub async fn load(&self, id: &SessionId) -> Result<Option<Session>> {
        let mut op = self.operation(Action::Load).with_id(id.clone());
        let mut answer = self.run(&mut op).await?;
        if answer.outcome != Outcome::Found {
            return Ok(None);
        }
        let mut session = answer
            .take_session()
            .ok_or_else(|| unexpected(&op, &answer))?;
        session.mark_stored(id.clone(), answer.stored, answer.expires_at);
        Ok(Some(session))
    }

    /// Stores a session: creates it where it is new, replaces the stored one where it is not. A new session
    /// without fields is not stored, and one without changes is not written again.
    ///
    /// The session is left as it was where this fails, so that it can be saved again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] where it does not exist any more: deleted, expired or rotated away since it was loaded;
    /// nothing is stored then. [`ErrorKind::Conflict`] where it is new and brings an id that is taken.
    /// [`ErrorKind::Value`] and [`ErrorKind::TooLarge`] where the codec cannot store it. Else as [`load`](Store::load).
    pub async fn save(&self, session: &mut Session) -> Result<Saved> {
        if session.is_new() {
            if session.is_empty() {
                return Ok(Saved::Empty);
            }
            self.create(session).await?;
            return Ok(Saved::Created);
        }
        if !session.is_modified() {
            return Ok(Saved::Unchanged);
        }
        let mut op = self.operation(Action::Update).with_session(session.clone());
        let answer = self.run(&mut op).await?;
        match answer.outcome {
            Outcome::Done => {
                mark_stored(session, &op, answer);
                Ok(Saved::Replaced)
            }
            Outcome::Missing => Err(gone("saved")),
            _ => Err(unexpected(&op, &answer)),
        }
    }

    /// Moves the deadline of a session to where the `expiry` step puts it for a use of now; never its data. `false`
    /// where there is no such session; none is created.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load).
    pub async fn touch(&self, id: &SessionId) -> Result<bool> {
        self.touch_to(id, Deadline::Keep).await
    }

    /// Moves the deadline of a session to `deadline`; one in the past ends it at once.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load).
    pub async fn touch_until(&self, id: &SessionId, deadline: Timestamp) -> Result<bool> {
        self.touch_to(id, Deadline::At(deadline)).await
    }

    async fn touch_to(&self, id: &SessionId, deadline: Deadline) -> Result<bool> {
        let mut op = self.operation(Action::Touch).with_id(id.clone());
        op.deadline = deadline;
        self.run_on_one(&mut op).await
    }

    /// Ends a session; says whether there was one. Ending one that is not there is fine.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load).
    pub async fn delete(&self, id: &SessionId) -> Result<bool> {
        self.run_on_one(&mut self.operation(Action::Delete).with_id(id.clone()))
            .await
    }

    /// Gives a session a new id, with its fields, its unsaved changes and its creation time; the old id is dead
    /// when this answers. Do so at every change of rights, such as a login (OWASP Session Management: renew
    /// the session id after any privilege level change).
    ///
    /// The new session is stored before the old one is deleted, so that a crash in between loses nothing. Of
    /// two rotations of one session at once, one wins. A new session has no id yet that could be renewed: it
    /// is saved.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] where the session does not exist any more; no new one stays behind. Else as
    /// [`save`](Store::save); the session then keeps its old id.
    pub async fn rotate(&self, session: &mut Session) -> Result<Saved> {
        let Some(old) = session.id().cloned().filter(|_| !session.is_new()) else {
            return self.save(session).await;
        };
        let mut renewed = session.renewed();
        self.create(&mut renewed).await?;
        if self.delete(&old).await? {
            *session = renewed;
            return Ok(Saved::Created);
        }
        if let Some(id) = renewed.id() {
            self.delete(id).await?;
        }
        Err(gone("rotated"))
    }

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
        self.run_for_count(Action::Count).await
    }

    /// Removes the sessions that are past their deadline, in bounded batches, and says how many. The store does
    /// so by itself now and then; a backend that expires by itself answers zero. Safe with many at once.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load).
    pub async fn sweep(&self) -> Result<u64> {
        let mut removed = 0;
        loop {
            let batch = self
                .run_for_count(Action::Sweep { limit: SWEEP_BATCH })
                .await?;
            removed += batch;
            if batch < SWEEP_BATCH as u64 {
                return Ok(removed);
            }
        }
    }

    /// Reaches the backend once, to see that it is there and lets us in. No other operation needs this first.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load).
    pub async fn ping(&self) -> Result<()> {
        self.inner.pipeline.ping().await
    }

    /// Stops the background sweep and makes what was acknowledged safe, within a time. Call it before the
    /// process ends; operations after it still work, without the sweep.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`] where it took longer than `within`; what was still running was aborted.
    pub async fn shutdown(&self, within: Duration) -> Result<()> {
        let began = tokio::time::Instant::now();
        let aborted = self.inner.sweeper.shutdown(within).await;
        let left = within.saturating_sub(began.elapsed());
        let closed = tokio::time::timeout(left, self.inner.pipeline.close()).await;
        if aborted.is_empty()
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

    /// The pipeline.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.inner.pipeline
    }

    /// The present instant of the store's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    async fn create(&self, session: &mut Session) -> Result<()> {
        let mut made = session.clone();
        if made.created_at().is_none() {
            made = made.with_created_at(Some(self.now()));
        }
        for _ in 0..CREATE_ATTEMPTS {
            let mut op = self.operation(Action::Create).with_session(made.clone());
            let answer = self.run(&mut op).await?;
            match answer.outcome {
                Outcome::Done => {
                    mark_stored(&mut made, &op, answer);
                    *session = made;
                    return Ok(());
                }
                Outcome::Taken if session.id().is_some() => {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        "a session with the id that the caller gave exists already",
                    ));
                }
                Outcome::Taken => {}
                _ => return Err(unexpected(&op, &answer)),
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "{CREATE_ATTEMPTS} fresh session ids were all taken; is the source of randomness broken?"
            ),
        ))
    }

    fn operation(&self, action: Action) -> Operation {
        Operation::new(action, self.now())
    }

    async fn run(&self, op: &mut Operation) -> Result<Answer> {
        self.start();
        self.inner.pipeline.run(op).await
    }

    async fn run_on_one(&self, op: &mut Operation) -> Result<bool> {
        let answer = self.run(op).await?;
        match answer.outcome {
            Outcome::Done => Ok(true),
            Outcome::Missing => Ok(false),
            _ => Err(unexpected(op, &answer)),
        }
    }

    async fn run_for_count(&self, action: Action) -> Result<u64> {
        let mut op = self.operation(action);
        let answer = self.run(&mut op).await?;
        match answer.outcome {
            Outcome::Count(count) => Ok(count),
            _ => Err(unexpected(&op, &answer)),
        }
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

fn mark_stored(session: &mut Session, op: &Operation, answer: Answer) {
    let kept = session
        .expires_at()
        .filter(|_| op.deadline == Deadline::Keep);
    if let Some(id) = op.id() {
        session.mark_stored(id.clone(), answer.stored, answer.expires_at.or(kept));
    }
}

fn gone(what: &str) -> Error {
    Error::new(
        ErrorKind::Gone,
        format!(
            "the session that was to be {what} does not exist any more; it was deleted, expired or rotated"
        ),
    )
}

fn unexpected(op: &Operation, answer: &Answer) -> Error {
    let outcome = match &answer.outcome {
        Outcome::Page(_) => "a page".to_owned(),
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
