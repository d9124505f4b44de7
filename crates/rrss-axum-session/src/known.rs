//! What this process has been told about ids that no live session is known to have.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rrss::Timestamp;

/// How many ids are remembered. One that is forgotten counts as live: it can be overwritten, never created.
const CAPACITY: usize = 65_536;

/// How long one is remembered: no request takes so long, and the framework's memory keeps what is not used no longer,
/// unless it is told to.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The framework made the id and asked whether it is taken; it is not.
    Free,
    /// As `Free`, and a session was to be created under it: where the answer is lost, nobody knows whether there is one.
    Tried,
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
    order: VecDeque<(String, u64, Timestamp)>,
    number: u64,
}

impl Ids {
    fn forget_the_oldest(&mut self, now: Timestamp) {
        while let Some((oldest, number, since)) = self.order.front() {
            if self.order.len() <= CAPACITY && now.since(*since) < LIFE {
                return;
            }
            if self.states.get(oldest).is_some_and(|(_, of)| of == number) {
                self.states.remove(oldest);
            }
            self.order.pop_front();
        }
    }
}

impl Known {
    pub(crate) fn of(&self, id: &str) -> Option<State> {
        self.with(|ids| ids.states.get(id).map(|(state, _)| *state))
    }

    pub(crate) fn set(&self, id: &str, state: State, now: Timestamp) {
        self.with(|ids| {
            ids.number += 1;
            let number = ids.number;
            ids.states.insert(id.to_owned(), (state, number));
            ids.order.push_back((id.to_owned(), number, now));
            ids.forget_the_oldest(now);
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

    const NOW: Timestamp = Timestamp::from_millis(1_795_348_800_000);

    /// How many ids it takes room for.
    fn held(known: &Known) -> (usize, usize) {
        known.with(|ids| (ids.states.len(), ids.order.len()))
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_newest_are_not() {
        let known = Known::default();
        for number in 0..=CAPACITY {
            known.set(&number.to_string(), State::Free, NOW);
        }
        assert_eq!(known.of("0"), None);
        assert_eq!(known.of("1"), Some(State::Free));
        assert_eq!(known.of(&CAPACITY.to_string()), Some(State::Free));
        assert_eq!(held(&known), (CAPACITY, CAPACITY));
    }

    #[test]
    fn what_is_set_anew_is_as_young_as_that() {
        let known = Known::default();
        known.set("kept", State::Free, NOW);
        known.set("kept", State::Unsure, NOW);
        for number in 1..CAPACITY {
            known.set(&number.to_string(), State::Free, NOW);
        }
        assert_eq!(known.of("kept"), Some(State::Unsure));
        known.forget("kept");
        assert_eq!(known.of("kept"), None);
    }

    #[test]
    fn however_often_the_same_ids_come_and_go_the_room_is_bounded() {
        let known = Known::default();
        for number in 0..2 * CAPACITY {
            let id = (number % 3).to_string();
            known.set(&id, State::Free, NOW);
            known.forget(&id);
        }
        assert_eq!(held(&known), (0, CAPACITY));
    }

    #[test]
    fn after_a_day_an_id_is_forgotten_when_the_next_one_comes() {
        let known = Known::default();
        for id in ["one", "two", "renewed"] {
            known.set(id, State::Absent, NOW);
        }
        let later = NOW + (LIFE - Duration::from_millis(1));
        known.set("renewed", State::Absent, later);
        assert_eq!(known.of("one"), Some(State::Absent));
        known.set("next", State::Free, NOW + LIFE);
        for (id, expected) in [
            ("one", None),
            ("two", None),
            ("renewed", Some(State::Absent)),
            ("next", Some(State::Free)),
        ] {
            assert_eq!(known.of(id), expected, "{id}");
        }
        assert_eq!(held(&known), (2, 2));
    }
}
