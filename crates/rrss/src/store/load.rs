//! Reading a session, and giving it its time anew.

#[cfg(doc)]
use rrss_core::OnCorrupt;
use rrss_core::{
    Action, Answer, Deadline, Error, ErrorKind, Guard, Operation, Outcome, Result, Session,
    SessionId, Timestamp,
};

use super::update::{ATTEMPTS, changed_again, pause};
use super::{Store, unexpected};

impl Store {
    /// Loads a session; `None` where there is none with this id: unknown, deleted, expired or malformed. A
    /// malformed id never reaches the backend. An id that was [rotated](Store::rotate) away a moment ago is
    /// [`ErrorKind::Gone`]: its session goes on under another one, and none must be begun in its place.
    ///
    /// Where the `expiry` step renews sessions that are used, and it is time to, the deadline is moved, by an operation
    /// more; else a load is one operation and writes nothing. Should the renewal fail, the session is answered all the
    /// same, with the deadline that it had: the next load tries again. Should the session have ended meanwhile, it is `None`.
    ///
    /// Where the index can lose an entry (on a Redis Cluster, or where the server evicts keys), a load puts the entries of the
    /// session back, about once a minute and by an operation more: so a session that is used can be found, and ended, by its
    /// fields. [`reindex`](Store::reindex) does so for all sessions.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] for an id that was rotated away less than [`rotated_for`](crate::StoreBuilder::rotated_for) ago.
    /// [`ErrorKind::Unavailable`] and [`ErrorKind::Timeout`] where the backend cannot tell;
    /// [`ErrorKind::Corrupt`] where what it holds is no session, and stays as it is; unless [`OnCorrupt`] says otherwise.
    pub async fn load(&self, id: &SessionId) -> Result<Option<Session>> {
        let wants = Wants {
            rotated: !self.inner.rotated_for.is_zero(),
            ..Wants::default()
        };
        let Some(read) = self.read_one(id, wants).await? else {
            return Ok(None);
        };
        let mut session = read.session;
        let is_there = match read.renewal {
            Some(deadline) => self.renew(&mut session, deadline).await,
            // What a cache answers must not wait for the server.
            None if read.is_kept || !self.is_heal_due(&session) => true,
            None => Box::pin(self.heal(&session)).await,
        };
        Ok(is_there.then_some(session))
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
        let mut op = self.guarded(Action::Touch, session.clone());
        op.deadline = Deadline::At(deadline);
        match self.touched(&mut op).await {
            Ok(Touched::Done) => {
                session.mark_renewed(deadline);
                true
            }
            // Whoever changed the session meanwhile has given it a deadline, too.
            Ok(Touched::Changed) => true,
            Ok(Touched::Missing) => false,
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
            return self.touch_loaded(id, deadline).await;
        }
        self.run_on_one(&mut op).await
    }

    /// Touches what is stored, as it was loaded: the deadline and the entries depend on what is in the session.
    async fn touch_loaded(&self, id: &SessionId, deadline: Deadline) -> Result<bool> {
        let mut turn = None;
        for attempt in 1..=ATTEMPTS {
            let Some(session) = self.fetch(id).await? else {
                return Ok(false);
            };
            let mut op = self.guarded(Action::Touch, session);
            if deadline != Deadline::Keep {
                op.deadline = deadline;
            }
            match self.touched(&mut op).await? {
                Touched::Done => return Ok(true),
                Touched::Missing => return Ok(false),
                Touched::Changed => {}
            }
            if turn.is_none() {
                turn = Some(self.turn(id).await);
            }
            pause(attempt).await;
        }
        Err(changed_again())
    }

    /// An operation on exactly the session that was loaded.
    pub(super) fn guarded(&self, action: Action, session: Session) -> Operation {
        let stored = session.stored().cloned();
        let mut op = self.operation(action).with_session(session);
        if let Some(stored) = stored {
            op.guard = Guard::Unchanged(stored);
        }
        op
    }

    pub(super) async fn touched(&self, op: &mut Operation) -> Result<Touched> {
        let answer = self.run(op).await?;
        match answer.outcome {
            Outcome::Done => Ok(Touched::Done),
            Outcome::Missing => Ok(Touched::Missing),
            Outcome::Changed => Ok(Touched::Changed),
            _ => Err(unexpected(op, &answer)),
        }
    }
}

/// What became of a touch of a session that was loaded.
pub(super) enum Touched {
    Done,
    Missing,
    Changed,
}

/// What was read.
pub(super) struct Read {
    pub(super) session: Session,
    /// Until when the session is to be renewed.
    pub(super) renewal: Option<Timestamp>,
    /// Whether a step answered from what it keeps.
    pub(super) is_kept: bool,
}

/// What a load must tell besides the session.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wants {
    pub(super) deadline: bool,
    /// Whether the id was rotated away.
    pub(super) rotated: bool,
}

fn rotated_away() -> Error {
    Error::new(
        ErrorKind::Gone,
        "the session got a new id a moment ago, and goes on under that; do not begin another one in its place",
    )
}

/// The session of an answer, if there is one.
pub(super) fn loaded(op: &Operation, mut answer: Answer) -> Result<Option<Session>> {
    match answer.outcome {
        Outcome::Found => {}
        Outcome::Rotated => return Err(rotated_away()),
        _ => return Ok(None),
    }
    let (Some(mut session), Some(id)) = (answer.take_session(), op.id()) else {
        return Err(unexpected(op, &answer));
    };
    session.mark_stored(id.clone(), answer.stored, answer.expires_at);
    Ok(Some(session))
}
