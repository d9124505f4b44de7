//! Sessions by the value of an indexed field.

mod revoke;
mod session_info;

use std::collections::HashSet;

use futures_util::future::try_join_all;
use rrss_core::{Action, Cursor, Error, ErrorKind, IndexKey, Outcome, Page, Result, SessionId};
use serde::Serialize;

pub(super) use self::revoke::PASSES;
pub use self::session_info::SessionInfo;
use super::{Store, unexpected};

/// How many sessions are looked up at a time where all of a value's are wanted.
pub(super) const PAGE: usize = 128;

/// One page of the sessions that a value has: see [`Store::find`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Found {
    /// The live sessions.
    pub sessions: Vec<SessionInfo>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// What became of a session that an entry names.
#[allow(
    clippy::large_enum_variant,
    reason = "most are live, and each is taken apart at once"
)]
pub(super) enum Seen {
    /// It lives, and has the value.
    Live(SessionInfo),
    /// It lives, and has another value.
    Other,
    /// It is not there: deleted, expired or rotated.
    Ended,
    /// What is stored is no session, or none that this store can read.
    Unreadable,
}

impl Seen {
    pub(super) fn live(self) -> Option<SessionInfo> {
        match self {
            Self::Live(session) => Some(session),
            Self::Other | Self::Ended | Self::Unreadable => None,
        }
    }
}

impl Store {
    /// Finds the live sessions whose field has this value, about `limit` at a time: begin with `None`, go on with
    /// [`Found::next`]. A page may hold fewer or none and still have a next one. Sessions that have the value all the
    /// while are found at least once; each of them was read, and did have it. One that cannot be read is left out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] where no `index` step lists the field. [`ErrorKind::Value`] where `value` is null, an
    /// array or an object. Else as [`load`](Store::load).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// use rrss::{Session, Store};
    ///
    /// let store = Store::from_toml(r#"
    ///     step = [
    ///         { type = "key-mapper" },
    ///         { type = "index", fields = ["user_id"] },
    ///         { type = "json-codec" },
    ///         { type = "memory" },
    ///     ]
    /// "#)?;
    /// let mut session = Session::new();
    /// session.insert("user_id", &42)?;
    /// session.insert("device", "a laptop")?;
    /// store.save(&mut session).await?;
    ///
    /// let found = store.find("user_id", &42, None, 10).await?;
    /// let device = &found.sessions[0];
    /// assert_eq!(device.get::<String>("device")?.as_deref(), Some("a laptop"));
    /// assert!(device.is(session.id().unwrap()));
    ///
    /// assert!(store.revoke_one("user_id", &42, device.handle()).await?);
    /// assert!(store.find("user_id", &42, None, 10).await?.sessions.is_empty());
    /// # Ok(()) }
    /// ```
    pub async fn find<T: Serialize + ?Sized>(
        &self,
        field: &str,
        value: &T,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Found> {
        let entry = self.entry(field, value)?;
        self.found(&entry, cursor, limit).await
    }

    /// The live sessions of one page of `entry`; each was read to see that it has the value.
    async fn found(&self, entry: &IndexKey, cursor: Option<Cursor>, limit: usize) -> Result<Found> {
        let (mut found, mut known) = (Vec::new(), HashSet::new());
        loop {
            let page = self.named(entry, cursor.clone(), limit).await?;
            let ids: Vec<_> = page.ids.iter().filter(|id| !known.contains(*id)).collect();
            let seen = try_join_all(ids.iter().map(|id| self.look(entry, id))).await?;
            // One that is gone may have been rotated since it was named, and go on under an id that was not.
            let ended = seen.iter().any(|seen| matches!(seen, Seen::Ended));
            // One that was live here before, and is named no more, goes on under an id that is named now.
            let named: HashSet<_> = page.ids.iter().cloned().collect();
            found.retain(|session: &SessionInfo| session.is_one_of(&named));
            known.extend(ids.into_iter().cloned());
            found.extend(seen.into_iter().filter_map(Seen::live));
            if !ended {
                return Ok(Found {
                    sessions: found,
                    next: page.next,
                });
            }
        }
    }

    /// The ids of one page of `entry`, unread: they may have ended, or have another value by now.
    pub(super) async fn named(
        &self,
        entry: &IndexKey,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page> {
        let mut op = self.operation(Action::Find {
            entry: entry.clone(),
            cursor,
            limit,
        });
        let answer = self.run(&mut op).await?;
        match answer.outcome {
            Outcome::Page(page) => Ok(page),
            _ => Err(unexpected(&op, &answer)),
        }
    }

    /// Reads one session that `entry` names.
    pub(super) async fn look(&self, entry: &IndexKey, id: &SessionId) -> Result<Seen> {
        let session = match self.inspect(id).await {
            Ok(Some(session)) => session,
            Ok(None) => return Ok(Seen::Ended),
            // One that cannot be read keeps nobody from finding, and ending, the others.
            Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(Seen::Unreadable),
            Err(error) => return Err(error),
        };
        let raw = session.get_raw(entry.field());
        let has = raw.and_then(|raw| IndexKey::of(entry.field(), raw).ok().flatten());
        if has.as_ref() != Some(entry) {
            return Ok(Seen::Other);
        }
        Ok(SessionInfo::of(session).map_or(Seen::Other, Seen::Live))
    }

    fn entry<T: Serialize + ?Sized>(&self, field: &str, value: &T) -> Result<IndexKey> {
        let rules = self.inner.pipeline.index();
        let indexed = rules.and_then(|rules| rules.fields.iter().find(|name| &***name == field));
        let Some(name) = indexed else {
            let hint = match rules {
                Some(_) => "add it to the `fields` of the step `index`".to_owned(),
                None => format!("put a step `index` with `fields = [\"{field}\"]` above the codec"),
            };
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("sessions are not indexed by the field `{field}`; {hint}"),
            ));
        };
        let raw = serde_json::to_string(value).map_err(|error| {
            Error::new(
                ErrorKind::Value,
                format!("the value to find in the field `{field}` does not serialise to JSON"),
            )
            .with_source(error)
        })?;
        IndexKey::of(name.clone(), &raw)?.ok_or_else(|| {
            Error::new(
                ErrorKind::Value,
                format!("sessions without a value in the field `{field}` cannot be found by it"),
            )
        })
    }
}
