//! A task that updates sessions which others update too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use rrss::{ErrorKind, Result, Saved, Store};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::figures::Figures;
use crate::sessions::{Current, Place, SHARED, field};

/// What tasks share.
pub(crate) struct Soak {
    pub(crate) store: Store,
    pub(crate) places: Vec<Place>,
    pub(crate) figures: Figures,
    pub(crate) mix: Mix,
    tasks: usize,
    seed: u64,
    stopped: AtomicBool,
}

/// How often in a thousand times a task does something else than to save its own field.
#[derive(Clone, Copy)]
pub(crate) struct Mix {
    /// It increments the counter that all share.
    pub(crate) count: u64,
    /// It saves its field by a rotation.
    pub(crate) rotate: u64,
    /// It deletes the session before it goes on.
    pub(crate) delete: u64,
}

#[derive(Clone, Copy)]
enum Deed {
    Update,
    Count,
    Rotate,
    Delete,
}

/// How long tasks go on.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// Each until so many of its updates are acknowledged.
    Updates(u64),
    /// All until [`Soak::stop`].
    Stopped,
}

impl Soak {
    pub(crate) async fn new(
        name: &str,
        store: Store,
        tasks: usize,
        places: usize,
        mix: Mix,
    ) -> Arc<Soak> {
        let seed = match std::env::var("RRSS_SOAK_SEED") {
            Ok(seed) => seed.parse().expect("RRSS_SOAK_SEED is a number"),
            Err(_) => fastrand::u64(..),
        };
        let mut begun = Vec::new();
        for _ in 0..places {
            begun.push(Place::begin(&store, tasks).await);
        }
        println!("{name}: {tasks} tasks on {places} sessions, seed {seed}");
        Arc::new(Soak {
            store,
            places: begun,
            figures: Figures::default(),
            mix,
            tasks,
            seed,
            stopped: AtomicBool::new(false),
        })
    }

    /// Starts the tasks, all at the same moment.
    pub(crate) fn start(self: &Arc<Self>, until: Until) -> JoinSet<()> {
        let barrier = Arc::new(Barrier::new(self.tasks));
        let mut running = JoinSet::new();
        for number in 0..self.tasks {
            let (soak, barrier) = (Arc::clone(self), Arc::clone(&barrier));
            let mut rng = Rng::with_seed(self.seed.wrapping_add(number as u64));
            running.spawn(async move {
                barrier.wait().await;
                let task = Task { number, soak };
                let mut updates = 0;
                while task.soak.goes_on(until, updates) {
                    if rng.u64(..1000) < task.soak.mix.delete {
                        task.carry_out(Deed::Delete, &mut rng).await;
                    }
                    let deed = task.soak.mix.draw(&mut rng);
                    task.carry_out(deed, &mut rng).await;
                    updates += 1;
                }
            });
        }
        running
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    fn goes_on(&self, until: Until, updates: u64) -> bool {
        match until {
            Until::Updates(all) => updates < all,
            Until::Stopped => !self.is_stopped(),
        }
    }

    /// To be called when no task runs: each place holds what it must.
    pub(crate) async fn holds(&self) {
        for place in &self.places {
            place.holds_in(&self.store).await;
        }
    }
}

/// Waits until each task has ended, and fails with the first that fails.
pub(crate) async fn ended(mut running: JoinSet<()>) {
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

impl Mix {
    fn draw(self, rng: &mut Rng) -> Deed {
        match rng.u64(..1000) {
            drawn if drawn < self.count => Deed::Count,
            drawn if drawn < self.count + self.rotate => Deed::Rotate,
            _ => Deed::Update,
        }
    }
}

struct Task {
    number: usize,
    soak: Arc<Soak>,
}

impl Task {
    /// Does something with one of the sessions, again where it was refused, until it is acknowledged.
    async fn carry_out(&self, deed: Deed, rng: &mut Rng) {
        let figures = &self.soak.figures;
        let place = &self.soak.places[rng.usize(..self.soak.places.len())];
        loop {
            let current = place.current();
            let error = match self.attempt(deed, place, &current).await {
                Ok(true) => {
                    place.acknowledge();
                    return;
                }
                Ok(false) => {
                    figures.absent.add();
                    place.replaced(&current.id).await;
                    continue;
                }
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::Gone => {
                    figures.gone.add();
                    place.replaced(&current.id).await;
                }
                ErrorKind::Conflict => figures.conflicts.add(),
                kind @ (ErrorKind::Unavailable | ErrorKind::Timeout)
                    if current.life.is_endangered() =>
                {
                    assert!(error.is_temporary());
                    match kind {
                        ErrorKind::Timeout => figures.timeouts.add(),
                        _ => figures.unavailable.add(),
                    }
                    // As a client of a site would: not at once.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                _ => panic!("nothing has failed that would explain {error:?}"),
            }
        }
    }

    /// `false` where the session has ended under the id that it has in `current`.
    async fn attempt(&self, deed: Deed, place: &Place, current: &Current) -> Result<bool> {
        let (store, figures) = (&self.soak.store, &self.soak.figures);
        let Current { id, life } = current;
        if let Deed::Delete = deed {
            if !store.delete(id).await? {
                return Ok(false);
            }
            figures.deletes.add();
            place.replace(id, Current::begin(store, self.soak.tasks).await);
            return Ok(true);
        }
        let counted = life.shared().acknowledged();
        let loaded = match store.load(id).await {
            // Another task has rotated it a moment ago.
            Err(error) if error.is_gone() => None,
            loaded => loaded?,
        };
        let Some(mut session) = loaded else {
            return Ok(false);
        };
        if !life.check_own(self.number, &session) {
            figures.lost.add();
        }
        life.check_shared(counted, &session);
        // As a request does between its load and its save: others have their turn.
        tokio::task::yield_now().await;
        if let Deed::Count = deed {
            life.shared().attempt();
            store
                .update_field(&mut session, SHARED, |count: Option<u64>| {
                    count.unwrap_or_default() + 1
                })
                .await?;
            life.shared().acknowledge_one();
            figures.counted.add();
            return Ok(true);
        }
        let own = life.of(self.number);
        let value = own.attempt();
        session.insert(&field(self.number), &value)?;
        if let Deed::Rotate = deed {
            let saved = store.rotate(&mut session).await?;
            own.acknowledge(value);
            figures.rotations.add();
            if saved == Saved::Merged {
                figures.merged_rotations.add();
            }
            let moved = Current {
                id: session.id().unwrap().clone(),
                life: Arc::clone(life),
            };
            place.replace(id, moved);
        } else {
            let saved = store.save(&mut session).await?;
            own.acknowledge(value);
            if saved == Saved::Merged {
                figures.merged.add();
            }
        }
        figures.updates.add();
        Ok(true)
    }
}
