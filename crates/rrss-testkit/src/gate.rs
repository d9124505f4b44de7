//! Holding a call at the door of a backend, so that a test decides what comes first.

use std::sync::{Arc, Mutex, PoisonError};

use rrss_core::{Backend, Result};
use tokio::sync::oneshot;

use crate::intercept::{Call, Intercept, Intercepted, Side};

/// Holds chosen calls of a backend before they are carried out, or after and before they are answered. Clones
/// share the gate.
///
/// # Examples
///
/// An update that arrives between a deletion and its answer:
///
/// ```
/// use rrss::Session;
/// use rrss_persistence::memory::Memory;
/// use rrss_testkit::{Call, Gate, Side, Subject};
///
/// # #[tokio::main] async fn main() -> rrss::Result<()> {
/// let gate = Gate::new();
/// let store = Subject::new(gate.before(Memory::default())).store();
/// let mut session = Session::new();
/// session.insert("user", "ann")?;
/// store.save(&mut session).await?;
///
/// let id = session.id().unwrap().clone();
/// let held = gate.hold(Call::Delete, Side::After);
/// let deletion = tokio::spawn({
///     let store = store.clone();
///     async move { store.delete(&id).await }
/// });
/// let held = held.arrived().await;
/// session.insert("late", &true)?;
/// assert!(store.save(&mut session).await.unwrap_err().is_gone());
/// held.release();
/// assert!(deletion.await.unwrap()?);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<Mutex<Vec<Hold>>>);

#[derive(Debug)]
struct Hold {
    call: Call,
    side: Side,
    arrive: oneshot::Sender<()>,
    release: oneshot::Receiver<()>,
}

impl Gate {
    /// An open gate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `backend`, behind this gate.
    #[must_use]
    pub fn before<B: Backend>(&self, backend: B) -> Intercepted<B, Gate> {
        Intercepted::new(backend, self.clone())
    }

    /// Holds the next such call at this side, until it is released. Later ones pass, unless they are held too.
    #[must_use]
    pub fn hold(&self, call: Call, side: Side) -> Awaited {
        let (arrive, arrived) = oneshot::channel();
        let (release, released) = oneshot::channel();
        self.holds().push(Hold {
            call,
            side,
            arrive,
            release: released,
        });
        Awaited { arrived, release }
    }

    fn holds(&self) -> std::sync::MutexGuard<'_, Vec<Hold>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Gate {
    async fn at(&self, call: Call, side: Side) -> Result<()> {
        let hold = {
            let mut holds = self.holds();
            let at = holds
                .iter()
                .position(|hold| hold.call == call && hold.side == side);
            at.map(|at| holds.remove(at))
        };
        if let Some(hold) = hold {
            // Errors mean that the test has stopped waiting: the call passes then.
            let _ = hold.arrive.send(());
            let _ = hold.release.await;
        }
        Ok(())
    }
}

/// A call that is to be held and has not come yet.
#[derive(Debug)]
pub struct Awaited {
    arrived: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl Awaited {
    /// Waits until the call stands at the gate.
    ///
    /// # Panics
    ///
    /// Where the gate is gone before such a call was made.
    pub async fn arrived(self) -> Held {
        assert!(
            self.arrived.await.is_ok(),
            "the gate was dropped before the call that it was to hold was made"
        );
        Held {
            release: self.release,
        }
    }
}

/// A call that stands at the gate. It goes on when this is dropped, too.
#[derive(Debug)]
pub struct Held {
    release: oneshot::Sender<()>,
}

impl Held {
    /// Lets the call go on.
    pub fn release(self) {
        let _ = self.release.send(());
    }
}
