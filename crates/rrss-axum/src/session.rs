//! The session of a request: what handlers extract.

use std::fmt;
use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use rrss::{ErrorKind, Saved, SessionId, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::error::Result;

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
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    presented: Option<SessionId>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<rrss::Session>,
    /// The browser holds an id that names no session any more.
    stale: bool,
    rotate: bool,
    finished: bool,
}

/// What the response must tell the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing: the cookie stays as it is. `used` says whether the response depends on the session.
    Nothing { used: bool },
    /// This id, for as long as the session lives.
    Id(SessionId, Option<std::time::Duration>),
    /// To forget its id.
    Forget,
}

impl Session {
    pub(crate) fn new(store: Store, presented: Option<SessionId>) -> Self {
        Self {
            shared: Arc::new(Shared {
                store,
                presented,
                state: Mutex::default(),
            }),
        }
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
        self.with(|session| session.insert(name, value))
            .await?
            .map_err(Into::into)
    }

    /// Removes a field and says whether there was one.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn remove(&self, name: &str) -> Result<bool> {
        self.with(|session| session.remove(name)).await
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
        self.with(rrss::Session::clear).await
    }

    /// Does something with the whole session, loaded.
    ///
    /// # Errors
    ///
    /// Where it cannot be loaded, or the response has begun already: changes would not be saved any more.
    pub async fn with<R>(&self, act: impl FnOnce(&mut rrss::Session) -> R) -> Result<R> {
        let mut state = self.shared.state.lock().await;
        Ok(act(self.shared.loaded(&mut state).await?))
    }

    /// Gives the session a new id when it is saved; the old one is dead then. Call it at login and at every other
    /// change of rights, against session fixation.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn rotate(&self) -> Result<()> {
        let mut state = self.shared.state.lock().await;
        self.shared.loaded(&mut state).await?;
        state.rotate = true;
        Ok(())
    }

    /// Ends the session, as at logout: it is deleted now, and the browser is told to forget its id. What is
    /// inserted after it begins a new session with a new id.
    ///
    /// # Errors
    ///
    /// Where it cannot be deleted.
    pub async fn end(&self) -> Result<()> {
        let mut state = self.shared.state.lock().await;
        refuse_if_finished(&state)?;
        let stored = state
            .session
            .as_ref()
            .filter(|session| !session.is_new())
            .and_then(rrss::Session::id);
        let id = match &state.session {
            Some(_) => stored.cloned(),
            None => self.shared.presented.clone(),
        };
        if let Some(id) = id {
            self.shared.store.delete(&id).await?;
        }
        state.session = Some(rrss::Session::new());
        state.stale = self.shared.presented.is_some();
        state.rotate = false;
        Ok(())
    }

    /// Stores what the handler changed. No change can be made after it.
    pub(crate) async fn finish(&self) -> Result<Told> {
        let mut state = self.shared.state.lock().await;
        state.finished = true;
        let store = &self.shared.store;
        let rotate = state.rotate;
        let stale = state.stale;
        let Some(session) = &mut state.session else {
            return Ok(Told::Nothing { used: false });
        };
        let saved = if rotate {
            store.rotate(session).await
        } else {
            store.save(session).await
        };
        match saved {
            Ok(Saved::Created | Saved::Replaced | Saved::Merged) => {}
            Ok(_) if stale => return Ok(Told::Forget),
            Ok(_) => return Ok(Told::Nothing { used: true }),
            Err(error) if error.kind() == ErrorKind::Gone => {
                tracing::info!(
                    "a session ended while a request was using it; what that request changed is dropped"
                );
                return Ok(Told::Forget);
            }
            Err(error) => return Err(error.into()),
        }
        let Some(id) = session.id() else {
            return Ok(Told::Nothing { used: true });
        };
        let lives = session
            .expires_at()
            .map(|deadline| deadline.since(store.now()));
        // A browser that holds this id already needs no cookie, unless its life is longer now.
        if lives.is_none() && self.shared.presented.as_ref() == Some(id) {
            return Ok(Told::Nothing { used: true });
        }
        Ok(Told::Id(id.clone(), lives))
    }
}

impl Shared {
    async fn loaded<'s>(&self, state: &'s mut State) -> Result<&'s mut rrss::Session> {
        refuse_if_finished(state)?;
        if state.session.is_none() {
            let found = match &self.presented {
                Some(id) => self.store.load(id).await?,
                None => None,
            };
            state.stale = found.is_none() && self.presented.is_some();
            state.session = Some(found.unwrap_or_default());
        }
        Ok(state.session.get_or_insert_default())
    }
}

fn refuse_if_finished(state: &State) -> Result<()> {
    if state.finished {
        return Err(rrss::Error::new(
            ErrorKind::Unsupported,
            "the response has begun, so the session is saved and closed; use it before the handler returns",
        )
        .into());
    }
    Ok(())
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
