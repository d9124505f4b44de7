//! What may be shown of a session.

use std::collections::HashSet;
use std::fmt;

use rrss_core::{Handle, Result, Session, SessionId, Timestamp};
use serde::de::DeserializeOwned;

/// What may be shown of a session: on a page where people see and end their logins. It does not show the id.
#[derive(Clone)]
pub struct SessionInfo {
    session: Session,
    handle: Handle,
}

impl SessionInfo {
    /// What `session` may show; `None` while it has no id.
    #[must_use]
    pub fn of(session: Session) -> Option<Self> {
        let handle = Handle::of(session.id()?);
        Some(Self { session, handle })
    }

    /// A name for the session that may be shown: [`Store::revoke_one`](crate::Store::revoke_one) ends the session by it,
    /// and it logs nobody in.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// Whether it is the session with this id: the one that is asking.
    #[must_use]
    pub fn is(&self, id: &SessionId) -> bool {
        self.session.id().is_some_and(|own| own.names_same(id))
    }

    /// When it was first stored, where the stored form tells.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.session.created_at()
    }

    /// When it was last saved, where the stored form tells.
    #[must_use]
    pub fn written_at(&self) -> Option<Timestamp> {
        self.session.written_at()
    }

    /// Its deadline; `None` where it has none.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.session.expires_at()
    }

    /// The value of a field, decoded: the name of a device, say.
    ///
    /// # Errors
    ///
    /// As [`Session::get`].
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.session.get(name)
    }

    pub(in crate::store) fn is_one_of(&self, ids: &HashSet<SessionId>) -> bool {
        self.session.id().is_some_and(|id| ids.contains(id))
    }

    pub(in crate::store) fn into_session(self) -> Session {
        self.session
    }
}

impl fmt::Debug for SessionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionInfo")
            .field("handle", &self.handle)
            .field("created_at", &self.created_at())
            .field("written_at", &self.written_at())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}
