//! The store that actix-session calls.

use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration;
use rrss::{Error, ErrorKind, Session, SessionId, Store};

use crate::record::{State, deadline, fill, is_near, state};

/// A [`SessionStore`] over an rrss [`Store`]. Clones share it: make one, and clone it for each worker.
///
/// # Examples
///
/// ```
/// use actix_session::SessionMiddleware;
/// use actix_web::cookie::Key;
/// use rrss_actix_session::RrssStore;
///
/// # fn main() -> rrss::Result<()> {
/// let store = rrss::Store::from_toml(
///     "step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]",
/// )?;
/// let sessions = RrssStore::new(store);
/// let middleware = SessionMiddleware::new(sessions.clone(), Key::generate());
/// # drop(middleware);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct RrssStore {
    store: Store,
    is_unreadable_an_error: bool,
}

impl RrssStore {
    /// Sessions of `store`, for actix-session.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            is_unreadable_an_error: false,
        }
    }

    /// Answers a request whose session cannot be read with an error, in place of a session that starts afresh.
    ///
    /// The middleware makes a `500` of it and leaves the browser its cookie, so that every request of that browser
    /// fails until somebody mends or deletes what is stored.
    #[must_use]
    pub fn error_where_unreadable(mut self) -> Self {
        self.is_unreadable_an_error = true;
        self
    }

    /// The store below: to list sessions, to end those of one user, to sweep.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn unreadable(&self, error: Error) -> Result<Option<State>, LoadError> {
        if self.is_unreadable_an_error {
            return Err(LoadError::Other(error.into()));
        }
        let error: &dyn std::error::Error = &error;
        tracing::warn!(
            error,
            "a stored session cannot be read, and its browser starts afresh; what is stored stays as it is"
        );
        Ok(None)
    }
}

impl SessionStore for RrssStore {
    /// The values of a session; `None` where it is unknown, has ended, or cannot be read.
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        match self.store.load(&id(key)).await {
            Ok(session) => Ok(session.as_ref().map(state)),
            // The session goes on under a new id. The trait has no word for that.
            Err(error) if error.is_gone() => Ok(None),
            // `LoadError::Deserialization` would have the middleware go on under the same id, and fail at its update.
            Err(error) if error.kind() == ErrorKind::Corrupt => self.unreadable(error),
            Err(error) => Err(LoadError::Other(error.into())),
        }
    }

    /// Stores a new session under an id that the key mapper makes; never in the place of another.
    async fn save(&self, values: State, ttl: &Duration) -> Result<SessionKey, SaveError> {
        let mut session = Session::new();
        fill(&mut session, &values, deadline(self.store.now(), ttl)).map_err(not_json)?;
        self.store.create(&mut session).await.map_err(unsaved)?;
        let id = session
            .id()
            .map(|id| id.as_str().to_owned())
            .unwrap_or_default();
        SessionKey::try_from(id).map_err(|error| SaveError::Other(error.into()))
    }

    /// Stores the values in the place of those that the session has; one that has ended is not created again.
    async fn update(
        &self,
        key: SessionKey,
        values: State,
        ttl: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        let mut session = Session::with_id(id(&key));
        fill(&mut session, &values, deadline(self.store.now(), ttl))
            .map_err(|error| UpdateError::Serialization(error.into()))?;
        match self.store.overwrite(&mut session).await {
            Ok(_) => Ok(key),
            Err(error) => Err(UpdateError::Other(error.into())),
        }
    }

    /// Moves the session's deadline, where that is worth a write; one that has ended stays so.
    async fn update_ttl(&self, key: &SessionKey, ttl: &Duration) -> Result<(), anyhow::Error> {
        let Some(mut session) = self.store.inspect(&id(key)).await? else {
            return Ok(());
        };
        let asked = deadline(self.store.now(), ttl);
        if session
            .own_deadline()
            .is_some_and(|own| is_near(own, asked, ttl))
        {
            return Ok(());
        }
        session.set_expires_at(asked);
        match self.store.save(&mut session).await {
            Ok(_) => Ok(()),
            // It has ended meanwhile, or another request has stored it, and moved its deadline by that.
            Err(error) if matches!(error.kind(), ErrorKind::Gone | ErrorKind::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the session; fine where it has ended already.
    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        self.store.delete(&id(key)).await?;
        Ok(())
    }
}

fn id(key: &SessionKey) -> SessionId {
    SessionId::from(key.as_ref())
}

fn not_json(error: Error) -> SaveError {
    SaveError::Serialization(error.into())
}

fn unsaved(error: Error) -> SaveError {
    SaveError::Other(error.into())
}
