//! Many tasks at once that load or save, each its own share of the sessions, one after the other.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Runtime;

use super::{Peer, Result};
use crate::corpus::BEGIN;
use crate::measure::Batch;

/// What the tasks do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// A load, with a read of one field.
    Load,
    /// A load, and a save of the session with one field changed: what a request makes a store do. The time of each is
    /// that of its save.
    Request,
    /// A save of a session that was loaded before, with one field changed.
    Save,
}

impl Doing {
    pub const LOAD_AND_SAVE: [Self; 2] = [Self::Load, Self::Save];

    pub fn name(self) -> &'static str {
        match self {
            Self::Load => "load and read one field",
            Self::Request => "load, change one field, save",
            Self::Save => "save with one field changed",
        }
    }
}

/// The tasks of one store.
pub struct Team<P: Peer> {
    runtime: Rc<Runtime>,
    peer: Arc<P>,
    doing: Doing,
    members: Vec<Member<P>>,
    latencies: Vec<u32>,
}

struct Member<P: Peer> {
    ids: Vec<P::Id>,
    /// The sessions of these ids as they were loaded, where they are saved.
    sessions: Vec<P::Session>,
    next: usize,
    count: u64,
}

impl<P: Peer> Team<P> {
    pub fn new(
        runtime: &Rc<Runtime>,
        peer: &Arc<P>,
        ids: &[P::Id],
        doing: Doing,
        tasks: usize,
    ) -> Result<Self> {
        let mut members = Vec::with_capacity(tasks);
        for share in shares(ids.len(), tasks) {
            let ids = ids[share].to_vec();
            let mut sessions = Vec::new();
            if doing == Doing::Save {
                for id in &ids {
                    sessions.push(runtime.block_on(peer.load(id))?.0);
                }
            }
            members.push(Member {
                ids,
                sessions,
                next: 0,
                // What another team saved last is not what this one saves first.
                count: tasks as u64 * 100_000_000,
            });
        }
        Ok(Self {
            runtime: Rc::clone(runtime),
            peer: Arc::clone(peer),
            doing,
            members,
            latencies: Vec::new(),
        })
    }

    /// How many operations each member has of so many.
    fn parts(&self, operations: u64) -> impl Iterator<Item = usize> + use<P> {
        let members = self.members.len() as u64;
        (0..members).map(move |number| {
            (operations / members + u64::from(number < operations % members)) as usize
        })
    }
}

impl<P: Peer> Batch for Team<P> {
    fn run(&mut self, operations: u64) {
        let parts = self.parts(operations);
        let running: Vec<_> = self
            .members
            .drain(..)
            .zip(parts)
            .map(|(member, part)| {
                let (peer, doing) = (Arc::clone(&self.peer), self.doing);
                self.runtime.spawn(async move {
                    match doing {
                        Doing::Load => member.load(&peer, part).await,
                        Doing::Request => member.request(&peer, part).await,
                        Doing::Save => member.save(&peer, part).await,
                    }
                })
            })
            .collect();
        for task in running {
            let done = self.runtime.block_on(task).expect("a task does not panic");
            let (member, latencies) = done.expect("the store is well");
            self.members.push(member);
            self.latencies.extend(latencies);
        }
    }

    fn take_latencies(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.latencies)
    }
}

impl<P: Peer> Member<P> {
    async fn load(mut self, peer: &P, loads: usize) -> Result<(Self, Vec<u32>)> {
        let mut latencies = Vec::with_capacity(loads);
        for _ in 0..loads {
            let at = self.turn();
            let began = Instant::now();
            std::hint::black_box(peer.load(&self.ids[at]).await?);
            latencies.push(since(began));
        }
        Ok((self, latencies))
    }

    async fn request(mut self, peer: &P, requests: usize) -> Result<(Self, Vec<u32>)> {
        let mut latencies = Vec::with_capacity(requests);
        for _ in 0..requests {
            let at = self.turn();
            let (mut session, number) = peer.load(&self.ids[at]).await?;
            std::hint::black_box(number);
            let began = Instant::now();
            let seen = BEGIN + self.count;
            peer.save(&self.ids[at], &mut session, seen).await?;
            drop(session);
            latencies.push(since(began));
        }
        Ok((self, latencies))
    }

    async fn save(mut self, peer: &P, saves: usize) -> Result<(Self, Vec<u32>)> {
        let mut latencies = Vec::with_capacity(saves);
        for _ in 0..saves {
            let at = self.turn();
            let began = Instant::now();
            let seen = BEGIN + self.count;
            peer.save(&self.ids[at], &mut self.sessions[at], seen)
                .await?;
            latencies.push(since(began));
        }
        Ok((self, latencies))
    }

    /// Which session is next.
    fn turn(&mut self) -> usize {
        self.count += 1;
        self.next = (self.next + 1) % self.ids.len();
        self.next
    }
}

fn since(began: Instant) -> u32 {
    u32::try_from(began.elapsed().as_nanos()).unwrap_or(u32::MAX)
}

/// The numbers from 0 to `count`, in as many parts as there are tasks.
fn shares(count: usize, tasks: usize) -> impl Iterator<Item = Range<usize>> {
    (0..tasks).map(move |task| count * task / tasks..count * (task + 1) / tasks)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::super::Sample;
    use super::*;

    #[derive(Default)]
    struct Counting {
        loads: AtomicU64,
        saves: AtomicU64,
    }

    impl Peer for Counting {
        type Id = usize;
        type Session = u64;

        async fn create(&self, _: &Sample) -> Result<usize> {
            Ok(0)
        }

        async fn load(&self, _: &usize) -> Result<(u64, Option<u64>)> {
            self.loads.fetch_add(1, Ordering::Relaxed);
            Ok((0, None))
        }

        async fn save(&self, _: &usize, session: &mut u64, seen: u64) -> Result<()> {
            assert!(
                *session < seen,
                "what is saved is another session each time"
            );
            *session = seen;
            self.saves.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }

        fn seen(session: &u64) -> Option<u64> {
            Some(*session)
        }
    }

    #[test]
    fn a_team_does_exactly_as_much_as_it_is_told_and_times_each() {
        let runtime = Rc::new(Runtime::new().unwrap());
        let ids: Vec<usize> = (0..10).collect();
        for (doing, expected) in [
            (Doing::Load, (8, 0)),
            (Doing::Request, (8, 8)),
            (Doing::Save, (0, 8)),
        ] {
            let peer = Arc::new(Counting::default());
            let mut team = Team::new(&runtime, &peer, &ids, doing, 3).unwrap();
            let before = peer.loads.load(Ordering::Relaxed);
            team.run(7);
            team.run(1);
            let loads = peer.loads.load(Ordering::Relaxed) - before;
            let saves = peer.saves.load(Ordering::Relaxed);
            assert_eq!((loads, saves), expected);
            assert_eq!(team.take_latencies().len(), 8);
            assert!(team.take_latencies().is_empty());
        }
    }

    #[test]
    fn every_session_is_in_one_share() {
        for tasks in [1, 3, 64] {
            let all: Vec<usize> = shares(100, tasks).flatten().collect();
            assert_eq!(all, (0..100).collect::<Vec<_>>());
        }
    }
}
