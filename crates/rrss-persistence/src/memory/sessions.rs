//! The sessions of one store in memory, in the order of their keys and of their deadlines.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use rrss_core::{Error, ErrorKind, KeySpace, Operation, Result, Timestamp, Written};

use crate::fate::{Fate, fate, lives, refusal};

/// How many sessions one call looks at or removes at most, since others wait for it meanwhile.
pub(super) const AT_ONCE: usize = 1_000;

/// Sessions by key, and the keys of those that end, by deadline: so a sweep costs what it removes, and a page
/// of a listing what it names, however many sessions there are.
#[derive(Default)]
pub(super) struct Sessions {
    by_key: BTreeMap<Arc<str>, Stored>,
    by_deadline: BTreeSet<(Timestamp, Arc<str>)>,
}

/// What is stored under one key.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) bytes: Bytes,
    pub(super) deadline: Option<Timestamp>,
}

impl Sessions {
    /// What is live under `key`.
    pub(super) fn live(&self, key: &str, now: Timestamp) -> Option<&Stored> {
        self.by_key
            .get(key)
            .filter(|stored| lives(stored.deadline, now))
    }

    /// Stores the bytes of `op`, if its guard holds and there is room.
    pub(super) fn write(&mut self, op: &Operation, capacity: NonZeroUsize) -> Result<Written> {
        let (key, bytes, now) = (op.key()?.as_str(), op.bytes()?, op.now());
        let live = self.live(key, now);
        if let Some(refused) = refusal(op, live.map(|stored| &*stored.bytes))? {
            return Ok(refused);
        }
        match fate(op, live.and_then(|stored| stored.deadline)) {
            Fate::Ends => drop(self.remove(key)),
            Fate::Lives(deadline) => {
                if !self.by_key.contains_key(key) {
                    self.make_room(capacity, now)?;
                }
                self.insert(key, bytes.clone(), deadline);
            }
        }
        Ok(Written::Done)
    }

    /// Moves the deadline of what is live under the key of `op`, and says whether anything is.
    pub(super) fn touch(&mut self, op: &Operation) -> Result<bool> {
        let key = op.key()?.as_str();
        let Some(stored) = self.live(key, op.now()).cloned() else {
            return Ok(false);
        };
        match fate(op, stored.deadline) {
            Fate::Ends => drop(self.remove(key)),
            Fate::Lives(deadline) if deadline != stored.deadline => {
                self.insert(key, stored.bytes, deadline);
            }
            Fate::Lives(_) => {}
        }
        Ok(true)
    }

    /// Removes what is under the key of `op`, if its guard holds; what is past its deadline in any case.
    pub(super) fn delete(&mut self, op: &Operation) -> Result<Written> {
        let key = op.key()?.as_str();
        let live = self.live(key, op.now());
        let refused = refusal(op, live.map(|stored| &*stored.bytes))?;
        if refused != Some(Written::Changed) {
            self.remove(key);
        }
        Ok(refused.unwrap_or(Written::Done))
    }

    /// Removes what is under `key`, live or not.
    pub(super) fn remove(&mut self, key: &str) -> Option<Stored> {
        let (key, stored) = self.by_key.remove_entry(key)?;
        if let Some(deadline) = stored.deadline {
            self.by_deadline.remove(&(deadline, key));
        }
        Some(stored)
    }

    /// Removes up to `limit` sessions whose deadline is not after `now`, the oldest deadlines first.
    pub(super) fn sweep(&mut self, now: Timestamp, limit: usize) -> usize {
        for removed in 0..limit {
            match self.by_deadline.first() {
                Some((deadline, _)) if *deadline <= now => {}
                _ => return removed,
            }
            if let Some((_, key)) = self.by_deadline.pop_first() {
                self.by_key.remove(&key);
            }
        }
        limit
    }

    /// The live keys of `space` after `after`, at most `limit` of them, and after which key to go on; `None` at
    /// the end.
    pub(super) fn keys<'s>(
        &'s self,
        space: &KeySpace,
        after: Option<&str>,
        now: Timestamp,
        limit: usize,
    ) -> (Vec<&'s str>, Option<&'s str>) {
        let from = match after {
            Some(after) if after >= space.prefix() => Bound::Excluded(after),
            _ => Bound::Included(space.prefix()),
        };
        let mut keys = Vec::new();
        let mut last = None;
        let range = self.by_key.range::<str, _>((from, Bound::Unbounded));
        for (seen, (key, stored)) in range
            .take_while(|(key, _)| key.starts_with(space.prefix()))
            .enumerate()
        {
            if keys.len() == limit || seen == AT_ONCE {
                return (keys, last);
            }
            if lives(stored.deadline, now) && space.middle(key).is_some() {
                keys.push(&**key);
            }
            last = Some(&**key);
        }
        (keys, None)
    }

    /// How many are stored, those past their deadline included.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    fn insert(&mut self, key: &str, bytes: Bytes, deadline: Option<Timestamp>) {
        let key = match self.by_key.get_key_value(key) {
            Some((key, before)) => {
                let key = Arc::clone(key);
                if let Some(before) = before.deadline {
                    self.by_deadline.remove(&(before, Arc::clone(&key)));
                }
                key
            }
            None => Arc::from(key),
        };
        if let Some(deadline) = deadline {
            self.by_deadline.insert((deadline, Arc::clone(&key)));
        }
        self.by_key.insert(key, Stored { bytes, deadline });
    }

    fn make_room(&mut self, capacity: NonZeroUsize, now: Timestamp) -> Result<()> {
        if self.len() < capacity.get() || self.sweep(now, AT_ONCE) > 0 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "there is no room for a new session: {capacity} are live already; raise `capacity`, let sessions \
                 end sooner, or keep them with `embedded` or `redis`"
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn both_orders_hold_the_same_sessions_after_every_change() {
        let mut sessions = Sessions::default();
        let agree = |sessions: &Sessions| {
            let ending: BTreeSet<_> = sessions
                .by_key
                .iter()
                .filter_map(|(key, stored)| Some((stored.deadline?, Arc::clone(key))))
                .collect();
            assert_eq!(ending, sessions.by_deadline);
        };
        sessions.insert("a", Bytes::new(), Some(at(10)));
        agree(&sessions);
        sessions.insert("a", Bytes::new(), Some(at(20)));
        agree(&sessions);
        sessions.insert("b", Bytes::new(), None);
        sessions.insert("c", Bytes::new(), Some(at(20)));
        agree(&sessions);
        sessions.insert("c", Bytes::new(), None);
        agree(&sessions);
        sessions.remove("b");
        agree(&sessions);
        assert_eq!(sessions.sweep(at(20), 10), 1);
        agree(&sessions);
        assert_eq!(sessions.len(), 1);
    }

    #[test]
    fn a_page_looks_at_a_bounded_number_of_sessions() {
        let mut sessions = Sessions::default();
        for n in 0..=AT_ONCE {
            sessions.insert(&format!("s:{n:04}"), Bytes::new(), Some(at(10)));
        }
        let (keys, next) = sessions.keys(&KeySpace::new("s:", ""), None, at(10), 10);
        assert_eq!((keys.len(), next), (0, Some("s:0999")));
        let (keys, next) = sessions.keys(&KeySpace::new("s:", ""), next, at(10), 10);
        assert_eq!((keys.len(), next), (0, None));
    }
}
