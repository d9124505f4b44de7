//! Reading a session, and giving it its time anew.

use rrss_core::{
    Action, Answer, Deadline, Operation, Outcome, Result, Session, SessionId, Timestamp,
};
#[cfg(doc)]
use rrss_core::{ErrorKind, OnCorrupt};

use super::{Store, unexpected};

impl Store {
    /// Loads a session; `None` where there is none with this id: unknown, deleted, expired or malformed. A
    /// malformed id never reaches the backend.
    ///
    /// Where the `expiry` step renews sessions that are used, and it is time to, the deadline is moved, by an operation
    /// more; else a load is one operation and writes nothing. Should the renewal fail, the session is answered all the
    /// same, with the deadline that it had: the next load tries again. Should the session have ended meanwhile, it is `None`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] and [`ErrorKind::Timeout`] where the backend cannot tell;
    /// [`ErrorKind::Corrupt`] where what it holds is no session, and stays as it is; unless [`OnCorrupt`] says otherwise.
    pub async fn load(&self, id: &SessionId) -> Result<Option<Session>> {
        let Some((mut session, renewal)) = self.read_one(id, false).await? else {
            return Ok(None);
        };
        if let Some(deadline) = renewal
            && !self.renew(&mut session, deadline).await
        {
            return Ok(None);
        }
        Ok(Some(session))
    }

    /// Reads a session as it is, with its deadline, and renews nothing: for those who look into somebody else's session.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load); and [`ErrorKind::Corrupt`] whatever [`OnCorrupt`] says, since looking changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
    /// # let store = rrss::Store::from_toml(r#"
    /// #     step = [{ type = "key-mapper" }, { type = "expiry" }, { type = "json-codec" }, { type = "memory" }]
    /// # "#)?;
    /// let mut session = rrss::Session::new();
    /// session.insert("theme", "dark")?;
    /// store.save(&mut session).await?;
    ///
    /// let seen = store.inspect(session.id().unwrap()).await?.unwrap();
    /// assert!(seen.expires_at().is_some() && seen.written_at().is_some());
    /// # Ok(()) }
    /// ```
    pub async fn inspect(&self, id: &SessionId) -> Result<Option<Session>> {
        let mut op = self.operation(Action::Load).with_id(id.clone());
        op.wants_deadline = true;
        let answer = self.run(&mut op).await?;
        loaded(&op, answer)
    }

    /// Moves the deadline of a session that was just loaded; `false` where it has ended meanwhile.
    async fn renew(&self, session: &mut Session, deadline: Timestamp) -> bool {
        let mut op = self.operation(Action::Touch).with_session(session.clone());
        op.deadline = Deadline::At(deadline);
        match self.run_on_one(&mut op).await {
            Ok(true) => {
                session.mark_renewed(deadline);
                true
            }
            Ok(false) => false,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "renewing a session that was loaded failed; the next load tries again"
                );
                true
            }
        }
    }

    /// Moves the deadline of a session to where the `expiry` step puts it for a use of now; never its data. `false`
    /// where there is no such session; none is created.
    ///
    /// A session with [a deadline of its own](Session::set_expires_at) is put back to that. A deadline depends on what is in
    /// the session: its creation time, or a deadline of its own. So with an `expiry` or an `index` step the session is loaded
    /// first, and without them a touch only says whether it is there.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load).
    pub async fn touch(&self, id: &SessionId) -> Result<bool> {
        self.touch_to(id, Deadline::Keep).await
    }

    /// Moves the deadline of a session to `deadline`, until it is next saved or renewed, which with `renew = "load"` may be
    /// the next load; one in the past ends it at once. `false` where there is no such session; none is created. For a
    /// deadline that stays with the session, see [`Session::set_expires_at`].
    ///
    /// With an `expiry` step no session lives longer for it than a deadline of its own, or `absolute`, allows. With an
    /// `index` step, or `absolute`, the session is loaded first.
    ///
    /// # Errors
    ///
    /// As [`load`](Store::load).
    pub async fn touch_until(&self, id: &SessionId, deadline: Timestamp) -> Result<bool> {
        self.touch_to(id, Deadline::At(deadline)).await
    }

    async fn touch_to(&self, id: &SessionId, deadline: Deadline) -> Result<bool> {
        let mut op = self.operation(Action::Touch).with_id(id.clone());
        op.deadline = deadline;
        if self.inner.pipeline.wants_session(&op) {
            let Some(session) = self.fetch(id).await? else {
                return Ok(false);
            };
            op = self.operation(Action::Touch).with_session(session);
            if deadline != Deadline::Keep {
                op.deadline = deadline;
            }
        }
        self.run_on_one(&mut op).await
    }
}

/// The session of an answer, if there is one.
pub(super) fn loaded(op: &Operation, mut answer: Answer) -> Result<Option<Session>> {
    if answer.outcome != Outcome::Found {
        return Ok(None);
    }
    let (Some(mut session), Some(id)) = (answer.take_session(), op.id()) else {
        return Err(unexpected(op, &answer));
    };
    session.mark_stored(id.clone(), answer.stored, answer.expires_at);
    Ok(Some(session))
}
