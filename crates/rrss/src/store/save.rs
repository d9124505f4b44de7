//! Storing a session: creating it where it is new.

#[cfg(doc)]
use rrss_core::Conflict;
use rrss_core::{Action, Answer, Deadline, Error, ErrorKind, Operation, Outcome, Result, Session};

use super::{Store, Turn, unexpected};

/// How often a create is tried again with a new id when the one that was made is taken.
///
/// Two random ids of 122 bits never meet by chance; what meets are the ids of a broken generator, and then
/// more tries do not help.
pub(super) const CREATE_ATTEMPTS: usize = 3;

/// What a save did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Saved {
    /// The session was new and is stored under a fresh id.
    Created,
    /// The stored session was replaced; nobody had changed it meanwhile, or the policy is not to ask.
    Replaced,
    /// Others had changed the stored session meanwhile; this session's changes were made to theirs, and it shows
    /// both now.
    Merged,
    /// There was no change to store; the backend was not asked.
    Unchanged,
    /// The session is new and has no fields; it was not stored, and the backend was not asked. [`Store::create`] stores it.
    Empty,
}

impl Store {
    /// Stores a session: creates it where it is new, replaces the stored one where it is not. A new session
    /// without fields is not stored, for which there is [`create`](Store::create), and one without changes is not written again.
    ///
    /// Where the stored session changed since this one was loaded, the store's [`Conflict`] policy decides. By
    /// default the changes of both are merged, field by field; a field that both changed gets the value of the
    /// later save. It costs no operation more where nobody interfered.
    ///
    /// The session is left as it was where this fails, so that it can be saved again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] where it does not exist any more: deleted, expired or rotated away since it was loaded;
    /// nothing is stored then. [`ErrorKind::Conflict`] where it is new and brings an id that is taken, where
    /// the policy is to reject, where others changed it again and again, or where they changed a field that was
    /// [inserted if unchanged](Session::insert_if_unchanged).
    /// [`ErrorKind::Value`] and [`ErrorKind::TooLarge`] where a step cannot store it, or where a value of an indexed field
    /// has as many sessions as it may have. Else as [`load`](Store::load).
    pub async fn save(&self, session: &mut Session) -> Result<Saved> {
        self.save_in(&mut None, session).await
    }

    /// The same, in a turn that the caller may have already.
    pub(super) async fn save_in(
        &self,
        turn: &mut Option<Turn>,
        session: &mut Session,
    ) -> Result<Saved> {
        if session.is_new() && session.is_empty() {
            return Ok(Saved::Empty);
        }
        if !session.is_new() && !session.is_modified() {
            return Ok(Saved::Unchanged);
        }
        if !self.has_limit() {
            return self.write(turn, session).await;
        }
        // It is large, and must not make every save larger.
        Box::pin(async {
            let added = self.check_limit(session).await?;
            let before = added.before(session);
            let saved = self.write(turn, session).await?;
            self.enforce_or_undo(added, before, session).await?;
            Ok(saved)
        })
        .await
    }

    async fn write(&self, turn: &mut Option<Turn>, session: &mut Session) -> Result<Saved> {
        if session.is_new() {
            self.create_new(session).await?;
            return Ok(Saved::Created);
        }
        self.update_in(turn, session).await
    }

    /// Stores a new session as [`save`](Store::save) does, and one without fields too: for hosts that hand out an id before
    /// there is anything to keep under it, as adapters to some frameworks must. One operation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] where the session is stored already, or brings an id that is taken. [`ErrorKind::Value`] where it
    /// has no fields and the backend cannot keep such a session: `redis` with `layout = "hash"` and a `compat`. Else as
    /// [`save`](Store::save).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// # let store = rrss::Store::from_toml("step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]")?;
    /// use rrss::{Saved, Session};
    ///
    /// let mut session = Session::new();
    /// assert_eq!(store.save(&mut session).await?, Saved::Empty);
    /// assert_eq!(session.id(), None);
    ///
    /// store.create(&mut session).await?;
    /// let id = session.id().unwrap();
    /// assert!(store.load(id).await?.unwrap().is_empty());
    /// # Ok(()) }
    /// ```
    pub async fn create(&self, session: &mut Session) -> Result<()> {
        if !session.is_new() {
            return Err(Error::new(
                ErrorKind::Conflict,
                "a session that is stored already cannot be created; save it instead",
            ));
        }
        let added = self.check_limit(session).await?;
        let before = added.before(session);
        self.create_new(session).await?;
        self.enforce_or_undo(added, before, session).await
    }

    async fn create_new(&self, session: &mut Session) -> Result<()> {
        let mut made = session.clone();
        if made.created_at().is_none() {
            made = made.with_created_at(Some(self.now()));
        }
        for _ in 0..CREATE_ATTEMPTS {
            let mut op = self.operation(Action::Create).with_session(made.clone());
            let answer = self.run(&mut op).await?;
            match answer.outcome {
                Outcome::Done => {
                    mark_stored(&mut made, &op, answer);
                    *session = made;
                    return Ok(());
                }
                Outcome::Taken if session.id().is_some() => {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        "a session with the id that the caller gave exists already",
                    ));
                }
                Outcome::Taken => {}
                _ => return Err(unexpected(&op, &answer)),
            }
        }
        Err(all_taken())
    }
}

pub(super) fn all_taken() -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!(
            "{CREATE_ATTEMPTS} fresh session ids were all taken; is the source of randomness broken?"
        ),
    )
}

pub(super) fn mark_stored(session: &mut Session, op: &Operation, answer: Answer) {
    let kept = session
        .expires_at()
        .filter(|_| op.deadline == Deadline::Keep);
    if let Some(id) = op.id() {
        session.mark_stored(id.clone(), answer.stored, answer.expires_at.or(kept));
        session.mark_written(op.now());
    }
}

pub(super) fn gone(what: &str) -> Error {
    Error::new(
        ErrorKind::Gone,
        format!(
            "the session that was to be {what} does not exist any more; it was deleted, expired or rotated"
        ),
    )
}
