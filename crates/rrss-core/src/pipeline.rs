//! Steps in order, ending in one backend.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::answer::{Answer, Outcome};
use crate::around::{DynAround, Next};
#[cfg(doc)]
use crate::backend::Backend;
use crate::backend::DynBackend;
#[cfg(doc)]
use crate::error::Error;
use crate::error::{ErrorKind, Result};
use crate::finding::{Finding, Needs};
use crate::id::SessionId;
use crate::index::IndexRules;
use crate::operation::{Action, Operation};
use crate::payload::StoredForm;
use crate::pipeline_builder::PipelineBuilder;
use crate::session::Session;
use crate::shape::{Data, Shape};
use crate::time::Timestamp;
use crate::transform::Transform;

/// Steps in order, ending in exactly one backend: what a store runs its operations through.
///
/// The order of the steps is the order of a write; the answer passes the same steps backwards. Clones share the
/// steps.
///
/// # Examples
///
/// See [`PipelineBuilder`], and `Store::builder` of the `rrss` crate.
#[derive(Clone)]
pub struct Pipeline {
    stages: Arc<Stages>,
}

/// The steps as they run.
pub(crate) struct Stages {
    above: Vec<(Name, Stage)>,
    backend: (Name, Arc<dyn DynBackend>),
    shapes: Vec<Shape>,
    former_keys_until: Option<Timestamp>,
}

pub(crate) type Name = Cow<'static, str>;

pub(crate) enum Stage {
    Transform(Arc<dyn Transform>),
    Around(Arc<dyn DynAround>),
}

impl Stages {
    pub(crate) async fn run(&self, from: usize, op: &mut Operation) -> Result<Answer> {
        let mut reached = from;
        let mut answer = loop {
            let Some((name, stage)) = self.above.get(reached) else {
                let (name, backend) = &self.backend;
                break backend
                    .call(op)
                    .await
                    .map_err(|error| error.in_step(name.clone()))?;
            };
            match stage {
                Stage::Transform(transform) => {
                    transform
                        .before(op)
                        .map_err(|error| error.in_step(name.clone()))?;
                }
                Stage::Around(around) => {
                    let next = Next::new(self, reached + 1);
                    break around
                        .call(op, next)
                        .await
                        .map_err(|error| error.in_step(name.clone()))?;
                }
            }
            if let Some(answer) = op.take_settled() {
                break answer;
            }
            reached += 1;
        };
        self.read(from..reached, op, &mut answer)?;
        Ok(answer)
    }

    fn read(&self, passed: Range<usize>, op: &Operation, answer: &mut Answer) -> Result<()> {
        for (name, stage) in self.above[passed].iter().rev() {
            if let Stage::Transform(transform) = stage {
                transform
                    .after(op, answer)
                    .map_err(|error| error.in_step(name.clone()))?;
            }
        }
        Ok(())
    }
}

impl Pipeline {
    /// Steps whose shapes were checked; `shapes` has the backend's last.
    pub(crate) fn new(
        above: Vec<(Name, Stage)>,
        backend: (Name, Arc<dyn DynBackend>),
        shapes: Vec<Shape>,
    ) -> Self {
        let former = |(_, stage): &(Name, Stage)| match stage {
            Stage::Transform(transform) => transform.former_keys_until(),
            Stage::Around(_) => None,
        };
        let former_keys_until = above.iter().find_map(former);
        Self {
            stages: Arc::new(Stages {
                above,
                backend,
                shapes,
                former_keys_until,
            }),
        }
    }

    /// Begins a pipeline in code.
    #[must_use]
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder::default()
    }

    /// Runs one operation through the steps to the backend and back.
    ///
    /// While a step has [former keys](Transform::former_keys_until), an operation on a session that is not found under its key
    /// is run once more, on its [former](crate::SessionId::former) id, which `op` has then. A session has one key all its
    /// life: none is created under an id that has a session under its former key.
    ///
    /// # Errors
    ///
    /// The first error of a step or of the backend; [`Error::step`] names it.
    pub async fn run(&self, op: &mut Operation) -> Result<Answer> {
        match self.former(op) {
            None => self.stages.run(0, op).await,
            // It is for the time of a change only, and must not make every operation larger.
            Some(former) => Box::pin(self.run_with_former(op, former)).await,
        }
    }

    /// The id under which the session of `op` may lie too.
    fn former(&self, op: &Operation) -> Option<SessionId> {
        let until = self.stages.former_keys_until?;
        let id = op.id().filter(|id| !id.is_private() && !id.is_former())?;
        (op.now() < until).then(|| id.former())
    }

    async fn run_with_former(&self, op: &mut Operation, former: SessionId) -> Result<Answer> {
        if matches!(op.action(), Action::Create | Action::Rotate) {
            let mut look = Operation::new(Action::Load, op.now()).with_id(former);
            let is_taken = match self.stages.run(0, &mut look).await {
                Ok(answer) => answer.outcome == Outcome::Found,
                Err(error) if error.kind() == ErrorKind::Corrupt => true,
                Err(error) => return Err(error),
            };
            return if is_taken {
                Ok(Answer::new(Outcome::Taken))
            } else {
                self.stages.run(0, op).await
            };
        }
        let again = op.clone().with_id(former);
        // Whether the id was rotated away is asked once it is found nowhere.
        let wants_rotated = std::mem::take(&mut op.wants_rotated);
        let first = wants_rotated.then(|| op.clone());
        let answer = self.stages.run(0, op).await?;
        if answer.outcome != Outcome::Missing {
            return Ok(answer);
        }
        *op = again;
        let answer = self.stages.run(0, op).await?;
        match first {
            Some(mut first) if answer.outcome == Outcome::Missing => {
                first.wants_rotated = true;
                self.stages.run(0, &mut first).await
            }
            _ => Ok(answer),
        }
    }

    /// Runs the way down alone: afterwards `op` is what the backend would be given. `false` where a step answered it before,
    /// as the `key-mapper` does for an id that is not of its form. Steps that wrap those below them are left out.
    ///
    /// With [`run_on_backend`](Pipeline::run_on_backend) and [`read`](Pipeline::read), it is [`run`](Pipeline::run) in parts:
    /// for who must know which bytes they were that could not be read.
    ///
    /// # Errors
    ///
    /// The first error of a step.
    pub fn prepare(&self, op: &mut Operation) -> Result<bool> {
        self.prepare_from(0, op)
    }

    /// As [`prepare`](Pipeline::prepare), of the lower steps alone: those from number `from` on, counted from 0 as
    /// [`steps`](Pipeline::steps) has them. For who has what the steps above give, and is to leave it as it is.
    ///
    /// # Errors
    ///
    /// The first error of a step.
    pub fn prepare_from(&self, from: usize, op: &mut Operation) -> Result<bool> {
        for (name, stage) in self.stages.above.iter().skip(from) {
            if let Stage::Transform(transform) = stage {
                transform
                    .before(op)
                    .map_err(|error| error.in_step(name.clone()))?;
            }
            if op.take_settled().is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Runs an operation on the backend alone, past all steps: on a key, and with bytes, that were not made by them, or were
    /// made by [`prepare`](Pipeline::prepare).
    ///
    /// # Errors
    ///
    /// As [`run`](Pipeline::run).
    pub async fn run_on_backend(&self, op: &Operation) -> Result<Answer> {
        let (name, backend) = &self.stages.backend;
        backend
            .call(op)
            .await
            .map_err(|error| error.in_step(name.clone()))
    }

    /// Runs the way back alone: what `answer`, which the backend gave to `op`, is above the steps. Steps that wrap those below
    /// them are left out.
    ///
    /// # Errors
    ///
    /// The first error of a step: [`ErrorKind::Corrupt`] where what was loaded is no session.
    pub fn read(&self, op: &Operation, answer: Answer) -> Result<Answer> {
        self.read_from(0, op, answer)
    }

    /// As [`read`](Pipeline::read), of the lower steps alone: what `answer` is above the step of number `from`.
    ///
    /// # Errors
    ///
    /// The first error of a step.
    pub fn read_from(&self, from: usize, op: &Operation, mut answer: Answer) -> Result<Answer> {
        let all = self.stages.above.len();
        self.stages.read(from.min(all)..all, op, &mut answer)?;
        Ok(answer)
    }

    /// The steps in order: name and shape.
    pub fn steps(&self) -> impl Iterator<Item = (&str, Shape)> {
        let names = self.stages.above.iter().map(|(name, _)| &**name);
        names
            .chain([&*self.stages.backend.0])
            .zip(self.stages.shapes.iter().copied())
    }

    /// Whether a step gives sessions a deadline. Without one they never end by themselves.
    #[must_use]
    pub fn sets_deadlines(&self) -> bool {
        self.stages.shapes.iter().any(|shape| shape.sets_deadline)
    }

    /// Whether expired sessions must be swept out of the backend.
    #[must_use]
    pub fn needs_sweep(&self) -> bool {
        self.stages.backend.1.needs_sweep()
    }

    /// The present instant by the clock of the backend, where that is known and differs by a second or more from `own`, which
    /// is the clock of the process; else `own`.
    #[must_use]
    pub fn now(&self, own: Timestamp) -> Timestamp {
        match self.stages.backend.1.known_now() {
            Some(server) if server.ahead_of(own) != 0 => server,
            _ => own,
        }
    }

    /// Whether the backend gives a session another key in one change; see [`Backend::rotates_at_once`].
    #[must_use]
    pub fn rotates_at_once(&self) -> bool {
        self.stages.backend.1.rotates_at_once()
    }

    /// Whether the index can lose an entry whose session stays; see [`Backend::may_lose_entries`].
    #[must_use]
    pub fn may_lose_entries(&self) -> bool {
        self.stages.backend.1.may_lose_entries()
    }

    /// Whether the backend keeps the fields of a session one by one, and writes only those that changed: then saves of
    /// different fields do not meet.
    #[must_use]
    pub fn keeps_fields(&self) -> bool {
        let backend = self.stages.shapes.last();
        backend.is_some_and(|shape| shape.takes == Some(Data::Session))
    }

    /// What [`Backend::stored_form`] of the backend makes of a session, as it comes to the backend.
    #[must_use]
    pub fn stored_form(&self, session: &Session) -> Option<StoredForm> {
        self.stages.backend.1.stored_form(session)
    }

    /// Whether the backend keeps an index.
    #[must_use]
    pub fn keeps_index(&self) -> bool {
        self.stages.shapes.iter().any(|shape| shape.keeps_index)
    }

    /// Whether the backend keeps notes of sessions, to tell of those that have expired.
    #[must_use]
    pub fn keeps_expired(&self) -> bool {
        self.stages.shapes.iter().any(|shape| shape.keeps_expired)
    }

    /// Whether the backend is told of the changes that others make to a session.
    #[must_use]
    pub fn tells_changes(&self) -> bool {
        self.stages.shapes.iter().any(|shape| shape.tells_changes)
    }

    /// Whether a step must see the whole session to say what `op`, a touch or a delete by id, is to do.
    #[must_use]
    pub fn wants_session(&self, op: &Operation) -> bool {
        self.transforms().any(|step| step.wants_session(op))
    }

    /// By which fields sessions are found, where a step says so.
    #[must_use]
    pub fn index(&self) -> Option<&IndexRules> {
        self.transforms().find_map(Transform::index)
    }

    /// Whether the ids of stored sessions cannot be told from what is stored: listings have handles only.
    #[must_use]
    pub fn hides_ids(&self) -> bool {
        self.stages.shapes.iter().any(|shape| shape.hides_ids)
    }

    /// How often a step asks for a sweep.
    #[must_use]
    pub fn sweep_every(&self) -> Option<Duration> {
        self.transforms().find_map(Transform::sweep_every)
    }

    fn transforms(&self) -> impl Iterator<Item = &dyn Transform> {
        let above = self.stages.above.iter();
        above.filter_map(|(_, stage)| match stage {
            Stage::Transform(transform) => Some(&**transform),
            Stage::Around(_) => None,
        })
    }

    /// Reaches the backend once.
    ///
    /// # Errors
    ///
    /// Why it cannot be reached; see [`Backend::ping`].
    pub async fn ping(&self) -> Result<()> {
        let (name, backend) = &self.stages.backend;
        backend
            .ping()
            .await
            .map_err(|error| error.in_step(name.clone()))
    }

    /// What the backend finds out about itself, for this pipeline.
    ///
    /// # Errors
    ///
    /// Why it cannot be reached; see [`Backend::examine`]. Else the first error of a step.
    pub async fn examine(&self, now: Timestamp) -> Result<Vec<Finding>> {
        let mut op = Operation::new(Action::Create, now).with_session(Session::new());
        self.prepare(&mut op)?;
        let rules = self.index();
        let needs = Needs {
            key_space: op.key_space.clone(),
            index: rules.is_some(),
            expired: rules.is_some_and(|rules| rules.keep_expired.is_some()),
            changes: self.stages.shapes.iter().any(|shape| shape.needs_changes),
            ..Needs::new(op.key()?.clone())
        };
        let (name, backend) = &self.stages.backend;
        let found = backend.examine(&needs).await;
        found.map_err(|error| error.in_step(name.clone()))
    }

    /// Makes what was acknowledged safe before the process ends.
    ///
    /// # Errors
    ///
    /// See [`Backend::close`].
    pub async fn close(&self) -> Result<()> {
        let (name, backend) = &self.stages.backend;
        backend
            .close()
            .await
            .map_err(|error| error.in_step(name.clone()))
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.steps().map(|(name, _)| name))
            .finish()
    }
}
