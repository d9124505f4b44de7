//! Standing in front of a backend: what happens before and after each of its operations.

use std::future::Future;
use std::time::Duration;

use rrss_core::{
    Action, Backend, Cursor, ExpiredNote, Finding, IndexKey, Needs, Operation, Page, Record,
    Result, Session, StorageKey, StoredForm, Timestamp, Written,
};

/// What is asked of a backend, without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Call {
    /// [`Backend::load`]
    Load,
    /// [`Backend::write`] of a new session.
    Create,
    /// [`Backend::write`] of one that exists.
    Update,
    /// [`Backend::rotate`]
    Rotate,
    /// [`Backend::touch`]
    Touch,
    /// [`Backend::delete`]
    Delete,
    /// [`Backend::find`]
    Find,
    /// [`Backend::list`]
    List,
    /// [`Backend::count`]
    Count,
    /// [`Backend::sweep`]
    Sweep,
    /// [`Backend::take_expired`]
    TakeExpired,
    /// [`Backend::forget_expired`]
    ForgetExpired,
    /// [`Backend::ping`]
    Ping,
    /// [`Backend::close`]
    Close,
}

/// On which side of a call something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Before it is carried out.
    Before,
    /// After it was carried out, and before it is answered.
    After,
}

/// What happens before and after each call of a backend: an error there takes the place of the answer.
///
/// [`Counts`](crate::Counts), [`Faults`](crate::Faults) and [`Gate`](crate::Gate) are the built-in ones.
///
/// # Examples
///
/// ```
/// use rrss_core::{Error, ErrorKind, Result};
/// use rrss_testkit::{Call, Intercept, Intercepted, Side};
///
/// /// A backend that can be read and no more.
/// struct ReadOnly;
///
/// impl Intercept for ReadOnly {
///     async fn at(&self, call: Call, side: Side) -> Result<()> {
///         match (call, side) {
///             (Call::Create | Call::Update | Call::Touch | Call::Delete, Side::Before) => {
///                 Err(Error::new(ErrorKind::Unavailable, "the disk is read-only"))
///             }
///             _ => Ok(()),
///         }
///     }
/// }
///
/// let backend = Intercepted::new(rrss_persistence::memory::Memory::default(), ReadOnly);
/// ```
pub trait Intercept: Send + Sync + 'static {
    /// Runs on each side of each call.
    ///
    /// # Errors
    ///
    /// What the caller is to be answered: on the side [`Side::Before`] nothing is carried out then.
    fn at(&self, call: Call, side: Side) -> impl Future<Output = Result<()>> + Send;
}

/// A backend with an [`Intercept`] in front of it.
#[derive(Debug, Clone)]
pub struct Intercepted<B, I> {
    backend: B,
    intercept: I,
}

impl<B: Backend, I: Intercept> Intercepted<B, I> {
    /// `backend`, with `intercept` in front of it.
    #[must_use]
    pub fn new(backend: B, intercept: I) -> Self {
        Self { backend, intercept }
    }

    async fn around<T>(&self, call: Call, inner: impl Future<Output = Result<T>>) -> Result<T> {
        self.intercept.at(call, Side::Before).await?;
        let answer = inner.await?;
        self.intercept.at(call, Side::After).await?;
        Ok(answer)
    }
}

impl<B: Backend, I: Intercept> Backend for Intercepted<B, I> {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        self.around(Call::Load, self.backend.load(op)).await
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        let call = if *op.action() == Action::Create {
            Call::Create
        } else {
            Call::Update
        };
        self.around(call, self.backend.write(op)).await
    }

    fn stored_form(&self, session: &Session) -> Option<StoredForm> {
        self.backend.stored_form(session)
    }

    fn keeps_fields(&self) -> bool {
        self.backend.keeps_fields()
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        self.around(Call::Touch, self.backend.touch(op)).await
    }

    async fn rotate(&self, op: &Operation) -> Result<Written> {
        self.around(Call::Rotate, self.backend.rotate(op)).await
    }

    fn known_now(&self) -> Option<Timestamp> {
        self.backend.known_now()
    }

    async fn server_now(&self, op: &Operation) -> Result<Option<Timestamp>> {
        self.backend.server_now(op).await
    }

    fn rotates_at_once(&self) -> bool {
        self.backend.rotates_at_once()
    }

    fn may_lose_entries(&self) -> bool {
        self.backend.may_lose_entries()
    }

    async fn examine(&self, needs: &Needs) -> Result<Vec<Finding>> {
        self.backend.examine(needs).await
    }

    async fn was_rotated(&self, op: &Operation) -> Result<bool> {
        self.backend.was_rotated(op).await
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        self.around(Call::Delete, self.backend.delete(op)).await
    }

    async fn find(
        &self,
        op: &Operation,
        entry: &IndexKey,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page> {
        self.around(Call::Find, self.backend.find(op, entry, cursor, limit))
            .await
    }

    fn keeps_index(&self) -> bool {
        self.backend.keeps_index()
    }

    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        self.around(Call::List, self.backend.list(op, cursor, limit))
            .await
    }

    async fn count(&self, op: &Operation) -> Result<u64> {
        self.around(Call::Count, self.backend.count(op)).await
    }

    async fn sweep(&self, op: &Operation, limit: usize) -> Result<u64> {
        self.around(Call::Sweep, self.backend.sweep(op, limit))
            .await
    }

    fn needs_sweep(&self) -> bool {
        self.backend.needs_sweep()
    }

    async fn take_expired(
        &self,
        op: &Operation,
        limit: usize,
        lease: Duration,
        keep: Duration,
    ) -> Result<Vec<ExpiredNote>> {
        let taken = self.backend.take_expired(op, limit, lease, keep);
        self.around(Call::TakeExpired, taken).await
    }

    async fn forget_expired(&self, op: &Operation, keys: &[StorageKey]) -> Result<u64> {
        let forgotten = self.backend.forget_expired(op, keys);
        self.around(Call::ForgetExpired, forgotten).await
    }

    fn keeps_expired(&self) -> bool {
        self.backend.keeps_expired()
    }

    fn tells_changes(&self) -> bool {
        self.backend.tells_changes()
    }

    async fn ping(&self) -> Result<()> {
        self.around(Call::Ping, self.backend.ping()).await
    }

    async fn close(&self) -> Result<()> {
        self.around(Call::Close, self.backend.close()).await
    }
}
