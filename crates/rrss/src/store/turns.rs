//! Turns: the retries of one process on one session wait for each other.
//!
//! Where many tasks save one session at once, one of them wins and all others try again. At the same time they would get in
//! each other's way again and again; one after the other, each succeeds at its first retry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rrss_core::SessionId;
use tokio::sync::OwnedMutexGuard;

/// The sessions that some task retries an operation on.
#[derive(Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<SessionId, Queue>>>);

/// The tasks that wait for one session, in the order in which they came.
type Queue = Arc<tokio::sync::Mutex<()>>;

/// One task's turn on one session; the next task has its turn when this is dropped.
pub(super) struct Turn {
    turns: Turns,
    id: SessionId,
    /// Dropped by hand, before the queue is looked at.
    alone: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until no other task has its turn on the session `id`.
    pub(super) async fn wait(&self, id: &SessionId) -> Turn {
        let queue = Arc::clone(self.lock().entry(id.clone()).or_default());
        // Before waiting, so that a task that goes away while it waits leaves nothing behind.
        let mut turn = Turn {
            turns: Self(Arc::clone(&self.0)),
            id: id.clone(),
            alone: None,
        };
        turn.alone = Some(queue.lock_owned().await);
        turn
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.alone = None;
        let mut queues = self.turns.lock();
        // The map's own is the last one left.
        if queues
            .get(&self.id)
            .is_some_and(|queue| Arc::strong_count(queue) == 1)
        {
            queues.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn one_task_at_a_time_has_its_turn_and_nothing_is_left() {
        let turns = Arc::new(Turns::default());
        let inside = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (turns, inside) = (Arc::clone(&turns), Arc::clone(&inside));
                tokio::spawn(async move {
                    let _turn = turns.wait(&"a".into()).await;
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    tokio::task::yield_now().await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        let _other = turns.wait(&"b".into()).await;
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(turns.lock().len(), 1, "that of the other session");
    }

    #[tokio::test]
    async fn a_task_that_stops_waiting_leaves_nothing() {
        let turns = Turns::default();
        let turn = turns.wait(&"a".into()).await;
        let id = "a".into();
        let mut waiting = Box::pin(turns.wait(&id));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        drop(waiting);
        drop(turn);
        assert!(turns.lock().is_empty());
    }
}
