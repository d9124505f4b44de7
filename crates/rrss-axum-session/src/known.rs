//! What this process has been told about ids that no live session is known to have.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// How many ids are remembered. One that is forgotten counts as live: it can be overwritten, never created.
const CAPACITY: usize = 65_536;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The framework made the id and asked whether it is taken; it is not.
    Free,
    /// No session has it, and the framework holds one in its memory that must not be stored under it.
    Absent,
    /// Nobody could say: what the framework has in its memory under this id is not the session.
    Unsure,
    /// As `Unsure`, and the request was refused: what the framework does at its end must not reach the store.
    Refused,
}

#[derive(Default)]
pub(crate) struct Known(Mutex<Ids>);

#[derive(Default)]
struct Ids {
    states: HashMap<String, (State, u64)>,
    order: VecDeque<(String, u64)>,
    number: u64,
}

impl Known {
    pub(crate) fn of(&self, id: &str) -> Option<State> {
        self.with(|ids| ids.states.get(id).map(|(state, _)| *state))
    }

    pub(crate) fn set(&self, id: &str, state: State) {
        self.with(|ids| {
            ids.number += 1;
            let number = ids.number;
            ids.states.insert(id.to_owned(), (state, number));
            ids.order.push_back((id.to_owned(), number));
            while ids.order.len() > CAPACITY {
                if let Some((oldest, number)) = ids.order.pop_front()
                    && ids.states.get(&oldest).is_some_and(|(_, of)| *of == number)
                {
                    ids.states.remove(&oldest);
                }
            }
        });
    }

    pub(crate) fn forget(&self, id: &str) {
        self.with(|ids| ids.states.remove(id));
    }

    fn with<T>(&self, look: impl FnOnce(&mut Ids) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_and_the_newest_are_not() {
        let known = Known::default();
        for number in 0..=CAPACITY {
            known.set(&number.to_string(), State::Free);
        }
        assert_eq!(known.of("0"), None);
        assert_eq!(known.of("1"), Some(State::Free));
        assert_eq!(known.of(&CAPACITY.to_string()), Some(State::Free));
    }

    #[test]
    fn what_is_set_anew_is_as_young_as_that() {
        let known = Known::default();
        known.set("kept", State::Free);
        known.set("kept", State::Unsure);
        for number in 1..CAPACITY {
            known.set(&number.to_string(), State::Free);
        }
        assert_eq!(known.of("kept"), Some(State::Unsure));
        known.forget("kept");
        assert_eq!(known.of("kept"), None);
    }
}
