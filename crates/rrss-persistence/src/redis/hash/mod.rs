//! Sessions as hashes: one entry for each field, so that a save writes only the fields that changed.

pub(super) mod bounds;
mod change;
mod compat;
mod form;
mod head;
mod layout;
mod read;
mod text;

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use redis::{Cmd, Pipeline, Value};
use rrss_core::{
    Action, Backend, Cursor, Finding, Guard, Needs, Operation, Page, Record, Result, Session,
    StorageKey, StoredForm, Timestamp, Written,
};

pub(super) use self::bounds::Bounds;
use self::change::Change;
use self::compat::All;
use self::form::Form;
pub use self::layout::{Compat, Layout};
use self::read::{Entries, Told};
use self::text::Readers;
use super::Options;
use super::commands::{self, Nonsense, Request};
use super::examine::examine;
use super::failure::Doing;
use super::link::Link;
use super::own::Own;
use super::rights::Stored;
use super::scan::{self, Kind};
use super::tracking::Watch;

/// Keeps sessions in Redis or Valkey as hashes, one entry for each field: the `redis` step with `layout = "hash"`.
///
/// No codec stands above it. A save writes and removes only the fields that changed, so two requests that change
/// different fields do not meet.
///
/// | operation | commands |
/// |---|---|
/// | load | `HSCAN` of as many as there may be; with `PEXPIRETIME` in one pipeline where the deadline is wanted |
/// | create, update | `EVALSHA` of a script that looks at what the write goes by, then sets and removes fields |
/// | touch | `PEXPIREAT`; `EXISTS` where the deadline is to stay; `PERSIST` and `EXISTS` together where it is to go |
/// | delete | `UNLINK`; of what was loaded, `EVALSHA` of the script |
/// | list | `SCAN` |
/// | count | `SCAN`, until it comes round |
/// | ping | `PING` |
///
/// # Values
///
/// Of a JSON string its text is stored, of every other value its JSON. A text that is exactly one JSON number, `true`,
/// `false`, `null`, array or object is read as that, every other one as a string. A string that looks like such a value is
/// stored in quotes, `"42"`, and comes back as a string; with `compat`, where the other program would see the quotes, it
/// is stored as it is, and comes back as that value. Names and values that are no UTF-8 are [`ErrorKind::Corrupt`], and stay as they are.
///
/// The entry `$rrss` holds what is known of a session besides its fields: when it was created and last written, and a
/// deadline of its own. A field cannot have that name.
///
/// # With the Clojure rrss
///
/// With [`Compat::Rrss02`] there is no such entry, keys have no deadline in Redis, and a deadline is kept in the sorted set
/// `sessions:all`, as the time of the write that it follows `compat_duration` after. Every change is then the script, a load
/// has a `ZSCORE` in its pipeline, each page of a list, and step of a count, a `ZMSCORE` behind it. Ended sessions are
/// removed by [`sweep`](Backend::sweep). A hash cannot be empty, so a session whose last field is removed ends,
/// and one without fields can be neither created nor rotated: that is [`ErrorKind::Value`].
///
/// # Errors
///
/// As those of [`Redis`](super::Redis). A key that holds another type than a hash is [`ErrorKind::Corrupt`] when it is
/// loaded or saved, and taken when it is to be created; it stays as it is.
///
/// [`ErrorKind::Corrupt`]: rrss_core::ErrorKind::Corrupt
/// [`ErrorKind::Value`]: rrss_core::ErrorKind::Value
///
/// # Examples
///
/// ```
/// # use rrss_test_servers::{Flavor, RedisServer};
/// use rrss_core::{Action, Backend, Operation, Payload, Session, StorageKey, Timestamp, Written};
/// use rrss_persistence::redis::{Hashes, Layout, Options};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss_core::Result<()> {
/// # let server = RedisServer::start(Flavor::Redis);
/// # let url = server.url();
/// let redis = Hashes::new(Options { layout: Layout::Hash, url: Some(url.parse()?), ..Options::default() })?;
///
/// let mut session = Session::new();
/// session.insert("theme", "dark")?;
/// let mut create = Operation::new(Action::Create, Timestamp::from_millis(0)).with_session(session);
/// create.key = Some(StorageKey::from("sessions:42".to_owned()));
/// assert_eq!(redis.write(&create).await?, Written::Done);
/// # assert_eq!(server.command(&["HGET", "sessions:42", "theme"]), "dark");
/// # Ok(()) }
/// ```
pub struct Hashes {
    link: Link,
    all: Option<All>,
    bounds: Bounds,
    /// For counting keys by their hashes; random, so that no one can choose keys of one hash.
    hasher: RandomState,
}

impl Hashes {
    /// A backend that connects at its first operation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) where options do not go together, or do not say
    /// `layout = "hash"`; [`Error::option`](rrss_core::Error::option) names one of them.
    pub fn new(options: Options) -> Result<Self> {
        options.expect_layout(Layout::Hash)?;
        let all = options.shared_duration().map(All::new);
        let bounds = options.bounds();
        Ok(Self {
            link: Link::new(options)?,
            all,
            bounds,
            hasher: RandomState::new(),
        })
    }

    /// Who reads what is stored.
    fn readers(&self) -> Readers {
        match self.all {
            Some(_) => Readers::Others,
            None => Readers::Rrss,
        }
    }

    async fn ask<T>(
        &self,
        doing: Doing,
        request: Request<'_>,
        read: impl FnOnce(Value) -> Result<T, Nonsense>,
    ) -> Result<T> {
        self.link.read(doing, &request, read).await
    }

    /// Carries out a write, a touch or a delete.
    async fn change(&self, doing: Doing, op: &Operation) -> Result<Written> {
        let compares = matches!(op.guard, Guard::Unchanged(_));
        if matches!(op.action(), Action::Touch | Action::Delete) && self.all.is_none() && !compares
        {
            // One key is touched or removed in the same way, whatever it holds.
            let own = Own::of(op, false)?;
            let reading = own.reading();
            return self
                .ask(doing, own.into_request(), |reply| {
                    reading.of(match &reply {
                        Value::Array(replies) => replies,
                        reply => std::slice::from_ref(reply),
                    })
                })
                .await;
        }
        let Some(change) = Change::of(op, self.all.as_ref(), self.bounds)? else {
            return Ok(Written::Changed);
        };
        let Change { script, reading } = change;
        self.ask(doing, Request::Script(script), |reply| reading.of(&reply))
            .await
    }

    /// The entries of a session, and its deadline where that is known.
    async fn entries(
        &self,
        op: &Operation,
        watch: Option<&Arc<Watch>>,
    ) -> Result<Option<(Entries, Option<Timestamp>)>> {
        let key = op.key()?.as_str();
        // The entry `$rrss` is no field.
        let most = self.bounds.fields.saturating_add(1);
        let told = |reply| read::told(most, reply);
        let Some((told, deadline)) = self.told(op, read::at_most(most, key), told, watch).await?
        else {
            return Ok(None);
        };
        match told {
            Told::All(entries) => Ok(Some((entries, deadline))),
            Told::TooMany => Err(self.bounds.too_many()),
            // The watch holds from before the first command on, and so for this one.
            Told::Some => self.told(op, read::all(key), read::entries, None).await,
        }
    }

    /// What `entries` are answered by, and the deadline where that is known; `None` where the session has ended.
    async fn told<T>(
        &self,
        op: &Operation,
        entries: Cmd,
        read: impl FnOnce(Value) -> Result<T, Nonsense>,
        watch: Option<&Arc<Watch>>,
    ) -> Result<Option<(T, Option<Timestamp>)>> {
        let key = op.key()?.as_str();
        let second = match &self.all {
            Some(all) => all.score_of(key),
            None if op.wants_deadline || watch.is_some() => commands::deadline_of(key),
            None => {
                let told = self.ask(Doing::Load, entries.into(), read).await?;
                return Ok(Some((told, None)));
            }
        };
        let mut both = Pipeline::with_capacity(2);
        both.add_command(entries).add_command(second);
        let request = match watch {
            Some(watch) => Request::Watched(both, Arc::clone(watch)),
            None => Request::Several(both),
        };
        self.ask(Doing::Load, request, |reply| {
            let Value::Array(replies) = reply else {
                return Err(Nonsense);
            };
            let [entries, second] = <[Value; 2]>::try_from(replies).map_err(|_| Nonsense)?;
            let told = read(entries)?;
            Ok(match (&self.all, second) {
                (Some(all), second) => {
                    let score = compat::score(&second)?;
                    let is_live = !all.is_past(score, op.now());
                    is_live.then(|| (told, score.map(|score| all.deadline(score))))
                }
                (None, Value::Int(deadline)) => {
                    let deadline = u64::try_from(deadline).ok().map(Timestamp::from_millis);
                    Some((told, deadline))
                }
                (None, _) => return Err(Nonsense),
            })
        })
        .await
    }

    /// Some of the keys of live sessions, and where the next ones are.
    async fn keys(
        &self,
        doing: Doing,
        op: &Operation,
        from: Option<&Cursor>,
        count: usize,
    ) -> Result<(Vec<String>, Option<Cursor>)> {
        let space = op.key_space()?;
        let scanned = self.link.scan(doing, from, space, Kind::Hash, count);
        let (mut keys, next) = scanned.await?;
        if let Some(all) = self.all.as_ref().filter(|_| !keys.is_empty()) {
            let scores = self.ask(doing, all.scores_of(&keys).into(), |reply| {
                let scores = compat::scores(&reply)?;
                (scores.len() == keys.len())
                    .then_some(scores)
                    .ok_or(Nonsense)
            });
            let mut scores = scores.await?.into_iter();
            keys.retain(|_| !all.is_past(scores.next().flatten(), op.now()));
        }
        Ok((keys, next))
    }
}

impl fmt::Debug for Hashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hashes in Redis at {}", self.link)
    }
}

impl Backend for Hashes {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        // With `compat`, a session may be ended by what another key says.
        let wants_validity = op.wants_validity && self.tells_changes();
        let watch = wants_validity.then(|| op.key().map(|key| Watch::of(key.as_str())));
        let watch = watch.transpose()?;
        let Some((entries, deadline)) = self.entries(op, watch.as_ref()).await? else {
            return Ok(None);
        };
        let record = read::session(&entries, self.bounds, self.readers(), deadline)?;
        let validity = watch.and_then(|watch| watch.validity());
        Ok(record.map(|record| record.with_validity(validity)))
    }

    fn tells_changes(&self) -> bool {
        self.all.is_none()
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        self.change(Doing::Write, op).await
    }

    fn stored_form(&self, session: &Session) -> Option<StoredForm> {
        Form::of(session, self.all.is_none()).map(StoredForm::from)
    }

    fn keeps_fields(&self) -> bool {
        true
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        self.change(Doing::Touch, op).await
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        self.change(Doing::Delete, op).await
    }

    fn known_now(&self) -> Option<Timestamp> {
        self.link.now()
    }

    async fn server_now(&self, op: &Operation) -> Result<Option<Timestamp>> {
        // It keeps no index, and says so without asking.
        if matches!(
            op.action(),
            Action::Find { .. } | Action::TakeExpired { .. }
        ) {
            return Ok(None);
        }
        self.link.now_for(op).await
    }

    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        let (keys, next) = self.keys(Doing::List, op, cursor, limit).await?;
        let keys = keys.into_iter().map(StorageKey::from);
        Ok(Page::new(keys.collect(), next))
    }

    /// Takes a round trip for every 1,000 keys of the database, those of others included, and 16 bytes or so for
    /// each session: a scan may name a key twice, so it remembers which it has counted.
    async fn count(&self, op: &Operation) -> Result<u64> {
        let (mut counted, mut place) = (HashSet::new(), None);
        loop {
            let keys = self.keys(Doing::Count, op, place.as_ref(), scan::AT_ONCE);
            let (keys, next) = keys.await?;
            counted.extend(keys.iter().map(|key| self.hasher.hash_one(key)));
            if next.is_none() {
                return Ok(counted.len() as u64);
            }
            place = next;
        }
    }

    /// With the Clojure rrss: removes what that would remove, in two round trips for every 100 sessions. Who was
    /// renewed in between stays.
    async fn sweep(&self, op: &Operation, limit: usize) -> Result<u64> {
        let Some(all) = &self.all else {
            return Ok(0);
        };
        let (limit, mut removed) = (limit as u64, 0);
        while removed < limit {
            let at_once = (limit - removed).min(compat::AT_ONCE as u64) as usize;
            let ended = all.ended(op.now(), at_once);
            let keys = self.ask(Doing::Sweep, ended.into(), compat::keys).await?;
            if keys.is_empty() {
                break;
            }
            let script = Request::Script(all.remove(&keys, op.now()));
            removed += self
                .ask(Doing::Sweep, script, |reply| match reply {
                    Value::Int(removed) => u64::try_from(removed).map_err(|_| Nonsense),
                    _ => Err(Nonsense),
                })
                .await?;
            if keys.len() < at_once {
                break;
            }
        }
        Ok(removed)
    }

    fn needs_sweep(&self) -> bool {
        self.all.is_some()
    }

    async fn examine(&self, needs: &Needs) -> Result<Vec<Finding>> {
        let compat = self.all.is_some();
        examine(&self.link, needs, Stored::Hashes { compat }).await
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
