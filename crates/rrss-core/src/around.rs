//! The role of a step that wraps the rest of the pipeline.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::answer::Answer;
use crate::error::Result;
use crate::operation::Operation;
use crate::pipeline::Stages;

/// A step that runs before, after and instead of everything below it: a cache, a retry. Rare; prefer a
/// [`Transform`](crate::Transform).
///
/// # Examples
///
/// One more try after a passing fault; an operation is a plain value, so it can be sent twice.
///
/// ```
/// use rrss_core::{Action, Answer, Around, Next, Operation, Result};
///
/// #[derive(Debug)]
/// struct RetryReads;
///
/// impl Around for RetryReads {
///     async fn call(&self, op: &mut Operation, next: Next<'_>) -> Result<Answer> {
///         let mut first = op.clone();
///         match next.run(&mut first).await {
///             Err(error) if error.is_temporary() && *op.action() == Action::Load => next.run(op).await,
///             answer => answer,
///         }
///     }
/// }
/// ```
pub trait Around: Send + Sync + 'static {
    /// Answers `op`, with the help of the steps below or without.
    ///
    /// The future may be dropped before it is done, as when a client goes away: it must leave nothing half done.
    ///
    /// # Errors
    ///
    /// What the steps below answered, or this step's own.
    fn call(
        &self,
        op: &mut Operation,
        next: Next<'_>,
    ) -> impl Future<Output = Result<Answer>> + Send;
}

/// The steps below an [`Around`].
#[derive(Clone, Copy)]
pub struct Next<'a> {
    stages: &'a Stages,
    from: usize,
}

impl<'a> Next<'a> {
    pub(crate) fn new(stages: &'a Stages, from: usize) -> Self {
        Self { stages, from }
    }

    /// Runs the steps below and the backend.
    ///
    /// # Errors
    ///
    /// What they answered.
    pub async fn run(self, op: &mut Operation) -> Result<Answer> {
        self.stages.run(self.from, op).await
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Next(from step {})", self.from + 1)
    }
}

/// The erased twin of [`Around`]: the same call, boxed.
pub(crate) trait DynAround: Send + Sync {
    fn call<'a>(
        &'a self,
        op: &'a mut Operation,
        next: Next<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer>> + Send + 'a>>;
}

impl<T: Around> DynAround for T {
    fn call<'a>(
        &'a self,
        op: &'a mut Operation,
        next: Next<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer>> + Send + 'a>> {
        Box::pin(Around::call(self, op, next))
    }
}
