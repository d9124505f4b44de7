//! The time limit: a thread that answers those who have waited for too long, whatever holds up the others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::engine::lock;

/// Wakes the thread when there is something to watch.
#[derive(Default)]
pub(super) struct Watch {
    is_idle: AtomicBool,
    is_stopping: Mutex<bool>,
    wake: Condvar,
}

impl Watch {
    /// Says that an operation waits from now on; its place in a queue comes first.
    pub(super) fn something_waits(&self) {
        if self.is_idle.load(Ordering::SeqCst) && self.is_idle.swap(false, Ordering::SeqCst) {
            // Between its last look and its sleep the thread holds the lock.
            drop(lock(&self.is_stopping));
            self.wake.notify_one();
        }
    }

    pub(super) fn stop(&self) {
        *lock(&self.is_stopping) = true;
        self.wake.notify_one();
    }

    /// Calls `give_up` whenever an operation has waited for `limit`, until it is stopped. `give_up` answers since when the
    /// next one waits.
    pub(super) fn run(&self, limit: Duration, give_up: impl Fn() -> Option<Instant>) {
        loop {
            let mut next = give_up();
            if next.is_none() {
                self.is_idle.store(true, Ordering::SeqCst);
                // What came since the first look, and did not see that nobody watches.
                next = give_up();
            }
            let is_stopping = lock(&self.is_stopping);
            if *is_stopping {
                return;
            }
            match next {
                Some(since) => {
                    self.is_idle.store(false, Ordering::SeqCst);
                    let left = limit.saturating_sub(since.elapsed());
                    let woken = self.wake.wait_timeout(is_stopping, left);
                    drop(woken.unwrap_or_else(PoisonError::into_inner));
                }
                None => {
                    let woken = self.wake.wait_while(is_stopping, |is_stopping| {
                        !*is_stopping && self.is_idle.load(Ordering::SeqCst)
                    });
                    drop(woken.unwrap_or_else(PoisonError::into_inner));
                }
            }
        }
    }
}
