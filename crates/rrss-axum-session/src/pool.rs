//! The database pool of axum_session over an rrss store.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use axum_session::{DatabaseError, DatabasePool};
use rrss::{Error, ErrorKind, Session, SessionId, Store, Timestamp};

use crate::known::{Known, State};
use crate::record;

/// How many ids are asked for at a time.
const PAGE: usize = 500;

/// A database pool of axum_session over an rrss [`Store`]. Clones share it.
///
/// The table name that the framework passes says nothing here: one store is one namespace, that of its `key-mapper`.
/// Put a [`GuardLayer`](crate::GuardLayer) under the framework's layer; without it the framework can neither refuse a request in an
/// outage nor give a browser with an ended session a new id.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum_session::{SessionConfig, SessionStore};
/// use rrss::Store;
/// use rrss_axum_session::RrssPool;
///
/// let store = Store::from_toml(r#"
///     step = [{ type = "key-mapper" }, { type = "expiry" }, { type = "json-codec" }, { type = "memory" }]
/// "#)?;
/// let sessions = SessionStore::new(Some(RrssPool::new(store)), SessionConfig::default()).await?;
/// assert_eq!(sessions.count().await?, 0);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RrssPool {
    store: Store,
    pub(crate) known: Arc<Known>,
}

impl RrssPool {
    /// The sessions of `store`, whose `key-mapper` must accept the ids that the framework makes: by default UUIDs.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            known: Arc::default(),
        }
    }

    pub(crate) fn remember(&self, id: &str, state: State) {
        self.known.set(id, state, self.store.now());
    }

    async fn create(&self, id: &str, text: &str, end: Timestamp) -> rrss::Result<()> {
        let mut session = Session::with_id(SessionId::from(id));
        record::fill(&mut session, text)?;
        session.set_expires_at(end);
        self.remember(id, State::Tried);
        self.store.save(&mut session).await?;
        self.known.forget(id);
        Ok(())
    }

    async fn overwrite(&self, id: &str, text: &str, end: Timestamp) -> rrss::Result<()> {
        let mut session = Session::with_id(SessionId::from(id));
        record::fill(&mut session, text)?;
        session.set_expires_at(end);
        match self.store.overwrite(&mut session).await {
            Err(error) if error.kind() == ErrorKind::Gone => {
                self.remember(id, State::Absent);
                tracing::warn!(
                    "a session ended while a request had it; what the request changed is not stored"
                );
                Ok(())
            }
            other => other.map(drop),
        }
    }
}

impl fmt::Debug for RrssPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RrssPool")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl DatabasePool for RrssPool {
    async fn initiate(&self, _table_name: &str) -> Result<(), DatabaseError> {
        let reached = self.store.ping().await;
        reached.map_err(|error| DatabaseError::GenericCreateError(told(&error)))
    }

    async fn count(&self, _table_name: &str) -> Result<i64, DatabaseError> {
        let count = self.store.count().await.map_err(select)?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }

    async fn store(
        &self,
        id: &str,
        session: &str,
        expires: i64,
        _table_name: &str,
    ) -> Result<(), DatabaseError> {
        let end = Timestamp::from_millis(u64::try_from(expires).unwrap_or(0).saturating_mul(1000));
        let stored = match self.known.of(id) {
            Some(State::Free | State::Tried) => self.create(id, session, end).await,
            None => self.overwrite(id, session, end).await,
            Some(state @ (State::Absent | State::Unsure | State::Refused)) => {
                // It is in the framework's memory still: for as long as that is used, the answer must be the same.
                self.remember(id, state);
                return Err(DatabaseError::GenericInsertError(
                    "the session was not loaded, so it is not stored; put an rrss_axum_session::GuardLayer under the \
                     SessionLayer"
                        .to_owned(),
                ));
            }
        };
        stored.map_err(|error| DatabaseError::GenericInsertError(told(&error)))
    }

    async fn load(&self, id: &str, _table_name: &str) -> Result<Option<String>, DatabaseError> {
        let loaded = match self.store.load(&SessionId::from(id)).await {
            // The session goes on under a new id. The trait has no word for that.
            Err(error) if error.is_gone() => Ok(None),
            loaded => loaded,
        };
        let text = loaded.and_then(|session| session.as_ref().map(record::text).transpose());
        match text {
            Ok(Some(text)) => {
                self.known.forget(id);
                Ok(Some(text))
            }
            Ok(None) => {
                self.remember(id, State::Absent);
                Ok(None)
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                let cause: &dyn std::error::Error = &error;
                tracing::error!(
                    error = cause,
                    "a stored session cannot be read; its browser gets a new one, and what is stored stays as it is"
                );
                self.remember(id, State::Absent);
                Err(select(error))
            }
            Err(error) => {
                // The framework drops the error and begins an empty session under this id.
                let cause: &dyn std::error::Error = &error;
                tracing::error!(error = cause, "loading a session failed");
                self.remember(id, State::Unsure);
                Err(select(error))
            }
        }
    }

    async fn delete_one_by_id(&self, id: &str, _table_name: &str) -> Result<(), DatabaseError> {
        match self.known.of(id) {
            Some(State::Refused) => return Ok(()),
            // A session that the framework begins anew under this id is given another; what cannot be read stays.
            Some(State::Absent) => return Ok(()),
            // The framework deletes what a request that did not opt in has never stored.
            Some(State::Free) => {
                self.known.forget(id);
                return Ok(());
            }
            Some(State::Tried | State::Unsure) | None => {}
        }
        let deleted = self.store.delete(&SessionId::from(id)).await;
        deleted.map(drop).map_err(delete)
    }

    async fn exists(&self, id: &str, _table_name: &str) -> Result<bool, DatabaseError> {
        let found = self.store.inspect(&SessionId::from(id)).await;
        let exists = found.map_err(select)?.is_some();
        if !exists {
            self.remember(id, State::Free);
        }
        Ok(exists)
    }

    async fn delete_by_expiry(&self, _table_name: &str) -> Result<Vec<String>, DatabaseError> {
        self.store.sweep().await.map_err(delete)?;
        Ok(Vec::new())
    }

    async fn delete_all(&self, _table_name: &str) -> Result<(), DatabaseError> {
        let mut cursor = None;
        loop {
            let page = self.store.list(cursor, PAGE).await.map_err(delete)?;
            for id in &page.ids {
                self.store.delete(id).await.map_err(delete)?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    // All of them at once: the trait has no pages.
    async fn get_ids(&self, _table_name: &str) -> Result<Vec<String>, DatabaseError> {
        if self.store.pipeline().hides_ids() {
            return Err(select(Error::new(
                ErrorKind::Unsupported,
                "the store holds no ids that could be listed: its `key-mapper` hashes them; let the framework use no filter of ids",
            )));
        }
        let mut ids = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.store.list(cursor, PAGE).await.map_err(select)?;
            ids.extend(page.ids.iter().map(|id| id.as_str().to_owned()));
            cursor = page.next;
            if cursor.is_none() {
                // A page may name a session that another has named.
                ids.sort_unstable();
                ids.dedup();
                return Ok(ids);
            }
        }
    }

    fn auto_handles_expiry(&self) -> bool {
        true
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the form that `map_err` takes"
)]
fn select(error: Error) -> DatabaseError {
    DatabaseError::GenericSelectError(told(&error))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the form that `map_err` takes"
)]
fn delete(error: Error) -> DatabaseError {
    DatabaseError::GenericDeleteError(told(&error))
}

/// The error and all that caused it: a text is all that the framework keeps of it.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
