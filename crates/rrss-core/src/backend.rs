//! The role of the last step: where sessions are kept.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::answer::{Answer, Outcome, Page};
use crate::error::{Error, ErrorKind, Result};
use crate::expired::ExpiredNote;
use crate::finding::{Finding, Needs};
use crate::id::StorageKey;
use crate::index::IndexKey;
use crate::operation::{Action, Cursor, Operation};
use crate::payload::{Payload, StoredForm};
use crate::rotation;
use crate::session::Session;
use crate::time::Timestamp;
use crate::validity::Validity;

/// The step that does the input and output; the last of every pipeline.
///
/// Each method carries out one operation, in one round trip where the store is across a network. Everything
/// that the steps above want is on the [`Operation`]: the key, the deadline, the guard, the payload. The sentences
/// below are promises: the conformance suite of `rrss-testkit` has a test for each.
///
/// An error means that the backend could not do its work. That a session does not exist is an answer.
pub trait Backend: Send + Sync + 'static {
    /// Reads what is stored under [`Operation::key`].
    ///
    /// It answers the bytes exactly as they were written. It answers `None` for a key that was never written,
    /// that was deleted, or whose deadline is not after [`Operation::now`]. Reading changes nothing.
    ///
    /// Where the operation [wants a validity](Operation::wants_validity), and the backend
    /// [is told of changes](crate::Shape::tells_changes), it answers one that misses no change after the reading. It
    /// answers none where it cannot be told now, as when the server refuses to.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] or [`ErrorKind::Timeout`]: an outage never looks like a missing session.
    /// [`ErrorKind::Corrupt`] where the key holds what this backend cannot have written.
    fn load(&self, op: &Operation) -> impl Future<Output = Result<Option<Record>>> + Send;

    /// Writes [`Operation::bytes`] under the key, if [`Operation::guard`] holds, with [`Operation::deadline`].
    ///
    /// Under [`Guard::Absent`](crate::Guard::Absent) it writes only if nothing live is stored there, else it answers
    /// [`Written::Taken`]. Under [`Guard::Exists`](crate::Guard::Exists) it replaces what is live there, else it
    /// answers [`Written::Gone`] and stores nothing. Under [`Guard::Unchanged`](crate::Guard::Unchanged) it replaces
    /// exactly those bytes, else it answers [`Written::Changed`], or [`Written::Gone`] where it can tell that nothing is
    /// there, and stores nothing. Of two creates of one key at once, and of two updates of the same bytes, exactly
    /// one is done.
    /// With [`Deadline::Keep`](crate::Deadline::Keep) a replaced session keeps the deadline that it has, and a new
    /// one has none. Where the guard holds, a deadline that is not in the
    /// future removes what is there, and is done.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load); [`ErrorKind::TooLarge`] where a limit of the backend's own
    /// options is reached.
    fn write(&self, op: &Operation) -> impl Future<Output = Result<Written>> + Send;

    /// By what this backend tells whether a session is still the stored one, once `session` is written; for backends that
    /// [keep fields](crate::Shape::backend_of_sessions), which have no bytes to compare.
    fn stored_form(&self, session: &Session) -> Option<StoredForm> {
        let _ = session;
        None
    }

    /// Whether it keeps the fields of a session one by one, and so stands [without a codec](crate::Shape::backend_of_sessions).
    fn keeps_fields(&self) -> bool {
        false
    }

    /// Moves the deadline of what is live under the key, if [`Operation::guard`] holds.
    ///
    /// It never creates and never changes the bytes. It answers [`Written::Done`] where a live session was there, else
    /// [`Written::Gone`]. Under [`Guard::Unchanged`](crate::Guard::Unchanged) it touches exactly those bytes, else it answers
    /// [`Written::Changed`], or [`Written::Gone`] where it can tell that nothing is there. With
    /// [`Deadline::Keep`](crate::Deadline::Keep) the deadline stays. A deadline that is not in the future removes it, and is
    /// done. The entries that it [puts](crate::IndexChanges::put) are in the index afterwards, also where they were missing.
    ///
    /// [`Action::Reindex`](crate::Action::Reindex) comes here too.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn touch(&self, op: &Operation) -> impl Future<Output = Result<Written>> + Send;

    /// Stores [`Operation::bytes`] under the key, which is free, with [`Operation::deadline`], and removes what is live under
    /// the key of [`Operation::replaces`], if [`Operation::guard`] holds of that.
    ///
    /// It answers [`Written::Done`] where both happened, and else does nothing: it answers [`Written::Taken`] where something
    /// live is under the new key, [`Written::Gone`] where nothing live is under the old one, [`Written::Changed`] where what
    /// is there is not what the guard says. With [`Deadline::Keep`](crate::Deadline::Keep) the session keeps the deadline that
    /// it had under the old key. The entries that it puts are those of the new key, and those that it removes, of the old
    /// one; the event of the old key goes, too. Afterwards the old key is [known](Backend::was_rotated) for as long as the
    /// operation says, where the backend can remember it.
    ///
    /// A backend that can change two keys at once lets no other operation see one half of it. The way that is written
    /// here creates the new session and then deletes the old one, and takes the first back where the second is refused: a
    /// backend that has nothing better shows both for a moment.
    ///
    /// # Errors
    ///
    /// As for [`write`](Backend::write).
    fn rotate(&self, op: &Operation) -> impl Future<Output = Result<Written>> + Send {
        self.rotate_in_two_steps(op)
    }

    /// What [`rotate`](Backend::rotate) does where it is not written: a create and a delete. For a backend that can change two
    /// keys at once in some cases only.
    ///
    /// # Errors
    ///
    /// As for [`rotate`](Backend::rotate).
    fn rotate_in_two_steps(&self, op: &Operation) -> impl Future<Output = Result<Written>> + Send {
        rotation::in_two_steps(self, op)
    }

    /// Whether [`rotate`](Backend::rotate) is one change, of which no other operation sees a half.
    fn rotates_at_once(&self) -> bool {
        false
    }

    /// Whether the session under [`Operation::key`] got another key by a rotation, and that is to be
    /// [known](crate::Replaced::known_for) still. Asked of a key that nothing is stored under.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn was_rotated(&self, op: &Operation) -> impl Future<Output = Result<bool>> + Send {
        let _ = op;
        async { Ok(false) }
    }

    /// Removes what is under the key, if [`Operation::guard`] holds.
    ///
    /// Under [`Guard::Exists`](crate::Guard::Exists) it answers [`Written::Done`] where a live session was there, else
    /// [`Written::Gone`]. Under [`Guard::Unchanged`](crate::Guard::Unchanged) it removes exactly those bytes, else it
    /// answers [`Written::Changed`], or [`Written::Gone`] where it can tell that nothing is there, and removes
    /// nothing that is live.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn delete(&self, op: &Operation) -> impl Future<Output = Result<Written>> + Send;

    /// Names the keys that were [put](crate::IndexChanges::put) into the index under `entry`, about `limit` at a time.
    ///
    /// Following `next` from the first page to the last names each live session that has the entry at least once. It may
    /// name sessions that have ended or have another value by now, at most until the next sweep after the latest deadline
    /// that the entry was put with. Only backends that [keep an index](Backend::keeps_index) are asked.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn find(
        &self,
        op: &Operation,
        entry: &IndexKey,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Page>> + Send {
        let _ = (op, entry, cursor, limit);
        async {
            Err(Error::new(
                ErrorKind::Unsupported,
                "this backend keeps no index, so sessions cannot be found by a field",
            ))
        }
    }

    /// Whether it carries out [`Operation::index`] and [`find`](Backend::find).
    fn keeps_index(&self) -> bool {
        false
    }

    /// Names keys of [`Operation::key_space`], about `limit` at a time.
    ///
    /// Following `next` from the first page to the last names each key that was there all the while at least
    /// once, and none of another key space or past its deadline. It never holds the backend up for long.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn list(
        &self,
        op: &Operation,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Page>> + Send;

    /// Counts the live keys of [`Operation::key_space`]; while others write, about.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn count(&self, op: &Operation) -> impl Future<Output = Result<u64>> + Send;

    /// Removes up to `limit` sessions whose deadline is not after [`Operation::now`], and says how many.
    ///
    /// It never removes one that was renewed meanwhile. Fewer than `limit` means that none were left. A backend
    /// that expires by itself has nothing to do here.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn sweep(&self, op: &Operation, limit: usize) -> impl Future<Output = Result<u64>> + Send {
        let _ = (op, limit);
        async { Ok(0) }
    }

    /// Whether [`sweep`](Backend::sweep) must be called now and then for expired sessions to be removed.
    fn needs_sweep(&self) -> bool {
        false
    }

    /// Takes up to `limit` notes of sessions of [`Operation::key_space`] that have expired: their deadline is not after
    /// [`Operation::now`], they are not live, and what a [`sweep`](Backend::sweep) has to remove is removed.
    ///
    /// It gives each note that was [kept](crate::NoteChange::Keep) last, with the deadline that the session had last, at
    /// least once: also those of sessions that expired while no process ran. What is given is not given again, to anybody,
    /// until `lease` after [`Operation::now`], unless it is [forgotten](Backend::forget_expired) before; then it is given
    /// again. It gives none of a session that is live, nor of one that an operation
    /// [removed the note](crate::NoteChange::Remove) of. An update or a touch that ends a live session, by a deadline that
    /// is not in the future, lets it expire. A session created under the key of one that expired takes the place of its
    /// note, too. A note of an operation that was refused, or that a crash came before, may be
    /// given too.
    ///
    /// It drops the notes whose session's deadline is `keep` ago or more; they are not given. With a `limit` of 0 it does
    /// nothing else. An empty answer to another `limit` means that there is none to give for now. However many
    /// notes there are, it never holds the backend up for long.
    ///
    /// Only backends that [keep notes](Backend::keeps_expired) are asked.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load). What was taken already is given again after the lease.
    fn take_expired(
        &self,
        op: &Operation,
        limit: usize,
        lease: Duration,
        keep: Duration,
    ) -> impl Future<Output = Result<Vec<ExpiredNote>>> + Send {
        let _ = (op, limit, lease, keep);
        async { Err(keeps_no_notes()) }
    }

    /// Forgets the notes of expired sessions that were [taken](Backend::take_expired) from these keys of
    /// [`Operation::key_space`], and says how many were there. Those of sessions that are live stay.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn forget_expired(
        &self,
        op: &Operation,
        keys: &[StorageKey],
    ) -> impl Future<Output = Result<u64>> + Send {
        let _ = (op, keys);
        async { Err(keeps_no_notes()) }
    }

    /// Whether it keeps the [notes](crate::IndexChanges::note) of sessions until they have expired and were told of.
    fn keeps_expired(&self) -> bool {
        false
    }

    /// Whether it is told of the changes that others make to a session, and so answers a [`Validity`] to a load that
    /// [wants one](Operation::wants_validity).
    fn tells_changes(&self) -> bool {
        false
    }

    /// Whether an entry of the index can be lost while its session stays: where the two are stored on servers that fail over
    /// separately, or where the server evicts keys when its memory is full. The store then puts the entries of a session back
    /// when the session is used.
    fn may_lose_entries(&self) -> bool {
        false
    }

    /// The present instant by the clock that decides when sessions of this backend expire, as far as it is known; `None` where
    /// that is the clock of this process, or the backend has not learnt it.
    fn known_now(&self) -> Option<Timestamp> {
        None
    }

    /// The same, learnt now where it is not known and `op` depends on it. The instants of an operation are moved to this clock
    /// before the backend is given it, and those of the answer back, where the two differ by a second or more: so what this
    /// backend expires lives as long as the operation says, however wrong the clock of the process is.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn server_now(&self, op: &Operation) -> impl Future<Output = Result<Option<Timestamp>>> + Send {
        let _ = op;
        async { Ok(None) }
    }

    /// Reaches the backend once, to see that it is there and lets us in.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn ping(&self) -> impl Future<Output = Result<()>> + Send;

    /// Looks whether the backend has what the pipeline needs: its version, its role, rights, room. It changes nothing. What it
    /// cannot find out is a finding too.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load), where the backend is not reached at all.
    fn examine(&self, needs: &Needs) -> impl Future<Output = Result<Vec<Finding>>> + Send {
        let _ = needs;
        async { Ok(Vec::new()) }
    }

    /// Makes what was acknowledged as safe as it can be made, before the process ends.
    ///
    /// # Errors
    ///
    /// As for [`load`](Backend::load).
    fn close(&self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
}

fn keeps_no_notes() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "this backend keeps no notes of sessions, so it cannot tell which have expired",
    )
}

/// What a backend holds for one key.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Record {
    /// The bytes, exactly as they were written; or the session, from a backend that keeps fields.
    pub payload: Payload,
    /// What the backend can tell by whether the session is still this one: the bytes, or what
    /// [`Backend::stored_form`] makes of a session.
    pub stored: Option<StoredForm>,
    /// The deadline, where reading told it.
    pub expires_at: Option<Timestamp>,
    /// Whether it is still what is stored, where that was [wanted](Operation::wants_validity) and can be told.
    pub validity: Option<Validity>,
}

impl Record {
    /// What was read, and its deadline where that is known.
    #[must_use]
    pub fn new(bytes: bytes::Bytes, expires_at: Option<Timestamp>) -> Self {
        Self {
            stored: Some(StoredForm::from(bytes.clone())),
            payload: Payload::Bytes(bytes),
            expires_at,
            validity: None,
        }
    }

    /// A session that was read field by field, from a backend that [keeps fields](crate::Shape::backend_of_sessions).
    #[must_use]
    pub fn of_session(
        session: Session,
        stored: Option<StoredForm>,
        expires_at: Option<Timestamp>,
    ) -> Self {
        Self {
            payload: Payload::Session(session),
            stored,
            expires_at,
            validity: None,
        }
    }

    /// The same, with what tells whether it is still what is stored.
    #[must_use]
    pub fn with_validity(self, validity: Option<Validity>) -> Self {
        Self { validity, ..self }
    }
}

/// What became of a write, a rotation, a touch or a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Written {
    /// It was done.
    Done,
    /// The key was not free; nothing was written.
    Taken,
    /// There was nothing to replace or remove; nothing was done.
    Gone,
    /// What is stored is not what the guard says, or is gone; nothing was done.
    Changed,
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The erased twin of [`Backend`]: every operation by one boxed call.
pub(crate) trait DynBackend: Send + Sync {
    fn call<'a>(&'a self, op: &'a Operation) -> BoxFuture<'a, Result<Answer>>;
    fn ping(&self) -> BoxFuture<'_, Result<()>>;
    fn examine<'a>(&'a self, needs: &'a Needs) -> BoxFuture<'a, Result<Vec<Finding>>>;
    fn close(&self) -> BoxFuture<'_, Result<()>>;
    fn known_now(&self) -> Option<Timestamp>;
    fn needs_sweep(&self) -> bool;
    fn rotates_at_once(&self) -> bool;
    fn may_lose_entries(&self) -> bool;
    fn stored_form(&self, session: &Session) -> Option<StoredForm>;
}

impl<B: Backend> DynBackend for B {
    fn call<'a>(&'a self, op: &'a Operation) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(async move {
            let server_now = self.server_now(op).await?;
            match server_now.map_or(0, |server| server.ahead_of(op.now())) {
                0 => dispatch(self, op).await,
                ahead => {
                    let answer = dispatch(self, &op.shifted(ahead)).await?;
                    Ok(answer.shifted(ahead.saturating_neg()))
                }
            }
        })
    }

    fn known_now(&self) -> Option<Timestamp> {
        Backend::known_now(self)
    }

    fn ping(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(Backend::ping(self))
    }

    fn examine<'a>(&'a self, needs: &'a Needs) -> BoxFuture<'a, Result<Vec<Finding>>> {
        Box::pin(Backend::examine(self, needs))
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(Backend::close(self))
    }

    fn needs_sweep(&self) -> bool {
        Backend::needs_sweep(self)
    }

    fn rotates_at_once(&self) -> bool {
        Backend::rotates_at_once(self)
    }

    fn may_lose_entries(&self) -> bool {
        Backend::may_lose_entries(self)
    }

    fn stored_form(&self, session: &Session) -> Option<StoredForm> {
        Backend::stored_form(self, session)
    }
}

/// What is rare is put elsewhere, so that it does not make every operation larger.
async fn dispatch<B: Backend>(backend: &B, op: &Operation) -> Result<Answer> {
    Ok(match op.action() {
        Action::Load => match backend.load(op).await? {
            Some(record) => Answer {
                outcome: Outcome::Found,
                stored: record.stored,
                payload: record.payload,
                expires_at: record.expires_at,
                renew: None,
                validity: record.validity,
                is_kept: false,
            },
            None if op.wants_rotated && Box::pin(backend.was_rotated(op)).await? => {
                Answer::new(Outcome::Rotated)
            }
            None => Answer::new(Outcome::Missing),
        },
        Action::Create | Action::Update => written(backend, op, backend.write(op).await?),
        Action::Rotate => written(backend, op, Box::pin(backend.rotate(op)).await?),
        Action::Touch => Answer {
            expires_at: op.deadline.instant(),
            ..Answer::new(outcome(backend.touch(op).await?))
        },
        Action::Reindex => Answer::new(outcome(backend.touch(op).await?)),
        Action::Delete => Answer::new(outcome(backend.delete(op).await?)),
        Action::Find {
            entry,
            cursor,
            limit,
        } => Answer::new(Outcome::Page(
            Box::pin(backend.find(op, entry, cursor.as_ref(), *limit)).await?,
        )),
        Action::List { cursor, limit } => Answer::new(Outcome::Page(
            Box::pin(backend.list(op, cursor.as_ref(), *limit)).await?,
        )),
        Action::Count => Answer::new(Outcome::Count(Box::pin(backend.count(op)).await?)),
        Action::Sweep { limit } => {
            Answer::new(Outcome::Count(Box::pin(backend.sweep(op, *limit)).await?))
        }
        Action::TakeExpired { limit, lease, keep } => Answer::new(Outcome::Expired(
            Box::pin(backend.take_expired(op, *limit, *lease, *keep)).await?,
        )),
        Action::ForgetExpired { keys } => Answer::new(Outcome::Count(
            Box::pin(backend.forget_expired(op, keys)).await?,
        )),
    })
}

fn written<B: Backend>(backend: &B, op: &Operation, written: Written) -> Answer {
    if written != Written::Done {
        return Answer::new(outcome(written));
    }
    Answer {
        stored: match &op.payload {
            Payload::Bytes(bytes) => Some(StoredForm::from(bytes.clone())),
            Payload::Session(session) => backend.stored_form(session),
            Payload::None => None,
        },
        expires_at: op.deadline.instant(),
        ..Answer::new(Outcome::Done)
    }
}

fn outcome(written: Written) -> Outcome {
    match written {
        Written::Done => Outcome::Done,
        Written::Taken => Outcome::Taken,
        Written::Gone => Outcome::Missing,
        Written::Changed => Outcome::Changed,
    }
}
