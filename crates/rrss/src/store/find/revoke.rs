//! Ending sessions by the value of an indexed field: signing out everywhere.

use std::collections::HashSet;

use futures_util::future::try_join_all;
#[cfg(doc)]
use rrss_core::ErrorKind;
use rrss_core::{Action, Handle, IndexKey, Result, Session, SessionId};
use serde::Serialize;

use super::{PAGE, Seen, SessionInfo};
use crate::store::Store;

/// How often the sessions of a value are looked up while others are rotated before they could be ended. It bounds
/// what somebody who logs in again and again can make of one call.
pub(in crate::store) const PASSES: usize = 16;

/// What one look at all the sessions of a value came to.
#[derive(Default)]
struct Pass {
    revoked: u64,
    /// Those that were gone before they could be ended: rotated, perhaps.
    gone: Vec<SessionId>,
    pages: usize,
}

impl Store {
    /// Ends every session whose field has this value, and says how many: from the next request on, none of them is
    /// there. One that gets a new id meanwhile is ended under that.
    ///
    /// A session that cannot be read, with the options of today, is ended as well: it might be readable tomorrow.
    ///
    /// A Redis Cluster that fails over without its last writes, and a server that evicts keys, can lose the entry of a session
    /// that lives; that session is missed. [`reindex`](Store::reindex) puts the entries back.
    ///
    /// # Errors
    ///
    /// As [`find`](Store::find). Some may have ended then; revoke again.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// # let store = rrss::Store::from_toml("step = [{ type = 'key-mapper' }, { type = 'index', fields = ['user_id'] }, { type = 'json-codec' }, { type = 'memory' }]")?;
    /// for device in ["laptop", "phone"] {
    ///     let mut session = rrss::Session::new();
    ///     session.insert("user_id", &42)?;
    ///     session.insert("device", device)?;
    ///     store.save(&mut session).await?;
    /// }
    /// assert_eq!(store.revoke("user_id", &42).await?, 2);
    /// assert_eq!(store.revoke("user_id", &42).await?, 0);
    /// # Ok(()) }
    /// ```
    pub async fn revoke<T: Serialize + ?Sized>(&self, field: &str, value: &T) -> Result<u64> {
        let entry = self.entry(field, value)?;
        self.revoke_where(&entry, |_| true).await
    }

    /// Ends every session whose field has this value but the one with the id `kept`, as [`revoke`](Store::revoke) does:
    /// for a person who signs out all other devices, or has changed a password (OWASP ASVS 5.0, 7.4.3).
    ///
    /// # Errors
    ///
    /// As [`revoke`](Store::revoke).
    pub async fn revoke_others<T: Serialize + ?Sized>(
        &self,
        field: &str,
        value: &T,
        kept: &SessionId,
    ) -> Result<u64> {
        let entry = self.entry(field, value)?;
        let kept_hashed = SessionId::private(kept.digest());
        self.revoke_where(&entry, |id| id != kept && *id != kept_hashed)
            .await
    }

    /// Ends the one session with this handle among those whose field has this value, and says whether there was one. If it
    /// gets a new id during the call, it ends under that. A handle may come from a request as it is: it ends no session but one
    /// of that value.
    ///
    /// # Errors
    ///
    /// As [`revoke`](Store::revoke).
    pub async fn revoke_one<T: Serialize + ?Sized>(
        &self,
        field: &str,
        value: &T,
        handle: Handle,
    ) -> Result<bool> {
        let entry = self.entry(field, value)?;
        let named = self.all_named(&entry).await?;
        let Some(id) = named.iter().find(|id| Handle::of(id) == handle) else {
            return Ok(false);
        };
        match self.look(&entry, id).await? {
            Seen::Live(session) => {
                let session = session.into_session();
                self.end_where_it_is(&entry, session, &named).await
            }
            seen => Ok(self.end_seen(&entry, id, seen).await? == Some(true)),
        }
    }

    async fn revoke_where(
        &self,
        entry: &IndexKey,
        is_to_end: impl Fn(&SessionId) -> bool,
    ) -> Result<u64> {
        let (mut revoked, mut known_gone) = (0, HashSet::new());
        for number in 1..=PASSES {
            let pass = self.pass(entry, &is_to_end).await?;
            revoked += pass.revoked;
            let mut is_moving = false;
            for gone in pass.gone {
                is_moving |= known_gone.insert(gone);
            }
            // On one page, a session that was rotated is named under one of its ids; between two it may slip through.
            is_moving |= pass.pages > 1 && (number == 1 || pass.revoked > 0);
            if !is_moving {
                break;
            }
        }
        Ok(revoked)
    }

    async fn pass(
        &self,
        entry: &IndexKey,
        is_to_end: &impl Fn(&SessionId) -> bool,
    ) -> Result<Pass> {
        let (mut pass, mut cursor) = (Pass::default(), None);
        loop {
            let page = self.named(entry, cursor, PAGE).await?;
            pass.pages += 1;
            let ids: Vec<_> = page.ids.into_iter().filter(|id| is_to_end(id)).collect();
            let ended = try_join_all(ids.iter().map(|id| self.end_named(entry, id))).await?;
            for (id, ended) in ids.into_iter().zip(ended) {
                match ended {
                    Some(true) => pass.revoked += 1,
                    Some(false) => pass.gone.push(id),
                    None => {}
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(pass);
            }
        }
    }

    /// Ends one session that `entry` names; `Some(false)` where it was gone, `None` where it has another value.
    async fn end_named(&self, entry: &IndexKey, id: &SessionId) -> Result<Option<bool>> {
        let seen = self.look(entry, id).await?;
        self.end_seen(entry, id, seen).await
    }

    /// The same for one that was looked at.
    async fn end_seen(&self, entry: &IndexKey, id: &SessionId, seen: Seen) -> Result<Option<bool>> {
        match seen {
            Seen::Live(session) => self.end(session.into_session()).await.map(Some),
            Seen::Unreadable => {
                let mut op = self.operation(Action::Delete).with_id(id.clone());
                op.index.removed.push(entry.clone());
                self.run_on_one(&mut op).await.map(Some)
            }
            // It may be on its way to another id; then that ends here.
            Seen::Ended if !self.inner.pipeline.rotates_at_once() => {
                let mut op = self.operation(Action::Delete).with_id(id.clone());
                op.index.removed.push(entry.clone());
                self.run_on_one(&mut op).await.map(Some)
            }
            Seen::Ended => Ok(Some(false)),
            Seen::Other => Ok(None),
        }
    }

    /// Ends one of the sessions that `entry` named when it was read, and says whether it was there. If it was rotated since,
    /// it ends under its new id.
    pub(in crate::store) async fn end_where_it_is(
        &self,
        entry: &IndexKey,
        session: Session,
        named: &HashSet<SessionId>,
    ) -> Result<bool> {
        let (mut known, mut session) = (named.clone(), session);
        for _ in 0..PASSES {
            // A rotated session keeps its creation time.
            let created_at = session.created_at();
            if self.end(session).await? {
                return Ok(true);
            }
            let now = self.all_named(entry).await?;
            let new: HashSet<_> = now.difference(&known).cloned().collect();
            let came = self.read(entry, &new).await?;
            let is_it =
                |came: &SessionInfo| created_at.is_some() && came.created_at() == created_at;
            let Some(successor) = came.into_iter().find(is_it) else {
                return Ok(false);
            };
            known.extend(new);
            session = successor.into_session();
        }
        Ok(false)
    }

    /// Ends a session of which all is known, whatever others do to it meanwhile.
    pub(in crate::store) async fn end(&self, session: Session) -> Result<bool> {
        let mut op = self.operation(Action::Delete).with_session(session);
        self.run_on_one(&mut op).await
    }
}
