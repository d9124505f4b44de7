//! The soak on a cluster of which a master is killed.

use std::sync::Arc;

use rrss::SessionId;
use rrss_test_servers::{Flavor, RedisCluster};
use tokio::task::{JoinSet, block_in_place};

use crate::churn::{self, Ended};
use crate::sessions::Place;
use crate::stores::{key, on};
use crate::task::{Mix, Soak, Until, ended};

const TASKS: usize = 16;
const SESSIONS: usize = 16;

/// How many updates of each session are acknowledged before the kill, and again after the failover.
const UPDATES: u64 = 20;

/// How many ids end before the kill, and again after the failover.
const ENDED: usize = 40;

/// Rotations would take sessions to other masters; [`churn`] makes and ends sessions instead.
const MIX: Mix = Mix {
    count: 100,
    rotate: 0,
    delete: 0,
};

/// Redis acknowledges a write before its replica has it, so what the killed master acknowledged last may be lost with it. What
/// its replica had is not, and sessions of other masters notice nothing: no loss, and no error.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_master_takes_along_no_more_than_its_replica_lacked() {
    let (mut cluster, mut killing) = Killing::prepare("a master killed").await;
    block_in_place(|| cluster.kill_master(killing.victim));
    killing.verify(&cluster).await;
}

/// The same, where the replica has lost its connection and tasks are told of many updates that it never hears of: those are lost,
/// as the documents say of Redis.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn updates_that_a_replica_lacked_are_lost_with_its_master_and_no_others() {
    let (mut cluster, mut killing) = Killing::prepare("a master killed, its replica behind").await;
    let victim = killing.victim;
    let replica = victim + RedisCluster::NODES / 2;
    block_in_place(|| {
        cluster.node(replica).pause();
        cluster.command_on(victim, &["CLIENT", "KILL", "TYPE", "REPLICA"]);
    });
    for place in &killing.soak.places {
        place.goes_on(UPDATES).await;
    }
    killing.ended_ids.goes_on(ENDED).await;
    block_in_place(|| {
        cluster.kill_master(victim);
        cluster.node(replica).resume();
    });
    killing.verify(&cluster).await;
    assert!(
        killing.soak.figures.lost.get() > 0,
        "the replica was not behind: {}",
        killing.soak.figures
    );
}

/// Tasks that run, and what of their work no failover may lose.
struct Killing {
    name: &'static str,
    soak: Arc<Soak>,
    running: JoinSet<()>,
    ended_ids: Arc<Ended>,
    /// How many of them were known to the replicas before anything failed.
    surely_ended: usize,
    /// The master to kill.
    victim: usize,
    victim_slot: u16,
}

impl Killing {
    async fn prepare(name: &'static str) -> (RedisCluster, Killing) {
        let cluster = RedisCluster::start(Flavor::Redis);
        let soak = Soak::new(name, on(&cluster), TASKS, SESSIONS, MIX).await;
        let ended_ids = Arc::new(Ended::default());
        let mut running = soak.start(Until::Stopped);
        for _ in 0..4 {
            churn::start(&soak, &ended_ids, &mut running);
        }
        for place in &soak.places {
            place.goes_on(UPDATES).await;
        }
        ended_ids.goes_on(ENDED).await;

        let victim_slot = slot(&soak.places[0]);
        let victim = block_in_place(|| cluster.master_of_slot(victim_slot));
        for place in &soak.places {
            if block_in_place(|| cluster.master_of_slot(slot(place))) == victim {
                place.current().life.endanger();
            }
        }
        let surely_ended = ended_ids.ids().len();
        // As `WAIT 1` on each master. Tasks go on: only what they were told before this is sure to be at the replicas.
        block_in_place(|| cluster.wait_for_replicas());
        let killing = Killing {
            name,
            soak,
            running,
            ended_ids,
            surely_ended,
            victim,
            victim_slot,
        };
        (cluster, killing)
    }

    /// What must be there is there, after the replica has taken over, and after more updates of all sessions.
    async fn verify(&mut self, cluster: &RedisCluster) {
        let soak = &self.soak;
        let successor = block_in_place(|| cluster.wait_for_failover(self.victim_slot));
        for place in &soak.places {
            place.goes_on(UPDATES).await;
        }
        self.ended_ids.goes_on(ENDED).await;
        soak.stop();
        ended(std::mem::take(&mut self.running)).await;

        soak.holds().await;
        let ids = self.ended_ids.ids();
        let mut revived = 0;
        for (number, id) in ids.iter().enumerate() {
            let found = match soak.store.load(id).await {
                // It was rotated away a moment ago.
                Err(error) if error.is_gone() => None,
                found => found.unwrap(),
            };
            if found.is_some() {
                let is_endangered = block_in_place(|| cluster.master_of(key(id))) == successor;
                assert!(
                    is_endangered && number >= self.surely_ended,
                    "an id that had ended came back"
                );
                revived += 1;
            }
        }
        let figures = &soak.figures;
        assert!(
            figures.unavailable.get() + figures.timeouts.get() > 0,
            "nobody has noticed the kill: {figures}"
        );
        println!(
            "{}: {figures}; {} ids ended, {revived} of which the replica had not heard came back",
            self.name,
            ids.len()
        );
    }
}

fn slot(place: &Place) -> u16 {
    let id: SessionId = place.current().id;
    RedisCluster::slot_of(key(&id))
}
