//! What a request knows of its session, from the cookie to the response.

use std::sync::Arc;
use std::time::Duration;

use rrss::{Error, ErrorKind, Saved, SessionId, Store};
use tokio::sync::Mutex;

use crate::cookie::{CookieConfig, Presented};
use crate::error::Result;
use crate::policy::{OnCorrupt, OnOutage};

/// What all clones of the session of one request share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) policies: Policies,
    pub(crate) cookie: Arc<CookieConfig>,
    /// The id that the browser sent.
    pub(crate) presented: Option<SessionId>,
    /// The browser is to get its cookie anew.
    reissue: bool,
    pub(crate) state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Policies {
    pub(crate) on_outage: OnOutage,
    pub(crate) on_corrupt: OnCorrupt,
    /// Cookies end with the browser, but for sessions with a deadline of their own.
    pub(crate) browser_cookies: bool,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) session: Option<rrss::Session>,
    /// The browser is to forget its id: its session has ended here, or cannot be read. An id that names no session is left
    /// where it is: it does no harm, and where another request has just given the session a new one, the answer that comes
    /// last would take that away.
    pub(crate) stale: bool,
    /// The session was stored while the handler ran.
    pub(crate) stored: bool,
    pub(crate) rotate: bool,
    /// Why there is no session to change.
    outage: Option<Error>,
    finished: bool,
}

/// What the response must tell the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing: the cookie stays as it is. `used` says whether the response depends on the session.
    Nothing { used: bool },
    /// This id, for as long as the session lives, or until the browser ends.
    Id(SessionId, Option<Duration>),
    /// To forget its id.
    Forget,
}

impl Shared {
    pub(crate) fn new(
        store: Store,
        policies: Policies,
        cookie: Arc<CookieConfig>,
        presented: Option<Presented>,
    ) -> Arc<Self> {
        let reissue = presented
            .as_ref()
            .is_some_and(|cookie| cookie.is_of_an_older_key);
        Arc::new(Self {
            store,
            policies,
            cookie,
            presented: presented.map(|cookie| cookie.id),
            reissue,
            state: Mutex::default(),
        })
    }

    /// The session, loaded at its first use.
    pub(crate) async fn loaded<'s>(&self, state: &'s mut State) -> Result<&'s mut rrss::Session> {
        state.refuse_if_finished()?;
        if state.session.is_none() {
            let found = match &self.presented {
                Some(id) => self.load(id, state).await?,
                None => None,
            };
            state.session = Some(found.unwrap_or_default());
        }
        Ok(state.session.get_or_insert_default())
    }

    /// The session, loaded, for what changes or ends it.
    pub(crate) async fn writable<'s>(&self, state: &'s mut State) -> Result<&'s mut rrss::Session> {
        self.loaded(state).await?;
        state.refuse_in_outage()?;
        Ok(state.session.get_or_insert_default())
    }

    async fn load(&self, id: &SessionId, state: &mut State) -> Result<Option<rrss::Session>> {
        let error = match self.store.load(id).await {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        match error.kind() {
            // The session goes on under a new id, which a later request of this browser brings.
            ErrorKind::Gone => Ok(None),
            ErrorKind::Unavailable | ErrorKind::Timeout
                if self.policies.on_outage == OnOutage::WithoutSession =>
            {
                let source: &dyn std::error::Error = &error;
                tracing::warn!(
                    error = source,
                    "sessions are not available; a request goes on without one"
                );
                state.outage = Some(error);
                Ok(None)
            }
            ErrorKind::Corrupt => {
                state.stale = true;
                if self.policies.on_corrupt == OnCorrupt::Fail {
                    return Err(error.into());
                }
                let source: &dyn std::error::Error = &error;
                tracing::error!(
                    error = source,
                    "a stored session cannot be read; its browser begins a new one, and what is stored stays as it is"
                );
                Ok(None)
            }
            _ => Err(error.into()),
        }
    }

    /// The id under which the session is stored, so far as that is known.
    pub(crate) fn stored_id(&self, state: &State) -> Option<SessionId> {
        match &state.session {
            Some(session) if session.is_new() => None,
            Some(session) => session.id().cloned(),
            None => self.presented.clone(),
        }
    }

    /// Begins anew: what was stored has ended.
    pub(crate) fn forget(&self, state: &mut State) {
        state.session = Some(rrss::Session::new());
        state.stale = self.presented.is_some();
        state.stored = false;
        state.rotate = false;
    }

    /// Whether [`finish`](Self::finish) asks the backend.
    pub(crate) async fn has_something_to_save(&self) -> bool {
        let state = self.state.lock().await;
        state.session.as_ref().is_some_and(|session| {
            state.rotate || session.is_modified() || (session.is_new() && !session.is_empty())
        })
    }

    /// Closes the session. No change can be made after it; what was changed is stored, if `save` says so.
    pub(crate) async fn finish(&self, save: bool) -> Result<Told> {
        let mut state = self.state.lock().await;
        state.finished = true;
        let (rotate, stored) = (state.rotate, state.stored);
        let used = state.session.is_some();
        let without_id = if state.stale {
            Told::Forget
        } else {
            Told::Nothing { used }
        };
        if used && state.outage.is_some() {
            return Ok(Told::Nothing { used });
        }
        let Some(session) = &mut state.session else {
            return Ok(without_id);
        };
        let is_deadline_modified = session.is_deadline_modified();
        let mut wrote = stored || session.is_renewed();
        let saved = match save {
            true if rotate => self.store.rotate(session).await,
            true => self.store.save(session).await,
            false => Ok(Saved::Unchanged),
        };
        match saved {
            Ok(Saved::Created | Saved::Replaced | Saved::Merged) => wrote = true,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Gone => {
                tracing::info!(
                    "a session ended while a request was using it; what that request changed is dropped"
                );
                return Ok(without_id);
            }
            Err(error) => return Err(error.into()),
        }
        if self.reissue && !wrote {
            // A load need not tell the deadline, and the cookie needs it. Where it cannot be had, the next request tries again.
            if let Some(id) = session.id().filter(|_| !session.is_new())
                && let Ok(Some(known)) = self.store.inspect(id).await
            {
                *session = known;
                wrote = true;
            }
        }
        let id = session.id().filter(|_| !session.is_new() && wrote);
        let Some(id) = id else {
            return Ok(without_id);
        };
        let lives = session
            .expires_at()
            .filter(|_| !self.policies.browser_cookies || session.own_deadline().is_some())
            .map(|deadline| deadline.since(self.store.now()));
        if lives == Some(Duration::ZERO) {
            // The deadline that it was given has come: no browser is to be handed, or to keep, a dead id.
            return Ok(if self.presented.is_some() {
                Told::Forget
            } else {
                Told::Nothing { used: true }
            });
        }
        // A browser that holds this id already needs no cookie, unless its life is another now.
        let has_it = self.presented.as_ref() == Some(id);
        if has_it && lives.is_none() && !is_deadline_modified && !self.reissue {
            return Ok(Told::Nothing { used: true });
        }
        Ok(Told::Id(id.clone(), lives))
    }
}

impl State {
    pub(crate) fn refuse_if_finished(&self) -> Result<()> {
        if self.finished {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the response has begun, so the session is saved and closed; use it before the handler returns",
            )
            .into());
        }
        Ok(())
    }

    pub(crate) fn refuse_in_outage(&self) -> Result<()> {
        match &self.outage {
            Some(error) => Err(error.clone().into()),
            None => Ok(()),
        }
    }
}
