//! A transform under test, and the places where it can stand in a pipeline.

use std::fmt;
use std::sync::Arc;

use rrss::{SessionId, Store};
use rrss_core::{
    Action, Answer, Backend, BuildContext, Data, Operation, Payload, Pipeline, Result, Role, Shape,
    Step, StorageKey, Timestamp, Transform, check_composition,
};

use super::corpus::ann;
use crate::plain::{PlainJson, PlainKeys};

/// A transform under test: the step and its shape.
///
/// # Examples
///
/// ```
/// use rrss_testkit::plain::PlainJson;
/// use rrss_testkit::{Specimen, transform};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let make = || Specimen::new(PlainJson::SHAPE, PlainJson);
/// transform::the_guard_arrives_as_it_was_set(make).await;
/// # }
/// ```
pub struct Specimen {
    shape: Shape,
    transform: Arc<dyn Transform>,
}

/// Where a specimen stands in a pipeline of plain steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    KeyMapper,
    AboveCodec,
    Codec,
    BelowCodec,
}

impl Place {
    pub(crate) fn is_key_mapper(self) -> bool {
        self == Self::KeyMapper
    }
}

impl Specimen {
    /// A transform, and the shape that it is added to a pipeline with.
    #[must_use]
    pub fn new(shape: Shape, transform: impl Transform) -> Self {
        Self::checked(shape, Arc::new(transform))
    }

    /// The transform that is made from the options of its step, as a file makes it.
    ///
    /// # Panics
    ///
    /// Where the step cannot be built, or is no transform.
    #[must_use]
    pub fn of_step<S: Step>(options: S::Options) -> Self {
        let shape = S::shape(&options);
        match S::build(options, &BuildContext::default()) {
            Ok(Role::Transform(transform)) => Self::checked(shape, transform),
            Ok(role) => panic!("the step under test is no transform, but {role:?}"),
            Err(error) => panic!("the step under test was not built: {error:?}"),
        }
    }

    fn checked(shape: Shape, transform: Arc<dyn Transform>) -> Self {
        let specimen = Self { shape, transform };
        let fits = !specimen.places().is_empty();
        assert!(
            fits,
            "no pipeline has a place for a step of the shape `{shape}`"
        );
        specimen
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    pub(crate) fn transform(&self) -> &dyn Transform {
        &*self.transform
    }

    /// The places that the shape fits; several, where the step looks at neither fields nor bytes.
    pub(crate) fn places(&self) -> Vec<Place> {
        let keys = ("plain-keys", PlainKeys::SHAPE);
        let codec = ("plain-json", PlainJson::SHAPE);
        let (step, backend) = (("step", self.shape), ("backend", Shape::backend()));
        let fits = |steps: &[(&str, Shape)]| check_composition(steps).is_empty();
        let mut places = Vec::new();
        if fits(&[step, codec, backend]) {
            places.push(Place::KeyMapper);
        }
        if fits(&[keys, step, codec, backend]) {
            places.push(Place::AboveCodec);
        }
        if fits(&[keys, step, backend]) {
            places.push(Place::Codec);
        }
        if fits(&[keys, codec, step, backend]) {
            places.push(Place::BelowCodec);
        }
        places
    }

    /// A pipeline of plain steps with the specimen at `place`.
    pub(crate) fn pipeline(self, place: Place, backend: impl Backend) -> Pipeline {
        let shape = self.shape;
        let mut steps = Pipeline::builder();
        if place != Place::KeyMapper {
            steps = steps.transform("plain-keys", PlainKeys::SHAPE, PlainKeys::new("plain:"));
        }
        steps = match place {
            Place::KeyMapper | Place::AboveCodec => steps
                .transform("specimen", shape, self)
                .transform("plain-json", PlainJson::SHAPE, PlainJson),
            Place::Codec => steps.transform("specimen", shape, self),
            Place::BelowCodec => steps
                .transform("plain-json", PlainJson::SHAPE, PlainJson)
                .transform("specimen", shape, self),
        };
        steps
            .backend("backend", backend)
            .build()
            .unwrap_or_else(|error| panic!("the step under test does not fit: {error}"))
    }

    /// A store over such a pipeline.
    pub(crate) fn store(self, place: Place, backend: impl Backend) -> Store {
        Store::new(self.pipeline(place, backend))
    }

    /// An id of the form that the pipeline accepts.
    pub(crate) fn id(&self) -> SessionId {
        if !self.places().contains(&Place::KeyMapper) {
            return PlainKeys::random_id();
        }
        let mut op = Operation::new(Action::Create, Timestamp::from_millis(0));
        op.payload = Payload::Session(ann());
        let before = self.transform.before(&mut op);
        let id = op.id().cloned();
        id.unwrap_or_else(|| panic!("no id is made for a new session: {before:?}"))
    }

    /// An operation on the session with this id, as it comes to the step.
    pub(crate) fn operation(&self, action: Action, id: SessionId) -> Operation {
        self.operation_at(action, id, Timestamp::from_millis(1_000))
    }

    pub(crate) fn operation_at(&self, action: Action, id: SessionId, now: Timestamp) -> Operation {
        let mut op = Operation::new(action, now).with_id(id);
        if !self.places().contains(&Place::KeyMapper) {
            op.key = op
                .id()
                .map(|id| StorageKey::from(format!("plain:{}", id.as_str())));
        }
        if op.is_write() {
            op.payload = match self.shape.takes() {
                Some(Data::Bytes) => Payload::Bytes("{\"user\":\"ann\"}".into()),
                Some(Data::Session) | None => Payload::Session(ann()),
            };
        }
        op
    }
}

impl Transform for Specimen {
    fn before(&self, op: &mut Operation) -> Result<()> {
        self.transform.before(op)
    }

    fn after(&self, op: &Operation, answer: &mut Answer) -> Result<()> {
        self.transform.after(op, answer)
    }
}

impl fmt::Debug for Specimen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Specimen")
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}
