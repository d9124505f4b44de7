//! The `embedded` step and backend: the engine's blocking calls, made where they may block.

use std::fmt;
use std::time::Duration;

use rrss_core::{
    Backend, BuildContext, Cursor, Error, ErrorKind, ExpiredNote, IndexKey, Operation, Page,
    Record, Result, Role, Shape, Step, StorageKey, Timestamp, Warning, Written,
};

use super::Options;
use super::commits::{Change, Changed};
use super::options::TOO_SHORT;
use super::record::{Stored, check_size};
use super::rights;
use super::threads::Threads;

/// Keeps sessions on this machine's disk.
///
/// Dropping it closes the directory, once the changes that were begun are done. It waits for that.
///
/// It has threads of its own, and works on whatever runtime an operation is called: also on another than the one before,
/// and on one whose threads for blocking work are all busy.
///
/// # Examples
///
/// See the [module](super).
pub struct Embedded {
    threads: Threads,
    options: Options,
}

impl Embedded {
    /// Opens the directory, and creates it where it is missing. It blocks meanwhile, which takes some
    /// milliseconds; more where a killed process left much to read again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] where another process has it open, or this one already.
    /// [`ErrorKind::Config`] where it cannot be a directory of sessions, or is one of a newer version, and where `timeout` is
    /// zero. [`ErrorKind::Corrupt`] where it is damaged.
    pub fn open(options: &Options) -> Result<Self> {
        if options.timeout.get().is_zero() {
            return Err(Error::new(ErrorKind::Config, TOO_SHORT).with_option("timeout"));
        }
        let threads = Threads::start(options)?;
        if let Some(warning) = rights::warning(&options.path) {
            let hint = warning.hint().unwrap_or_default();
            tracing::warn!("{warning}: {hint}");
        }
        Ok(Self {
            threads,
            options: options.clone(),
        })
    }

    async fn written(&self, change: Change) -> Result<Written> {
        match self.threads.change(change).await? {
            Changed::Written(written) => Ok(written),
            Changed::Nothing => Err(stopped()),
        }
    }
}

fn stopped() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the engine stopped before the operation was done",
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
    const EXAMPLE: &'static str = "[[step]]\ntype = \"embedded\"\npath = \"data/sessions\"\ndurability = \"process\"\ntimeout = \"5s\"\n";
    type Options = Options;

    fn shape(_: &Options) -> Shape {
        Shape::backend().keeps_index().keeps_expired()
    }

    fn warnings_in(options: &Options, _: Timestamp, context: &BuildContext) -> Vec<Warning> {
        Vec::from_iter(rights::warning(&context.resolve(&options.path)))
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
        match self.threads.kept().load_at_hand(op)? {
            Ok(record) => Ok(record),
            Err(missed) => {
                let op = op.clone();
                let load = self.threads.load(move |engine| engine.load(&op, &missed));
                load.await
            }
        }
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        let (key, bytes) = (op.key()?.as_bytes(), op.bytes()?);
        check_size(key, bytes)?;
        let record = Stored::encode(bytes);
        self.written(Change::Write(op.clone(), record)).await
    }

    async fn rotate(&self, op: &Operation) -> Result<Written> {
        let (key, bytes) = (op.key()?.as_bytes(), op.bytes()?);
        check_size(key, bytes)?;
        let record = Stored::encode(bytes);
        self.written(Change::Rotate(op.clone(), record)).await
    }

    fn rotates_at_once(&self) -> bool {
        true
    }

    async fn was_rotated(&self, op: &Operation) -> Result<bool> {
        let key = op.key()?.as_str();
        Ok(self.threads.kept().was_rotated(key, op.now()))
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        self.written(Change::Touch(op.clone())).await
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        self.written(Change::Delete(op.clone())).await
    }

    async fn find(
        &self,
        op: &Operation,
        entry: &IndexKey,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page> {
        let (op, entry, cursor) = (op.clone(), entry.clone(), cursor.cloned());
        self.threads
            .load(move |engine| engine.find(&op, &entry, cursor.as_ref(), limit))
            .await
    }

    fn keeps_index(&self) -> bool {
        true
    }

    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        let (op, cursor) = (op.clone(), cursor.cloned());
        self.threads
            .scan(move |engine| engine.list(&op, cursor.as_ref(), limit))
            .await
    }

    async fn count(&self, op: &Operation) -> Result<u64> {
        let op = op.clone();
        self.threads.scan(move |engine| engine.count(&op)).await
    }

    async fn sweep(&self, op: &Operation, limit: usize) -> Result<u64> {
        let op = op.clone();
        self.threads
            .scan(move |engine| engine.sweep(&op, limit))
            .await
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
        self.threads
            .scan(move |engine| engine.take_expired(&op, limit, lease, keep))
            .await
    }

    async fn forget_expired(&self, _: &Operation, keys: &[StorageKey]) -> Result<u64> {
        let keys = keys.to_vec();
        self.threads
            .scan(move |engine| engine.forget_expired(&keys))
            .await
    }

    fn keeps_expired(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<()> {
        self.threads.change(Change::Ping).await.map(drop)
    }

    async fn close(&self) -> Result<()> {
        self.threads.change(Change::Close).await.map(drop)
    }
}
