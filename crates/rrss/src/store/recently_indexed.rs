//! Which sessions had their entries put a moment ago, so that a load need not put them.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rrss_core::{SessionId, Timestamp};

/// For how long, at the least, a session whose entries were put is taken to have them.
const TRUSTED_FOR: Duration = Duration::from_secs(60);

/// How many sessions are remembered at most, twice over.
const MOST: usize = 65_536;

/// The sessions whose entries this process put a moment ago.
#[derive(Default)]
pub(super) struct RecentlyIndexed {
    hasher: RandomState,
    generations: Mutex<Generations>,
}

/// Digests of ids: those of this minute, and those of the one before.
#[derive(Default)]
struct Generations {
    began: Option<Timestamp>,
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl RecentlyIndexed {
    /// Whether the entries of this session are to be put; from then on they are not, for one minute or two.
    pub(super) fn is_due(&self, id: &SessionId, now: Timestamp) -> bool {
        let digest = self.digest(id);
        let mut generations = self.lock();
        generations.age(now);
        !generations.old.contains(&digest) && generations.young.insert(digest)
    }

    /// Remembers that the entries of this session were put.
    pub(super) fn put(&self, id: &SessionId, now: Timestamp) {
        let digest = self.digest(id);
        let mut generations = self.lock();
        generations.age(now);
        generations.young.insert(digest);
    }

    fn digest(&self, id: &SessionId) -> u64 {
        self.hasher.hash_one(id.as_str())
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn age(&mut self, now: Timestamp) {
        let age = |began: Timestamp| now.as_millis().abs_diff(began.as_millis());
        let is_over = self
            .began
            .is_none_or(|began| u128::from(age(began)) >= TRUSTED_FOR.as_millis());
        if is_over || self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
            self.began = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_session_in_use_is_due_about_once_a_minute() {
        let indexed = RecentlyIndexed::default();
        let id = SessionId::from("a");
        let due: Vec<_> = (0..600)
            .filter(|second| indexed.is_due(&id, at(*second)))
            .collect();
        assert_eq!(due, [0, 120, 240, 360, 480]);
    }

    #[test]
    fn no_more_than_a_bound_are_remembered() {
        let indexed = RecentlyIndexed::default();
        for n in 0..3 * MOST {
            indexed.is_due(&SessionId::from(n.to_string()), at(0));
        }
        let generations = indexed.lock();
        assert!(generations.young.len() + generations.old.len() <= 2 * MOST);
    }
}
