//! The sessions that tasks share, and what each of them must hold.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rrss::{Session, SessionId, Store};
use tokio::sync::watch;

use crate::figures::Count;

/// The counter that all tasks increment.
pub(crate) const SHARED: &str = "shared";

/// What is in a session from its beginning: one without fields is not stored.
const BEGUN: &str = "begun";

/// Longer than any wait for another task, on any machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// The field that one task alone changes.
pub(crate) fn field(task: usize) -> String {
    format!("t{task}")
}

/// A place where there is always a session: one that was rotated has a new id, one that was deleted has a successor.
pub(crate) struct Place {
    current: watch::Sender<Current>,
    ended: Mutex<Vec<SessionId>>,
    acknowledged: Count,
}

/// The session of a place.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) id: SessionId,
    pub(crate) life: Arc<Life>,
}

/// What the store has acknowledged of a session, from its creation to its delete, whatever ids it has had.
pub(crate) struct Life {
    fields: Vec<Progress>,
    shared: Progress,
    /// What had been acknowledged of each, the shared counter last, when its replica had it and its master was about to be
    /// killed.
    kept: OnceLock<Vec<u64>>,
}

/// How far a value has been counted up.
#[derive(Default)]
pub(crate) struct Progress {
    acknowledged: AtomicU64,
    attempted: AtomicU64,
}

impl Place {
    pub(crate) async fn begin(store: &Store, tasks: usize) -> Place {
        Place {
            current: watch::Sender::new(Current::begin(store, tasks).await),
            ended: Mutex::default(),
            acknowledged: Count::default(),
        }
    }

    pub(crate) fn current(&self) -> Current {
        self.current.borrow().clone()
    }

    /// Puts another session, or the same one under another id, in the place of the one that ended under `id`.
    pub(crate) fn replace(&self, id: &SessionId, by: Current) {
        self.ended.lock().unwrap().push(id.clone());
        let ended = self.current.send_replace(by);
        assert_eq!(ended.id, *id, "two operations have ended one session");
    }

    /// Waits until the task that has ended the session under `id` says what took its place.
    pub(crate) async fn replaced(&self, id: &SessionId) {
        let mut current = self.current.subscribe();
        let replaced = current.wait_for(|current| current.id != *id);
        let replaced = tokio::time::timeout(LIMIT, replaced).await;
        replaced
            .expect("a session is lost: it is gone, and nobody has rotated or deleted it")
            .unwrap();
    }

    pub(crate) fn acknowledge(&self) {
        self.acknowledged.add();
    }

    /// Waits until the store has acknowledged so many more updates of this place.
    pub(crate) async fn goes_on(&self, updates: u64) {
        let goal = self.acknowledged.get() + updates;
        let reached = async {
            while self.acknowledged.get() < goal {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(LIMIT, reached)
            .await
            .expect("tasks make no progress on a session");
    }

    /// To be called when no task runs: the session holds what it must, and is dead under each id that it had before.
    pub(crate) async fn holds_in(&self, store: &Store) {
        let Current { id, life } = self.current();
        let session = store
            .load(&id)
            .await
            .unwrap()
            .expect("a session of which nobody has said that it ended is there");
        life.holds_in(&session);
        let ended = self.ended.lock().unwrap().clone();
        for id in ended {
            let revived = store.load(&id).await;
            let is_dead =
                matches!(revived, Ok(None)) || revived.is_err_and(|error| error.is_gone());
            assert!(is_dead, "an id that has ended came back");
        }
    }
}

impl Current {
    pub(crate) async fn begin(store: &Store, tasks: usize) -> Current {
        let mut session = Session::new();
        session.insert(BEGUN, &true).unwrap();
        store.save(&mut session).await.unwrap();
        Current {
            id: session.id().unwrap().clone(),
            life: Arc::new(Life {
                fields: std::iter::repeat_with(Progress::default)
                    .take(tasks)
                    .collect(),
                shared: Progress::default(),
                kept: OnceLock::new(),
            }),
        }
    }
}

impl Life {
    pub(crate) fn of(&self, task: usize) -> &Progress {
        &self.fields[task]
    }

    pub(crate) fn shared(&self) -> &Progress {
        &self.shared
    }

    /// From here on only what has been acknowledged by now is sure to be kept. What follows may be lost.
    pub(crate) fn endanger(&self) {
        let kept = self.fields.iter().chain([&self.shared]);
        let kept = kept.map(Progress::acknowledged).collect();
        self.kept.set(kept).expect("a session is endangered once");
    }

    pub(crate) fn is_endangered(&self) -> bool {
        self.kept.get().is_some()
    }

    /// What `task` finds in its own field, which nobody else changes, is what it was told is stored. `false` where the session is
    /// endangered, and it is less.
    pub(crate) fn check_own(&self, task: usize, session: &Session) -> bool {
        let progress = &self.fields[task];
        let found = value(session, &field(task));
        match self.kept.get() {
            None => assert_eq!(found, progress.acknowledged(), "of task {task}"),
            Some(kept) => progress.check(found, kept[task]),
        }
        found >= progress.acknowledged()
    }

    /// What is found in the counter is no less than what had been `acknowledged` before it was read.
    pub(crate) fn check_shared(&self, acknowledged: u64, session: &Session) {
        let kept = self.kept.get().and_then(|kept| kept.last());
        self.shared.check(
            value(session, SHARED),
            kept.copied().unwrap_or(acknowledged),
        );
    }

    fn holds_in(&self, session: &Session) {
        for task in 0..self.fields.len() {
            self.check_own(task, session);
        }
        self.check_shared(self.shared.acknowledged(), session);
        if self.is_endangered() {
            return;
        }
        assert_eq!(value(session, SHARED), self.shared.acknowledged());
        let counted = self.fields.iter().chain([&self.shared]);
        let counted = counted.filter(|progress| progress.acknowledged() > 0);
        assert_eq!(session.len(), 1 + counted.count());
    }
}

impl Progress {
    /// The next value of a field that one task alone changes.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempted.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// That `value` is stored, where one task alone says so.
    pub(crate) fn acknowledge(&self, value: u64) {
        self.acknowledged.store(value, Ordering::SeqCst);
    }

    /// That one more is stored.
    pub(crate) fn acknowledge_one(&self) {
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    fn check(&self, found: u64, least: u64) {
        let most = self.attempted.load(Ordering::SeqCst);
        assert!(
            (least..=most).contains(&found),
            "{found} is stored; at least {least} was acknowledged, at most {most} was tried"
        );
    }
}

fn value(session: &Session, field: &str) -> u64 {
    session.get(field).unwrap().unwrap_or_default()
}
