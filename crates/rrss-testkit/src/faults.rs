//! A backend that fails when the test says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rrss_core::{Backend, Error, ErrorKind, Result};

use crate::intercept::{Call, Intercept, Intercepted, Side};

/// Makes chosen calls of a backend fail: before they are carried out, or after, which is what a lost answer is.
/// Clones share the plan.
///
/// # Examples
///
/// ```
/// use rrss::{ErrorKind, Session};
/// use rrss_persistence::memory::Memory;
/// use rrss_testkit::{Call, Faults, Side, Subject};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
/// let faults = Faults::new();
/// let store = Subject::new(faults.before(Memory::default())).store();
///
/// faults.fail(Call::Count, 2, Side::Before, ErrorKind::Timeout);
/// assert_eq!(store.count().await?, 0);
/// assert_eq!(store.count().await.unwrap_err().kind(), ErrorKind::Timeout);
/// assert_eq!(store.count().await?, 0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    planned: Vec<Fault>,
    reached: HashMap<(Call, Side), u64>,
    outage: Option<ErrorKind>,
}

#[derive(Debug)]
struct Fault {
    call: Call,
    number: u64,
    side: Side,
    kind: ErrorKind,
}

impl Faults {
    /// Without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `backend`, which fails as planned.
    #[must_use]
    pub fn before<B: Backend>(&self, backend: B) -> Intercepted<B, Faults> {
        Intercepted::new(backend, self.clone())
    }

    /// Lets `call` fail at `side` the `nth` time from now that it comes there, where 1 is the next time.
    pub fn fail(&self, call: Call, nth: u64, side: Side, kind: ErrorKind) {
        self.with(|plan| {
            let number = plan.reached.get(&(call, side)).unwrap_or(&0) + nth;
            plan.planned.push(Fault {
                call,
                number,
                side,
                kind,
            });
        });
    }

    /// Lets every call fail, before it is carried out, until [`heal`](Faults::heal).
    pub fn fail_all(&self, kind: ErrorKind) {
        self.with(|plan| plan.outage = Some(kind));
    }

    /// Lets no call fail any more.
    pub fn heal(&self) {
        self.with(|plan| {
            plan.planned.clear();
            plan.outage = None;
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut Plan) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Faults {
    async fn at(&self, call: Call, side: Side) -> Result<()> {
        let fault = self.with(|plan| {
            let reached = plan.reached.entry((call, side)).or_default();
            *reached += 1;
            let number = *reached;
            if let Some(kind) = plan.outage.filter(|_| side == Side::Before) {
                return Some(kind);
            }
            let at = plan.planned.iter().position(|fault| {
                fault.call == call && fault.side == side && fault.number == number
            })?;
            Some(plan.planned.swap_remove(at).kind)
        });
        match fault {
            Some(kind) => {
                let error = Error::new(kind, "the test let this call fail");
                // What was carried out, and whose answer is lost, may have happened as far as anybody knows.
                Err(match side {
                    Side::Before => error,
                    Side::After => error.in_doubt(),
                })
            }
            None => Ok(()),
        }
    }
}
