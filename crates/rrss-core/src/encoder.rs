//! The upper steps of a pipeline alone: what a write makes of a session, without writing it.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;
use crate::operation::{Action, Operation};
use crate::pipeline::Name;
use crate::session::Session;
use crate::time::Timestamp;
use crate::transform::Transform;

/// The upper steps of a pipeline, without those below them and without the backend: what a write makes of a session
/// until it comes to the next step. For tools that look at what a step would be given, such as one that trains a
/// dictionary.
///
/// Steps that wrap those below them are left out: they have nothing to wrap.
///
/// # Examples
///
/// See [`PipelineBuilder::build_encoder`](crate::PipelineBuilder::build_encoder).
#[derive(Clone)]
pub struct Encoder {
    steps: Vec<(Name, Arc<dyn Transform>)>,
}

impl Encoder {
    pub(crate) fn new(steps: Vec<(Name, Arc<dyn Transform>)>) -> Self {
        Self { steps }
    }

    /// The bytes that a write of `session` at `now` is below these steps: a create where the session is new, else an
    /// update. `None` where it is no bytes yet, since no codec is among the steps, or where a step settled the write.
    ///
    /// # Errors
    ///
    /// The first error of a step; [`Error::step`](crate::Error::step) names it.
    pub fn encode(&self, session: Session, now: Timestamp) -> Result<Option<Bytes>> {
        let action = if session.is_new() {
            Action::Create
        } else {
            Action::Update
        };
        let mut op = Operation::new(action, now).with_session(session);
        for (name, step) in &self.steps {
            step.before(&mut op)
                .map_err(|error| error.in_step(name.clone()))?;
            if op.take_settled().is_some() {
                return Ok(None);
            }
        }
        Ok(op.payload.take_bytes())
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.steps.iter().map(|(name, _)| name))
            .finish()
    }
}
