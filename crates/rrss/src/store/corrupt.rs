//! What is done about a stored session that cannot be read: see [`OnCorrupt`].
//!
//! The bytes that could not be read are looked at again, and by themselves, so that it is known which they were. Whatever is done
//! is done to exactly these: what somebody has stored since is never touched, and is read in their place.

mod counts;
mod told;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use rrss_core::{
    Action, Error, ErrorKind, Guard, Handle, KeySpace, OnCorrupt, Operation, Outcome, Pipeline,
    Result, Session, SessionId, StorageKey, StoredForm, Timestamp,
};

pub use self::counts::CorruptCounts;
use self::counts::Counters;
use self::told::Told;
use super::load::{Read, Wants, loaded};
use super::quarantine::{Name, Quarantine};
use super::{Store, unexpected};

/// How often a session is read in all where others replace it by what cannot be read again and again.
const TRIES: u32 = 4;

/// What a store does about corrupt sessions, and what it has done.
#[derive(Debug)]
pub(super) struct Corrupt {
    pub(super) policy: OnCorrupt,
    pub(super) keep_for: Duration,
    counters: Counters,
    told: Told,
}

impl Corrupt {
    pub(super) fn new(policy: OnCorrupt, keep_for: Duration) -> Self {
        Self {
            policy,
            keep_for,
            counters: Counters::default(),
            told: Told::default(),
        }
    }
}

/// What became of a session that could not be read.
enum Fate {
    /// It is there no more.
    Ended,
    /// Something else is stored now, or nothing.
    Changed,
}

/// Bytes that were found under a key, and that are no session.
struct Unreadable {
    key: StorageKey,
    space: Option<KeySpace>,
    stored: StoredForm,
    bytes: Bytes,
    deadline: Option<Timestamp>,
    error: Error,
}

impl Store {
    /// What became of stored sessions that could not be read, since this store was made, in this process.
    ///
    /// # Examples
    ///
    /// ```
    /// # let store = rrss::Store::from_toml("step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]")?;
    /// let counts = store.corrupt_counts();
    /// assert_eq!((counts.found, counts.discarded, counts.quarantined), (0, 0, 0));
    /// # Ok::<(), rrss::Error>(())
    /// ```
    #[must_use]
    pub fn corrupt_counts(&self) -> CorruptCounts {
        self.inner.corrupt.counters.read()
    }

    /// What the store does with a stored session that cannot be read.
    #[must_use]
    pub fn on_corrupt(&self) -> OnCorrupt {
        self.inner.corrupt.policy
    }

    /// The session with its deadline, as it is now, for a change that is to be made to it. One that cannot be read is treated
    /// as the policy has it.
    pub(super) async fn fetch(&self, id: &SessionId) -> Result<Option<Session>> {
        let wants = Wants {
            deadline: true,
            ..Wants::default()
        };
        let read = self.read_one(id, wants).await?;
        Ok(read.map(|read| read.session))
    }

    /// The session, and what the steps say of it; one that cannot be read is treated as the policy has it.
    pub(super) async fn read_one(&self, id: &SessionId, wants: Wants) -> Result<Option<Read>> {
        let mut tries = 0;
        loop {
            let mut op = self.operation(Action::Load).with_id(id.clone());
            op.wants_deadline = wants.deadline;
            op.wants_rotated = wants.rotated;
            let error = match self.run(&mut op).await {
                Ok(answer) => {
                    let (renewal, is_kept) = (answer.renew, answer.is_kept);
                    let session = loaded(&op, answer)?;
                    return Ok(session.map(|session| Read {
                        session,
                        renewal,
                        is_kept,
                    }));
                }
                Err(error) if error.kind() == ErrorKind::Corrupt => error,
                Err(error) => return Err(error),
            };
            tries += 1;
            // Where it was looked for under two ids, it was found under the one that the operation has now.
            let found = op.id().unwrap_or(id);
            // It is rare, and must not make every load larger.
            match Box::pin(self.treat(found, error, tries)).await? {
                Fate::Ended => return Ok(None),
                Fate::Changed => {}
            }
        }
    }

    /// Does with a session that could not be read as the policy has it.
    async fn treat(&self, id: &SessionId, error: Error, tries: u32) -> Result<Fate> {
        let Corrupt {
            policy,
            keep_for,
            counters,
            told,
        } = &self.inner.corrupt;
        counters.found.fetch_add(1, Relaxed);
        if *policy == OnCorrupt::Error || tries > TRIES {
            told.once(id, || tell(id, &error, None, LEFT));
            return Err(error);
        }
        let found = match self.look_again(id, &error).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Fate::Changed),
            Err(error) => {
                if error.kind() == ErrorKind::Corrupt {
                    told.once(id, || tell(id, &error, None, LEFT));
                }
                return Err(error);
            }
        };
        let (name, counter, done) = match policy {
            OnCorrupt::Quarantine => {
                let name = self.set_aside(&found, *keep_for).await?;
                (Some(name), &counters.quarantined, MOVED)
            }
            _ => (None, &counters.discarded, DISCARDED),
        };
        let mut op = self.operation(Action::Delete).with_id(id.clone());
        op.guard = Guard::Unchanged(found.stored);
        let answer = self.run(&mut op).await?;
        match answer.outcome {
            Outcome::Done => {
                counter.fetch_add(1, Relaxed);
                told.once(id, || tell(id, &found.error, name.as_ref(), done));
                Ok(Fate::Ended)
            }
            Outcome::Missing | Outcome::Changed => Ok(Fate::Changed),
            _ => Err(unexpected(&op, &answer)),
        }
    }

    /// What is stored, if it is still something that cannot be read.
    async fn look_again(&self, id: &SessionId, error: &Error) -> Result<Option<Unreadable>> {
        let pipeline = &self.inner.pipeline;
        let mut op = self.operation(Action::Load).with_id(id.clone());
        op.wants_deadline = true;
        if !pipeline.prepare(&mut op)? {
            return Ok(None);
        }
        let answer = pipeline.run_on_backend(&op).await?;
        if answer.outcome != Outcome::Found {
            return Ok(None);
        }
        let (Some(stored), Some(bytes)) = (answer.stored.clone(), answer.payload.bytes().cloned())
        else {
            return Err(error.clone());
        };
        let deadline = answer.expires_at;
        match pipeline.read(&op, answer) {
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(Some(Unreadable {
                key: op.key()?.clone(),
                space: op.key_space,
                stored,
                bytes,
                deadline,
                error,
            })),
            Err(error) => Err(error),
        }
    }

    /// Writes what cannot be read under a key of its own, so that nothing is lost when it is deleted.
    async fn set_aside(&self, found: &Unreadable, keep_for: Duration) -> Result<Name> {
        let space = found.space.as_ref().ok_or_else(no_key_space)?;
        let quarantine = Quarantine::new(self, space.clone());
        let Unreadable {
            key,
            bytes,
            deadline,
            error,
            ..
        } = found;
        quarantine
            .put(key, bytes, *deadline, error, keep_for)
            .await
            .map_err(|error| {
                Error::new(
                    error.kind(),
                    "a stored session cannot be read, and moving it to the quarantine failed; it stays as it is",
                )
                .with_source(error)
            })
    }
}

const LEFT: &str = "it stays as it is";
const DISCARDED: &str = "it was discarded";
const MOVED: &str = "it was moved to the quarantine; `rrss quarantine` shows it and puts it back";

fn tell(id: &SessionId, error: &Error, name: Option<&Name>, done: &str) {
    let session = Handle::of(id);
    let error: &dyn std::error::Error = error;
    let quarantined = name.map(tracing::field::display);
    tracing::warn!(%session, error, quarantined, "a stored session cannot be read: {done}");
}

fn no_key_space() -> Error {
    Error::new(
        ErrorKind::Config,
        "the key mapper does not tell which keys are its own, so there is no place for a quarantine beside them; give it a key \
         space with `KeyMapper::with_key_space`, or use a template",
    )
    .with_option("on_corrupt")
}

/// Refuses a policy that cannot be carried out on this pipeline.
pub(super) fn check(pipeline: &Pipeline, policy: OnCorrupt, keep_for: Duration) -> Result<()> {
    if policy == OnCorrupt::Error {
        return Ok(());
    }
    if pipeline.keeps_fields() {
        return Err(Error::new(
            ErrorKind::Config,
            "`on_corrupt` is about stored bytes, and this backend keeps the fields of sessions one by one; leave it out, or \
             put a codec above a backend that keeps bytes",
        )
        .with_option("on_corrupt"));
    }
    if policy != OnCorrupt::Quarantine {
        return Ok(());
    }
    if keep_for.is_zero() {
        return Err(Error::new(
            ErrorKind::Config,
            "a quarantine of no time keeps nothing; write how long, such as \"30d\", or `on_corrupt = \"discard\"`",
        )
        .with_option("quarantine_for"));
    }
    let mut op = Operation::new(Action::Count, Timestamp::from_millis(0));
    let space = match pipeline.prepare(&mut op) {
        Ok(_) => op.key_space.ok_or_else(no_key_space)?,
        Err(error) => return Err(no_key_space().with_source(error)),
    };
    super::quarantine::check(&space)
}
