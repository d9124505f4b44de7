//! Slots that move while sessions of them are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rrss_test_servers::{Flavor, RedisCluster};

use super::*;

on_both![
    a_change_is_seen_while_a_slot_moves_and_afterwards,
    no_session_of_before_stays_where_loads_meet_a_slot_on_its_way,
];

async fn a_change_is_seen_while_a_slot_moves_and_afterwards(flavor: Flavor) {
    let (cluster, _alone) = alone(flavor).await;
    let (here, there) = (cached(cluster, GENEROUS), plain(cluster));
    let [from, to] = [cluster.masters()[0], cluster.masters()[1]];
    let id = saved_on(cluster, from, &there).await;
    let slot = RedisCluster::slot_of(key(&id));
    is_kept(cluster, &here, &id).await;

    cluster.begin_migration(slot, to);
    change(&there, &id, 1).await;
    until_count("a save where it was", &here, &id, 1).await;
    is_kept(cluster, &here, &id).await;

    cluster.move_keys(slot, to);
    change(&there, &id, 2).await;
    until_count("a save on the way", &here, &id, 2).await;
    // It was loaded by `ASK`.
    is_kept(cluster, &here, &id).await;
    change(&there, &id, 3).await;
    until_count("another save on the way", &here, &id, 3).await;
    is_kept(cluster, &here, &id).await;

    cluster.finish_migration(slot, to);
    is_kept(cluster, &here, &id).await;
    change(&there, &id, 4).await;
    until_count("a save where it is now", &here, &id, 4).await;
    is_kept(cluster, &here, &id).await;
    assert!(there.delete(&id).await.unwrap());
    until("a delete", &here, &id, |seen| seen.is_none()).await;
}

async fn no_session_of_before_stays_where_loads_meet_a_slot_on_its_way(flavor: Flavor) {
    let (cluster, _alone) = alone(flavor).await;
    let (here, there) = (cached(cluster, GENEROUS), plain(cluster));
    let [from, to] = [cluster.masters()[0], cluster.masters()[1]];
    let id = saved_on(cluster, from, &there).await;
    let slot = RedisCluster::slot_of(key(&id));
    let changes = Arc::new(AtomicU64::new(0));
    let mover = tokio::task::spawn_blocking({
        let changes = Arc::clone(&changes);
        move || {
            let mut turn = 0;
            // Until there were as many changes as moves; where nobody makes any more, the test has failed.
            while turn < 12
                || changes.load(Ordering::SeqCst) <= 12 && Arc::strong_count(&changes) > 1
            {
                cluster.migrate_slot(slot, [to, from][turn % 2]);
                turn += 1;
            }
        }
    });
    let over = Arc::new(());
    let readers = [(); 3].map(|()| {
        let (here, id, over) = (here.clone(), id.clone(), Arc::downgrade(&over));
        tokio::spawn(async move {
            while over.strong_count() > 0 {
                count(&here, &id).await;
                tokio::task::yield_now().await;
            }
        })
    });
    let mut number = 0;
    while !mover.is_finished() {
        number += 1;
        change(&there, &id, number).await;
        until_count("a save", &here, &id, number).await;
        changes.store(number, Ordering::SeqCst);
    }
    drop(over);
    mover.await.unwrap();
    for reader in readers {
        reader.await.unwrap();
    }
    is_kept(cluster, &here, &id).await;
}

/// In one go, as Valkey does from 9.0 on: [`CLUSTER MIGRATESLOTS`](https://valkey.io/commands/cluster-migrateslots/).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_seen_after_the_servers_have_moved_a_slot_themselves() {
    let (cluster, _alone) = alone(Flavor::Valkey).await;
    let (here, there) = (cached(cluster, GENEROUS), plain(cluster));
    let [from, to] = [cluster.masters()[0], cluster.masters()[1]];
    let id = saved_on(cluster, from, &there).await;
    let slot = RedisCluster::slot_of(key(&id));
    is_kept(cluster, &here, &id).await;

    let (text, node) = (
        slot.to_string(),
        cluster.command_on(to, &["CLUSTER", "MYID"]),
    );
    let command = [
        "CLUSTER",
        "MIGRATESLOTS",
        "SLOTSRANGE",
        &text,
        &text,
        "NODE",
        &node,
    ];
    assert_eq!(cluster.command_on(from, &command), "OK");
    let begun = Instant::now();
    while cluster.master_of_slot(slot) != to {
        assert!(begun.elapsed() < SOON, "the slot was not moved");
    }
    change(&there, &id, 1).await;
    until_count("a save where it is now", &here, &id, 1).await;
    is_kept(cluster, &here, &id).await;
    assert!(there.delete(&id).await.unwrap());
    until("a delete", &here, &id, |seen| seen.is_none()).await;
}
