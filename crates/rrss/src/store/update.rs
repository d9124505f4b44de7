//! Replacing a stored session, though others may have changed it since it was loaded.

use std::borrow::Cow;
use std::time::Duration;

use rrss_core::{Action, Conflict, Error, ErrorKind, Guard, Outcome, Result, Session};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::save::{Saved, gone, mark_stored};
use super::{Store, Turn, unexpected};

/// How often a save is tried in all while others keep changing the same session. In each round one of them wins,
/// so this bounds how many may save one session at the same moment, all again and again.
pub(super) const ATTEMPTS: u32 = 32;

/// The longest pause between two tries; it is cut to a random part, so that those who met once do not meet again.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

impl Store {
    /// Replaces the stored session: one operation where no other request interferes, else as the policy says.
    pub(super) async fn update(&self, session: &mut Session) -> Result<Saved> {
        self.update_in(&mut None, session).await
    }

    /// The same, in a turn that the caller may have already.
    pub(super) async fn update_in(
        &self,
        turn: &mut Option<Turn>,
        session: &mut Session,
    ) -> Result<Saved> {
        let mut merging: Option<Session> = None;
        // A backend that keeps fields is sent what was written.
        session.write_together(&self.inner.together);
        let mut tried = Vec::new();
        for attempt in 1..=ATTEMPTS {
            let candidate = merging.as_ref().unwrap_or(session);
            let mut op = self
                .operation(Action::Update)
                .with_session(candidate.clone());
            if let Some(stored) = candidate.stored()
                && self.guards_updates(candidate)
            {
                op.guard = Guard::Unchanged(stored.clone());
            }
            // What a refused try may have left in the index.
            op.index.removed = std::mem::take(&mut tried);
            let answer = self.run(&mut op).await?;
            match answer.outcome {
                Outcome::Done => {
                    let saved = match merging {
                        Some(merged) => {
                            let saved = self.after_conflict(session);
                            *session = merged;
                            saved
                        }
                        None => Saved::Replaced,
                    };
                    mark_stored(session, &op, answer);
                    return Ok(saved);
                }
                Outcome::Missing => return Err(gone("saved")),
                Outcome::Changed => tried = std::mem::take(&mut op.index.put),
                _ => return Err(unexpected(&op, &answer)),
            }
            let id = session.id().ok_or_else(|| unexpected(&op, &answer))?;
            if turn.is_none() {
                *turn = Some(self.turn(id).await);
            }
            pause(attempt).await;
            // A backend may not be able to tell a changed session from one that is gone: the load can.
            let fresh = self.fetch(id).await?.ok_or_else(|| gone("saved"))?;
            let again = self.again(session, fresh)?;
            if !again.is_modified() {
                // Others have stored the very same changes, or a try of ours whose answer was lost.
                let saved = self.after_conflict(session);
                *session = again.without_changes();
                return Ok(saved);
            }
            if self.conflict() == Conflict::Reject {
                return Err(rejected());
            }
            merging = Some(again);
        }
        Err(changed_again())
    }

    /// Whether `session` is written whatever others have stored: the policy says so, and nothing else, such as an entry in
    /// the index, depends on what that was.
    pub(super) fn overwrites(&self, session: &Session) -> bool {
        self.conflict() == Conflict::LastWrite
            && self.inner.pipeline.index().is_none()
            && session.guarded_fields().next().is_none()
    }

    fn after_conflict(&self, session: &Session) -> Saved {
        match merges(self.conflict(), session) {
            true => Saved::Merged,
            false => Saved::Replaced,
        }
    }

    /// Whether `session` may only replace what it was loaded from. A backend that writes fields one by one needs that only
    /// to reject: it sees by itself to the fields that nobody else may change.
    fn guards_updates(&self, session: &Session) -> bool {
        match self.conflict() {
            Conflict::Merge => !self.inner.pipeline.keeps_fields(),
            Conflict::LastWrite => !self.inner.pipeline.keeps_fields() && !self.overwrites(session),
            _ => true,
        }
    }

    /// Sets a field to what `update` makes of its value, saves the session with all its changes, and answers the value.
    /// Where others change the field meanwhile, the session is loaded again and `update` is run again, on their value: so
    /// a counter that many requests increment counts each of them.
    ///
    /// `update` gets `None` where there is no such field. A value that it leaves as it is is not stored. Other changes of
    /// this session are saved too, as [`save`](Store::save) has it; they are still there, unsaved, where this fails.
    ///
    /// # Errors
    ///
    /// As [`save`](Store::save) and [`Session::get`]. [`ErrorKind::Conflict`] only where others changed the field again
    /// and again, or where the store rejects conflicts and this session has other changes besides.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// # let store = rrss::Store::from_toml("step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]")?;
    /// let mut session = rrss::Session::new();
    /// let visits = store.update_field(&mut session, "visits", |visits: Option<u64>| visits.unwrap_or(0) + 1).await?;
    /// assert_eq!(visits, 1);
    ///
    /// let mut copy = store.load(session.id().unwrap()).await?.unwrap();
    /// store.update_field(&mut session, "visits", |visits: Option<u64>| visits.unwrap_or(0) + 1).await?;
    /// let visits = store.update_field(&mut copy, "visits", |visits: Option<u64>| visits.unwrap_or(0) + 1).await?;
    /// assert_eq!(visits, 3);
    /// # Ok(()) }
    /// ```
    pub async fn update_field<T, F>(
        &self,
        session: &mut Session,
        name: &str,
        mut update: F,
    ) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        let mut turn = None;
        for attempt in 1..=ATTEMPTS {
            let mut changed = session.clone();
            let value = update(changed.get(name)?);
            changed.insert_if_unchanged(name, &value)?;
            match self.save_in(&mut turn, &mut changed).await {
                Ok(_) => {
                    *session = changed;
                    return Ok(value);
                }
                Err(error) if error.kind() == ErrorKind::Conflict && !session.is_new() => {
                    if self.conflict() == Conflict::Reject && session.is_modified() {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
            let id = session.id().ok_or_else(changed_again)?;
            if turn.is_none() {
                turn = Some(self.turn(id).await);
            }
            pause(attempt).await;
            let fresh = self.fetch(id).await?.ok_or_else(|| gone("saved"))?;
            *session = self.merged(session, fresh)?;
        }
        Err(changed_again())
    }

    /// What to try next, where `fresh` is stored by now.
    pub(super) fn again(&self, session: &Session, mut fresh: Session) -> Result<Session> {
        let merged = self.merged(session, fresh.clone())?;
        if merges(self.conflict(), session) {
            return Ok(merged);
        }
        fresh.copy_fields_of(session);
        Ok(fresh)
    }

    /// What `session` has written made to `fresh`, unless others have changed a field that was not to be changed by others.
    pub(super) fn merged(&self, session: &Session, fresh: Session) -> Result<Session> {
        let mut session = Cow::Borrowed(session);
        if !self.inner.together.is_empty() {
            session.to_mut().write_together(&self.inner.together);
        }
        let touched = session
            .guarded_fields()
            .find(|name| session.stored_raw(name) != fresh.get_raw(name));
        match touched {
            None => Ok(session.merged_onto(fresh)),
            Some(name) => Err(Error::new(
                ErrorKind::Conflict,
                format!(
                    "the field `{name}` was changed by another request since the session was loaded; load it again"
                ),
            )),
        }
    }
}

/// Whether the changes of `session` are made to what others have stored. A condition on a field is a reason to look at
/// that, whatever the policy.
pub(super) fn merges(conflict: Conflict, session: &Session) -> bool {
    conflict != Conflict::LastWrite || session.guarded_fields().next().is_some()
}

pub(super) fn rejected() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "the session was changed by another request since it was loaded; load it again",
    )
}

pub(super) fn changed_again() -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!(
            "other requests changed the session during each of {ATTEMPTS} tries to save it; try again"
        ),
    )
}

/// The first try that failed is repeated at once: most conflicts are between two. Whoever pauses does so before reading
/// again, since what was read grows old meanwhile.
pub(super) async fn pause(attempt: u32) {
    if attempt > 1 {
        let longest = LONGEST_PAUSE.min(Duration::from_millis(1 << attempt.min(8)));
        tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
    }
}
