//! The `redis` step and backend.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use redis::Value;
use rrss_core::{
    Backend, BuildContext, Cursor, Deadline, Error, ErrorKind, Guard, Operation, Page, Record,
    Result, Role, Shape, Step, StorageKey, Written,
};

use super::commands::{self, Nonsense, Request};
use super::compare::{self, CompareAndSet};
use super::connection::Limits;
use super::failure::{self, Doing};
use super::link::Link;
use super::{Options, scan};

/// Keeps sessions in one Redis or Valkey.
///
/// Every session is one string under its key, with the deadline as its expiry. All operations share one connection,
/// which the first of them opens, on the Tokio runtime that it runs on. Where that runtime has ended, the next
/// operation opens another on its own.
///
/// | operation | commands |
/// |---|---|
/// | load | `GET` |
/// | create | `SET … NX PXAT` |
/// | update, of what was loaded | `SET … IFEQ … PXAT` where the server has it (Valkey 8.1, Redis 8.4), else `EVALSHA` of a script that compares and sets; `KEEPTTL` where the deadline is to stay |
/// | update, of whatever there is | `SET … XX PXAT`, or `KEEPTTL` |
/// | touch | `PEXPIREAT`; `EXISTS` where the deadline is to stay; `PERSIST` and `EXISTS` together where it is to go |
/// | delete | `UNLINK` |
/// | list | `SCAN` |
/// | count | `SCAN`, until it comes round |
/// | ping | `PING` |
///
/// A write whose deadline is not in the future sends no session: it is an `UNLINK`, or an `EXISTS` for a create. A
/// write replaces a value of another type too, if there is one under its key; what rrss did not write is found by
/// loading it.
///
/// # Errors
///
/// Every operation answers within [`Options::connect_timeout`] and [`Options::timeout`] together, however the server
/// fails; `count`, and the scan alone, within that for each of its round trips:
///
/// - [`ErrorKind::Unavailable`]: no connection, or the server refuses, is loading, is a replica, takes no writes;
/// - [`ErrorKind::Timeout`]: no answer; what was to be changed may have changed;
/// - [`ErrorKind::Corrupt`]: another type of value under the key.
///
/// An operation that only reads is sent a second time where the connection broke before the answer came. One that
/// changes something is not, and answers [`ErrorKind::Unavailable`]: it may have happened.
///
/// # Examples
///
/// See the [module](super).
pub struct Redis {
    link: Link,
    /// For counting keys by their hashes; random, so that no one can choose keys of one hash.
    hasher: RandomState,
}

impl Redis {
    /// A backend that connects at its first operation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where options do not go together; [`Error::option`] names one of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_persistence::redis::{Options, Redis};
    ///
    /// let redis = Redis::new(Options::default())?;
    /// assert_eq!(format!("{redis:?}"), "Redis at localhost:6379");
    ///
    /// let twice = Options { host: Some("localhost".into()), url: Some("redis://localhost".parse()?), ..Options::default() };
    /// assert_eq!(Redis::new(twice).unwrap_err().option(), Some("host"));
    /// # Ok::<(), rrss_core::Error>(())
    /// ```
    pub fn new(options: Options) -> Result<Self> {
        let limits = Limits {
            connect: options.connect_timeout.get(),
            command: options.timeout.get(),
        };
        Ok(Self {
            link: Link::new(options.place()?, limits)?,
            hasher: RandomState::new(),
        })
    }

    async fn ask<T>(
        &self,
        doing: Doing,
        request: Request<'_>,
        read: impl FnOnce(Value) -> Result<T, Nonsense>,
    ) -> Result<T> {
        let reply = self.link.ask(doing, &request).await?;
        read(reply).map_err(|Nonsense| failure::nonsense(doing, &self.link))
    }

    /// Asks whether keys were found.
    async fn found(&self, doing: Doing, request: Request<'_>) -> Result<bool> {
        self.ask(doing, request, |reply| commands::found(&reply))
            .await
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis at {}", self.link)
    }
}

impl Step for Redis {
    const TYPE: &'static str = "redis";
    const EXAMPLE: &'static str = "[[step]]\ntype = \"redis\"\nurl = \"redis://localhost:6379\"\n";
    type Options = Options;

    fn shape(_: &Options) -> Shape {
        Shape::backend()
    }

    fn check(options: &Options) -> Result<()> {
        options.clone().place().map(drop)
    }

    fn build(options: Options, _: &BuildContext) -> Result<Role> {
        Self::new(options).map(Role::backend)
    }
}

rrss_core::register!(Redis);

impl Backend for Redis {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        let get = commands::get(op.key()?.as_str());
        let bytes = self.ask(Doing::Load, get, commands::bytes).await?;
        Ok(bytes.map(|bytes| Record::new(bytes, None)))
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        let key = op.key()?.as_str();
        let unknown = || {
            Error::new(
                ErrorKind::Unsupported,
                "the `redis` backend does not know the guard of this write; update `rrss-persistence`",
            )
        };
        if let Guard::Unchanged(loaded) = &op.guard {
            let request = Request::CompareAndSet(CompareAndSet::new(op, loaded.as_bytes())?);
            return self
                .ask(Doing::Write, request, |reply| compare::written(&reply))
                .await;
        }
        let done = if op.deadline.is_past(op.now()) {
            match op.guard {
                Guard::Absent => !self.found(Doing::Write, commands::exists(key)).await?,
                Guard::Exists => self.found(Doing::Write, commands::unlink(key)).await?,
                _ => return Err(unknown()),
            }
        } else {
            let set =
                commands::set(key, op.bytes()?, &op.guard, op.deadline).ok_or_else(unknown)?;
            self.ask(Doing::Write, set, |reply| commands::was_set(&reply))
                .await?
        };
        Ok(match op.guard {
            _ if done => Written::Done,
            Guard::Absent => Written::Taken,
            _ => Written::Gone,
        })
    }

    async fn touch(&self, op: &Operation) -> Result<bool> {
        let key = op.key()?.as_str();
        let request = match op.deadline {
            _ if op.deadline.is_past(op.now()) => commands::unlink(key),
            Deadline::At(instant) => commands::expire(key, instant),
            Deadline::Keep => commands::exists(key),
            Deadline::Never => commands::persist(key),
        };
        self.found(Doing::Touch, request).await
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        let key = op.key()?.as_str();
        if let Guard::Unchanged(loaded) = &op.guard {
            let request = Request::CompareAndSet(CompareAndSet::delete(key, loaded.as_bytes()));
            return self
                .ask(Doing::Delete, request, |reply| compare::written(&reply))
                .await;
        }
        let found = self.found(Doing::Delete, commands::unlink(key)).await?;
        Ok(if found { Written::Done } else { Written::Gone })
    }

    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        let space = op.key_space()?;
        let (keys, next) = self.link.scan(Doing::List, cursor, space, limit).await?;
        Ok(Page::new(
            keys.into_iter().map(StorageKey::from).collect(),
            next,
        ))
    }

    /// Takes a round trip for every 1,000 keys of the database, those of others included, and 16 bytes or so for
    /// each session: a scan may name a key twice, so it remembers which it has counted.
    async fn count(&self, op: &Operation) -> Result<u64> {
        let space = op.key_space()?;
        let (mut counted, mut place) = (HashSet::new(), None);
        loop {
            let scanned = self
                .link
                .scan(Doing::Count, place.as_ref(), space, scan::AT_ONCE);
            let (keys, next) = scanned.await?;
            counted.extend(keys.iter().map(|key| self.hasher.hash_one(key)));
            if next.is_none() {
                return Ok(counted.len() as u64);
            }
            place = next;
        }
    }

    async fn ping(&self) -> Result<()> {
        self.ask(Doing::Ping, commands::ping(), |reply| {
            commands::pong(&reply)
        })
        .await
    }

    async fn close(&self) -> Result<()> {
        self.link.close();
        Ok(())
    }
}
