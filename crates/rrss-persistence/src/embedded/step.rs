//! The `embedded` step and backend: the engine's blocking calls, made where they may block.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rrss_core::{
    Backend, BuildContext, Cursor, Error, ErrorKind, ExpiredNote, IndexKey, Operation, Page,
    Record, Result, Role, Shape, Step, StorageKey, Written,
};
use tokio::runtime::Handle;

use super::Options;
use super::engine::Engine;
use super::queue::{Change, Queue};
use super::record::{Stored, check_size};

/// Keeps sessions on this machine's disk.
///
/// Dropping it closes the directory, once the operations under way are done.
///
/// # Examples
///
/// See the [module](super).
pub struct Embedded {
    engine: Arc<Engine>,
    options: Options,
}

impl Embedded {
    /// Opens the directory, and creates it where it is missing. It blocks meanwhile, which takes some
    /// milliseconds; more where a killed process left much to read again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] where another process has it open, or this one already.
    /// [`ErrorKind::Config`] where it cannot be a directory of sessions, or is one of a newer version.
    /// [`ErrorKind::Corrupt`] where it is damaged.
    pub fn open(options: &Options) -> Result<Self> {
        Ok(Self {
            engine: Arc::new(Engine::open(options)?),
            options: options.clone(),
        })
    }

    /// Does `work` on a thread that may block. It is done to its end even if the caller stops waiting.
    async fn run<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&Engine) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let engine = Arc::clone(&self.engine);
        let done = runtime()?.spawn_blocking(move || work(&engine)).await;
        done.map_err(|error| stopped().with_source(error))?
    }

    /// Carries out a change, in one commit with others that come at the same time.
    async fn change(&self, change: Change, op: &Operation) -> Result<Written> {
        let runtime = runtime()?;
        let (answer, leader) = Queue::push(&self.engine, change, op.clone(), &runtime);
        if let Some(leader) = leader {
            drop(runtime.spawn_blocking(move || leader.lead()));
        }
        answer.await.map_err(|error| stopped().with_source(error))?
    }
}

fn runtime() -> Result<Handle> {
    Handle::try_current().map_err(|error| {
        Error::new(
            ErrorKind::Config,
            "the `embedded` backend needs tokio; call it inside a tokio runtime",
        )
        .with_source(error)
    })
}

fn stopped() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the runtime or the engine stopped before the operation was done",
    )
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Step for Embedded {
    const TYPE: &'static str = "embedded";
    const EXAMPLE: &'static str =
        "[[step]]\ntype = \"embedded\"\npath = \"data/sessions\"\ndurability = \"process\"\n";
    type Options = Options;

    fn shape(_: &Options) -> Shape {
        Shape::backend().keeps_index().keeps_expired()
    }

    fn build(options: Options, context: &BuildContext) -> Result<Role> {
        Ok(Role::backend(Self::open(&Options {
            path: context.resolve(&options.path),
            ..options
        })?))
    }
}

rrss_core::register!(Embedded);

impl Backend for Embedded {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        match self.engine.load_at_hand(op)? {
            Ok(record) => Ok(record),
            Err(missed) => {
                let op = op.clone();
                self.run(move |engine| engine.load(&op, &missed)).await
            }
        }
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        let (key, bytes) = (op.key()?.as_bytes(), op.bytes()?);
        check_size(key, bytes)?;
        self.change(Change::Write(Stored::encode(bytes)), op).await
    }

    async fn rotate(&self, op: &Operation) -> Result<Written> {
        let (key, bytes) = (op.key()?.as_bytes(), op.bytes()?);
        check_size(key, bytes)?;
        self.change(Change::Rotate(Stored::encode(bytes)), op).await
    }

    fn rotates_at_once(&self) -> bool {
        true
    }

    async fn was_rotated(&self, op: &Operation) -> Result<bool> {
        let key = op.key()?.as_str();
        Ok(self.engine.rotated().contains(key, op.now()))
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        self.change(Change::Touch, op).await
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        self.change(Change::Delete, op).await
    }

    async fn find(
        &self,
        op: &Operation,
        entry: &IndexKey,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page> {
        let (op, entry, cursor) = (op.clone(), entry.clone(), cursor.cloned());
        self.run(move |engine| engine.find(&op, &entry, cursor.as_ref(), limit))
            .await
    }

    fn keeps_index(&self) -> bool {
        true
    }

    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        let (op, cursor) = (op.clone(), cursor.cloned());
        self.run(move |engine| engine.list(&op, cursor.as_ref(), limit))
            .await
    }

    async fn count(&self, op: &Operation) -> Result<u64> {
        let op = op.clone();
        self.run(move |engine| engine.count(&op)).await
    }

    async fn sweep(&self, op: &Operation, limit: usize) -> Result<u64> {
        let op = op.clone();
        self.run(move |engine| engine.sweep(&op, limit)).await
    }

    fn needs_sweep(&self) -> bool {
        true
    }

    async fn take_expired(
        &self,
        op: &Operation,
        limit: usize,
        lease: Duration,
        keep: Duration,
    ) -> Result<Vec<ExpiredNote>> {
        let op = op.clone();
        self.run(move |engine| engine.take_expired(&op, limit, lease, keep))
            .await
    }

    async fn forget_expired(&self, _: &Operation, keys: &[StorageKey]) -> Result<u64> {
        let keys = keys.to_vec();
        self.run(move |engine| engine.forget_expired(&keys)).await
    }

    fn keeps_expired(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<()> {
        self.run(Engine::ping).await
    }

    async fn close(&self) -> Result<()> {
        self.run(Engine::close).await
    }
}
