//! Putting a session back that was in quarantine.

use rrss_core::{
    Action, Answer, Deadline, Error, ErrorKind, Guard, Operation, Outcome, Page, Payload, Result,
    Session, SessionId, StorageKey,
};

use super::{Name, Quarantine, Quarantined};
use crate::store::unexpected;

/// What was put back: see [`Quarantine::restore`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Restored {
    /// Why it still cannot be read; `None` where it can. The next request for one that cannot moves it aside again.
    pub unreadable: Option<Error>,
}

impl Quarantine<'_> {
    /// Puts an entry back to where it was found, with the deadline that it had, and removes it from the quarantine. Where the
    /// session can be read by now, it is also found by its indexed fields again.
    ///
    /// It takes the place of nothing: whatever is stored there by now stays. It does bring a session back that its owner may have
    /// ended meanwhile, since nobody can find what cannot be read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`] where there is no such entry, or the deadline of the session has passed; [`ErrorKind::Conflict`] where
    /// another session is stored there. Nothing is changed then. Where the backend failed, the session may be in both places; a
    /// second try goes on.
    pub async fn restore(&self, name: &Name) -> Result<Restored> {
        let entry = self.get(name).await?.ok_or_else(|| {
            gone("there is no such entry in the quarantine; its time may be over, or it was put back already")
        })?;
        let deadline = entry.deadline().map_or(Deadline::Never, Deadline::At);
        if deadline.is_past(self.store.now()) {
            return Err(gone(
                "the deadline of the session has passed while it was in quarantine, so it stays there",
            ));
        }
        let (mut op, unreadable) = match self.session(&entry) {
            Ok(session) => (self.with_index(&entry, &session), None),
            Err(error) => (self.plain(&entry), Some(error)),
        };
        op.deadline = deadline;
        op.guard = Guard::Absent;
        op.payload = Payload::Bytes(entry.bytes().clone());
        let answer = self.run(&op).await?;
        match answer.outcome {
            Outcome::Done => {}
            Outcome::Taken if self.is_back(&entry).await? => {}
            Outcome::Taken => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "another session is stored by now where this one was, and stays; so does the entry in the quarantine",
                ));
            }
            _ => return Err(unexpected(&op, &answer)),
        }
        let mut op = self.on(Action::Delete, name);
        op.guard = Guard::Unchanged(entry.written.clone().into());
        self.run(&op).await?;
        Ok(Restored { unreadable })
    }

    /// Whether these very bytes are there already, as a try left them that was cut short.
    async fn is_back(&self, entry: &Quarantined) -> Result<bool> {
        let mut op = self.store.operation(Action::Load);
        op.key = Some(entry.key().clone());
        let answer = self.run(&op).await?;
        Ok(answer.payload.bytes() == Some(entry.bytes()))
    }

    /// The session that the entry is, with the steps of today.
    fn session(&self, entry: &Quarantined) -> Result<Session> {
        let mut op = self.store.operation(Action::Load);
        op.key = Some(entry.key().clone());
        op.key_space = Some(self.sessions.clone());
        if let Some(id) = self.id(entry.key()) {
            op = op.with_id(id);
        }
        let mut answer = Answer::new(Outcome::Found);
        answer.stored = Some(entry.bytes().clone().into());
        answer.payload = Payload::Bytes(entry.bytes().clone());
        answer.expires_at = entry.deadline();
        let mut answer = self.store.inner.pipeline.read(&op, answer)?;
        let session = answer.take_session();
        session.ok_or_else(|| unexpected(&op, &answer))
    }

    /// The operation that stores the entry, with what the `index` step wants of the session.
    fn with_index(&self, entry: &Quarantined, session: &Session) -> Operation {
        let mut plain = self.plain(entry);
        let Some(id) = self.id(entry.key()) else {
            return plain;
        };
        let renewed = session.renewed_as(id);
        let mut op = self.store.operation(Action::Create).with_session(renewed);
        // Where the steps would not store it today, it is put back all the same.
        if let Ok(true) = self.store.inner.pipeline.prepare(&mut op)
            && op.key.as_ref() == Some(entry.key())
        {
            plain.index = op.index;
        }
        plain
    }

    fn plain(&self, entry: &Quarantined) -> Operation {
        let mut op = self.store.operation(Action::Create);
        op.key = Some(entry.key().clone());
        op.key_space = Some(self.sessions.clone());
        op
    }

    /// The id of the session under a key, where the key mapper can tell.
    fn id(&self, key: &StorageKey) -> Option<SessionId> {
        let list = Action::List {
            cursor: None,
            limit: 1,
        };
        let op = self.store.operation(list);
        let page = Outcome::Page(Page::new(vec![key.clone()], None));
        let answer = self.store.inner.pipeline.read(&op, Answer::new(page));
        match answer.ok()?.outcome {
            Outcome::Page(page) => page.ids.into_iter().next(),
            _ => None,
        }
    }
}

fn gone(message: &'static str) -> Error {
    Error::new(ErrorKind::Gone, message)
}
