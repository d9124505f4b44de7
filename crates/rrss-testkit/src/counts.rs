//! How often a backend is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rrss_core::{Backend, Result};

use crate::intercept::{Call, Intercept, Intercepted, Side};

/// Counts the calls of a backend. Clones share the counts.
///
/// # Examples
///
/// ```
/// use rrss::Session;
/// use rrss_persistence::memory::Memory;
/// use rrss_testkit::{Call, Counts, Subject};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
/// let counts = Counts::new();
/// let subject = Subject::new(counts.before(Memory::default()));
/// let store = subject.store();
///
/// store.save(&mut Session::new()).await?;
/// assert_eq!(counts.total(), 0);
/// store.count().await?;
/// assert_eq!(counts.of(Call::Count), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Counts(Arc<Mutex<BTreeMap<Call, u64>>>);

impl Counts {
    /// With nothing counted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `backend`, with its calls counted.
    #[must_use]
    pub fn before<B: Backend>(&self, backend: B) -> Intercepted<B, Counts> {
        Intercepted::new(backend, self.clone())
    }

    /// How often `call` was made.
    #[must_use]
    pub fn of(&self, call: Call) -> u64 {
        self.with(|counts| counts.get(&call).copied().unwrap_or_default())
    }

    /// How many calls were made.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.with(|counts| counts.values().sum())
    }

    /// Forgets what was counted.
    pub fn reset(&self) {
        self.with(BTreeMap::clear);
    }

    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<Call, u64>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Counts {
    async fn at(&self, call: Call, side: Side) -> Result<()> {
        if side == Side::Before {
            self.with(|counts| *counts.entry(call).or_default() += 1);
        }
        Ok(())
    }
}
