//! Saying a thing once of each session, in bounded memory.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use rrss_core::SessionId;

/// Of how many sessions it is remembered that they were told of. One that comes after so many others is told of again.
const REMEMBERED: usize = 1_024;

/// Which sessions were told of, by hashes that nobody else can compute.
#[derive(Debug, Default)]
pub(super) struct Told {
    hasher: RandomState,
    sessions: Mutex<Sessions>,
}

#[derive(Debug, Default)]
struct Sessions {
    known: HashSet<u64>,
    oldest_first: VecDeque<u64>,
}

impl Told {
    /// Calls `tell`, unless it was called for this session before.
    pub(super) fn once(&self, id: &SessionId, tell: impl FnOnce()) {
        let hash = self.hasher.hash_one(id.as_str());
        let is_new = {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.add(hash)
        };
        if is_new {
            tell();
        }
    }
}

impl Sessions {
    fn add(&mut self, hash: u64) -> bool {
        if !self.known.insert(hash) {
            return false;
        }
        if self.oldest_first.len() == REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.oldest_first.push_back(hash);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_and_memory_is_bounded() {
        let (told, mut count) = (Told::default(), 0);
        let ids: Vec<SessionId> = (0..2 * REMEMBERED).map(|n| n.to_string().into()).collect();
        for id in ids.iter().flat_map(|id| [id, id]) {
            told.once(id, || count += 1);
        }
        assert_eq!(count, ids.len());
        let sessions = told.sessions.into_inner().unwrap();
        assert_eq!(sessions.known.len(), REMEMBERED);
        assert_eq!(sessions.oldest_first.len(), REMEMBERED);
    }
}
