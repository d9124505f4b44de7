//! All sessions of a user: to list them, and to end them. The store needs an `index` step that lists the field.

use rrss::{Handle, SessionInfo};
use serde::Serialize;

use crate::error::Result;
use crate::session::Session;

/// How many sessions are asked for at a time.
const PAGE: usize = 100;

impl Session {
    /// The live sessions whose field has this value, for a page where people see where they are logged in (OWASP ASVS 5.0,
    /// 7.5.2). [`is_this`](Session::is_this) tells which of them is asking. They are as they are stored: what this request
    /// has changed shows in the next.
    ///
    /// # Errors
    ///
    /// As [`rrss::Store::find`].
    pub async fn devices<T: Serialize + Sync + ?Sized>(
        &self,
        field: &str,
        value: &T,
    ) -> Result<Vec<SessionInfo>> {
        let mut sessions = Vec::new();
        let mut cursor = None;
        loop {
            let found = self.shared.store.find(field, value, cursor, PAGE).await?;
            sessions.extend(found.sessions);
            cursor = found.next;
            if cursor.is_none() {
                return Ok(sessions);
            }
        }
    }

    /// Whether `device` is the session of this request.
    pub async fn is_this(&self, device: &SessionInfo) -> bool {
        let state = self.shared.state.lock().await;
        let id = self.shared.stored_id(&state);
        id.is_some_and(|id| device.is(&id))
    }

    /// Ends the session with this handle, if its field has this value: so that a user ends sessions of their own alone.
    /// Says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`rrss::Store::revoke_one`].
    pub async fn end_one<T: Serialize + Sync + ?Sized>(
        &self,
        field: &str,
        value: &T,
        handle: Handle,
    ) -> Result<bool> {
        self.refuse_to_end().await?;
        let ended = self.shared.store.revoke_one(field, value, handle).await?;
        self.look_whether_it_ended().await?;
        Ok(ended)
    }

    /// Ends every session whose field has this value, this one too; how many there were. They are ended from their next
    /// request on, on every server (OWASP ASVS 5.0, 7.4.2).
    ///
    /// # Errors
    ///
    /// As [`rrss::Store::revoke`]: some may have ended then, and the browser keeps its cookie; end them again.
    pub async fn end_all<T: Serialize + Sync + ?Sized>(
        &self,
        field: &str,
        value: &T,
    ) -> Result<u64> {
        self.refuse_to_end().await?;
        let ended = self.shared.store.revoke(field, value).await?;
        self.look_whether_it_ended().await?;
        Ok(ended)
    }

    /// As [`end_all`](Session::end_all), but for this session: after a change of password, say (OWASP ASVS 5.0, 7.4.3).
    ///
    /// # Errors
    ///
    /// As [`rrss::Store::revoke_others`].
    pub async fn end_others<T: Serialize + Sync + ?Sized>(
        &self,
        field: &str,
        value: &T,
    ) -> Result<u64> {
        self.refuse_to_end().await?;
        let id = {
            let state = self.shared.state.lock().await;
            self.shared.stored_id(&state)
        };
        let store = &self.shared.store;
        Ok(match id {
            Some(id) => store.revoke_others(field, value, &id).await?,
            None => store.revoke(field, value).await?,
        })
    }

    /// Where this session could not be loaded nobody knows which of them it is, and the browser could not be told.
    async fn refuse_to_end(&self) -> Result<()> {
        let state = self.shared.state.lock().await;
        state.refuse_if_finished()?;
        state.refuse_in_outage()
    }

    /// Where this session is among those that were ended, the browser must forget its id, and nothing is saved.
    async fn look_whether_it_ended(&self) -> Result<()> {
        let mut state = self.shared.state.lock().await;
        state.refuse_if_finished()?;
        if let Some(id) = self.shared.stored_id(&state)
            && self.shared.store.inspect(&id).await?.is_none()
        {
            self.shared.forget(&mut state);
        }
        Ok(())
    }
}
