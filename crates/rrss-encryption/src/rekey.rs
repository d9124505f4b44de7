//! Storing what is under an old key under the first one.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use rrss_core::{
    Action, Answer, Cursor, Error, ErrorKind, Guard, Handle, IndexChanges, IndexKey, KeySpace,
    Note, NoteChange, Operation, Outcome, Page, Payload, Pipeline, Result, SessionId, Step,
    StorageKey, Timestamp,
};

use crate::sealed::key_id_of;
use crate::step::Encryption;

/// How often a session is tried that others change meanwhile. Who changes it stores it under the first key.
const TRIES: usize = 16;

/// How many sessions are on their way at a time.
const AT_ONCE: usize = 32;

/// Walks a store, and stores under the first key what is stored under another one, or not encrypted, and can be read.
///
/// It is safe beside live traffic: a session is replaced only if it is still what was read, so no change is lost and no
/// session comes back that has ended. Fields, times and deadlines stay exactly as they are. It goes by what the
/// backend lists and by storage keys, so it needs no ids of sessions.
///
/// It may be given up at any point and be begun anew: what is done already costs a read and nothing else. While it
/// runs, every process must read the first key.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
/// use rrss::encryption::{Key, KeyOption, Options, Rekey};
/// use rrss::{Encryption, JsonCodec, KeyMapper, Memory, Session, Store};
///
/// let store = Store::builder()
///     .step::<KeyMapper>(Default::default())
///     .step::<JsonCodec>(Default::default())
///     .step::<Encryption>(Options::new([KeyOption::new("2026-11".parse()?, Key::generate()?)]))
///     .step::<Memory>(Default::default())
///     .build()?;
/// let mut session = Session::new();
/// session.insert("user_id", &42)?;
/// store.save(&mut session).await?;
///
/// let mut rekey = Rekey::new(store.pipeline().clone())?;
/// while rekey.page(store.now()).await? {}
/// assert_eq!((rekey.done().current, rekey.done().rekeyed), (1, 0));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Rekey {
    pipeline: Pipeline,
    /// The number of the `encryption` step.
    at: usize,
    /// What is stored now of nothing, by which the first key is known.
    head: Bytes,
    cursor: Option<Cursor>,
    ended: bool,
    done: Rekeyed,
}

/// What became of the sessions that were walked over.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Rekeyed {
    /// They are under the first key now.
    pub rekeyed: u64,
    /// They were already.
    pub current: u64,
    /// They could not be read, and stay as they are.
    pub corrupt: u64,
    /// They were changed each time before they could be replaced, and so may be under another key.
    pub changed: u64,
    /// They are under the first key, and the notes that `keep_expired` keeps of them may not be.
    pub notes_left: u64,
    /// Why the first of those that could not be read could not.
    pub first_corrupt: Option<Error>,
}

impl Rekeyed {
    /// How many sessions were walked over.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.rekeyed + self.current + self.corrupt + self.changed
    }
}

/// What became of one.
enum Fate {
    Rekeyed { note_left: bool },
    Current,
    Corrupt(Error),
    Changed,
    Gone,
}

impl Rekey {
    /// A walk over the sessions of this pipeline, from the beginning.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where it has no step of the type `encryption`.
    pub fn new(pipeline: Pipeline) -> Result<Self> {
        let at = pipeline
            .steps()
            .position(|(name, _)| name == Encryption::TYPE);
        let at = at.ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                "there is no `encryption` step, so there is no key that sessions could be stored under",
            )
        })?;
        let mut op = Operation::new(Action::Update, Timestamp::from_millis(0));
        op.key = Some(StorageKey::from(String::new()));
        op.payload = Payload::Bytes(Bytes::new());
        pipeline.prepare_from(at, &mut op)?;
        let head = op.bytes()?.clone();
        Ok(Self {
            pipeline,
            at,
            head,
            cursor: None,
            ended: false,
            done: Rekeyed::default(),
        })
    }

    /// Goes on with some hundred sessions, as of the instant `now`; `false` where there are no more.
    ///
    /// # Errors
    ///
    /// That of the backend, where it fails; [`ErrorKind::Unsupported`] where the key mapper cannot tell which keys are its
    /// own. Another call goes on where this one began.
    pub async fn page(&mut self, now: Timestamp) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let (page, space) = self.list(now).await?;
        for keys in page.keys.chunks(AT_ONCE) {
            let each = keys.iter().map(|key| self.one(key, space.as_ref(), now));
            for fate in try_join_all(each).await? {
                self.count(fate);
            }
        }
        self.ended = page.next.is_none();
        self.cursor = page.next;
        Ok(!self.ended)
    }

    /// What became of the sessions so far.
    #[must_use]
    pub fn done(&self) -> &Rekeyed {
        &self.done
    }

    async fn list(&self, now: Timestamp) -> Result<(Page, Option<KeySpace>)> {
        let list = Action::List {
            cursor: self.cursor.clone(),
            limit: 512,
        };
        let mut op = Operation::new(list, now);
        self.pipeline.prepare(&mut op)?;
        match self.pipeline.run_on_backend(&op).await?.outcome {
            Outcome::Page(page) => Ok((page, op.key_space)),
            _ => Err(unexpected()),
        }
    }

    async fn one(
        &self,
        key: &StorageKey,
        space: Option<&KeySpace>,
        now: Timestamp,
    ) -> Result<Fate> {
        let on = |action| {
            let mut op = Operation::new(action, now);
            op.key = Some(key.clone());
            op.key_space = space.cloned();
            op
        };
        for _ in 0..TRIES {
            let load = on(Action::Load);
            let found = self.pipeline.run_on_backend(&load).await?;
            let (Outcome::Found, Payload::Bytes(raw), Some(stored)) =
                (&found.outcome, &found.payload, &found.stored)
            else {
                return Ok(Fate::Gone);
            };
            let (raw, guard) = (raw.clone(), Guard::Unchanged(stored.clone()));
            let plain = match self.pipeline.read_from(self.at, &load, found.clone()) {
                Ok(mut plain) => plain.take_bytes().ok_or_else(unexpected)?,
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    return Ok(Fate::Corrupt(error));
                }
                Err(error) => return Err(error),
            };
            if is_current(&raw, &self.head) {
                return Ok(Fate::Current);
            }
            let mut update = on(Action::Update);
            update.payload = Payload::Bytes(plain);
            update.guard = guard;
            update.index = match self.index(&load, found) {
                Ok(index) => index,
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    return Ok(Fate::Corrupt(error));
                }
                Err(error) => return Err(error),
            };
            let note_left = self.keeps_notes() && update.index.note == NoteChange::Leave;
            self.pipeline.prepare_from(self.at, &mut update)?;
            match self.pipeline.run_on_backend(&update).await?.outcome {
                Outcome::Done => return Ok(Fate::Rekeyed { note_left }),
                Outcome::Missing => return Ok(Fate::Gone),
                Outcome::Changed => {}
                _ => return Err(unexpected()),
            }
        }
        Ok(Fate::Changed)
    }

    /// What the session is found by, and what is told of it when it has expired: as it is, for a backend takes what a write
    /// does not name for ended.
    fn index(&self, load: &Operation, found: Answer) -> Result<IndexChanges> {
        let Some(rules) = self.pipeline.index() else {
            return Ok(IndexChanges::default());
        };
        let mut answer = self.pipeline.read(load, found)?;
        let session = answer.take_session().ok_or_else(unexpected)?;
        let fields = rules.fields.iter();
        let fields: Vec<_> = fields
            .filter_map(|field| Some((field, session.get_raw(field)?)))
            .collect();
        // A value that cannot be indexed was stored before the field was, and has no entry.
        let entries = fields
            .iter()
            .filter_map(|(field, raw)| IndexKey::of(Arc::clone(field), raw).ok().flatten());
        let mut index = IndexChanges {
            put: entries.collect(),
            ..IndexChanges::default()
        };
        if let Some(after) = rules.keep_expired
            && let Some(id) = self.id_of(load)?
        {
            let fields = fields.iter().map(|(field, raw)| (&***field, *raw));
            index.note = NoteChange::Keep {
                note: Note::write(Handle::of(&id), fields),
                after,
            };
        }
        Ok(index)
    }

    /// The id of the session, where its storage key tells.
    fn id_of(&self, load: &Operation) -> Result<Option<SessionId>> {
        let list = Action::List {
            cursor: None,
            limit: 1,
        };
        let mut op = Operation::new(list, load.now());
        op.key_space = load.key_space.clone();
        let page = Page::new(vec![load.key()?.clone()], None);
        let named = self.pipeline.read(&op, Answer::new(Outcome::Page(page)))?;
        Ok(match named.outcome {
            Outcome::Page(page) => page.ids.into_iter().next(),
            _ => None,
        })
    }

    fn keeps_notes(&self) -> bool {
        let rules = self.pipeline.index();
        rules.is_some_and(|rules| rules.keep_expired.is_some())
    }

    fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Rekeyed { note_left } => {
                self.done.rekeyed += 1;
                self.done.notes_left += u64::from(note_left);
            }
            Fate::Current => self.done.current += 1,
            Fate::Corrupt(error) => {
                self.done.corrupt += 1;
                self.done.first_corrupt.get_or_insert(error);
            }
            Fate::Changed => self.done.changed += 1,
            Fate::Gone => {}
        }
    }
}

/// Whether what is stored names the key that would be written now. A step between this one and the backend hides that; then
/// all is written anew.
fn is_current(stored: &Bytes, written: &Bytes) -> bool {
    key_id_of(stored).is_some_and(|id| Some(id) == key_id_of(written))
}

fn unexpected() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "a step or the backend answered something else than it was asked for",
    )
}
