//! A session's life: a new id at login, an end at logout, a deadline of its own.

use std::time::Duration;

use rrss::Timestamp;

use crate::error::Result;
use crate::session::Session;

impl Session {
    /// Gives the session a new id when it is saved; the old one is dead then. Call it at login and at every other
    /// change of rights, against session fixation (OWASP ASVS 5.0, 7.2.4). The [CSRF token](Session::csrf_token) is
    /// another one afterwards.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn rotate(&self) -> Result<()> {
        let mut state = self.shared.state.lock().await;
        let session = self.shared.writable(&mut state).await?;
        session.remove(crate::csrf::FIELD);
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
        state.refuse_if_finished()?;
        state.refuse_in_outage()?;
        if let Some(id) = self.shared.stored_id(&state) {
            self.shared.store.delete(&id).await?;
        }
        self.shared.forget(&mut state);
        Ok(())
    }

    /// Lets the session live until `deadline` and no longer, however often it is saved and rotated: "keep me logged in
    /// for 30 days", or "only today". The cookie lives as long. It is stored with the session.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use rrss_axum::{Result, Session};
    /// async fn keep_me_logged_in(session: Session) -> Result<()> {
    ///     session.expire_in(Duration::from_secs(30 * 24 * 3600)).await
    /// }
    /// ```
    pub async fn expire_at(&self, deadline: Timestamp) -> Result<()> {
        let mut state = self.shared.state.lock().await;
        let session = self.shared.writable(&mut state).await?;
        session.set_expires_at(deadline);
        Ok(())
    }

    /// As [`expire_at`](Session::expire_at), so long from now.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn expire_in(&self, life: Duration) -> Result<()> {
        self.expire_at(self.shared.store.now() + life).await
    }

    /// Takes back a deadline of its own: the store's `expiry` counts again.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn expire_as_others(&self) -> Result<()> {
        let mut state = self.shared.state.lock().await;
        self.shared.writable(&mut state).await?.clear_expires_at();
        Ok(())
    }

    /// When the session ends, where that is known: after a save, or where it has a deadline of its own.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn expires_at(&self) -> Result<Option<Timestamp>> {
        self.with(|session| session.own_deadline().or_else(|| session.expires_at()))
            .await
    }
}
