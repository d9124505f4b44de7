//! Keys whose sessions were rotated away a moment ago, for backends that live in one process.

use std::collections::{HashMap, VecDeque};

use rrss_core::Timestamp;

/// How many keys are remembered at most; the oldest are forgotten first.
const MOST: usize = 100_000;

/// Keys, and until when each is remembered.
#[derive(Debug, Default)]
pub(crate) struct Rotated {
    until: HashMap<Box<str>, Timestamp>,
    in_order: VecDeque<(Timestamp, Box<str>)>,
}

impl Rotated {
    /// Remembers `key` from `now` until `until`, and forgets those whose time has come.
    pub(crate) fn insert(&mut self, key: &str, now: Timestamp, until: Timestamp) {
        while let Some((end, oldest)) = self.in_order.front() {
            if *end > now && self.in_order.len() < MOST {
                break;
            }
            if self.until.get(oldest) == Some(end) {
                self.until.remove(oldest);
            }
            self.in_order.pop_front();
        }
        if until > now {
            self.until.insert(key.into(), until);
            self.in_order.push_back((until, key.into()));
        }
    }

    /// Whether `key` is remembered at `now`.
    pub(crate) fn contains(&self, key: &str, now: Timestamp) -> bool {
        self.until.get(key).is_some_and(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_key_is_remembered_until_its_time_has_come() {
        let mut rotated = Rotated::default();
        rotated.insert("a", at(0), at(10));
        assert!(rotated.contains("a", at(9)) && !rotated.contains("a", at(10)));
        assert!(!rotated.contains("b", at(9)));
        rotated.insert("b", at(10), at(10));
        assert!(rotated.until.is_empty() && rotated.in_order.is_empty());
    }

    #[test]
    fn a_key_that_is_rotated_away_twice_is_remembered_for_the_longer_time() {
        let mut rotated = Rotated::default();
        rotated.insert("a", at(0), at(10));
        rotated.insert("a", at(5), at(20));
        rotated.insert("b", at(10), at(30));
        assert!(rotated.contains("a", at(19)));
    }

    #[test]
    fn a_bounded_number_of_keys_is_remembered() {
        let mut rotated = Rotated::default();
        for number in 0..=MOST {
            rotated.insert(&number.to_string(), at(0), at(10));
        }
        assert_eq!(rotated.until.len(), MOST);
        assert!(!rotated.contains("0", at(1)) && rotated.contains("1", at(1)));
    }
}
