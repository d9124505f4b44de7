//! The `redis` step and backend.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use rrss_core::{
    Backend, BuildContext, Cursor, ExpiredNote, Finding, IndexKey, Needs, Operation, Page, Record,
    Result, Role, Shape, Step, StorageKey, Timestamp, Written,
};
#[cfg(doc)]
use rrss_core::{Error, ErrorKind};

use super::cluster_rotation::ClusterRotation;
use super::commands::{self, Nonsense, Part, Request};
use super::examine::examine;
use super::expired;
use super::failure::Doing;
use super::find::Find;
use super::index::{Beside, Changes, Sets};
use super::link::Link;
use super::notes::Refused;
use super::own::Own;
use super::rights::Stored;
use super::rotated;
use super::scan::{self, Kind};
use super::tracking::Watch;
use super::transaction;
use super::{Hashes, Layout, Options};

/// Keeps sessions in Redis or Valkey: one server, a Cluster, or what sentinels watch.
///
/// Every session is one string under its key, with the deadline as its expiry. All operations share one connection to a
/// server, which the first of them opens, on the Tokio runtime that it runs on. Where that runtime has ended, the next
/// operation opens another on its own. With `nodes`, each command goes to the master of its key's slot; with `sentinel`, to
/// the master that the sentinels name. On a Cluster, index entries are written and acknowledged before the session.
///
/// | operation | commands |
/// |---|---|
/// | load | `GET`; with `PEXPIRETIME` in one pipeline where the deadline is wanted; for a `cache` step, once a connection, after `CLIENT TRACKING ON` |
/// | create | `SET … NX PXAT` |
/// | update, of what was loaded | `SET … IFEQ … PXAT` where the server has it (Valkey 8.1, Redis 8.4), else `EVALSHA` of a script that compares and sets; `KEEPTTL` where the deadline is to stay |
/// | update, of whatever there is | `SET … XX PXAT`, or `KEEPTTL` |
/// | touch | `PEXPIREAT`; `EXISTS` where the deadline is to stay; `PERSIST` and `EXISTS` together where it is to go |
/// | delete | `UNLINK`; of what was loaded, `EVALSHA` of the script |
/// | find | `ZRANGE … BYSCORE` of two sets in one pipeline, with a `ZREMRANGEBYSCORE` for the first page |
/// | list | `SCAN` |
/// | count | `SCAN`, until it comes round |
/// | ping | `PING` |
///
/// A write whose deadline is not in the future sends no session: it is an `UNLINK`, or an `EXISTS` for a create. A
/// write replaces a value of another type too, if there is one under its key; what rrss did not write is found by
/// loading it.
///
/// # The index
///
/// With an `index` step, each value of an indexed field has a sorted set of its sessions, scored by their deadlines, under a
/// key made of a digest of the value. The set has a deadline of its own, that of its last member. Sessions without a
/// deadline are in a second set, which has none. A write, or a touch that moves a deadline, puts the entries in the same
/// pipeline, before what it does to the session:
///
/// | for each value | commands |
/// |---|---|
/// | of a session that ends | `ZREMRANGEBYSCORE` of entries that are an hour past their deadline, `ZADD … GT` and `ZADD … INCR` of the entry, `PEXPIREAT … GT` before and `NX` and `GT` after it, `ZSCORE` in the second set |
/// | of one that does not | `ZADD … INCR` in the second set |
/// | of one that keeps its deadline | the same, with a `PEXPIRETIME` of the session behind the write |
/// | that the session has no more | `ZSCORE` in both sets |
///
/// So the entry of a live session is never missing. It may be stale; who reads it verifies the session. Stale entries are
/// removed when it is known what became of the write, which takes a second round trip, of the entries that have to go
/// alone:
///
/// - a save changed an indexed value: the entry of the old one, by a small script (`EVAL`) that leaves an entry which another
///   request has put since;
/// - a write found its session gone, or a touch none: the entries that it had put;
/// - a session got a deadline that had none, by a save, a touch, or a save that keeps one: its entry in the second set.
///
/// A delete, or a write or touch whose deadline is past, is an `UNLINK` and behind it a `ZREM` for each set, in one round
/// trip; one that compares takes a second for these, if it was done. Where a second round trip fails, the entries stay and
/// the operation answers as it went. Entries of sessions that end go with their deadline at the latest, the latest one that
/// they were put with: once all sessions have expired, nothing is left.
///
/// # Expired sessions
///
/// With `keep_expired` in the `index` step, what is to be told of each session is kept until so long after its deadline, in
/// 16 sorted sets of sessions by deadline and 16 hashes of their notes. A write, or a touch that moves a deadline, puts it in
/// the same pipeline, before everything else. Without `keep_expired` there is not one key or command for it.
///
/// | operation | commands |
/// |---|---|
/// | write or touch with a deadline | `EVAL` of two scripts, of which each puts one of both and moves the end of its key |
/// | write that keeps the deadline | `EVAL` of a script that changes the note that is there, `ZSCORE` |
/// | write or touch to live for ever | `ZSCORE`; where there was a note, a second round trip that removes it |
/// | delete | `EVAL` behind the `UNLINK`, of a script that removes the note unless the session has expired; on a Cluster, and where it compares, `ZREM` and `HDEL` in a second round trip if it was done |
/// | a write that was refused | where it had put something, a second round trip or two that set right when it is told |
/// | taking notes | an `EVAL` for each of the 16, in one pipeline; where some are due, a `PEXPIRETIME` for each session in another |
/// | forgetting them | an `EVAL` for each of the 16 that has some, in one pipeline |
///
/// Whoever takes a note looks whether its session is there. So none is missed while nobody listens, as one would be that is
/// announced by [keyspace notifications](https://redis.io/docs/latest/develop/pubsub/keyspace-notifications/). The keys end
/// when the last of their notes is too old, with nobody sweeping.
///
/// # Errors
///
/// Every operation answers within [`Options::connect_timeout`] and [`Options::timeout`] together, however the server
/// fails; one of several round trips, within that for each of them:
///
/// - [`ErrorKind::Unavailable`]: no connection, or the server refuses, is loading, is a replica, takes no writes;
/// - [`ErrorKind::Timeout`]: no answer; what was to be changed may have changed;
/// - [`ErrorKind::Corrupt`]: another type of value under the key, or in place of a set of the index; the session may have
///   been written then.
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
        options.expect_layout(Layout::String)?;
        Ok(Self {
            link: Link::new(options)?,
            hasher: RandomState::new(),
        })
    }

    async fn ask<T>(
        &self,
        doing: Doing,
        request: Request<'_>,
        read: impl FnOnce(Value) -> Result<T, Nonsense>,
    ) -> Result<T> {
        self.link.read(doing, &request, read).await
    }

    /// Changes a session, and the index with it.
    async fn carry_out(&self, doing: Doing, op: &Operation) -> Result<Written> {
        let written = self.written(doing, op).await;
        if !op.index.is_empty() {
            self.link.warn_of_eviction();
        }
        written
    }

    async fn written(&self, doing: Doing, op: &Operation) -> Result<Written> {
        if !self.link.is_cluster()
            && let Some(script) = transaction::script(op)?
        {
            let request = Request::Script(script);
            return self
                .ask(doing, request, |reply| transaction::written(&reply))
                .await;
        }
        let own = Own::of(op, self.link.is_cluster())?;
        let reading = own.reading();
        match Changes::of(op)? {
            None => {
                let read = |reply| reading.of(replies(&reply));
                self.ask(doing, own.into_request(), read).await
            }
            Some(changes) if doing == Doing::Delete || op.deadline.is_past(op.now()) => {
                Box::pin(self.end(doing, own, &changes)).await
            }
            Some(changes) => Box::pin(self.put(doing, own, &changes)).await,
        }
    }

    /// Writes or touches a session behind its entries.
    async fn put(&self, doing: Doing, own: Own<'_>, changes: &Changes<'_>) -> Result<Written> {
        let (before, after) = (changes.before(), changes.after());
        let reading = own.reading();
        let (first, last) = (before.len(), before.len() + own.replies());
        let parts = [
            Part::Commands(before),
            own.into_part(),
            Part::Commands(after),
        ];
        let (written, left, refused) = self
            .ask(doing, Request::InOrder(parts.into()), |reply| {
                let replies = replies(&reply);
                let (replies, after) = replies.split_at_checked(last).ok_or(Nonsense)?;
                let (before, own) = replies.split_at(first);
                let written = reading.of(own)?;
                let left = changes.settle(written, &Beside { before, after })?;
                Ok((written, left, refused(written, changes, before)?))
            })
            .await?;
        self.tidy(left).await;
        self.take_back(written, refused).await;
        Ok(written)
    }

    /// Ends a session, and then its entries: in one go where whatever is there ends, else when it is known to have.
    async fn end(&self, doing: Doing, own: Own<'_>, changes: &Changes<'_>) -> Result<Written> {
        // Each node of a cluster has a clock of its own by which sessions expire.
        let apart = self.link.is_cluster() && changes.changes_note();
        let (reading, compares) = (own.reading(), own.compares());
        let before = changes.before_end();
        let (first, last) = (before.len(), before.len() + own.replies());
        let mut parts = vec![Part::Commands(before), own.into_part()];
        if !compares && !apart {
            parts.push(Part::Commands(changes.forget(None)));
        }
        let (written, refused) = self
            .ask(doing, Request::InOrder(parts), |reply| {
                let replies = replies(&reply).get(..last).ok_or(Nonsense)?;
                let (before, own) = replies.split_at(first);
                let written = reading.of(own)?;
                Ok((written, refused(written, changes, before)?))
            })
            .await?;
        let is_done = written == Written::Done;
        if compares && is_done || apart && !compares {
            let entries = changes.forget(Some(is_done));
            self.tidy(vec![Part::Commands(entries)]).await;
        }
        self.take_back(written, refused).await;
        Ok(written)
    }

    /// Takes a note back that was put for a write which was refused.
    async fn take_back(&self, written: Written, refused: Option<Refused<'_>>) {
        let Some(refused) = refused else {
            return;
        };
        let part = if written == Written::Gone {
            Some(refused.without_session())
        } else {
            // Not every server says whether the session was there.
            let look = commands::deadline_of(refused.session());
            match self.link.ask(Doing::Tidy, &look.into()).await {
                Ok(Value::Int(deadline)) => refused.with_session(deadline),
                _ => None,
            }
        };
        self.tidy(part.into_iter().collect()).await;
    }

    /// Removes entries that are stale. Where that fails, they stay so: the session is as the answer will say.
    async fn tidy(&self, parts: Vec<Part<'_>>) {
        if parts.is_empty() {
            return;
        }
        let request = Request::InOrder(parts);
        if let Err(error) = self.link.ask(Doing::Tidy, &request).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "the index keeps entries that are stale");
        }
    }
}

/// What a refused write has put for nothing.
fn refused<'c>(
    written: Written,
    changes: &'c Changes<'_>,
    before: &[Value],
) -> Result<Option<Refused<'c>>, Nonsense> {
    match written {
        Written::Done => Ok(None),
        _ => changes.refused(before),
    }
}

/// The replies of one request.
fn replies(reply: &Value) -> &[Value] {
    match reply {
        Value::Array(replies) => replies,
        reply => std::slice::from_ref(reply),
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

    fn shape(options: &Options) -> Shape {
        match options.layout {
            Layout::String => Shape::backend()
                .keeps_index()
                .keeps_expired()
                .tells_changes(),
            Layout::Hash if options.compat.is_some() => Shape::backend_of_sessions().needs_ids(),
            Layout::Hash => Shape::backend_of_sessions().tells_changes(),
        }
    }

    fn check(options: &Options) -> Result<()> {
        options.clone().place().map(drop)
    }

    fn inspect(options: &Options, context: &BuildContext) -> Vec<rrss_core::Error> {
        let certificates = options.clone().resolved(context).certificates();
        let read = certificates.and_then(|certificates| certificates.read());
        read.err().into_iter().collect()
    }

    fn build(options: Options, context: &BuildContext) -> Result<Role> {
        let options = options.resolved(context);
        match options.layout {
            Layout::String => Self::new(options).map(Role::backend),
            Layout::Hash => Hashes::new(options).map(Role::backend),
        }
    }
}

rrss_core::register!(Redis);

impl Backend for Redis {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        let key = op.key()?.as_str();
        if op.wants_validity {
            // Whoever keeps it must know until when.
            let (both, watch) = (commands::get_with_deadline(key), Watch::of(key));
            let request = Request::Watched(both, Arc::clone(&watch));
            let read = self.ask(Doing::Load, request, commands::bytes_and_deadline);
            let read = read.await?;
            return Ok(read.map(|(bytes, deadline)| {
                Record::new(bytes, deadline).with_validity(watch.validity())
            }));
        }
        if op.wants_deadline {
            let both = Request::Several(commands::get_with_deadline(key));
            let read = self.ask(Doing::Load, both, commands::bytes_and_deadline);
            let read = read.await?;
            return Ok(read.map(|(bytes, deadline)| Record::new(bytes, deadline)));
        }
        let bytes = self
            .ask(Doing::Load, commands::get(key), commands::bytes)
            .await?;
        Ok(bytes.map(|bytes| Record::new(bytes, None)))
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        self.carry_out(Doing::Write, op).await
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        self.carry_out(Doing::Touch, op).await
    }

    async fn rotate(&self, op: &Operation) -> Result<Written> {
        if !self.link.is_cluster() {
            return self.carry_out(Doing::Rotate, op).await;
        }
        match ClusterRotation::of(op)? {
            Some(rotation) => match rotation.carry_out(&self.link).await? {
                Some(written) => Ok(written),
                None => self.rotate_in_two_steps(op).await,
            },
            None => self.rotate_in_two_steps(op).await,
        }
    }

    fn known_now(&self) -> Option<Timestamp> {
        self.link.now()
    }

    async fn server_now(&self, op: &Operation) -> Result<Option<Timestamp>> {
        self.link.now_for(op).await
    }

    fn rotates_at_once(&self) -> bool {
        !self.link.is_cluster()
    }

    fn may_lose_entries(&self) -> bool {
        self.link.is_cluster() || self.link.evicts()
    }

    async fn examine(&self, needs: &Needs) -> Result<Vec<Finding>> {
        examine(&self.link, needs, Stored::Strings).await
    }

    async fn was_rotated(&self, op: &Operation) -> Result<bool> {
        let space = op.key_space.as_ref();
        let key = op.key()?.as_str();
        let Some(mark) = space.and_then(|space| rotated::mark(key, space)) else {
            return Ok(false);
        };
        let request = commands::exists(&mark).into();
        self.ask(Doing::Load, request, |reply| {
            commands::found(replies(&reply))
        })
        .await
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        self.carry_out(Doing::Delete, op).await
    }

    fn keeps_index(&self) -> bool {
        true
    }

    async fn find(
        &self,
        op: &Operation,
        entry: &IndexKey,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page> {
        let space = op.key_space()?;
        let find = Find::new(Sets::of(entry, space), cursor, limit, op.now())?;
        self.ask(Doing::Find, find.request(), |reply| find.page(reply, space))
            .await
    }

    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        let space = op.key_space()?;
        let (keys, next) = self
            .link
            .scan(Doing::List, cursor, space, Kind::String, limit)
            .await?;
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
            let scanned = self.link.scan(
                Doing::Count,
                place.as_ref(),
                space,
                Kind::String,
                scan::AT_ONCE,
            );
            let (keys, next) = scanned.await?;
            counted.extend(keys.iter().map(|key| self.hasher.hash_one(key)));
            if next.is_none() {
                return Ok(counted.len() as u64);
            }
            place = next;
        }
    }

    async fn take_expired(
        &self,
        op: &Operation,
        limit: usize,
        lease: Duration,
        keep: Duration,
    ) -> Result<Vec<ExpiredNote>> {
        expired::take(&self.link, op, limit, lease, keep).await
    }

    async fn forget_expired(&self, op: &Operation, keys: &[StorageKey]) -> Result<u64> {
        expired::forget(&self.link, op, keys).await
    }

    fn keeps_expired(&self) -> bool {
        true
    }

    fn tells_changes(&self) -> bool {
        true
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
