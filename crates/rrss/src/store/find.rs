//! Sessions by the value of an indexed field: the pages of an account, and signing out everywhere.

use std::fmt;

use futures_util::future::try_join_all;
use rrss_core::{
    Action, Cursor, Error, ErrorKind, Handle, IndexKey, Outcome, Page, Result, Session, SessionId,
    Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// What may be shown of a session: on a page where people see and end their logins. It does not show the id.
#[derive(Clone)]
pub struct SessionInfo {
    session: Session,
    handle: Handle,
}

impl SessionInfo {
    /// What `session` may show; `None` while it has no id.
    #[must_use]
    pub fn of(session: Session) -> Option<Self> {
        let handle = Handle::of(session.id()?);
        Some(Self { session, handle })
    }

    /// A name for the session, by which [`Store::revoke_one`] ends it, and nobody can be it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// Whether it is the session with this id: the one that is asking.
    #[must_use]
    pub fn is(&self, id: &SessionId) -> bool {
        self.session.id() == Some(id)
    }

    /// When it was first stored, where the stored form tells.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.session.created_at()
    }

    /// When it was last saved, where the stored form tells.
    #[must_use]
    pub fn written_at(&self) -> Option<Timestamp> {
        self.session.written_at()
    }

    /// Its deadline; `None` where it has none.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.session.expires_at()
    }

    /// The value of a field, decoded: the name of a device, say.
    ///
    /// # Errors
    ///
    /// As [`Session::get`].
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.session.get(name)
    }

    pub(super) fn into_session(self) -> Session {
        self.session
    }

    pub(super) fn id(&self) -> Option<&SessionId> {
        self.session.id()
    }
}

impl fmt::Debug for SessionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionInfo")
            .field("handle", &self.handle)
            .field("created_at", &self.created_at())
            .field("written_at", &self.written_at())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Finds the live sessions whose field has this value, about `limit` at a time: begin with `None`, go on with
    /// [`Found::next`]. A page may hold fewer or none and still have a next one. Sessions that have the value all the
    /// while are found at least once; each of them was read, and did have it.
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

    /// Ends every session whose field has this value, and says how many: from the next request on, none of them is
    /// there.
    ///
    /// # Errors
    ///
    /// As [`find`](Store::find). Some may have ended then; revoke again.
    pub async fn revoke<T: Serialize + ?Sized>(&self, field: &str, value: &T) -> Result<u64> {
        self.revoke_where(&self.entry(field, value)?, |_| true)
            .await
    }

    /// Ends every session whose field has this value but the one with the id `kept`: what a person wants who signs out all
    /// other devices, or has changed a password (ASVS 5.0, 7.4.3).
    ///
    /// # Errors
    ///
    /// As [`revoke`](Store::revoke).
    pub async fn revoke_others<T: Serialize + ?Sized>(
        &self,
        field: &str,
        value: &T,
        kept: &SessionId,
    ) -> Result<u64> {
        self.revoke_where(&self.entry(field, value)?, |session| !session.is(kept))
            .await
    }

    /// Ends the one session with this handle among those whose field has this value, and says whether there was one. That a
    /// handle comes from a page is no harm: it ends none but the sessions of that value.
    ///
    /// # Errors
    ///
    /// As [`revoke`](Store::revoke).
    pub async fn revoke_one<T: Serialize + ?Sized>(
        &self,
        field: &str,
        value: &T,
        handle: Handle,
    ) -> Result<bool> {
        let entry = self.entry(field, value)?;
        let revoked = self.revoke_where(&entry, |session| session.handle == handle);
        Ok(revoked.await? > 0)
    }

    async fn revoke_where(
        &self,
        entry: &IndexKey,
        is_to_end: impl Fn(&SessionInfo) -> bool,
    ) -> Result<u64> {
        let (mut revoked, mut cursor) = (0, None);
        loop {
            let found = self.found(entry, cursor, PAGE).await?;
            let ended = found
                .sessions
                .into_iter()
                .filter(|session| is_to_end(session))
                .map(|session| self.end(session.session));
            for ended in try_join_all(ended).await? {
                revoked += u64::from(ended);
            }
            cursor = found.next;
            if cursor.is_none() {
                return Ok(revoked);
            }
        }
    }

    /// Ends a session of which all is known, whatever others do to it meanwhile.
    pub(super) async fn end(&self, session: Session) -> Result<bool> {
        let mut op = self.operation(Action::Delete).with_session(session);
        self.run_on_one(&mut op).await
    }

    /// The live sessions of one page of entries; each was read to see that it has the value.
    pub(super) async fn found(
        &self,
        entry: &IndexKey,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Found> {
        let page = self.entries(entry, cursor, limit).await?;
        let sessions = page.ids.iter().map(|id| self.found_one(entry, id));
        let sessions = try_join_all(sessions).await?;
        Ok(Found {
            sessions: sessions.into_iter().flatten().collect(),
            next: page.next,
        })
    }

    pub(super) async fn entries(
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

    async fn found_one(&self, entry: &IndexKey, id: &SessionId) -> Result<Option<SessionInfo>> {
        let session = match self.peek(id).await {
            Ok(Some(session)) => session,
            Ok(None) => return Ok(None),
            // One that cannot be read keeps nobody from finding, and ending, the others.
            Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(None),
            Err(error) => return Err(error),
        };
        let has_value = match session.get_raw(entry.field()) {
            Some(raw) => IndexKey::of(entry.field(), raw).ok().flatten().as_ref() == Some(entry),
            None => false,
        };
        Ok(SessionInfo::of(session).filter(|_| has_value))
    }

    fn entry<T: Serialize + ?Sized>(&self, field: &str, value: &T) -> Result<IndexKey> {
        let rules = self.inner.pipeline.index();
        let indexed = rules.and_then(|rules| rules.fields.iter().find(|name| &***name == field));
        let Some(name) = indexed else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "sessions are not indexed by the field `{field}`; put a step `index` with `fields = [\"{field}\"]` \
                     above the codec"
                ),
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
