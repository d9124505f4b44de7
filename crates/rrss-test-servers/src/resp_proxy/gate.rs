//! Where a command waits until a test lets it go on.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::lock;

/// Where commands wait until a test lets them go on. Clones are the same gate.
#[derive(Clone, Default)]
pub struct Gate(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    open: bool,
    arrived: u32,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Gate {
        Gate::default()
    }

    /// Lets what stands here go on, and all that comes later.
    pub fn open(&self) {
        self.with(|state| state.open = true);
    }

    /// Whether a command has come to the gate.
    pub fn has_arrived(&self) -> bool {
        self.with(|state| state.arrived > 0)
    }

    /// Waits until a command has come to the gate; `false` where none has within `limit`.
    pub fn wait_arrived(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut state = lock(&self.0.state);
        while state.arrived == 0 {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                return false;
            };
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Comes to the gate and waits until it is open.
    pub(super) fn pass(&self) {
        self.with(|state| state.arrived += 1);
        let state = lock(&self.0.state);
        let open = self.0.changed.wait_while(state, |state| !state.open);
        drop(open.unwrap_or_else(PoisonError::into_inner));
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let answer = change(&mut lock(&self.0.state));
        self.0.changed.notify_all();
        answer
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.0.state);
        f.debug_struct("Gate")
            .field("open", &state.open)
            .field("arrived", &state.arrived)
            .finish()
    }
}
