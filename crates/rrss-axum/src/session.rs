//! The session of a request: what handlers extract.

use std::fmt;
use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::state::Shared;

/// The session of the request that is being answered; an extractor for handlers.
///
/// It loads at the first use of a field: a handler that does not touch it causes no backend call. What it changes
/// is saved once, before the head of the response is sent; clones are the same session.
///
/// # Examples
///
/// ```
/// use rrss_axum::{Result, Session};
///
/// async fn visits(session: Session) -> Result<String> {
///     let visits = session.get::<u64>("visits").await?.unwrap_or_default() + 1;
///     session.insert("visits", &visits).await?;
///     Ok(format!("visit {visits}"))
/// }
/// ```
#[derive(Clone)]
pub struct Session {
    pub(crate) shared: Arc<Shared>,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The value of a field, decoded; `None` where there is no such field.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded, or the field is not a `T`.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.with(|session| session.get(name))
            .await?
            .map_err(Into::into)
    }

    /// Sets a field. Setting it to the value that it has already is no change.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded, or the value does not serialise.
    pub async fn insert<T: Serialize + Sync + ?Sized>(&self, name: &str, value: &T) -> Result<()> {
        self.change(|session| session.insert(name, value))
            .await?
            .map_err(Into::into)
    }

    /// Removes a field and says whether there was one.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn remove(&self, name: &str) -> Result<bool> {
        self.change(|session| session.remove(name)).await
    }

    /// Whether there is a field called `name`.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn contains_key(&self, name: &str) -> Result<bool> {
        self.with(|session| session.contains_key(name)).await
    }

    /// Whether it has no fields.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn is_empty(&self) -> Result<bool> {
        self.with(|session| session.is_empty()).await
    }

    /// Removes all fields; the session itself stays.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn clear(&self) -> Result<()> {
        self.change(rrss::Session::clear).await
    }

    /// Sets a field to what `update` makes of its value, stores it at once, and answers the value; where another request
    /// changes the field meanwhile, `update` is run again on its value. So a counter that many requests increment at once
    /// counts each of them.
    ///
    /// # Errors
    ///
    /// As [`rrss::Store::update_field`].
    pub async fn update_field<T, F>(&self, name: &str, update: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        let mut state = self.shared.state.lock().await;
        let session = self.shared.writable(&mut state).await?;
        let value = self
            .shared
            .store
            .update_field(session, name, update)
            .await?;
        state.stored = true;
        Ok(value)
    }

    /// Does something with the whole session, loaded.
    ///
    /// # Errors
    ///
    /// Where it cannot be loaded, or the response has begun already: changes would not be saved any more.
    pub async fn with<R>(&self, act: impl FnOnce(&mut rrss::Session) -> R) -> Result<R> {
        let mut state = self.shared.state.lock().await;
        let session = self.shared.loaded(&mut state).await?;
        let done = act(session);
        let is_modified = session.is_modified();
        if is_modified {
            // In an outage what was changed can be stored nowhere, and must not look as if it were.
            if let Err(outage) = state.refuse_in_outage() {
                state.session = Some(rrss::Session::new());
                return Err(outage);
            }
        }
        Ok(done)
    }

    /// In an outage there is no telling whether there is anything to change: it is an error even where nothing would be.
    async fn change<R>(&self, act: impl FnOnce(&mut rrss::Session) -> R) -> Result<R> {
        let mut state = self.shared.state.lock().await;
        Ok(act(self.shared.writable(&mut state).await?))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = MissingLayer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingLayer> {
        parts.extensions.get::<Self>().cloned().ok_or(MissingLayer)
    }
}

/// The rejection of a [`Session`] in a router without a [`SessionLayer`](crate::SessionLayer).
#[derive(Debug, Clone, Copy)]
pub struct MissingLayer;

impl fmt::Display for MissingLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no session layer: add `.layer(SessionLayer::new(store))` to the router")
    }
}

impl std::error::Error for MissingLayer {}

impl IntoResponse for MissingLayer {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the session could not be used\n",
        )
            .into_response()
    }
}
