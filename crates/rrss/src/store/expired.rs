//! Telling the application of sessions that have expired.

use std::error::Error as StdError;
use std::fmt;

use rrss_core::{Error, ErrorKind, Handle, Result, Session, Timestamp};
use serde::de::DeserializeOwned;

use super::Store;

/// A session that has expired, as a listener is told of it: see [`Store::on_expired`]. Neither its id nor its other fields are
/// known any more.
#[derive(Clone)]
pub struct Expired {
    pub(crate) handle: Handle,
    pub(crate) fields: Session,
    pub(crate) expired_at: Timestamp,
}

impl Expired {
    /// The name of the session that may be shown, and that logs nobody in: the one that a [`SessionInfo`](crate::SessionInfo)
    /// had, and [`Handle::of`] its id.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// The value of an indexed field, decoded; `None` where the session had none. Fields that are not indexed are not kept.
    ///
    /// # Errors
    ///
    /// As [`Session::get`].
    pub fn get<T: DeserializeOwned>(&self, field: &str) -> Result<Option<T>> {
        self.fields.get(field)
    }

    /// The value of an indexed field, as JSON text.
    #[must_use]
    pub fn get_raw(&self, field: &str) -> Option<&str> {
        self.fields.get_raw(field)
    }

    /// The indexed fields that the session had, each with its value as JSON text.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter_raw()
    }

    /// The deadline that has passed.
    #[must_use]
    pub fn expired_at(&self) -> Timestamp {
        self.expired_at
    }
}

impl fmt::Debug for Expired {
    /// The names of its fields, and no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expired")
            .field("handle", &self.handle)
            .field("fields", &self.fields.keys().collect::<Vec<_>>())
            .field("expired_at", &self.expired_at)
            .finish()
    }
}

impl Store {
    /// Calls `listener` for each session that expires: to release what the application keeps for it, or to write it down.
    ///
    /// The `index` step must say `keep_expired`, in every process that writes sessions. Then each session whose deadline
    /// passes is told at least once, also one that expired while no process ran, unless nobody listens for longer than
    /// `keep_expired` after its deadline. One that was deleted, revoked or rotated is not told; after a crash, or a save that
    /// was refused, it may be. So a listener must bear to be told twice.
    ///
    /// It is called by the background sweep, every `resolution` of the `expiry` step, and by [`sweep`](Store::sweep). Of many
    /// processes on one backend, those that listen share the events. Calls for several sessions run at the same time.
    /// With several listeners each is told of each session.
    ///
    /// A listener that fails, panics or takes longer than half a minute disturbs neither the others nor the sweep: it is
    /// logged, and all listeners are told of the session again, a minute later or at the next turn.
    ///
    /// The store keeps its listeners for as long as it lives itself, so one that holds a `Store` keeps that for ever.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where the `index` step does not say `keep_expired`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// use std::time::Duration;
    /// use rrss::{Session, Store};
    ///
    /// let store = Store::from_toml(r#"
    ///     step = [
    ///         { type = "key-mapper" },
    ///         { type = "expiry", duration = "1ms" },
    ///         { type = "index", fields = ["user_id"], keep_expired = "1d" },
    ///         { type = "json-codec" },
    ///         { type = "memory" },
    ///     ]
    /// "#)?;
    /// let (told, mut users) = tokio::sync::mpsc::unbounded_channel();
    /// store.on_expired(move |session| {
    ///     let sent = told.send(session.get::<u64>("user_id").ok().flatten());
    ///     async move { sent }
    /// })?;
    ///
    /// let mut session = Session::new();
    /// session.insert("user_id", &42)?;
    /// store.save(&mut session).await?;
    /// tokio::time::sleep(Duration::from_millis(2)).await;
    /// store.sweep().await?;
    /// assert_eq!(users.recv().await, Some(Some(42)));
    /// # Ok(()) }
    /// ```
    pub fn on_expired<F, Fut, E>(&self, listener: F) -> Result<()>
    where
        F: Fn(Expired) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let rules = self.inner.pipeline.index();
        if rules.and_then(|rules| rules.keep_expired).is_none() {
            let hint = match rules {
                Some(_) => "give the step `index` a `keep_expired`, such as \"1d\"",
                None => "put a step `index` with `keep_expired = \"1d\"` above the codec",
            };
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "nothing is kept of expired sessions that a listener could be told; {hint}"
                ),
            ));
        }
        self.inner.sweeper.listeners().add(listener);
        self.start();
        Ok(())
    }
}
