//! Giving a session a new id.

#[cfg(doc)]
use rrss_core::ErrorKind;
use rrss_core::{Action, Conflict, Guard, Outcome, Result, Session, SessionId};

use super::save::{Saved, gone};
use super::update::{ATTEMPTS, changed_again, merged, pause, rejected};
use super::{Store, unexpected};

impl Store {
    /// Gives a session a new id, with its fields, its unsaved changes and its creation time; the old id is dead
    /// when this answers. Do so at every change of rights, such as a login (OWASP Session Management: renew
    /// the session id after any privilege level change).
    ///
    /// The new session is stored before the old one is deleted, so that a crash in between loses nothing. What
    /// others saved to the old one meanwhile goes along, as the store's [`Conflict`] policy has it. Of two rotations of one
    /// session at once, one wins. A new session has no id yet that could be renewed: it is saved.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] where the session does not exist any more; no new one stays behind. Else as
    /// [`save`](Store::save); the session then keeps its old id.
    pub async fn rotate(&self, session: &mut Session) -> Result<Saved> {
        let Some(old) = session.id().cloned().filter(|_| !session.is_new()) else {
            return self.save(session).await;
        };
        let added = self.check_limit(session).await?;
        let mut renewed = session.renewed();
        // Where a step sets deadlines, it sets the new one too; else the one that it has goes along.
        if let Some(deadline) = session.expires_at()
            && renewed.own_deadline().is_none()
            && !self.inner.pipeline.sets_deadlines()
        {
            renewed.set_expires_at(deadline);
        }
        self.create(&mut renewed).await?;
        match self.replace(session, &old, &mut renewed).await {
            Ok(saved) => {
                *session = renewed;
                self.enforce_limit(added, session).await?;
                Ok(saved)
            }
            // Another answer than an outage says that the old session is gone, or stays: then the new one must go.
            Err(error) if !error.is_temporary() => {
                if let Some(id) = renewed.id() {
                    self.delete(id).await?;
                }
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes the old session, if it is the one that was copied; what others have saved to it since is copied too.
    async fn replace(
        &self,
        session: &Session,
        old: &SessionId,
        renewed: &mut Session,
    ) -> Result<Saved> {
        let mut copied = session.clone();
        let mut saved = Saved::Created;
        for attempt in 1..=ATTEMPTS {
            let mut op = self.operation(Action::Delete).with_session(copied.clone());
            if let Some(stored) = copied.stored()
                && self.conflict() != Conflict::LastWrite
            {
                op.guard = Guard::Unchanged(stored.clone());
            }
            let answer = self.run(&mut op).await?;
            match answer.outcome {
                Outcome::Done => return Ok(saved),
                Outcome::Missing => return Err(gone("rotated")),
                Outcome::Changed => {}
                _ => return Err(unexpected(&op, &answer)),
            }
            let fresh = self.peek(old).await?.ok_or_else(|| gone("rotated"))?;
            if self.conflict() == Conflict::Reject {
                return Err(rejected());
            }
            copied = merged(session, fresh)?;
            renewed.copy_fields_of(&copied);
            if renewed.is_modified() {
                self.update(renewed).await?;
            }
            saved = Saved::Merged;
            pause(attempt).await;
        }
        Err(changed_again())
    }
}
