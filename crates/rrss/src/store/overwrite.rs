//! Storing a whole session that was not loaded from this store.

use rrss_core::{Error, ErrorKind, Result, Session};

use super::Store;
use super::save::{Saved, gone};

impl Store {
    /// Stores the fields of `session`, and its own deadline, in the place of all that the stored session with its id has;
    /// for adapters to frameworks that hand over whole records and cannot say what changed in them.
    ///
    /// `session` is made with [`Session::with_id`]. What the record cannot carry stays as it is stored: the time of
    /// creation, which bounds the session's life, and the index. For that the stored session is read first: two
    /// operations, or one where nothing differs. What others store between the two is treated as the store's
    /// [`Conflict`](rrss_core::Conflict) policy has it; what they stored before is overwritten. A host that can should
    /// [`load`](Store::load), change and [`save`](Store::save) instead, and loses nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] where no such session is stored: it is not created. [`ErrorKind::Value`] where `session` has no
    /// id. Else as [`save`](Store::save).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// # let store = rrss::Store::from_toml("step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]")?;
    /// use rrss::{Saved, Session};
    ///
    /// let mut session = Session::new();
    /// session.insert("cart", &["tea"])?;
    /// store.save(&mut session).await?;
    /// let id = session.id().unwrap().clone();
    ///
    /// let mut record = Session::with_id(id.clone());
    /// record.insert("user_id", &42)?;
    /// assert_eq!(store.overwrite(&mut record).await?, Saved::Replaced);
    /// let stored = store.load(&id).await?.unwrap();
    /// assert_eq!(stored.keys().collect::<Vec<_>>(), ["user_id"]);
    /// assert_eq!(stored.created_at(), session.created_at());
    /// # Ok(()) }
    /// ```
    pub async fn overwrite(&self, session: &mut Session) -> Result<Saved> {
        let id = session.id().ok_or_else(|| {
            Error::new(
                ErrorKind::Value,
                "a session without an id cannot take the place of a stored one; save it instead",
            )
        })?;
        let mut stored = self.fetch(id).await?.ok_or_else(|| gone("overwritten"))?;
        stored.copy_fields_of(session);
        let saved = self.save(&mut stored).await?;
        *session = stored;
        Ok(saved)
    }
}
