//! What an adapter does, in types that both versions of tower-sessions have.

use rrss::{ErrorKind, Session, SessionId, Store};
use time::OffsetDateTime;

use crate::error::StoreError;
use crate::id;
use crate::record::{self, Data};

#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    store: Store,
    is_unreadable_an_error: bool,
}

pub(crate) struct Loaded {
    pub(crate) data: Data,
    pub(crate) expiry_date: OffsetDateTime,
}

impl Sessions {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            is_unreadable_an_error: false,
        }
    }

    pub(crate) fn error_where_unreadable(self) -> Self {
        Self {
            is_unreadable_an_error: true,
            ..self
        }
    }

    /// Stores a new session and answers the number of the id that the store gave it.
    pub(crate) async fn create(
        &self,
        data: &Data,
        expiry_date: OffsetDateTime,
    ) -> Result<i128, StoreError> {
        let mut session = Session::new();
        record::fill(&mut session, data, expiry_date)?;
        self.store.create(&mut session).await?;
        let id = session.id().ok_or_else(no_id)?;
        match id::number(id) {
            Some(number) => Ok(number),
            None => {
                self.store.delete(id).await?;
                Err(no_id())
            }
        }
    }

    /// Stores a record in the place of a stored session; never as a new one.
    pub(crate) async fn save(
        &self,
        number: i128,
        data: &Data,
        expiry_date: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let [first, second] = id::forms(number);
        match self.overwrite(first, data, expiry_date).await {
            Err(error) if error.kind() == ErrorKind::Gone => {}
            other => return Ok(other?),
        }
        Ok(self.overwrite(second, data, expiry_date).await?)
    }

    async fn overwrite(
        &self,
        id: SessionId,
        data: &Data,
        expiry_date: OffsetDateTime,
    ) -> rrss::Result<()> {
        let mut session = Session::with_id(id);
        record::fill(&mut session, data, expiry_date)?;
        self.store.overwrite(&mut session).await?;
        Ok(())
    }

    pub(crate) async fn load(&self, number: i128) -> Result<Option<Loaded>, StoreError> {
        match self.try_load(number).await {
            Err(error) if error.kind() == ErrorKind::Corrupt && !self.is_unreadable_an_error => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    "a stored session cannot be read; its browser gets a new one, and what is stored stays as it is"
                );
                Ok(None)
            }
            other => Ok(other?),
        }
    }

    async fn try_load(&self, number: i128) -> rrss::Result<Option<Loaded>> {
        for form in id::forms(number) {
            let loaded = match self.store.load(&form).await {
                // The session goes on under a new id. The trait has no word for that.
                Err(error) if error.is_gone() => None,
                loaded => loaded?,
            };
            if let Some(session) = loaded {
                return Ok(Some(Loaded {
                    data: record::data(&session)?,
                    expiry_date: record::expiry_date(&session),
                }));
            }
        }
        Ok(None)
    }

    pub(crate) async fn delete(&self, number: i128) -> Result<(), StoreError> {
        for form in id::forms(number) {
            if self.store.delete(&form).await? {
                break;
            }
        }
        Ok(())
    }

    /// The id by which the store has the session, if it has it.
    pub(crate) async fn stored_id(&self, number: i128) -> rrss::Result<Option<SessionId>> {
        for form in id::forms(number) {
            if self.store.inspect(&form).await?.is_some() {
                return Ok(Some(form));
            }
        }
        Ok(None)
    }

    pub(crate) async fn sweep(&self) -> Result<(), StoreError> {
        self.store.sweep().await?;
        Ok(())
    }
}

fn no_id() -> StoreError {
    StoreError::Backend(
        "the ids that the store makes do not fit tower-sessions, whose ids have 128 bits; give the `key-mapper` \
         `id = \"uuid\"` or `id = \"tower-sessions\"`"
            .to_owned(),
    )
}
