//! A store that takes part: connected, filled with the sessions that all have, and put to work.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::team::{Doing, Team};
use super::{Peer, Result, Sample};
use crate::corpus::{CHANGED_FIELD, READ_FIELD};
use crate::measure::{self, Batch, Contender, Schedule};
use crate::report::{Row, Times};

/// How many sessions are created at once while a store is filled.
const AT_ONCE: usize = 64;

/// A store that may take part, and how to connect to it.
pub struct Entrant {
    pub name: &'static str,
    fill: Box<Fill>,
}

type Fill = dyn Fn(&Rc<Runtime>, &str, Arc<[Sample]>) -> Result<Box<dyn Side>>;
type Connect<P> = dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<P>>>>;

impl Entrant {
    /// `connect` gets the address of the server, or the folder for the database.
    pub fn new<P, F, Connecting>(name: &'static str, connect: F) -> Self
    where
        P: Peer,
        F: Fn(String) -> Connecting + 'static,
        Connecting: Future<Output = Result<P>> + 'static,
    {
        let connect: Rc<Connect<P>> = Rc::new(move |place| Box::pin(connect(place)));
        let fill = move |runtime: &Rc<Runtime>, place: &str, samples: Arc<[Sample]>| {
            let peer = Arc::new(runtime.block_on(connect(place.to_owned()))?);
            let ids = runtime.block_on(create_all(&peer, &samples))?;
            Ok(Box::new(Filled {
                runtime: Rc::clone(runtime),
                connect: Rc::clone(&connect),
                peer,
                ids: ids.into(),
            }) as Box<dyn Side>)
        };
        Self {
            name,
            fill: Box::new(fill),
        }
    }

    /// Connects it to what is at `place`, and stores the sessions there.
    pub fn fill(
        &self,
        runtime: &Rc<Runtime>,
        place: &str,
        samples: &Arc<[Sample]>,
    ) -> Result<Box<dyn Side>> {
        (self.fill)(runtime, place, Arc::clone(samples))
            .map_err(|error| format!("{}: {error}", self.name).into())
    }
}

/// Stores that hold the same sessions, by their names.
pub type Sides = Vec<(&'static str, Box<dyn Side>)>;

/// What loads take, saves, and both together.
pub struct Figures {
    pub load: Vec<Row>,
    /// What a request takes more than its load. The session is in the caches of the processor then, as it is after a
    /// load; and a store whose save takes the session away needs no copy of it.
    pub save: Vec<Row>,
    pub request: Vec<Row>,
}

/// Lets them work in turns, each with so many tasks.
pub fn in_turns(title: &str, sides: &Sides, tasks: usize, schedule: Schedule) -> Result<Figures> {
    let mut contenders = Vec::new();
    for (name, side) in sides {
        for doing in [Doing::Load, Doing::Request] {
            contenders.push(Contender {
                name,
                batch: side.team(doing, tasks)?,
            });
        }
    }
    let samples = measure::in_turns(title, &mut contenders, schedule);
    let mut figures = Figures {
        load: Vec::new(),
        save: Vec::new(),
        request: Vec::new(),
    };
    for (&(name, _), pair) in sides.iter().zip(samples.chunks(2)) {
        let (load, request) = (&pair[0], &pair[1]);
        let save = request.more_than(load);
        figures.load.push(Row::timed(name, Times::of_many(load)));
        figures.save.push(Row::timed(name, Times::of_many(&save)));
        let times = Times {
            latency_nanoseconds: None,
            ..Times::of_many(request)
        };
        figures.request.push(Row::timed(name, times));
    }
    Ok(figures)
}

/// Whether all load what they were given.
pub fn check(sides: &Sides, samples: &[Sample]) -> Result<()> {
    for (name, side) in sides {
        let checked = side.check(samples);
        checked.map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// A store that holds the sessions.
pub trait Side {
    /// So many tasks at once, each its own share of the sessions.
    fn team(&self, doing: Doing, tasks: usize) -> Result<Box<dyn Batch>>;

    /// The same sessions, with a connection to another address.
    fn through(&self, place: &str) -> Result<Box<dyn Side>>;

    /// Whether what it loads are the sessions that it was given, but for the field that saves change.
    fn check(&self, samples: &[Sample]) -> Result<()>;
}

struct Filled<P: Peer> {
    runtime: Rc<Runtime>,
    connect: Rc<Connect<P>>,
    peer: Arc<P>,
    ids: Arc<[P::Id]>,
}

impl<P: Peer> Side for Filled<P> {
    fn team(&self, doing: Doing, tasks: usize) -> Result<Box<dyn Batch>> {
        let team = Team::new(&self.runtime, &self.peer, &self.ids, doing, tasks)?;
        Ok(Box::new(team))
    }

    fn through(&self, place: &str) -> Result<Box<dyn Side>> {
        let peer = self.runtime.block_on((self.connect)(place.to_owned()))?;
        Ok(Box::new(Self {
            runtime: Rc::clone(&self.runtime),
            connect: Rc::clone(&self.connect),
            peer: Arc::new(peer),
            ids: Arc::clone(&self.ids),
        }))
    }

    fn check(&self, samples: &[Sample]) -> Result<()> {
        for (id, sample) in self.ids.iter().zip(samples) {
            let (session, number) = self.runtime.block_on(self.peer.load(id))?;
            let given: Value = serde_json::from_str(&sample.text)?;
            let first = given[CHANGED_FIELD].as_u64();
            let right = match (number, P::seen(&session)) {
                (Some(number), Some(seen)) => given[READ_FIELD] == number && first <= Some(seen),
                // Those that are given bytes.
                (None, None) => true,
                _ => false,
            };
            if !right {
                return Err("a session is not what was stored".into());
            }
        }
        Ok(())
    }
}

async fn create_all<P: Peer>(peer: &Arc<P>, samples: &Arc<[Sample]>) -> Result<Vec<P::Id>> {
    let each = samples.len().div_ceil(AT_ONCE).max(1);
    let tasks: Vec<_> = (0..samples.len())
        .step_by(each)
        .map(|from| {
            let (peer, samples) = (Arc::clone(peer), Arc::clone(samples));
            tokio::spawn(async move {
                let mut ids = Vec::with_capacity(each);
                for sample in &samples[from..samples.len().min(from + each)] {
                    ids.push(peer.create(sample).await?);
                }
                Ok::<_, super::Failed>(ids)
            })
        })
        .collect();
    let mut ids = Vec::with_capacity(samples.len());
    for task in tasks {
        ids.extend(task.await??);
    }
    Ok(ids)
}
