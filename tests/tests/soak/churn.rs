//! Sessions that begin and end all the while.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rrss::{Error, ErrorKind, Result, Session, SessionId, Store};
use tokio::task::JoinSet;

use crate::sessions::LIMIT;
use crate::task::Soak;

/// The ids of which the store has acknowledged that they are dead, in the order of that.
#[derive(Default)]
pub(crate) struct Ended(Mutex<Vec<SessionId>>);

impl Ended {
    pub(crate) fn ids(&self) -> Vec<SessionId> {
        self.0.lock().unwrap().clone()
    }

    fn add(&self, id: SessionId) {
        self.0.lock().unwrap().push(id);
    }

    /// Waits until so many more ids are dead.
    pub(crate) async fn goes_on(&self, more: usize) {
        let goal = self.ids().len() + more;
        let reached = async {
            while self.ids().len() < goal {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(LIMIT, reached)
            .await
            .expect("no more sessions begin and end");
    }
}

/// Starts a task that makes sessions, rotates and deletes them, one after the other, until the soak is stopped.
pub(crate) fn start(soak: &Arc<Soak>, ended: &Arc<Ended>, running: &mut JoinSet<()>) {
    let (soak, ended) = (Arc::clone(soak), Arc::clone(ended));
    running.spawn(async move {
        while !soak.is_stopped() {
            if let Err(error) = whole_life(&soak.store, &ended).await {
                is_typed(&error);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
}

async fn whole_life(store: &Store, ended: &Ended) -> Result<()> {
    let mut session = Session::new();
    session.insert("begun", &true)?;
    store.save(&mut session).await?;
    let first = session.id().unwrap().clone();
    store.rotate(&mut session).await?;
    ended.add(first);
    let second = session.id().unwrap();
    if store.delete(second).await? {
        ended.add(second.clone());
    }
    Ok(())
}

/// What the death of a master may bring: no server to ask, or a session that its replica has not heard of yet.
fn is_typed(error: &Error) {
    let kinds = [
        ErrorKind::Unavailable,
        ErrorKind::Timeout,
        ErrorKind::Gone,
        ErrorKind::Conflict,
    ];
    assert!(kinds.contains(&error.kind()), "{error:?}");
}
