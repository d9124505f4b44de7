//! What the suites are run on: a backend, its time, and a place of its own in it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rrss::{Store, StoreBuilder};
use rrss_core::{
    Action, Answer, Backend, Clock, Data, KeySpace, ManualClock, Operation, Payload, Pipeline,
    PipelineBuilder, Result, Session, Shape, Step, StorageKey, SystemClock, Timestamp, Transform,
};

use crate::plain;

/// Where a manual clock starts: 9 September 2001, so that a backend that asks the machine for the time, and not
/// the operation, finds every deadline past.
const START: Timestamp = Timestamp::from_millis(1_000_000_000_000);

/// A backend under test. Each test makes one: with a fresh backend in it, or with a connection to a server that
/// the tests share. Its keys begin with a text of its own, so that tests on one server do not meet.
///
/// Its time is a clock that the test moves. A backend that goes by a clock of its own, as a server does, is
/// given [`real_time`](Subject::real_time); the tests then wait.
///
/// A backend that needs sweeps must be fresh for each test, since a sweep is over all that it holds.
///
/// # Examples
///
/// ```
/// use rrss_persistence::memory::Memory;
/// use rrss_testkit::Subject;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let subject = Subject::new(Memory::default());
/// rrss_testkit::backend::touch_never_creates(subject).await;
/// # }
/// ```
#[derive(Clone)]
pub struct Subject {
    pipeline: Pipeline,
    time: Time,
    prefix: Arc<str>,
    steps: Arc<Steps>,
    indexed: Arc<IndexedSteps>,
    // Below the pipeline, so that the backend is dropped before what it stands on.
    guards: Vec<Arc<dyn Any + Send + Sync>>,
    keeps_times: bool,
}

type Steps = dyn Fn(StoreBuilder, &str) -> StoreBuilder + Send + Sync;
type IndexedSteps = dyn Fn(StoreBuilder, &str, rrss_index::Options) -> StoreBuilder + Send + Sync;

#[derive(Debug, Clone)]
enum Time {
    Manual(ManualClock),
    Real,
}

impl Subject {
    /// A subject over a backend.
    #[must_use]
    pub fn new(backend: impl Backend) -> Self {
        let above = if backend.keeps_fields() {
            Shape::on_session()
        } else {
            Shape::codec()
        };
        Self::over(above, |pipeline| pipeline.backend("backend", backend))
    }

    /// A subject over a backend that is made from the options of its step, as a file makes it.
    ///
    /// # Panics
    ///
    /// Where the step cannot be built, or is no backend.
    #[must_use]
    pub fn of_step<S: Step>(options: S::Options) -> Self {
        let above = if S::shape(&options).takes() == Some(Data::Session) {
            Shape::on_session()
        } else {
            Shape::codec()
        };
        Self::over(above, |pipeline| pipeline.step::<S>(options))
    }

    fn over(above: Shape, backend: impl FnOnce(PipelineBuilder) -> PipelineBuilder) -> Self {
        let through = Pipeline::builder().transform("testkit", above.makes_key(), Through);
        let pipeline = backend(through)
            .build()
            .unwrap_or_else(|error| panic!("the backend under test was not built: {error:?}"));
        let keeps_fields = pipeline.keeps_fields();
        Self {
            pipeline,
            time: Time::Manual(ManualClock::at(START)),
            prefix: format!("testkit:{}:", uuid::Uuid::new_v4().simple()).into(),
            steps: if keeps_fields {
                Arc::new(plain::steps_above_fields)
            } else {
                Arc::new(plain::steps)
            },
            indexed: Arc::new(plain::indexed_steps),
            guards: Vec::new(),
            keeps_times: true,
        }
    }

    /// The same subject, for a backend that does not go by the time of the operation. Where a deadline must
    /// pass, tests wait: a fraction of a second, and longer on a machine that is too slow for that.
    #[must_use]
    pub fn real_time(self) -> Self {
        Self {
            time: Time::Real,
            ..self
        }
    }

    /// The same subject, which keeps `guard` until its last clone is gone: a temporary folder, a server.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guards.push(Arc::new(guard));
        self
    }

    /// The same subject, over a backend that stores nothing of a session but its fields and when it ends; what it cannot
    /// promise then is in [`exceptions`](crate::exceptions).
    #[must_use]
    pub fn without_times(self) -> Self {
        Self {
            keeps_times: false,
            ..self
        }
    }

    /// The same subject, whose stores have other steps above the backend than the plain ones of
    /// [`plain`]: so `store_promises!` holds a whole pipeline to them.
    ///
    /// `steps` adds a key mapper and a codec, and what else is to be tried. The text that it is given is what
    /// the keys must begin with.
    #[must_use]
    pub fn with_steps(
        self,
        steps: impl Fn(StoreBuilder, &str) -> StoreBuilder + Send + Sync + 'static,
    ) -> Self {
        Self {
            steps: Arc::new(steps),
            ..self
        }
    }

    /// The same subject, whose stores with an index have other steps above the backend than the plain ones: so
    /// `find_promises!` holds a whole pipeline to them.
    ///
    /// `steps` adds a key mapper, an `index` step with the options that it is given, and a codec, and what else is to be
    /// tried. The text that it is given is what the keys must begin with.
    #[must_use]
    pub fn with_indexed_steps(
        self,
        steps: impl Fn(StoreBuilder, &str, rrss_index::Options) -> StoreBuilder + Send + Sync + 'static,
    ) -> Self {
        Self {
            indexed: Arc::new(steps),
            ..self
        }
    }

    /// A store over the backend.
    ///
    /// # Panics
    ///
    /// Where its steps do not fit together.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store_over(self.clone())
    }

    /// A store over another backend, with the subject's time and steps: over one that stands between the store
    /// and the subject, which is a [`Backend`] itself.
    ///
    /// # Panics
    ///
    /// Where its steps do not fit together.
    #[must_use]
    pub fn store_over(&self, backend: impl Backend) -> Store {
        self.build((self.steps)(Store::builder(), &self.prefix), backend)
    }

    /// A store over the backend, with more said of it than its steps.
    pub(crate) fn store_with(&self, more: impl FnOnce(StoreBuilder) -> StoreBuilder) -> Store {
        let steps = (self.steps)(Store::builder(), &self.prefix);
        self.build(more(steps), self.clone())
    }

    /// A store over another backend, with more said of it than its steps.
    pub(crate) fn store_over_with(
        &self,
        backend: impl Backend,
        more: impl FnOnce(StoreBuilder) -> StoreBuilder,
    ) -> Store {
        let steps = (self.steps)(Store::builder(), &self.prefix);
        self.build(more(steps), backend)
    }

    /// A store with an index over another backend.
    pub(crate) fn indexed_store_over(
        &self,
        backend: impl Backend,
        index: rrss_index::Options,
        more: impl FnOnce(StoreBuilder) -> StoreBuilder,
    ) -> Store {
        let steps = (self.indexed)(Store::builder(), &self.prefix, index);
        self.build(more(steps), backend)
    }

    pub(crate) fn build(&self, steps: StoreBuilder, backend: impl Backend) -> Store {
        let steps = match &self.time {
            Time::Manual(clock) => steps.clock(clock.clone()),
            Time::Real => steps,
        };
        steps
            .backend("backend", backend)
            .build()
            .unwrap_or_else(|error| panic!("the store under test was not built: {error:?}"))
    }

    /// The text that the subject's keys begin with; no other subject has it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The keys that begin with the subject's prefix.
    #[must_use]
    pub fn key_space(&self) -> KeySpace {
        KeySpace::new(&*self.prefix, "")
    }

    /// The key called `name` in the subject's key space.
    #[must_use]
    pub fn key(&self, name: &str) -> StorageKey {
        format!("{}{name}", self.prefix).into()
    }

    /// An operation of now, on the key called `name`.
    #[must_use]
    pub fn operation(&self, action: Action, name: &str) -> Operation {
        let mut op = Operation::new(action, self.now());
        op.key = Some(self.key(name));
        op
    }

    /// Runs an operation on the backend, with no steps above it.
    ///
    /// # Errors
    ///
    /// What the backend answered.
    pub async fn run(&self, mut op: Operation) -> Result<Answer> {
        self.pipeline.run(&mut op).await
    }

    /// Whether the backend keeps the fields of a session one by one, with no codec above it.
    #[must_use]
    pub fn keeps_fields(&self) -> bool {
        self.pipeline.keeps_fields()
    }

    pub(crate) fn keeps_times(&self) -> bool {
        self.keeps_times
    }

    /// What a write stores: these bytes, or a session that has them as a field.
    pub(crate) fn payload(&self, bytes: &[u8]) -> Payload {
        if !self.keeps_fields() {
            return Payload::Bytes(Bytes::copy_from_slice(bytes));
        }
        let mut session = Session::new();
        session
            .insert("bytes", &String::from_utf8_lossy(bytes))
            .unwrap_or_else(|error| panic!("text serialises: {error}"));
        Payload::Session(session)
    }

    /// Whether the backend removes expired sessions only in sweeps.
    #[must_use]
    pub fn needs_sweep(&self) -> bool {
        self.pipeline.needs_sweep()
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.time {
            Time::Manual(clock) => clock.now(),
            Time::Real => SystemClock.now(),
        }
    }

    /// Whether the tests must wait for time to pass.
    #[must_use]
    pub fn is_real_time(&self) -> bool {
        matches!(self.time, Time::Real)
    }

    /// Lets time pass: moves the clock, or waits.
    pub async fn advance(&self, by: Duration) {
        self.pass(self.now() + by).await;
    }

    /// Lets time pass until `instant` is not in the future any more.
    pub async fn pass(&self, instant: Timestamp) {
        match &self.time {
            Time::Manual(clock) if clock.now() < instant => clock.set(instant),
            Time::Manual(_) => {}
            Time::Real => {
                // Redis still has a key in the millisecond of its deadline, so one more must begin.
                while SystemClock.now() <= instant {
                    let left = instant.since(SystemClock.now());
                    tokio::time::sleep(left + Duration::from_millis(1)).await;
                }
            }
        }
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("pipeline", &self.pipeline)
            .field("time", &self.time)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Stands for key mapper and codec, so that a pipeline accepts a backend on its own.
struct Through;

impl Transform for Through {}
