//! A subject is a backend itself, so that others can stand in front of it.

use std::time::Duration;

use rrss_core::{
    Action, Answer, Backend, Cursor, Error, ErrorKind, ExpiredNote, IndexKey, Operation, Outcome,
    Page, Payload, Record, Result, Session, StorageKey, StoredForm, Written,
};

use crate::subject::Subject;

impl Backend for Subject {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        let answer = self.ask(Action::Load, op).await?;
        let record = match (answer.outcome, answer.payload) {
            (Outcome::Found, Payload::Bytes(bytes)) => Record::new(bytes, answer.expires_at),
            (Outcome::Found, Payload::Session(session)) => {
                Record::of_session(session, answer.stored, answer.expires_at)
            }
            (Outcome::Missing | Outcome::Rotated, _) => return Ok(None),
            (outcome, _) => return Err(unexpected(&outcome)),
        };
        Ok(Some(record.with_validity(answer.validity)))
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        written(self.ask(op.action().clone(), op).await?)
    }

    fn stored_form(&self, session: &Session) -> Option<StoredForm> {
        self.pipeline().stored_form(session)
    }

    fn keeps_fields(&self) -> bool {
        self.pipeline().keeps_fields()
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        written(self.ask(Action::Touch, op).await?)
    }

    async fn rotate(&self, op: &Operation) -> Result<Written> {
        written(self.ask(Action::Rotate, op).await?)
    }

    fn rotates_at_once(&self) -> bool {
        self.pipeline().rotates_at_once()
    }

    fn may_lose_entries(&self) -> bool {
        self.pipeline().may_lose_entries()
    }

    async fn was_rotated(&self, op: &Operation) -> Result<bool> {
        let mut op = op.clone();
        op.wants_rotated = true;
        Ok(self.ask(Action::Load, &op).await?.outcome == Outcome::Rotated)
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        written(self.ask(Action::Delete, op).await?)
    }

    async fn find(
        &self,
        op: &Operation,
        entry: &IndexKey,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page> {
        let action = Action::Find {
            entry: entry.clone(),
            cursor: cursor.cloned(),
            limit,
        };
        page(self.ask(action, op).await?)
    }

    fn keeps_index(&self) -> bool {
        self.pipeline().keeps_index()
    }

    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        let action = Action::List {
            cursor: cursor.cloned(),
            limit,
        };
        page(self.ask(action, op).await?)
    }

    async fn count(&self, op: &Operation) -> Result<u64> {
        counted(self.ask(Action::Count, op).await?)
    }

    async fn sweep(&self, op: &Operation, limit: usize) -> Result<u64> {
        counted(self.ask(Action::Sweep { limit }, op).await?)
    }

    fn needs_sweep(&self) -> bool {
        self.pipeline().needs_sweep()
    }

    async fn take_expired(
        &self,
        op: &Operation,
        limit: usize,
        lease: Duration,
        keep: Duration,
    ) -> Result<Vec<ExpiredNote>> {
        let action = Action::TakeExpired { limit, lease, keep };
        match self.ask(action, op).await?.outcome {
            Outcome::Expired(notes) => Ok(notes),
            outcome => Err(unexpected(&outcome)),
        }
    }

    async fn forget_expired(&self, op: &Operation, keys: &[StorageKey]) -> Result<u64> {
        let action = Action::ForgetExpired {
            keys: keys.to_vec(),
        };
        counted(self.ask(action, op).await?)
    }

    fn keeps_expired(&self) -> bool {
        self.pipeline().keeps_expired()
    }

    fn tells_changes(&self) -> bool {
        self.pipeline().tells_changes()
    }

    async fn ping(&self) -> Result<()> {
        self.pipeline().ping().await
    }

    async fn close(&self) -> Result<()> {
        self.pipeline().close().await
    }
}

impl Subject {
    /// Asks the backend for `action`, with all that `op` says besides.
    async fn ask(&self, action: Action, op: &Operation) -> Result<Answer> {
        let mut asked = Operation::new(action, op.now());
        if let Some(id) = op.id() {
            asked.assign_id(id.clone());
        }
        asked.key.clone_from(&op.key);
        asked.key_space.clone_from(&op.key_space);
        asked.deadline = op.deadline;
        asked.guard = op.guard.clone();
        asked.payload = op.payload.clone();
        asked.index = op.index.clone();
        asked.wants_deadline = op.wants_deadline;
        asked.wants_validity = op.wants_validity;
        asked.wants_rotated = op.wants_rotated;
        asked.replaces.clone_from(&op.replaces);
        self.run(asked).await
    }
}

fn written(answer: Answer) -> Result<Written> {
    match answer.outcome {
        Outcome::Done => Ok(Written::Done),
        Outcome::Taken => Ok(Written::Taken),
        Outcome::Missing => Ok(Written::Gone),
        Outcome::Changed => Ok(Written::Changed),
        outcome => Err(unexpected(&outcome)),
    }
}

fn page(answer: Answer) -> Result<Page> {
    match answer.outcome {
        Outcome::Page(page) => Ok(page),
        outcome => Err(unexpected(&outcome)),
    }
}

fn counted(answer: Answer) -> Result<u64> {
    match answer.outcome {
        Outcome::Count(count) => Ok(count),
        outcome => Err(unexpected(&outcome)),
    }
}

fn unexpected(outcome: &Outcome) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "the pipeline under test answered {outcome:?} to an operation that does not know it"
        ),
    )
}
