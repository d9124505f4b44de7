//! One run: its events, one after the other, and what they came to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::{AbortHandle, JoinSet};

use crate::act::Actor;
use crate::checks;
use crate::event::{Event, Op};
use crate::setup::Setup;
use crate::shared::Shared;
use crate::violation::{Promise, Violation};
use crate::world::{Station, Stores, World};

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The promises that were not kept.
    pub violations: Vec<Violation>,
    /// How many operations were carried out.
    pub operations: usize,
    /// The operations and their answers, in the order of their calls.
    pub log: Vec<String>,
    /// Faults that this machine cannot bring about.
    pub skipped: Vec<&'static str>,
}

/// The longest that an operation is waited for at a gate: all have time limits.
const LONGEST: Duration = Duration::from_secs(10);

/// Carries the events out. A last [`Event::Rest`] is added.
pub(crate) async fn run(world: &mut World, setup: &Setup, events: &[Event]) -> Result<Outcome> {
    let stores = world.stores(setup)?;
    let shared = Arc::new(Shared::new(setup, &stores.time));
    let mut run = Run {
        world,
        stores,
        shared,
        under_way: JoinSet::new(),
        turn: 0,
        outcome: Outcome {
            violations: Vec::new(),
            operations: 0,
            log: Vec::new(),
            skipped: Vec::new(),
        },
    };
    for event in events.iter().chain([&Event::Rest]) {
        run.event(event).await;
        if !run.outcome.violations.is_empty() {
            break;
        }
    }
    run.calm().await;
    for Station { store, .. } in &run.stores.stations {
        let _ = store.shutdown(Duration::from_secs(2)).await;
    }
    Ok(run.outcome)
}

struct Run<'w> {
    world: &'w mut World,
    stores: Stores,
    shared: Arc<Shared>,
    under_way: JoinSet<()>,
    turn: usize,
    outcome: Outcome,
}

impl Run<'_> {
    async fn event(&mut self, event: &Event) {
        match *event {
            Event::Do(store, op) => {
                let answered = self.begin(store, op);
                self.wait_for(store, &answered).await;
            }
            Event::Begin(store, op) => drop(self.begin(store, op)),
            Event::Meet(store, name, nth, fault) => {
                let station = self.station(store);
                station.way.meet(name, nth, fault);
            }
            Event::Join => self.wait_until_held().await,
            Event::Calm => self.stores.stations.iter().for_each(|it| it.way.calm()),
            Event::Wait(millis) => self.shared.time.pass(Duration::from_millis(millis)).await,
            Event::FailOver => self.fail_over(false).await,
            Event::FailOverWithLoss => self.fail_over(true).await,
            Event::EvictIndex => {
                if let Some(servers) = self.world.servers() {
                    servers.evict_index();
                    self.join_calm().await;
                    self.shared.forget();
                }
            }
            Event::DiskFull(is_full) => match &self.stores.disk {
                Some(disk) => disk.fill(is_full),
                None if self.world.backend() == crate::Backend::Embedded => {
                    self.outcome
                        .skipped
                        .push("a disk that fills: only root can mount one");
                }
                None => {}
            },
            Event::Full(_) | Event::Forbid(_) | Event::Allow | Event::FlushScripts => {
                self.on_servers(event);
            }
            Event::Rest => {
                // In peace nothing takes long.
                if tokio::time::timeout(6 * LONGEST, self.rest())
                    .await
                    .is_err()
                {
                    self.unanswered();
                }
            }
        }
    }

    fn on_servers(&mut self, event: &Event) {
        let Some(servers) = self.world.servers() else {
            return;
        };
        match event {
            Event::Full(is_full) => servers.full(*is_full),
            Event::Forbid(command) => servers.forbid(command),
            Event::Allow => servers.allow(),
            _ => servers.flush_scripts(),
        }
    }

    fn station(&self, store: usize) -> &Station {
        let stations = &self.stores.stations;
        &stations[store % stations.len()]
    }

    fn actor(&self, store: usize) -> Actor {
        let number = store % self.stores.stations.len();
        Actor {
            number,
            station: self.station(store).clone(),
            shared: Arc::clone(&self.shared),
            outage: self.world.outage(),
        }
    }

    fn begin(&mut self, store: usize, op: Op) -> AbortHandle {
        let actor = self.actor(store);
        self.under_way.spawn(async move { actor.act(op).await })
    }

    /// Waits for the answer, unless the store has something at a gate: that opens only later.
    async fn wait_for(&self, store: usize, answered: &AbortHandle) {
        let way = Arc::clone(&self.station(store).way);
        let until = Instant::now() + LONGEST;
        while !answered.is_finished() && !way.holds() && Instant::now() < until {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }

    /// Opens all gates, and waits for all answers.
    async fn join_calm(&mut self) {
        self.stores.stations.iter().for_each(|it| it.way.calm());
        let all = async { while self.under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(LONGEST, all).await.is_ok() {
            return;
        }
        self.under_way.abort_all();
        self.unanswered();
    }

    fn unanswered(&mut self) {
        let records = self.shared.history.all();
        self.outcome.log = records.iter().map(ToString::to_string).collect();
        for record in records.iter().filter(|record| record.is_unanswered()) {
            self.outcome.violations.push(Violation {
                promise: Promise::WorksAgain,
                seen: format!("no answer, though all has calmed down\n          {record}"),
            });
        }
    }

    /// Waits until something stands at a gate, or nothing is under way.
    async fn wait_until_held(&mut self) {
        let until = Instant::now() + LONGEST;
        while !self.stores.stations.iter().any(|it| it.way.holds()) && Instant::now() < until {
            while self.under_way.try_join_next().is_some() {}
            if self.under_way.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Nothing is under way while the master dies, so what was acknowledged is known to have reached the replica; operations
    /// that come before it is replaced fail, and leave doubt.
    async fn fail_over(&mut self, loses: bool) {
        if !self.world.backend().has_replicas() {
            return;
        }
        self.join_calm().await;
        self.turn += 1;
        let turn = self.turn;
        self.world.outage_changes();
        let servers = self
            .world
            .servers()
            .map(|servers| servers.kill_master(turn, loses));
        for store in 0..self.stores.stations.len() {
            self.actor(store).act(Op::Find(1)).await;
        }
        if let (Some(servers), Some(dead)) = (self.world.servers(), servers) {
            servers.replace_master(dead);
        }
        self.world.outage_changes();
        if loses {
            self.shared.forget();
        }
        self.works_again().await;
    }

    /// All faults go, and all operations answer.
    async fn calm(&mut self) {
        self.join_calm().await;
        if let Some(servers) = self.world.servers() {
            servers.full(false);
            servers.allow();
        }
        if let Some(disk) = &self.stores.disk {
            disk.fill(false);
        }
        self.stores.stations.iter().for_each(|it| it.way.cut());
        if let Some(servers) = self.world.servers() {
            servers.wait_for_silence();
        }
        self.shared.history.settle();
    }

    async fn works_again(&mut self) {
        let until = Instant::now() + LONGEST;
        for Station { store, .. } in &self.stores.stations {
            // A connection that was cut is seen to be so by whoever uses it first.
            while let Err(error) = store.ping().await {
                if Instant::now() > until {
                    self.outcome.violations.push(Violation {
                        promise: Promise::WorksAgain,
                        seen: format!("a ping answers {error}"),
                    });
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Looks at everything in peace, and holds what was answered since the start to the promises. Then all users are signed
    /// out, and everything is looked at again.
    async fn rest(&mut self) {
        self.calm().await;
        self.works_again().await;
        let look = self.actor(0);
        let last = self.actor(self.stores.stations.len() - 1);
        look.look_at_all().await;
        for user in 0..=crate::generate::USERS {
            look.act(Op::Find(user)).await;
            last.act(Op::Find(user)).await;
        }
        last.look_at_all().await;
        for user in 1..=crate::generate::USERS {
            look.act(Op::Revoke(user)).await;
        }
        last.look_at_all().await;
        let records = self.shared.history.all();
        self.outcome.operations += records.len();
        let backend = self.world.backend();
        let violations = checks::all(backend, &self.shared.setup, &records);
        self.outcome.violations.extend(violations);
        self.outcome.log = records.iter().map(ToString::to_string).collect();
        // What lives still has no user; the rest of the run begins with a clean slate.
        for who in look.everybody().await {
            let _ = look.station.store.delete(&who).await;
        }
        self.shared.forget();
    }
}
