//! What the operations of a run share.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rrss::{Session, SessionId};

use crate::clock::Time;
use crate::history::History;
use crate::setup::Setup;

/// What the operations of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) setup: Setup,
    pub(crate) history: History,
    pub(crate) time: Time,
    slots: Mutex<HashMap<usize, Slot>>,
    /// What each store loaded of each slot.
    copies: Mutex<HashMap<(usize, usize), (u64, Session)>>,
}

/// The session that a slot holds.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) who: u64,
    pub(crate) id: SessionId,
    pub(crate) former: Vec<SessionId>,
}

impl Shared {
    pub(crate) fn new(setup: &Setup, time: &Time) -> Self {
        Self {
            setup: setup.clone(),
            history: History::default(),
            time: time.clone(),
            slots: Mutex::default(),
            copies: Mutex::default(),
        }
    }

    pub(crate) fn slot(&self, slot: usize) -> Option<Slot> {
        lock(&self.slots).get(&slot).cloned()
    }

    pub(crate) fn put(&self, slot: usize, who: u64, id: SessionId) {
        let former = Vec::new();
        lock(&self.slots).insert(slot, Slot { who, id, former });
    }

    /// The session of the slot has a new id.
    pub(crate) fn rotated(&self, slot: usize, who: u64, id: SessionId) {
        if let Some(slot) = lock(&self.slots)
            .get_mut(&slot)
            .filter(|slot| slot.who == who)
        {
            let old = std::mem::replace(&mut slot.id, id);
            slot.former.push(old);
        }
    }

    /// The copy that the store has of the session that the slot holds.
    pub(crate) fn copy(&self, store: usize, slot: usize) -> Option<(u64, Session)> {
        let who = self.slot(slot)?.who;
        let copies = lock(&self.copies);
        let (of, copy) = copies.get(&(store, slot))?;
        (*of == who).then(|| (who, copy.clone()))
    }

    pub(crate) fn keep(&self, store: usize, slot: usize, who: u64, copy: Option<Session>) {
        match copy {
            Some(copy) => drop(lock(&self.copies).insert((store, slot), (who, copy))),
            None => drop(lock(&self.copies).remove(&(store, slot))),
        }
    }

    /// Whoever lost sessions as is documented starts anew.
    pub(crate) fn forget(&self) {
        self.history.forget();
        lock(&self.slots).clear();
        lock(&self.copies).clear();
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
