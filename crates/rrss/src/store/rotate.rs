//! Giving a session a new id.

#[cfg(doc)]
use rrss_core::ErrorKind;
use rrss_core::{Action, Conflict, Deadline, Error, Outcome, Result, Session, SessionId};

use super::limit::Added;
use super::save::{Saved, gone};
use super::update::{ATTEMPTS, changed_again, pause, rejected};
use super::{Store, unexpected};

impl Store {
    /// Gives a session a new id, with its fields, its unsaved changes, its creation time and a deadline of its own; the old
    /// id is dead when this answers. Do so at every change of rights, such as a login (OWASP Session Management: renew
    /// the session id after any privilege level change).
    ///
    /// The new session is stored before the old one is deleted, so that a crash in between loses nothing. What
    /// others saved to the old one meanwhile goes along, as the store's [`Conflict`] policy has it:
    /// [`Saved::Merged`] says so. Whoever saves later is told that it is gone. Of two rotations of one session at once, one
    /// wins. A new session has no id yet that could be renewed: it is saved.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] where the session does not exist any more; no new one stays behind. Else as
    /// [`save`](Store::save); the session then keeps its old id and its unsaved changes. Where the backend failed while the
    /// old session was being deleted, the old id may be dead already; a second try tells.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// # let store = rrss::Store::from_toml("step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]")?;
    /// let mut session = rrss::Session::new();
    /// session.insert("cart", &["tea"])?;
    /// store.save(&mut session).await?;
    /// let before_login = session.id().unwrap().clone();
    ///
    /// session.insert("user_id", &42)?;
    /// store.rotate(&mut session).await?;
    /// assert!(store.load(&before_login).await?.is_none());
    /// assert_eq!(store.load(session.id().unwrap()).await?.unwrap().len(), 2);
    /// # Ok(()) }
    /// ```
    pub async fn rotate(&self, session: &mut Session) -> Result<Saved> {
        if session.is_new() {
            return self.save(session).await;
        }
        self.renew_as(session, session.renewed()).await
    }

    /// Gives a session the id `id`, as [`rotate`](Store::rotate) gives it one that the key mapper makes; for adapters to
    /// frameworks that make ids of their own. The id must be of 128 random bits, and in the key mapper's form.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] where the id is taken, [`ErrorKind::Value`] where it is not in the key mapper's form: nothing
    /// is changed then. Else as [`rotate`](Store::rotate).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// # let store = rrss::Store::from_toml("step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]")?;
    /// # let mut session = rrss::Session::new();
    /// # session.insert("user_id", &42)?;
    /// # store.save(&mut session).await?;
    /// let id = rrss::SessionId::from("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60");
    /// store.rotate_to(&mut session, id.clone()).await?;
    /// assert_eq!(session.id(), Some(&id));
    /// # Ok(()) }
    /// ```
    pub async fn rotate_to(&self, session: &mut Session, id: SessionId) -> Result<Saved> {
        let mut renewed = session.renewed_as(id);
        if session.is_new() {
            let saved = self.save(&mut renewed).await?;
            *session = renewed;
            return Ok(saved);
        }
        self.renew_as(session, renewed).await
    }

    async fn renew_as(&self, session: &mut Session, mut renewed: Session) -> Result<Saved> {
        let Some(old) = session.id().cloned() else {
            return Err(gone("rotated"));
        };
        let added = self.check_limit(session).await?;
        // Where a step sets deadlines, it sets the new one too; else the one that it has goes along.
        let deadline = match session.expires_at() {
            Some(deadline) if !self.inner.pipeline.sets_deadlines() => Deadline::At(deadline),
            _ => Deadline::Keep,
        };
        self.create_until(&mut renewed, deadline).await?;
        let created = renewed.clone();
        match self.take_over(session, &old, &mut renewed, added).await {
            Ok(saved) => {
                *session = renewed;
                Ok(saved)
            }
            // The old session may be deleted, and then the new one is all that there is.
            Err(Failed::Deleting(error)) if error.is_temporary() => Err(error),
            // It is gone, and must not come back under another id; or it stays, and one is enough.
            Err(Failed::Deleting(error)) => {
                self.end(created).await?;
                Err(error)
            }
            Err(Failed::Before(error)) => {
                if let Err(left) = self.end(created).await {
                    let left: &dyn std::error::Error = &left;
                    tracing::warn!(
                        error = left,
                        "a copy of a session, under an id that nobody knows, stays until its deadline: deleting it after \
                         a rotation that failed, failed too"
                    );
                }
                Err(error)
            }
        }
    }

    /// Puts the new session in the place of the old one, which is deleted if it is the one that was copied; what others
    /// have saved to it since is copied too.
    async fn take_over(
        &self,
        session: &Session,
        old: &SessionId,
        renewed: &mut Session,
        added: Added,
    ) -> Result<Saved, Failed> {
        // While the old session is still there to go back to.
        self.enforce_limit(added, renewed).await?;
        let mut copied = session.clone();
        let mut saved = Saved::Created;
        for attempt in 1..=ATTEMPTS {
            let mut op = self.operation(Action::Delete).with_session(copied.clone());
            if let Some(guard) = self.guard(&copied) {
                op.guard = guard;
            }
            let answer = self.run(&mut op).await.map_err(Failed::Deleting)?;
            match answer.outcome {
                Outcome::Done => return Ok(saved),
                Outcome::Missing => return Err(Failed::Deleting(gone("rotated"))),
                Outcome::Changed => {}
                _ => return Err(unexpected(&op, &answer).into()),
            }
            pause(attempt).await;
            let Some(fresh) = self.fetch(old).await? else {
                return Err(Failed::Deleting(gone("rotated")));
            };
            if self.conflict() == Conflict::Reject {
                return Err(rejected().into());
            }
            copied = self.merged(session, fresh)?;
            renewed.copy_fields_of(&copied);
            if renewed.is_modified() {
                self.update(renewed).await?;
            }
            saved = Saved::Merged;
        }
        Err(changed_again().into())
    }
}

/// Where a rotation failed.
enum Failed {
    /// While the old session was certainly there, or not this rotation's to delete.
    Before(Error),
    /// Where the old session was deleted, or may have been.
    Deleting(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Before(error)
    }
}
