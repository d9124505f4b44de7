//! The soak on a cluster of which a master is killed.

use std::sync::Arc;

use rrss_test_servers::{Flavor, RedisCluster};
use tokio::task::block_in_place;

use crate::churn::{self, Ended};
use crate::sessions::Place;
use crate::stores::{key, on};
use crate::task::{Mix, Soak, Until, ended};

const TASKS: usize = 16;
const SESSIONS: usize = 16;

/// How many updates of each session are acknowledged before the kill, and again after the failover.
const UPDATES: u64 = 20;

/// Rotations would take sessions to other masters; [`churn`] makes and ends sessions instead.
const MIX: Mix = Mix {
    count: 100,
    rotate: 0,
    delete: 0,
};

/// Redis acknowledges a write before its replica has it, so what the killed master acknowledged last may be lost with it. What
/// its replica had is not, and sessions of other masters notice nothing: no loss, and no error.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_master_that_is_killed_takes_along_no_more_than_its_replica_lacked() {
    let mut cluster = RedisCluster::start(Flavor::Redis);
    let soak = Soak::new("a master killed", on(&cluster), TASKS, SESSIONS, MIX).await;
    let ended_ids = Arc::new(Ended::default());
    let mut running = soak.start(Until::Stopped);
    for _ in 0..4 {
        churn::start(&soak, &ended_ids, &mut running);
    }
    for place in &soak.places {
        place.goes_on(UPDATES).await;
    }
    ended_ids.goes_on(40).await;

    let slot = |place: &Place| RedisCluster::slot_of(key(&place.current().id));
    let victim_slot = slot(&soak.places[0]);
    let victim = block_in_place(|| cluster.master_of_slot(victim_slot));
    let mut endangered = 0;
    for place in &soak.places {
        if block_in_place(|| cluster.master_of_slot(slot(place))) == victim {
            place.current().life.endanger();
            endangered += 1;
        }
    }
    let surely_ended = ended_ids.ids().len();
    // All that was acknowledged above is at the replica now, and tasks go on: what they are told from here on may be lost.
    block_in_place(|| cluster.wait_for_replicas());
    block_in_place(|| cluster.kill_master(victim));
    let successor = block_in_place(|| cluster.wait_for_failover(victim_slot));
    for place in &soak.places {
        place.goes_on(UPDATES).await;
    }
    ended_ids.goes_on(40).await;
    soak.stop();
    ended(running).await;

    soak.holds().await;
    let mut revived = 0;
    for (number, id) in ended_ids.ids().iter().enumerate() {
        let endangered = block_in_place(|| cluster.master_of(key(id))) == successor;
        let is_there = soak.store.load(id).await.unwrap().is_some();
        if number >= surely_ended && endangered {
            revived += usize::from(is_there);
        } else {
            assert!(!is_there, "an id that had ended came back");
        }
    }
    let figures = &soak.figures;
    assert!(
        figures.unavailable.get() + figures.timeouts.get() > 0,
        "nobody has noticed the kill: {figures}"
    );
    println!(
        "a master killed, {endangered} sessions its own: {figures}; \
         {} ids ended, {revived} came back as their replica had not heard of it",
        ended_ids.ids().len()
    );
}
