//! One value for each tokio runtime.
//!
//! A task that was spawned in a runtime goes on only while that runtime is driven: never again once it has ended, and
//! not while a runtime of one thread is between two calls of `block_on`. So nothing that one runtime waits for may be
//! done by a task of another.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::{Handle, Id, RuntimeFlavor};

/// More runtimes than this at the same time replace the values of one another.
const MOST: usize = 256;

/// The runtime of the caller.
///
/// # Panics
///
/// Outside of a tokio runtime, as all of tokio's timers and sockets do.
pub(super) fn current() -> Id {
    Handle::current().id()
}

/// A runtime, and whether it is driven by threads of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home {
    id: Id,
    has_threads: bool,
}

impl Home {
    /// The runtime of the caller.
    pub(super) fn here() -> Self {
        let runtime = Handle::current();
        Self {
            id: runtime.id(),
            has_threads: runtime.runtime_flavor() != RuntimeFlavor::CurrentThread,
        }
    }

    /// Whether its tasks go on while the caller does something: they do by themselves, or the caller is one of them.
    pub(super) fn is_driven(self) -> bool {
        self.has_threads || Handle::try_current().is_ok_and(|here| here.id() == self.id)
    }
}

/// A value for each runtime that has put one there.
pub(super) struct PerRuntime<T>(Mutex<Vec<(Id, T)>>);

impl<T: Clone> PerRuntime<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The value of the runtime `id`. An id is used again after its runtime has ended.
    pub(super) fn get(&self, id: Id) -> Option<T> {
        let values = self.values();
        let (_, value) = values.iter().find(|(of, _)| *of == id)?;
        Some(value.clone())
    }

    /// The value of the runtime `id` where it is as `wanted`; else that of `make`. Then the values of other runtimes that
    /// are not `alive` go.
    pub(super) fn get_or_make(
        &self,
        id: Id,
        wanted: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> T,
        alive: impl Fn(&T) -> bool,
    ) -> (T, bool) {
        let mut values = self.values();
        if let Some((_, value)) = values.iter().find(|(of, _)| *of == id)
            && wanted(value)
        {
            return (value.clone(), false);
        }
        let value = make();
        put(&mut values, id, value.clone(), alive);
        (value, true)
    }

    /// Puts the value of the runtime `id`. Then the values of other runtimes that are not `alive` go.
    pub(super) fn put(&self, id: Id, value: T, alive: impl Fn(&T) -> bool) {
        put(&mut self.values(), id, value, alive);
    }

    /// Takes the value away that is `this` one, if it is still there.
    pub(super) fn take(&self, this: impl Fn(&T) -> bool) -> Option<T> {
        let mut values = self.values();
        let place = values.iter().position(|(_, value)| this(value))?;
        Some(values.swap_remove(place).1)
    }

    pub(super) fn take_all(&self) -> Vec<T> {
        let values = std::mem::take(&mut *self.values());
        values.into_iter().map(|(_, value)| value).collect()
    }

    /// No closure that runs under the lock panics, so what is there is whole.
    fn values(&self) -> MutexGuard<'_, Vec<(Id, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put<T>(values: &mut Vec<(Id, T)>, id: Id, value: T, alive: impl Fn(&T) -> bool) {
    values.retain(|(of, value)| *of != id && alive(value));
    if values.len() == MOST {
        values.remove(0);
    }
    values.push((id, value));
}

#[cfg(test)]
mod tests {
    use tokio::runtime::{Builder, Runtime};

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn each_runtime_has_its_own_value_and_dead_ones_go() {
        let values = PerRuntime::new();
        let runtimes: Vec<Runtime> = (0..3).map(|_| runtime()).collect();
        for (number, runtime) in runtimes.iter().enumerate() {
            let id = runtime.handle().id();
            assert_eq!(values.get(id), None);
            values.put(id, number, |_| true);
        }
        for (number, runtime) in runtimes.iter().enumerate() {
            assert_eq!(values.get(runtime.handle().id()), Some(number));
        }
        let last = runtimes[2].handle().id();
        let made = values.get_or_make(last, |_| false, || 7, |value| *value == 1);
        assert_eq!(made, (7, true));
        assert_eq!(values.get(runtimes[0].handle().id()), None);
        assert_eq!(values.take(|value| *value == 1), Some(1));
        assert_eq!(values.take_all(), [7]);
    }

    #[test]
    fn there_are_no_more_than_the_bound() {
        let values = PerRuntime::new();
        let runtimes: Vec<Runtime> = (0..=MOST).map(|_| runtime()).collect();
        for runtime in &runtimes {
            values.put(runtime.handle().id(), (), |()| true);
        }
        assert_eq!(values.take_all().len(), MOST);
    }

    #[test]
    fn a_runtime_of_one_thread_is_driven_from_within_alone() {
        let (one, other) = (runtime(), runtime());
        let home = one.block_on(async { Home::here() });
        assert!(!home.is_driven());
        assert!(!other.block_on(async { home.is_driven() }));
        assert!(one.block_on(async { home.is_driven() }));
        let threads = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        assert!(threads.block_on(async { Home::here() }).is_driven());
    }
}
