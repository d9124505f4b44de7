//! The least that a store needs above a backend: a key mapper and a codec with no options. They are for tests.
//!
//! # Examples
//!
//! ```
//! use rrss::{Session, Store};
//! use rrss_persistence::memory::Memory;
//! use rrss_testkit::plain;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
//! let store = plain::steps(Store::builder(), "test:")
//!     .backend("memory", Memory::default())
//!     .build()?;
//! let mut session = Session::new();
//! session.insert("user", "ann")?;
//! store.save(&mut session).await?;
//! assert_eq!(store.count().await?, 1);
//! # Ok(()) }
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use rrss::StoreBuilder;
use rrss_core::{
    Action, Answer, Error, ErrorKind, KeySpace, Operation, Outcome, Payload, Result, Session,
    SessionId, Shape, Timestamp, Transform,
};

/// Adds [`PlainKeys`] that begin with `prefix`, and [`PlainJson`].
#[must_use]
pub fn steps(builder: StoreBuilder, prefix: &str) -> StoreBuilder {
    builder
        .transform("plain-keys", PlainKeys::SHAPE, PlainKeys::new(prefix))
        .transform("plain-json", PlainJson::SHAPE, PlainJson)
}

/// Adds [`PlainKeys`] that begin with `prefix`, for a backend that keeps fields and has no codec above it.
#[must_use]
pub fn steps_above_fields(builder: StoreBuilder, prefix: &str) -> StoreBuilder {
    builder.transform("plain-keys", PlainKeys::SHAPE, PlainKeys::new(prefix))
}

/// Adds [`PlainKeys`] that begin with `prefix`, the `index` step with these options, and [`PlainJson`].
#[must_use]
pub fn indexed_steps(
    builder: StoreBuilder,
    prefix: &str,
    index: rrss_index::Options,
) -> StoreBuilder {
    builder
        .transform("plain-keys", PlainKeys::SHAPE, PlainKeys::new(prefix))
        .step::<rrss_index::Index>(index)
        .transform("plain-json", PlainJson::SHAPE, PlainJson)
}

/// A key mapper: ids are 32 hexadecimal digits in lower case, and a key is a prefix and the id.
pub struct PlainKeys {
    space: KeySpace,
    dealt: Mutex<VecDeque<SessionId>>,
}

impl PlainKeys {
    /// What it takes and gives.
    pub const SHAPE: Shape = Shape::anywhere().makes_key();

    /// Keys that begin with `prefix`.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            space: KeySpace::new(prefix, "").with_middle_of(ID_LENGTH),
            dealt: Mutex::default(),
        }
    }

    /// The same, which gives new sessions these ids one by one, before it makes random ones: so a test can have
    /// two sessions meet.
    #[must_use]
    pub fn dealing(self, ids: impl IntoIterator<Item = SessionId>) -> Self {
        Self {
            dealt: Mutex::new(ids.into_iter().collect()),
            ..self
        }
    }

    /// A fresh random id.
    #[must_use]
    pub fn random_id() -> SessionId {
        uuid::Uuid::new_v4().simple().to_string().into()
    }

    fn next_id(&self) -> SessionId {
        let dealt = self
            .dealt
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        dealt.unwrap_or_else(Self::random_id)
    }
}

/// By which the keys of sessions are told from those of index entries, which are longer.
const ID_LENGTH: usize = 32;

fn is_well_formed(id: &str) -> bool {
    id.len() == ID_LENGTH
        && id
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Transform for PlainKeys {
    fn before(&self, op: &mut Operation) -> Result<()> {
        match op.action() {
            Action::List { .. }
            | Action::Count
            | Action::Find { .. }
            | Action::TakeExpired { .. }
            | Action::ForgetExpired { .. } => {
                op.key_space = Some(self.space.clone());
                return Ok(());
            }
            Action::Sweep { .. } => return Ok(()),
            Action::Create | Action::Rotate if op.id().is_none() => op.assign_id(self.next_id()),
            _ => {}
        }
        if let Some(old) = &mut op.replaces {
            if !is_well_formed(old.id.as_str()) {
                op.settle(Outcome::Missing);
                return Ok(());
            }
            old.key = Some(format!("{}{}", self.space.prefix(), old.id.as_str()).into());
        }
        match op
            .id()
            .map(SessionId::as_str)
            .filter(|id| is_well_formed(id))
        {
            Some(id) => {
                op.key = Some(format!("{}{id}", self.space.prefix()).into());
                op.key_space = Some(self.space.clone());
            }
            None if matches!(op.action(), Action::Create | Action::Rotate) => {
                return Err(Error::new(
                    ErrorKind::Value,
                    "the id given for a new session is not 32 hexadecimal digits",
                ));
            }
            None => op.settle(Outcome::Missing),
        }
        Ok(())
    }

    fn after(&self, _: &Operation, answer: &mut Answer) -> Result<()> {
        if let Outcome::Page(page) = &mut answer.outcome {
            page.ids = page
                .keys
                .iter()
                .filter_map(|key| self.space.middle(key.as_str()))
                .filter(|id| is_well_formed(id))
                .map(SessionId::from)
                .collect();
        }
        Ok(())
    }
}

impl fmt::Debug for PlainKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainKeys")
            .field("space", &self.space)
            .finish_non_exhaustive()
    }
}

/// A codec: a session is the text of a JSON object, and its field `$` is a list of three instants in milliseconds since
/// 1970, each of them or `null`: of its creation, of its last save, and the deadline of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainJson;

impl PlainJson {
    /// What it takes and gives.
    pub const SHAPE: Shape = Shape::codec();
}

impl Transform for PlainJson {
    fn before(&self, op: &mut Operation) -> Result<()> {
        // A touch and a delete may bring a session, and store none.
        if let Some(session) = op.take_session()
            && op.is_write()
        {
            op.payload = Payload::Bytes(encode(&session, op.now())?);
        }
        Ok(())
    }

    fn after(&self, _: &Operation, answer: &mut Answer) -> Result<()> {
        if let Some(bytes) = answer.take_bytes() {
            let (session, times) = Session::from_json(bytes, Some("$"))?;
            let [created_at, written_at, until] = match times {
                Some(times) => decode(&times)?,
                None => [None; 3],
            };
            let session = session
                .with_created_at(created_at)
                .with_written_at(written_at)
                .with_own_deadline(until);
            answer.payload = Payload::Session(session);
        }
        Ok(())
    }
}

fn decode(times: &[u8]) -> Result<[Option<Timestamp>; 3]> {
    let times: [Option<u64>; 3] = serde_json::from_slice(times)
        .map_err(|_| Error::new(ErrorKind::Corrupt, "the field `$` holds no instants"))?;
    Ok(times.map(|millis| millis.map(Timestamp::from_millis)))
}

fn encode(session: &Session, now: Timestamp) -> Result<Bytes> {
    let times = [session.created_at(), Some(now), session.own_deadline()];
    let times = times.map(|time| time.map(Timestamp::as_millis));
    let mut text = format!("{{\"$\":{}", serde_json::json!(times));
    for (name, value) in session.iter_raw() {
        if name == "$" {
            return Err(Error::new(ErrorKind::Value, "the field name `$` is taken"));
        }
        text.push(',');
        text.push_str(&serde_json::Value::from(name).to_string());
        text.push(':');
        text.push_str(value);
    }
    text.push('}');
    Ok(text.into())
}
