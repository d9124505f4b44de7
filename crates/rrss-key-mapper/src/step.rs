//! The step: ids and keys on the way to the backend, ids of a listing on the way back.

use std::fmt;

use rrss_core::{
    Action, Answer, BuildContext, Error, ErrorKind, KeySpace, Operation, Outcome, Result, Role,
    SessionId, Shape, Step, StorageKey, Transform,
};

use crate::id_format::IdFormat;
use crate::options::Options;
use crate::template::Template;

/// Makes session ids, refuses malformed ones, and makes the key that a session is stored under.
///
/// A new session without an id gets one. One that brings an id keeps it if it has the right form. For every other
/// operation, an id of another form is no session, and the steps below are not asked.
pub struct KeyMapper {
    ids: IdFormat,
    keys: Keys,
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

    /// The step with these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            ids: options.id,
            keys: Keys::Template(options.template),
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
        }
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

    fn key(&self, id: &str) -> StorageKey {
        match &self.keys {
            Keys::Template(template) => template.key(id),
            Keys::Function { key_of, .. } => key_of(id).into(),
        }
    }

    fn key_space(&self) -> Option<KeySpace> {
        match &self.keys {
            Keys::Template(template) => Some(
                template
                    .key_space()
                    .clone()
                    .with_middle_of(self.ids.length()),
            ),
            Keys::Function { space, .. } => space.clone(),
        }
    }

    fn known_key_space(&self) -> Result<KeySpace> {
        self.key_space().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "the key mapper is a function, which does not tell which keys are its own, so sessions cannot be \
                 listed, counted or found; give it a key space with `KeyMapper::with_key_space`, or use a template",
            )
        })
    }

    /// The id of the session stored under `key`, if this step made that key.
    fn id_of(&self, key: &StorageKey) -> Option<SessionId> {
        let space = match &self.keys {
            Keys::Template(template) => template.key_space(),
            Keys::Function { space, .. } => space.as_ref()?,
        };
        let id = space.middle(key.as_str())?;
        let is_ours = self.ids.accepts(id) && self.key(id) == *key;
        is_ours.then(|| id.into())
    }
}

impl fmt::Debug for KeyMapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("KeyMapper");
        debug.field("ids", &self.ids);
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

    fn shape(_: &Options) -> Shape {
        Self::SHAPE
    }

    fn build(options: Options, _: &BuildContext) -> Result<Role> {
        Ok(Role::transform(Self::new(options)))
    }
}

impl Transform for KeyMapper {
    fn before(&self, op: &mut Operation) -> Result<()> {
        match op.action() {
            Action::List { .. }
            | Action::Count
            | Action::Find { .. }
            | Action::TakeExpired { .. }
            | Action::ForgetExpired { .. } => {
                op.key_space = Some(self.known_key_space()?);
                return Ok(());
            }
            Action::Sweep { .. } => return Ok(()),
            Action::Create if op.id().is_none() => op.assign_id(self.ids.generate()?),
            _ => {}
        }
        match op.id() {
            Some(id) if self.ids.accepts(id.as_str()) => {
                op.key = Some(self.key(id.as_str()));
                op.key_space = self.key_space();
            }
            // Said aloud: a session stored under an id that can never be loaded would be lost.
            _ if *op.action() == Action::Create => {
                return Err(Error::new(
                    ErrorKind::Value,
                    format!("the id given for a new session is not {}", self.ids),
                ));
            }
            _ => op.settle(Outcome::Missing),
        }
        Ok(())
    }

    fn after(&self, _: &Operation, answer: &mut Answer) -> Result<()> {
        if let Outcome::Page(page) = &mut answer.outcome {
            page.ids = page.keys.iter().filter_map(|key| self.id_of(key)).collect();
        }
        Ok(())
    }
}

rrss_core::register!(KeyMapper);
