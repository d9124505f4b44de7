//! Giving a session a new id.

use rrss_core::{
    Action, Conflict, Error, ErrorKind, Guard, Operation, Outcome, Replaced, Result, Session,
    SessionId,
};

use super::save::{CREATE_ATTEMPTS, Saved, gone, mark_stored};
use super::update::{ATTEMPTS, changed_again, merges, pause, rejected};
use super::{Store, unexpected};

impl Store {
    /// Gives a session a new id, with its fields, its unsaved changes, its creation time and its own deadline. Once this returns,
    /// the old id is invalid. Rotate at every change of rights, such as a login (OWASP Session Management: renew the session
    /// id after any privilege level change).
    ///
    /// It is one operation: the new session takes the place of the old one, and no other operation sees both or neither,
    /// where the backend can do that ([`Backend::rotates_at_once`](rrss_core::Backend::rotates_at_once)). Changes that other
    /// requests saved to the old session are kept, as the store's [`Conflict`] policy has it: [`Saved::Merged`] says so. Whoever
    /// saves to the old session later gets [`ErrorKind::Gone`]. Of two rotations of one session at once, one wins. A new session
    /// has no id yet: it is saved.
    ///
    /// For a while ([`rotated_for`](crate::StoreBuilder::rotated_for)), a load of the old id answers [`ErrorKind::Gone`] rather
    /// than `None`: a request that began before the rotation can tell that the session goes on under an id that it does not know.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] where the session does not exist any more. Else as [`save`](Store::save); the session then keeps
    /// its old id and its unsaved changes. Where the answer of the backend was lost, the store looks whether the new session is
    /// there. If it cannot tell, the error says that the rotation [may have happened](Error::may_have_happened): rotate the same
    /// `session` again, which finds the new session if there is one.
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
    /// let late = store.load(&before_login).await.unwrap_err();
    /// assert_eq!(late.kind(), rrss::ErrorKind::Gone);
    /// assert_eq!(store.load(session.id().unwrap()).await?.unwrap().len(), 2);
    /// # Ok(()) }
    /// ```
    pub async fn rotate(&self, session: &mut Session) -> Result<Saved> {
        if session.is_new() {
            return self.save(session).await;
        }
        self.rotate_with(session, None).await
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
        if session.is_new() {
            let mut renewed = session.renewed_as(id);
            let saved = self.save(&mut renewed).await?;
            *session = renewed;
            return Ok(saved);
        }
        self.rotate_with(session, Some(id)).await
    }

    async fn rotate_with(&self, session: &mut Session, id: Option<SessionId>) -> Result<Saved> {
        let Some(old) = session.id().cloned() else {
            return Err(gone("rotated"));
        };
        if let Some(saved) = self.adopt(session).await? {
            return Ok(saved);
        }
        let added = self.check_limit(session).await?;
        let before = added.before(session);
        let saved = self.move_to(session, &old, id).await?;
        self.enforce_or_undo(added, before, session).await?;
        Ok(saved)
    }

    /// Puts the session in the place of the stored one, under a new id; what others have saved to that goes along.
    pub(super) async fn move_to(
        &self,
        session: &mut Session,
        old: &SessionId,
        id: Option<SessionId>,
    ) -> Result<Saved> {
        let (mut moved, mut saved) = (session.clone(), Saved::Created);
        let (mut taken, mut changed) = (0, 0);
        loop {
            let mut op = self.rotation(&moved, old, id.clone());
            let answer = match self.run(&mut op).await {
                Ok(answer) => answer,
                Err(error) => return self.look_for(session, &op, error).await,
            };
            match answer.outcome {
                Outcome::Done => {
                    mark_stored(&mut moved, &op, answer);
                    *session = moved;
                    return Ok(saved);
                }
                Outcome::Missing => return Err(gone("rotated")),
                Outcome::Taken if id.is_some() => {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        "a session with the id that the caller gave exists already",
                    ));
                }
                Outcome::Taken if taken + 1 == CREATE_ATTEMPTS => {
                    return Err(super::save::all_taken());
                }
                Outcome::Taken => {
                    taken += 1;
                    continue;
                }
                Outcome::Changed if changed + 1 < ATTEMPTS => changed += 1,
                Outcome::Changed => return Err(changed_again()),
                _ => return Err(unexpected(&op, &answer)),
            }
            let _turn = self.turn(old).await;
            pause(changed).await;
            // A backend may not be able to tell a changed session from one that is gone: the load can.
            let fresh = self.fetch(old).await?.ok_or_else(|| gone("rotated"))?;
            if self.conflict() == Conflict::Reject {
                return Err(rejected());
            }
            moved = self.again(session, fresh)?;
            if merges(self.conflict(), session) {
                saved = Saved::Merged;
            }
        }
    }

    fn rotation(&self, session: &Session, old: &SessionId, id: Option<SessionId>) -> Operation {
        let mut op = self
            .operation(Action::Rotate)
            .with_session(session.rotated_to(id));
        op.replaces = Some(Replaced::new(old.clone(), self.inner.rotated_for));
        if let Some(stored) = session.stored()
            && !self.overwrites(session)
        {
            op.guard = Guard::Unchanged(stored.clone());
        }
        op
    }

    /// Where the answer to a rotation was lost, looks whether it happened: then the new id is the session's.
    async fn look_for(&self, session: &mut Session, op: &Operation, error: Error) -> Result<Saved> {
        let Some(id) = op.id().filter(|_| error.may_have_happened()) else {
            return Err(error);
        };
        session.mark_rotating(Some(id.clone()));
        match self.adopt(session).await {
            Ok(Some(saved)) => Ok(saved),
            Ok(None) | Err(_) => Err(error),
        }
    }

    /// Gives the session the id of a rotation whose answer was lost, where it is stored under that.
    async fn adopt(&self, session: &mut Session) -> Result<Option<Saved>> {
        let Some(id) = session.rotating_to().cloned() else {
            return Ok(None);
        };
        let Some(fresh) = self.fetch(&id).await? else {
            return Ok(None);
        };
        let mut adopted = session.merged_onto(fresh);
        if adopted.is_modified() {
            self.update(&mut adopted).await?;
        }
        adopted.mark_rotating(None);
        *session = adopted;
        Ok(Some(Saved::Created))
    }
}
