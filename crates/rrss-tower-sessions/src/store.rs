//! The store of tower-sessions: the same words for each version of its traits.

/// Implements the traits of one version, which its macro's caller names.
macro_rules! rrss_store {
    ($core:ident, $(#[$documentation:meta])*) => {
        use async_trait::async_trait;
        use rrss::{SessionId, Store};
        use $core::session::{Id, Record};
        use $core::session_store::{Error, Result};
        use $core::{ExpiredDeletion, SessionStore};

        use crate::error::StoreError;
        use crate::sessions::Sessions;

        $(#[$documentation])*
        #[derive(Debug, Clone)]
        pub struct RrssStore {
            sessions: Sessions,
        }

        impl RrssStore {
            /// The sessions of `store`, which must make ids of 128 bits: UUIDs, which are the default of the
            /// `key-mapper`, or `id = "tower-sessions"`.
            #[must_use]
            pub fn new(store: Store) -> Self {
                Self {
                    sessions: Sessions::new(store),
                }
            }

            /// The same store, for which a stored session that cannot be read is an error, [`Error::Decode`].
            ///
            /// Else such a session is logged and answered as none: its browser starts afresh, with a new id, and what is
            /// stored stays as it is. As an error it fails each request of that browser until it is mended or ends.
            #[must_use]
            pub fn error_where_unreadable(self) -> Self {
                Self {
                    sessions: self.sessions.error_where_unreadable(),
                }
            }

            /// The id by which the store knows the session of tower-sessions' `id`: for
            /// [`Store::revoke_others`] and the like. `None` where there is no such session.
            ///
            /// # Errors
            ///
            /// As [`Store::load`].
            pub async fn stored_id(&self, id: &Id) -> rrss::Result<Option<SessionId>> {
                self.sessions.stored_id(id.0).await
            }
        }

        #[async_trait]
        impl SessionStore for RrssStore {
            async fn create(&self, record: &mut Record) -> Result<()> {
                let created = self.sessions.create(&record.data, record.expiry_date).await;
                record.id = Id(created.map_err(error)?);
                Ok(())
            }

            async fn save(&self, record: &Record) -> Result<()> {
                let Record {
                    id,
                    data,
                    expiry_date,
                } = record;
                let saved = self.sessions.save(id.0, data, *expiry_date).await;
                saved.map_err(error)
            }

            async fn load(&self, id: &Id) -> Result<Option<Record>> {
                let loaded = self.sessions.load(id.0).await.map_err(error)?;
                Ok(loaded.map(|loaded| Record {
                    id: *id,
                    data: loaded.data,
                    expiry_date: loaded.expiry_date,
                }))
            }

            async fn delete(&self, id: &Id) -> Result<()> {
                self.sessions.delete(id.0).await.map_err(error)
            }
        }

        #[async_trait]
        impl ExpiredDeletion for RrssStore {
            async fn delete_expired(&self) -> Result<()> {
                self.sessions.sweep().await.map_err(error)
            }
        }

        fn error(error: StoreError) -> Error {
            match error {
                StoreError::Encode(text) => Error::Encode(text),
                StoreError::Decode(text) => Error::Decode(text),
                StoreError::Backend(text) => Error::Backend(text),
            }
        }
    };
}

pub(crate) mod v0_15 {
    rrss_store! {
        tower_sessions_core,
        /// A store of tower-sessions 0.15 over an rrss [`Store`]. Clones share it.
        ///
        /// `create` lets the store make the id and puts it into the record. `save` replaces the fields of a stored session,
        /// and answers [`Error::Backend`] where there is none: it never creates one. The record's `expiry_date` is the
        /// session's [own deadline](rrss::Session::set_expires_at). `delete_expired` is [`Store::sweep`], which a store
        /// does by itself now and then.
        ///
        /// # Examples
        ///
        /// ```
        /// # fn main() -> rrss::Result<()> {
        /// use rrss::Store;
        /// use rrss_tower_sessions::RrssStore;
        /// use tower_sessions::SessionManagerLayer;
        ///
        /// let store = Store::from_toml(r#"
        ///     step = [{ type = "key-mapper" }, { type = "json-codec" }, { type = "memory" }]
        /// "#)?;
        /// let layer = SessionManagerLayer::new(RrssStore::new(store));
        /// # let _ = layer;
        /// # Ok(()) }
        /// ```
    }
}

#[cfg(feature = "v0_14")]
pub(crate) mod v0_14 {
    rrss_store! {
        tower_sessions_core_0_14,
        /// A store of tower-sessions 0.14 over an rrss [`Store`]. Clones share it.
        ///
        /// It does what [the one for 0.15](crate::RrssStore) does, in the same way, and both may have the same sessions: an
        /// application can move from one version to the other and its users stay logged in.
        ///
        /// # Examples
        ///
        /// ```
        /// # fn main() -> rrss::Result<()> {
        /// use rrss::Store;
        /// use rrss_tower_sessions::v0_14::RrssStore;
        /// use tower_sessions_0_14::SessionManagerLayer;
        ///
        /// let store = Store::from_toml(r#"
        ///     step = [{ type = "key-mapper" }, { type = "json-codec" }, { type = "memory" }]
        /// "#)?;
        /// let layer = SessionManagerLayer::new(RrssStore::new(store));
        /// # let _ = layer;
        /// # Ok(()) }
        /// ```
    }
}
