//! What is asked of a pipeline: one operation, on its way from the store to the backend.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::answer::{Answer, Outcome};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{KeySpace, SessionId, StorageKey};
use crate::index::{IndexChanges, IndexKey};
use crate::payload::{Payload, StoredForm};
use crate::session::Session;
use crate::time::Timestamp;

/// One operation. Steps read it and say on it what they want; the backend carries all of it out together.
///
/// It is a plain value: cloning it copies a few reference counts, so an `around` step can try twice.
///
/// # Examples
///
/// ```
/// use rrss_core::{Action, Operation, StorageKey, Timestamp};
///
/// let mut op = Operation::new(Action::Load, Timestamp::from_millis(0)).with_id("42".into());
/// op.key = Some(StorageKey::from(format!("sessions:{}", op.id().unwrap().as_str())));
/// assert_eq!(op.key()?.as_str(), "sessions:42");
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Operation {
    action: Action,
    now: Timestamp,
    id: Option<SessionId>,
    settled: Option<Outcome>,
    /// Where the session is stored; set by the `key-mapper`.
    pub key: Option<StorageKey>,
    /// The keys that belong to this store; set by the `key-mapper`, where it can tell them.
    pub key_space: Option<KeySpace>,
    /// Until when the session lives; set by `expiry`, or by the caller on the session.
    pub deadline: Deadline,
    /// What must hold of the stored session for the operation to happen; in a rotation, of the session that it
    /// [replaces](Operation::replaces).
    pub guard: Guard,
    /// The stored session whose place a rotation takes; `None` for every other operation.
    pub replaces: Option<Replaced>,
    /// What is to be stored: a session above the codec, bytes below it. A touch or a delete may bring the session
    /// as it was loaded, for steps that [want](crate::Transform::wants_session) it.
    pub payload: Payload,
    /// What changes in the index, together with the session; set by `index`.
    pub index: IndexChanges,
    /// Whether a load must tell the deadline, though that may cost the backend something.
    pub wants_deadline: bool,
    /// Whether a load must tell a [`Validity`](crate::Validity), where the backend can; set by a step that keeps what it
    /// was answered, such as `cache`.
    pub wants_validity: bool,
    /// Whether a load that finds nothing must also say whether the id was rotated away a moment ago; set by the store.
    pub wants_rotated: bool,
}

/// The stored session whose place another one takes, by [`Action::Rotate`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Replaced {
    /// The id that it has so far.
    pub id: SessionId,
    /// Where it is stored; set by the `key-mapper`.
    pub key: Option<StorageKey>,
    /// For how long the backend remembers that the id was rotated away; with zero it does not.
    pub known_for: Duration,
}

impl Replaced {
    /// The session with this id, which is remembered for `known_for`.
    #[must_use]
    pub fn new(id: SessionId, known_for: Duration) -> Self {
        Self {
            id,
            key: None,
            known_for,
        }
    }

    /// Where it is stored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where no step has made the key; a pipeline that was checked always has.
    pub fn key(&self) -> Result<&StorageKey> {
        self.key.as_ref().ok_or_else(no_key)
    }
}

fn no_key() -> Error {
    Error::new(
        ErrorKind::Config,
        "no step made a storage key; put a `key-mapper` first",
    )
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Read a session.
    Load,
    /// Store a session under a key that is free.
    Create,
    /// Replace a session that exists.
    Update,
    /// Store a session under a key that is free, and remove the one that it [replaces](Operation::replaces).
    Rotate,
    /// Move the deadline of a session that exists, and nothing else.
    Touch,
    /// Put the entries of a session that exists into the index, where they are missing; its data and its deadline stay.
    Reindex,
    /// Remove a session.
    Delete,
    /// Name the sessions of this store, a page at a time.
    List {
        /// Where the last page ended; `None` for the first.
        cursor: Option<Cursor>,
        /// About how many to name; a page may hold more or fewer, also none, and still have a next one.
        limit: usize,
    },
    /// Name the sessions that an index entry has, a page at a time.
    Find {
        /// The value of an indexed field.
        entry: IndexKey,
        /// Where the last page ended; `None` for the first.
        cursor: Option<Cursor>,
        /// About how many to name.
        limit: usize,
    },
    /// Count the sessions of this store.
    Count,
    /// Remove up to `limit` sessions that are past their deadline, where the backend does not do so by itself.
    Sweep {
        /// The most to remove in one call, so that no call holds the backend for long.
        limit: usize,
    },
    /// Take up to `limit` notes of sessions that have expired, to tell of them.
    TakeExpired {
        /// The most to take; with none, only what is too old is dropped.
        limit: usize,
        /// For how long nobody else is given the same notes.
        lease: Duration,
        /// How long after its session's deadline a note is kept; an older one is dropped.
        keep: Duration,
    },
    /// Forget the notes of these sessions, which were told of.
    ForgetExpired {
        /// What the sessions were stored under.
        keys: Vec<StorageKey>,
    },
}

/// Until when a session is to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// Nobody said: a new session never ends, an existing one keeps the deadline that it has.
    Keep,
    /// It never ends by itself.
    Never,
    /// It ends at this instant. One that is not in the future ends the session at once.
    At(Timestamp),
}

impl Deadline {
    /// The instant, where there is one.
    #[must_use]
    pub fn instant(self) -> Option<Timestamp> {
        match self {
            Self::At(instant) => Some(instant),
            Self::Keep | Self::Never => None,
        }
    }

    /// Whether a session with this deadline has ended at `now`.
    #[must_use]
    pub fn is_past(self, now: Timestamp) -> bool {
        self.instant().is_some_and(|instant| instant <= now)
    }
}

/// What must hold of the stored session for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Guard {
    /// Nothing is stored under the key: the session is new.
    Absent,
    /// Something is stored under the key: the session was neither deleted nor expired meanwhile.
    Exists,
    /// Exactly these bytes are stored under the key: nobody has changed the session since it was loaded.
    Unchanged(StoredForm),
}

/// Where a page of a listing ended; only the backend that made it knows what it means.
///
/// It may hold a key, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Bytes);

impl Cursor {
    /// The backend's own bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor([redacted])")
    }
}

impl From<Vec<u8>> for Cursor {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl Operation {
    /// An operation at the instant `now`.
    #[must_use]
    pub fn new(action: Action, now: Timestamp) -> Self {
        let guard = if action == Action::Create {
            Guard::Absent
        } else {
            Guard::Exists
        };
        Self {
            action,
            now,
            id: None,
            settled: None,
            key: None,
            key_space: None,
            deadline: Deadline::Keep,
            guard,
            payload: Payload::None,
            index: IndexChanges::default(),
            replaces: None,
            wants_deadline: false,
            wants_validity: false,
            wants_rotated: false,
        }
    }

    /// Another operation at the same instant, on the same keys, that says nothing else.
    pub(crate) fn derive(&self, action: Action) -> Self {
        let mut derived = Self::new(action, self.now);
        derived.id.clone_from(&self.id);
        derived.key_space.clone_from(&self.key_space);
        derived
    }

    /// The same operation, by a clock that is `ahead` milliseconds ahead of the one that it was made by.
    pub(crate) fn shifted(&self, ahead: i64) -> Self {
        let mut shifted = self.clone();
        shifted.now = self.now.shifted(ahead);
        if let Deadline::At(instant) = self.deadline {
            shifted.deadline = Deadline::At(instant.shifted(ahead));
        }
        shifted
    }

    /// The same operation with another action.
    pub(crate) fn with_action(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// The same operation, on the session with this id.
    #[must_use]
    pub fn with_id(mut self, id: SessionId) -> Self {
        self.id = Some(id);
        self
    }

    /// The same operation, on `session`: to store it, or to move its deadline or end it with all that is known of it.
    #[must_use]
    pub fn with_session(mut self, session: Session) -> Self {
        if let Some(deadline) = session.own_deadline() {
            self.deadline = Deadline::At(deadline);
        }
        self.id = session.id().cloned();
        self.payload = Payload::Session(session);
        self
    }

    /// What is to be done.
    #[must_use]
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// The instant of the operation: the only clock that a step may use.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The id of the session; `None` while a new one has none, and where the operation is on many.
    #[must_use]
    pub fn id(&self) -> Option<&SessionId> {
        self.id.as_ref()
    }

    /// Names a session that has no id yet; what the `key-mapper` does for a new one.
    pub fn assign_id(&mut self, id: SessionId) {
        self.id = Some(id);
    }

    /// Whether this stores a session: [`Action::Create`], [`Action::Update`] or [`Action::Rotate`].
    #[must_use]
    pub fn is_write(&self) -> bool {
        matches!(
            self.action,
            Action::Create | Action::Update | Action::Rotate
        )
    }

    /// Answers the operation here: the steps below and the backend do not see it.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::{Action, Operation, Outcome, Timestamp};
    ///
    /// let mut op = Operation::new(Action::Load, Timestamp::from_millis(0));
    /// op.settle(Outcome::Missing);
    /// ```
    pub fn settle(&mut self, outcome: Outcome) {
        self.settled = Some(outcome);
    }

    pub(crate) fn take_settled(&mut self) -> Option<Answer> {
        self.settled.take().map(Answer::new)
    }

    /// The storage key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where no step has made one; a pipeline that was checked always has.
    pub fn key(&self) -> Result<&StorageKey> {
        self.key.as_ref().ok_or_else(no_key)
    }

    /// The session that a rotation replaces.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where the operation replaces none.
    pub fn replaced(&self) -> Result<&Replaced> {
        self.replaces.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                "a rotation does not say which session it replaces; set `Operation::replaces`",
            )
        })
    }

    /// The keys of this store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] where the key mapper cannot tell them: one made from a plain function.
    pub fn key_space(&self) -> Result<&KeySpace> {
        self.key_space.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "this key mapper cannot tell which keys are its own, so sessions cannot be listed or counted; \
                 give it a template",
            )
        })
    }

    /// The bytes to store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where the payload is not bytes; a pipeline that was checked always has a codec.
    pub fn bytes(&self) -> Result<&Bytes> {
        self.payload.bytes().ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                "no step made bytes of the session; put a codec such as `json-codec` before the backend",
            )
        })
    }

    /// The session to store, for steps above the codec; `None` below it and for operations that store none.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.payload.session()
    }

    /// The session to store, to change what is stored. The caller's own copy does not show the change until it
    /// is loaded again.
    pub fn session_mut(&mut self) -> Option<&mut Session> {
        self.payload.session_mut()
    }

    /// Takes the session out, as a codec does before it puts bytes in its place.
    pub fn take_session(&mut self) -> Option<Session> {
        self.payload.take_session()
    }
}
