//! The `memory` step and backend.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rrss_core::{
    Backend, BuildContext, Cursor, Error, ErrorKind, ExpiredNote, IndexKey, Operation, Page,
    Record, Result, Role, Shape, Step, StorageKey, Written,
};

use super::Options;
use super::page::AT_ONCE;
use super::sessions::Sessions;

/// Keeps sessions in this process.
///
/// Expired sessions are never returned; they take up room until a sweep, or a create that finds no room.
///
/// # Examples
///
/// See the [module](super).
pub struct Memory {
    options: Options,
    sessions: Mutex<Sessions>,
}

impl Memory {
    /// Without sessions.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            sessions: Mutex::default(),
        }
    }

    /// A panic elsewhere while the lock was held says nothing of the sessions: each change is made of calls that
    /// do not panic.
    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Step for Memory {
    const TYPE: &'static str = "memory";
    const EXAMPLE: &'static str = "[[step]]\ntype = \"memory\"\ncapacity = 100_000\n";
    type Options = Options;

    fn shape(_: &Options) -> Shape {
        Shape::backend().keeps_index().keeps_expired()
    }

    fn build(options: Options, _: &BuildContext) -> Result<Role> {
        Ok(Role::backend(Self::new(options)))
    }
}

rrss_core::register!(Memory);

impl Backend for Memory {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        let key = op.key()?.as_str();
        let sessions = self.lock();
        let live = sessions.live(key, op.now());
        Ok(live.map(|stored| Record::new(stored.bytes.clone(), stored.deadline)))
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        self.lock().write(op, self.options.capacity)
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        self.lock().touch(op)
    }

    async fn rotate(&self, op: &Operation) -> Result<Written> {
        self.lock().rotate(op)
    }

    fn rotates_at_once(&self) -> bool {
        true
    }

    async fn was_rotated(&self, op: &Operation) -> Result<bool> {
        let key = op.key()?.as_str();
        Ok(self.lock().was_rotated(key, op.now()))
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        self.lock().delete(op)
    }

    async fn find(
        &self,
        op: &Operation,
        entry: &IndexKey,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page> {
        let (space, after) = (op.key_space()?, after(cursor)?);
        let sessions = self.lock();
        let (keys, next) = sessions.found(entry, space, after, op.now(), limit.max(1));
        Ok(page(&keys, next))
    }

    fn keeps_index(&self) -> bool {
        true
    }

    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        let (space, after) = (op.key_space()?, after(cursor)?);
        let sessions = self.lock();
        let (keys, next) = sessions.keys(space, after, op.now(), limit.max(1));
        Ok(page(&keys, next))
    }

    async fn count(&self, op: &Operation) -> Result<u64> {
        let space = op.key_space()?;
        let (mut count, mut after) = (0, None::<String>);
        loop {
            let sessions = self.lock();
            let (keys, next) = sessions.keys(space, after.as_deref(), op.now(), AT_ONCE);
            count += keys.len() as u64;
            match next {
                Some(next) => after = Some(next.to_owned()),
                None => return Ok(count),
            }
        }
    }

    async fn sweep(&self, op: &Operation, limit: usize) -> Result<u64> {
        let mut removed = 0;
        while removed < limit {
            let batch = AT_ONCE.min(limit - removed);
            let swept = self.lock().sweep(op.now(), batch);
            removed += swept;
            if swept < batch {
                break;
            }
        }
        Ok(removed as u64)
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
        let (space, now) = (op.key_space()?, op.now());
        while self.lock().expired.drop_old(space, now, keep, AT_ONCE) == AT_ONCE {}
        let limit = limit.min(AT_ONCE);
        Ok(self.lock().expired.take(space, now, limit, now + lease))
    }

    async fn forget_expired(&self, _: &Operation, keys: &[StorageKey]) -> Result<u64> {
        let mut sessions = self.lock();
        let forgotten = keys
            .iter()
            .filter(|key| sessions.expired.forget(key.as_str()));
        Ok(forgotten.count() as u64)
    }

    fn keeps_expired(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

/// After which key a page begins.
fn after(cursor: Option<&Cursor>) -> Result<Option<&str>> {
    let key = cursor.map(|cursor| std::str::from_utf8(cursor.as_bytes()));
    key.transpose().map_err(|_| {
        Error::new(
            ErrorKind::Value,
            "this cursor is not one of the `memory` backend; begin with the first page again",
        )
    })
}

fn page(keys: &[&str], next: Option<&str>) -> Page {
    let keys = keys.iter().map(|&key| StorageKey::from(key.to_owned()));
    let next = next.map(|next| Cursor::from(next.as_bytes().to_vec()));
    Page::new(keys.collect(), next)
}
