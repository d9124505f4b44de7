//! The backend that pavex_session calls.

use std::num::NonZeroUsize;
use std::time::Duration;

use pavex_session::store::errors::{
    ChangeIdError, CreateError, DeleteError, DeleteExpiredError, DuplicateIdError, LoadError,
    UnknownIdError, UpdateError, UpdateTtlError,
};
use pavex_session::store::{SessionRecord, SessionRecordRef, SessionStorageBackend};
use pavex_session::{SessionId, SessionStore};
use rrss::{Error, ErrorKind, Session, Store};

use crate::record::{fill, record};

/// A [`SessionStorageBackend`] over an rrss [`Store`]. Clones share it.
///
/// # Examples
///
/// ```
/// use pavex_session::SessionStore;
/// use rrss_pavex_session::RrssStore;
///
/// # fn main() -> rrss::Result<()> {
/// let store = rrss::Store::from_toml(
///     "step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]",
/// )?;
/// let sessions = SessionStore::from(RrssStore::new(store));
/// # drop(sessions);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct RrssStore {
    store: Store,
    is_unreadable_an_error: bool,
}

impl RrssStore {
    /// Sessions of `store`, for pavex.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            is_unreadable_an_error: false,
        }
    }

    /// Answers a load of what cannot be read with [`LoadError::DeserializationError`], in place of a session that is
    /// not there.
    ///
    /// What is stored then stays as it is; pavex deletes it where the session is missing. But every request of that browser
    /// that asks for its values fails until somebody mends or deletes it.
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

    fn unreadable(&self, error: anyhow::Error) -> Result<Option<SessionRecord>, LoadError> {
        if self.is_unreadable_an_error {
            return Err(LoadError::DeserializationError(error));
        }
        let error: &dyn std::error::Error = error.as_ref();
        tracing::warn!(
            error,
            "a stored session cannot be read, and its browser starts afresh"
        );
        Ok(None)
    }
}

impl From<RrssStore> for SessionStore {
    fn from(store: RrssStore) -> Self {
        Self::new(store)
    }
}

#[async_trait::async_trait]
impl SessionStorageBackend for RrssStore {
    async fn create(&self, id: &SessionId, given: SessionRecordRef<'_>) -> Result<(), CreateError> {
        let mut session = Session::with_id(stored(id));
        fill(&mut session, &given, self.store.now())
            .map_err(|error| CreateError::Other(error.into()))?;
        match self.store.save(&mut session).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Conflict => {
                Err(DuplicateIdError { id: *id }.into())
            }
            Err(error) => Err(CreateError::Other(error.into())),
        }
    }

    async fn update(&self, id: &SessionId, given: SessionRecordRef<'_>) -> Result<(), UpdateError> {
        let mut session = Session::with_id(stored(id));
        fill(&mut session, &given, self.store.now())
            .map_err(|error| UpdateError::Other(error.into()))?;
        match self.store.overwrite(&mut session).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_gone() => Err(UnknownIdError { id: *id }.into()),
            Err(error) => Err(UpdateError::Other(error.into())),
        }
    }

    async fn update_ttl(&self, id: &SessionId, ttl: Duration) -> Result<(), UpdateTtlError> {
        let other = |error: Error| UpdateTtlError::Other(error.into());
        let Some(mut session) = self.store.inspect(&stored(id)).await.map_err(other)? else {
            return Err(UnknownIdError { id: *id }.into());
        };
        session.set_expires_at(self.store.now() + ttl);
        match self.store.save(&mut session).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_gone() => Err(UnknownIdError { id: *id }.into()),
            // Another request has stored it meanwhile, and moved its deadline by that.
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
            Err(error) => Err(other(error)),
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<SessionRecord>, LoadError> {
        match self.store.inspect(&stored(id)).await {
            Ok(None) => Ok(None),
            Ok(Some(session)) => match record(&session, self.store.now()) {
                Ok(record) => Ok(Some(record)),
                // Its message would quote what is stored; the field is named nowhere for the same reason.
                Err(_) => self.unreadable(anyhow::Error::new(Error::new(
                    ErrorKind::Corrupt,
                    "a field of a stored session is nested deeper, or holds a larger number, than serde_json reads",
                ))),
            },
            Err(error) if error.kind() == ErrorKind::Corrupt => self.unreadable(error.into()),
            Err(error) => Err(LoadError::Other(error.into())),
        }
    }

    async fn delete(&self, id: &SessionId) -> Result<(), DeleteError> {
        match self.store.delete(&stored(id)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(UnknownIdError { id: *id }.into()),
            Err(error) => Err(DeleteError::Other(error.into())),
        }
    }

    async fn change_id(&self, old: &SessionId, new: &SessionId) -> Result<(), ChangeIdError> {
        let other = |error: Error| ChangeIdError::Other(error.into());
        let Some(mut session) = self.store.inspect(&stored(old)).await.map_err(other)? else {
            return Err(UnknownIdError { id: *old }.into());
        };
        match self.store.rotate_to(&mut session, stored(new)).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_gone() => Err(UnknownIdError { id: *old }.into()),
            // The store says so too where others changed the old session again and again.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                match self.store.inspect(&stored(new)).await.map_err(other)? {
                    Some(_) => Err(DuplicateIdError { id: *new }.into()),
                    None => Err(other(error)),
                }
            }
            Err(error) => Err(other(error)),
        }
    }

    /// Sweeps the store, which does so in bounded batches whatever `batch_size` says.
    async fn delete_expired(
        &self,
        _batch_size: Option<NonZeroUsize>,
    ) -> Result<usize, DeleteExpiredError> {
        let swept = self.store.sweep().await.map_err(anyhow::Error::new)?;
        Ok(usize::try_from(swept).unwrap_or(usize::MAX))
    }
}

/// The id as the key mapper has it: a hyphenated UUID.
fn stored(id: &SessionId) -> rrss::SessionId {
    id.inner().to_string().into()
}
