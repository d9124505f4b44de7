//! The step: ids and keys on the way to the backend, ids of a listing on the way back.

use std::fmt;

use rrss_core::{
    Action, Answer, BuildContext, Error, ErrorKind, IdDigest, InstantOption, KeySpace, Operation,
    Outcome, Result, Role, SessionId, Shape, Step, StorageKey, Timestamp, Transform, Warning,
};

use crate::hash::Hash;
use crate::id_format::IdFormat;
use crate::options::Options;
use crate::template::Template;

/// Makes session ids, refuses malformed ones, and makes the key that a session is stored under.
///
/// A new session without an id gets one. One that brings an id keeps it if it has the right form. For every other
/// operation, an id of another form is no session, and the steps below are not asked.
///
/// With [`Hash::Sha256`] the key is made of a digest of the id, and what is found in the backend has a
/// [private](SessionId::private) id.
pub struct KeyMapper {
    ids: IdFormat,
    keys: Keys,
    hash: Hash,
    raw_keys_until: Option<Timestamp>,
}

enum Keys {
    Template(Template),
    Function {
        key_of: Box<dyn Fn(&str) -> String + Send + Sync>,
        space: Option<KeySpace>,
    },
}

impl KeyMapper {
    /// What the step takes and gives, for [`PipelineBuilder::transform`](rrss_core::PipelineBuilder::transform).
    pub const SHAPE: Shape = Shape::anywhere().makes_key();

    /// The same, of a step with [`Hash::Sha256`].
    pub const HASHED_SHAPE: Shape = Self::SHAPE.hides_ids();

    /// The step with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            ids: options.id,
            keys: Keys::Template(options.template),
            hash: options.hash,
            raw_keys_until: options.accept_raw_keys_until.map(InstantOption::get),
        }
    }

    /// The step with a function from id to key. Ids are UUIDs, unless [`ids`](KeyMapper::ids) says otherwise.
    ///
    /// Two ids must never have the same key. Sessions cannot be listed or counted, because a function does not
    /// tell which keys are its own; [`with_key_space`](KeyMapper::with_key_space) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::{Action, Operation, Pipeline, Timestamp, Transform};
    /// use rrss_key_mapper::KeyMapper;
    ///
    /// let mapper = KeyMapper::from_fn(|id: &str| format!("app1:{id}"));
    ///
    /// let id = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
    /// let mut op = Operation::new(Action::Load, Timestamp::from_millis(0)).with_id(id.into());
    /// mapper.before(&mut op)?;
    /// assert_eq!(op.key()?.as_str(), format!("app1:{id}"));
    ///
    /// let steps = Pipeline::builder().transform("key-mapper", KeyMapper::SHAPE, mapper);
    /// # assert_eq!(steps.steps().count(), 1);
    /// # Ok::<(), rrss_core::Error>(())
    /// ```
    pub fn from_fn(key_of: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self {
            ids: IdFormat::default(),
            keys: Keys::Function {
                key_of: Box::new(key_of),
                space: None,
            },
            hash: Hash::None,
            raw_keys_until: None,
        }
    }

    /// The same step, with ids hashed or not. A function is given the [name](IdDigest::name) of an id's digest in its place
    /// then. Such a step has the shape [`HASHED_SHAPE`](KeyMapper::HASHED_SHAPE).
    #[must_use]
    pub fn hash(self, hash: Hash) -> Self {
        Self { hash, ..self }
    }

    /// The same step, with ids of this form.
    #[must_use]
    pub fn ids(self, ids: IdFormat) -> Self {
        Self { ids, ..self }
    }

    /// The same step, which can list and count: for a function whose keys are prefix, id and suffix.
    ///
    /// A key of the space that the function would not make of its middle part is left out of a listing, so a wrong
    /// space names no sessions rather than wrong ones. A step with a template knows its keys and stays as it is.
    #[must_use]
    pub fn with_key_space(mut self, key_space: KeySpace) -> Self {
        if let Keys::Function { space, .. } = &mut self.keys {
            *space = Some(key_space);
        }
        self
    }

    /// The key of a session that a client presents the id of, or that a listing named.
    fn key(&self, id: &SessionId) -> StorageKey {
        match self.hash {
            Hash::Sha256 if !id.is_former() => self.hashed_key(&id.digest()),
            _ => self.raw_key(id.as_str()),
        }
    }

    fn raw_key(&self, id: &str) -> StorageKey {
        match &self.keys {
            Keys::Template(template) => template.key(id),
            Keys::Function { key_of, .. } => key_of(id).into(),
        }
    }

    fn hashed_key(&self, digest: &IdDigest) -> StorageKey {
        match &self.keys {
            Keys::Template(template) => template.hashed_key(digest),
            Keys::Function { key_of, .. } => key_of(&digest.name()).into(),
        }
    }

    /// Whether the session that `id` names may be asked for at `now`.
    fn accepts(&self, id: &SessionId, now: Timestamp) -> bool {
        if id.is_private() {
            return self.hash == Hash::Sha256;
        }
        let may_lie_there = !id.is_former() || self.reads_raw_keys(now);
        may_lie_there && self.ids.accepts(id.as_str())
    }

    fn reads_raw_keys(&self, now: Timestamp) -> bool {
        self.raw_keys_until.is_some_and(|until| now < until)
    }

    fn key_space(&self, with_raw_keys: bool) -> Option<KeySpace> {
        let space = match &self.keys {
            Keys::Template(template) => template.key_space().clone(),
            Keys::Function { space, .. } => return space.clone(),
        };
        Some(match self.hash {
            Hash::None => space.with_middle_of(self.ids.length()),
            Hash::Sha256 => {
                let space = space.with_middle_of(IdDigest::NAME_LENGTH);
                if with_raw_keys {
                    space.or_middle_of(self.ids.length())
                } else {
                    space
                }
            }
        })
    }

    fn known_key_space(&self, with_raw_keys: bool) -> Result<KeySpace> {
        self.key_space(with_raw_keys).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "the key mapper is a function, which does not tell which keys are its own, so sessions cannot be \
                 listed, counted or found; give it a key space with `KeyMapper::with_key_space`, or use a template",
            )
        })
    }

    /// The id of the session stored under `key`, if this step made that key; a private one where the key has only a digest.
    fn id_of(&self, key: &StorageKey, now: Timestamp) -> Option<SessionId> {
        let space = match &self.keys {
            Keys::Template(template) => template.key_space(),
            Keys::Function { space, .. } => space.as_ref()?,
        };
        let name = space.middle(key.as_str())?;
        let id = match self.hash {
            Hash::None => SessionId::from(name),
            Hash::Sha256 => match IdDigest::from_name(name) {
                Some(digest) => SessionId::private(digest),
                None => SessionId::from(name).former(),
            },
        };
        let is_ours = self.accepts(&id, now) && self.key(&id) == *key;
        is_ours.then_some(id)
    }
}

impl fmt::Debug for KeyMapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("KeyMapper");
        debug.field("ids", &self.ids).field("hash", &self.hash);
        match &self.keys {
            Keys::Template(template) => debug.field("template", template),
            Keys::Function { space, .. } => debug.field("function with key space", space),
        };
        debug.finish()
    }
}

impl Step for KeyMapper {
    const TYPE: &'static str = "key-mapper";
    const EXAMPLE: &'static str = "\
[[step]]
type = \"key-mapper\"
template = \"sessions:{id}\"
id = \"uuid\"
";

    type Options = Options;

    fn shape(options: &Options) -> Shape {
        match options.hash {
            Hash::None => Self::SHAPE,
            Hash::Sha256 => Self::HASHED_SHAPE,
        }
    }

    fn check(options: &Options) -> Result<()> {
        options.check()
    }

    fn warnings(options: &Options, now: Timestamp) -> Vec<Warning> {
        let Some(until) = options.accept_raw_keys_until else {
            return Vec::new();
        };
        let warning = if now < until.get() {
            Warning::new(format!(
                "until {until}, sessions from before `hash` was set are read under their ids, which who reads the store \
                 can present; after it they are not found any more"
            ))
            .with_hint("remove the option once the longest of those sessions has ended or got a new id")
        } else {
            Warning::new(format!(
                "{until} has passed, so sessions from before `hash` was set are not found any more"
            ))
            .with_hint(
                "remove the option; or, where such sessions are still in use, write a later date",
            )
        };
        vec![warning.with_option("accept_raw_keys_until")]
    }

    fn build(options: Options, _: &BuildContext) -> Result<Role> {
        Ok(Role::transform(Self::new(options)))
    }
}

impl Transform for KeyMapper {
    fn before(&self, op: &mut Operation) -> Result<()> {
        let with_raw_keys = self.reads_raw_keys(op.now());
        match op.action() {
            Action::List { .. } | Action::Count | Action::Find { .. } => {
                op.key_space = Some(self.known_key_space(with_raw_keys)?);
                return Ok(());
            }
            // Sessions that are not found any more have expired all the same.
            Action::TakeExpired { .. } | Action::ForgetExpired { .. } => {
                op.key_space = Some(self.known_key_space(self.raw_keys_until.is_some())?);
                return Ok(());
            }
            Action::Sweep { .. } => return Ok(()),
            Action::Create | Action::Rotate if op.id().is_none() => {
                op.assign_id(self.ids.generate()?);
            }
            _ => {}
        }
        let now = op.now();
        if let Some(old) = &mut op.replaces {
            if !self.accepts(&old.id, now) {
                op.settle(Outcome::Missing);
                return Ok(());
            }
            old.key = Some(self.key(&old.id));
        }
        match op.id() {
            Some(id) if self.accepts(id, op.now()) => {
                op.key = Some(self.key(id));
                op.key_space = self.key_space(with_raw_keys);
            }
            // Said aloud: a session stored under an id that can never be loaded would be lost.
            _ if matches!(op.action(), Action::Create | Action::Rotate) => {
                return Err(Error::new(
                    ErrorKind::Value,
                    format!("the id given for a new session is not {}", self.ids),
                ));
            }
            _ => op.settle(Outcome::Missing),
        }
        Ok(())
    }

    fn after(&self, op: &Operation, answer: &mut Answer) -> Result<()> {
        if let Outcome::Page(page) = &mut answer.outcome {
            let ids = page.keys.iter().filter_map(|key| self.id_of(key, op.now()));
            page.ids = ids.collect();
        }
        Ok(())
    }

    fn former_keys_until(&self) -> Option<Timestamp> {
        self.raw_keys_until.filter(|_| self.hash == Hash::Sha256)
    }
}

rrss_core::register!(KeyMapper);
