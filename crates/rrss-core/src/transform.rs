//! The cheapest role: a step that is two synchronous hooks.

use std::fmt;
use std::time::Duration;

use crate::answer::Answer;
use crate::error::Result;
use crate::index::IndexRules;
use crate::operation::Operation;
use crate::time::Timestamp;

/// A step that changes operations on their way to the backend, and answers on their way back.
///
/// Transforms are pure: no input or output, no clock but the operation's, no state that one operation leaves
/// for another to see. Both hooks do nothing unless written.
///
/// # Examples
///
/// ```
/// use rrss_core::{Operation, Result, Transform};
///
/// /// Never stores the field `password`.
/// #[derive(Debug)]
/// struct Forget;
///
/// impl Transform for Forget {
///     fn before(&self, op: &mut Operation) -> Result<()> {
///         if let Some(session) = op.session_mut() {
///             session.remove("password");
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Transform: Send + Sync + 'static {
    /// Runs on the way to the backend, in the order of the steps.
    ///
    /// # Errors
    ///
    /// An error ends the operation; the backend is not asked.
    fn before(&self, op: &mut Operation) -> Result<()> {
        let _ = op;
        Ok(())
    }

    /// Runs on the way back, in the reverse order of the steps. It sees the operation as the steps below left it.
    ///
    /// It does not run for an operation that ended in an error, nor in the steps below one that settled it.
    ///
    /// # Errors
    ///
    /// An error takes the place of the answer. What the backend did stays done.
    fn after(&self, op: &Operation, answer: &mut Answer) -> Result<()> {
        let _ = (op, answer);
        Ok(())
    }

    /// Whether this step must see the whole session to say what `op`, a touch or a delete by id, is to do. The store
    /// loads it first then, which costs a round trip, and [`Operation::session`] has it.
    fn wants_session(&self, op: &Operation) -> bool {
        let _ = op;
        false
    }

    /// By which fields sessions are found, if this step decides that; `index` does.
    fn index(&self) -> Option<&IndexRules> {
        None
    }

    /// Until when sessions may lie under keys that are not made any more, if this step decides that; `key-mapper` does while ids
    /// become hashed. A session that is not found is then looked for under its [former](crate::SessionId::former) id.
    fn former_keys_until(&self) -> Option<Timestamp> {
        None
    }

    /// How often the store is to sweep, if this step decides that; `expiry` does.
    fn sweep_every(&self) -> Option<Duration> {
        None
    }
}

/// A transform from two closures; see [`PipelineBuilder::transform`](crate::PipelineBuilder::transform).
pub struct FnTransform<B, A> {
    before: B,
    after: A,
}

impl<B, A> FnTransform<B, A>
where
    B: Fn(&mut Operation) -> Result<()> + Send + Sync + 'static,
    A: Fn(&Operation, &mut Answer) -> Result<()> + Send + Sync + 'static,
{
    /// A transform whose hooks are `before` and `after`.
    pub fn new(before: B, after: A) -> Self {
        Self { before, after }
    }
}

impl<B, A> Transform for FnTransform<B, A>
where
    B: Fn(&mut Operation) -> Result<()> + Send + Sync + 'static,
    A: Fn(&Operation, &mut Answer) -> Result<()> + Send + Sync + 'static,
{
    fn before(&self, op: &mut Operation) -> Result<()> {
        (self.before)(op)
    }

    fn after(&self, op: &Operation, answer: &mut Answer) -> Result<()> {
        (self.after)(op, answer)
    }
}

impl<B, A> fmt::Debug for FnTransform<B, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnTransform")
    }
}
