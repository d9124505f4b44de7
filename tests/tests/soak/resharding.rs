//! The soak on a cluster whose slots are moved meanwhile.

use rrss_test_servers::{Flavor, RedisCluster};
use tokio::task::block_in_place;

use crate::stores::{key, on};
use crate::task::{Mix, Soak, Until, ended};

const TASKS: usize = 16;
const SESSIONS: usize = 4;

/// The nodes below this are masters, and stay it.
const MASTERS: usize = RedisCluster::NODES / 2;

/// How many slots are moved.
const MOVES: usize = 8;

/// How many updates of a session are acknowledged at each stage of a move.
const UPDATES: u64 = 50;

const MIX: Mix = Mix {
    count: 100,
    rotate: 1,
    delete: 1,
};

/// Each slot is the one of a session that all tasks update all the while: before its key moves, when it has moved and the slot
/// has not, and when both have. Then it is moved back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_that_reshards_loses_nothing_and_revives_nothing() {
    let cluster = RedisCluster::start(Flavor::Redis);
    let soak = Soak::new(
        "a cluster that reshards",
        on(&cluster),
        TASKS,
        SESSIONS,
        MIX,
    )
    .await;
    let running = soak.start(Until::Stopped);
    for number in 0..MOVES / 2 {
        let place = &soak.places[number % SESSIONS];
        let mut origin = None;
        for _ in 0..2 {
            // Anew, for it may have been rotated or deleted during the first of the two.
            let slot = RedisCluster::slot_of(key(&place.current().id));
            let from = block_in_place(|| cluster.master_of_slot(slot));
            let to = match origin {
                Some(origin) if origin != from => origin,
                _ => (from + 1 + number % 2) % MASTERS,
            };
            origin = Some(from);
            block_in_place(|| cluster.begin_migration(slot, to));
            place.goes_on(UPDATES).await;
            block_in_place(|| cluster.move_keys(slot, to));
            place.goes_on(UPDATES).await;
            block_in_place(|| cluster.finish_migration(slot, to));
            place.goes_on(UPDATES).await;
        }
    }
    soak.stop();
    ended(running).await;
    soak.holds().await;
    assert_eq!(soak.store.count().await.unwrap(), SESSIONS as u64);
    let keys = cluster.keys();
    let sessions = keys.iter().filter(|key| !crate::backends::is_mark(key));
    assert_eq!(sessions.count(), SESSIONS);
    let refused = cluster.error_counts();
    assert!(
        refused.contains_key("ASK"),
        "no task has met a session on its way: {refused:?}"
    );
    println!(
        "{MOVES} moves of slots: {}; the nodes refused {refused:?}",
        soak.figures
    );
}
