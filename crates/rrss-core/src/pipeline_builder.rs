//! A pipeline in the making.

use std::borrow::Cow;
use std::fmt;

use crate::answer::Answer;
use crate::around::Around;
use crate::backend::Backend;
use crate::compose::check_composition;
use crate::encoder::Encoder;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::Operation;
use crate::pipeline::{Name, Pipeline, Stage};
use crate::shape::Shape;
use crate::step::{BuildContext, Configured, ConfiguredStep, Role, Step};
use crate::transform::{FnTransform, Transform};

/// A pipeline in the making: steps are added in the order of a write.
///
/// # Examples
///
/// A pipeline needs a step that makes keys, a codec and a backend; `rrss` has them. What does not fit together is
/// said before anything is opened:
///
/// ```
/// use rrss_core::{ErrorKind, Pipeline, Shape};
///
/// let error = Pipeline::builder()
///     .before("stamp", Shape::on_session(), |op| {
///         if let Some(session) = op.session_mut() {
///             session.insert("stamped", &true)?;
///         }
///         Ok(())
///     })
///     .build()
///     .unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert!(error.to_string().contains("no step keeps the sessions"));
/// ```
#[derive(Default)]
pub struct PipelineBuilder {
    steps: Vec<Planned>,
    context: BuildContext,
}

type Make = Box<dyn FnOnce(&BuildContext) -> Result<Role> + Send>;

struct Planned {
    name: Name,
    shape: Shape,
    make: Make,
}

impl PipelineBuilder {
    /// Adds a step by its type, with its options.
    #[must_use]
    pub fn step<S: Step>(self, options: S::Options) -> Self {
        self.configured(Box::new(Configured::<S>::new(options)))
    }

    /// Adds a step whose options were read from a document.
    #[must_use]
    pub fn configured(self, step: Box<dyn ConfiguredStep>) -> Self {
        let (name, shape) = (Cow::Borrowed(step.type_name()), step.shape());
        self.planned(name, shape, move |context| step.build(context))
    }

    /// Adds a transform of your own.
    #[must_use]
    pub fn transform(self, name: impl Into<Name>, shape: Shape, transform: impl Transform) -> Self {
        self.planned(name.into(), shape, move |_| Ok(Role::transform(transform)))
    }

    /// Adds a transform from a closure that runs on the way to the backend.
    #[must_use]
    pub fn before<F>(self, name: impl Into<Name>, shape: Shape, before: F) -> Self
    where
        F: Fn(&mut Operation) -> Result<()> + Send + Sync + 'static,
    {
        self.transform(
            name,
            shape,
            FnTransform::new(before, |_: &Operation, _: &mut Answer| Ok(())),
        )
    }

    /// Adds a transform from a closure that runs on the way back.
    #[must_use]
    pub fn after<F>(self, name: impl Into<Name>, shape: Shape, after: F) -> Self
    where
        F: Fn(&Operation, &mut Answer) -> Result<()> + Send + Sync + 'static,
    {
        self.transform(
            name,
            shape,
            FnTransform::new(|_: &mut Operation| Ok(()), after),
        )
    }

    /// Adds a step that wraps everything below it. Its shape says what it looks at.
    #[must_use]
    pub fn around(self, name: impl Into<Name>, shape: Shape, around: impl Around) -> Self {
        self.planned(name.into(), shape.around(), move |_| {
            Ok(Role::around(around))
        })
    }

    /// Adds a backend of your own, which keeps bytes, or [the fields of sessions](Backend::keeps_fields).
    #[must_use]
    pub fn backend(self, name: impl Into<Name>, backend: impl Backend) -> Self {
        let mut shape = if backend.keeps_fields() {
            Shape::backend_of_sessions()
        } else {
            Shape::backend()
        };
        if backend.keeps_index() {
            shape = shape.keeps_index();
        }
        if backend.keeps_expired() {
            shape = shape.keeps_expired();
        }
        if backend.tells_changes() {
            shape = shape.tells_changes();
        }
        self.planned(name.into(), shape, move |_| Ok(Role::backend(backend)))
    }

    /// What steps may know of their surroundings when they are built.
    #[must_use]
    pub fn context(mut self, context: BuildContext) -> Self {
        self.context = context;
        self
    }

    /// The name of the store that the steps are built for, which they find in their [context](BuildContext::store_name).
    #[must_use]
    pub fn of_store(mut self, name: &str) -> Self {
        self.context = self.context.of_store(name);
        self
    }

    /// The steps added so far: name and shape.
    pub fn steps(&self) -> impl Iterator<Item = (&str, Shape)> {
        self.steps.iter().map(|step| (&*step.name, step.shape))
    }

    /// Checks that the steps fit together, and builds them.
    ///
    /// Backends connect at their first operation, not here; one that opens files does so here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with every reason why the steps do not fit together, and what to do; else the first
    /// error of a step that could not be built.
    pub fn build(self) -> Result<Pipeline> {
        self.check()?;
        let shapes = self.steps.iter().map(|step| step.shape).collect();
        let mut above = Vec::with_capacity(self.steps.len());
        for Planned { name, shape, make } in self.steps {
            let role = make(&self.context).map_err(|error| error.in_step(name.clone()))?;
            match role {
                Role::Transform(transform) if !shape.is_backend() => {
                    above.push((name, Stage::Transform(transform)));
                }
                Role::Around(around) if !shape.is_backend() => {
                    above.push((name, Stage::Around(around)));
                }
                Role::Backend(backend) if shape.is_backend() => {
                    return Ok(Pipeline::new(above, (name, backend), shapes));
                }
                Role::Transform(_) | Role::Around(_) | Role::Backend(_) => {
                    return Err(other_role(shape).in_step(name));
                }
            }
        }
        // The check found exactly one backend, and the loop returns at it.
        Err(Error::new(ErrorKind::Config, "no step keeps the sessions"))
    }

    /// Checks that all the steps fit together, and builds the first `count` of them alone; never the backend.
    ///
    /// # Errors
    ///
    /// As [`build`](PipelineBuilder::build).
    ///
    /// # Examples
    ///
    /// ```
    /// # use rrss_core::{Backend, Cursor, Operation, Page, Record, Result, Written};
    /// # struct Keep;
    /// # impl Backend for Keep {
    /// #     async fn load(&self, _: &Operation) -> Result<Option<Record>> { Ok(None) }
    /// #     async fn write(&self, _: &Operation) -> Result<Written> { Ok(Written::Done) }
    /// #     async fn touch(&self, _: &Operation) -> Result<Written> { Ok(Written::Gone) }
    /// #     async fn delete(&self, _: &Operation) -> Result<Written> { Ok(Written::Gone) }
    /// #     async fn list(&self, _: &Operation, _: Option<&Cursor>, _: usize) -> Result<Page> { Ok(Page::default()) }
    /// #     async fn count(&self, _: &Operation) -> Result<u64> { Ok(0) }
    /// #     async fn ping(&self) -> Result<()> { Ok(()) }
    /// # }
    /// use rrss_core::{Payload, Pipeline, Session, Shape, Timestamp};
    ///
    /// let encoder = Pipeline::builder()
    ///     .before("key", Shape::anywhere().makes_key(), |_| Ok(()))
    ///     .before("names", Shape::codec(), |op| {
    ///         let session = op.take_session().unwrap_or_default();
    ///         let names: Vec<&str> = session.keys().collect();
    ///         op.payload = Payload::Bytes(names.join(",").into());
    ///         Ok(())
    ///     })
    ///     .backend("keep", Keep)
    ///     .build_encoder(2)?;
    ///
    /// let mut session = Session::new();
    /// session.insert("user", "ann")?;
    /// session.insert("cart", &["tea"])?;
    /// let bytes = encoder.encode(session, Timestamp::from_millis(0))?;
    /// assert_eq!(bytes.unwrap(), "user,cart");
    /// # Ok::<(), rrss_core::Error>(())
    /// ```
    pub fn build_encoder(self, count: usize) -> Result<Encoder> {
        self.check()?;
        let mut steps = Vec::new();
        for Planned { name, shape, make } in self.steps.into_iter().take(count) {
            if shape.is_backend() {
                break;
            }
            match make(&self.context).map_err(|error| error.in_step(name.clone()))? {
                Role::Transform(transform) => steps.push((name, transform)),
                Role::Around(_) => {}
                Role::Backend(_) => return Err(other_role(shape).in_step(name)),
            }
        }
        Ok(Encoder::new(steps))
    }

    fn check(&self) -> Result<()> {
        let shapes: Vec<(&str, Shape)> = self.steps().collect();
        let misfits = check_composition(&shapes);
        if misfits.is_empty() {
            return Ok(());
        }
        let all: Vec<String> = misfits
            .iter()
            .map(|misfit| format!("{misfit}: {}", misfit.hint()))
            .collect();
        Err(Error::new(
            ErrorKind::Config,
            format!("these steps make no pipeline: {}", all.join("; ")),
        ))
    }

    fn planned<F>(mut self, name: Name, shape: Shape, make: F) -> Self
    where
        F: FnOnce(&BuildContext) -> Result<Role> + Send + 'static,
    {
        self.steps.push(Planned {
            name,
            shape,
            make: Box::new(make),
        });
        self
    }
}

fn other_role(shape: Shape) -> Error {
    Error::new(
        ErrorKind::Config,
        format!(
            "it says that it is a step of role `{}`, but builds another",
            shape.role()
        ),
    )
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.steps().map(|(name, _)| name))
            .finish()
    }
}
