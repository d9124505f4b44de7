//! Slots that are moved while they are used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rrss_core::{Backend, NoteChange, Written};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisCluster, RedisServer};
use tokio::task::JoinSet;

use super::support::*;

on_both_clusters![
    every_operation_follows_a_slot_that_was_moved,
    every_operation_asks_where_a_key_is_on_its_way_to,
    a_pipeline_is_answered_where_its_key_is,
    operations_at_once_do_not_take_each_others_asking,
    a_session_that_is_written_while_its_slot_moves_loses_nothing,
    two_commands_of_one_session_never_need_one_slot,
    what_is_to_be_told_of_a_session_is_put_while_its_place_is_on_its_way,
];

async fn every_operation_follows_a_slot_that_was_moved(cluster: &RedisCluster) {
    let redis = connect(cluster);
    let key = "moved:{moved}";
    let slot = RedisCluster::slot_of(key);
    whole_life(&redis, key).await;
    for _ in 0..3 {
        let moved = || cluster.error_counts().get("MOVED").copied();
        let before = moved();
        cluster.migrate_slot(slot, others(cluster, slot)[0]);
        whole_life(&redis, key).await;
        assert!(moved() > before, "it was sent to the old master first");
    }
}

/// Keys that were not there, that are still there, and that have gone already.
async fn every_operation_asks_where_a_key_is_on_its_way_to(cluster: &RedisCluster) {
    let redis = connect(cluster);
    let slot = RedisCluster::slot_of("{ask}");
    let [to, _] = others(cluster, slot);
    redis.write(&create("ask:{ask}1", "gone")).await.unwrap();
    cluster.begin_migration(slot, to);
    cluster.move_keys(slot, to);
    whole_life(&redis, "ask:{ask}2").await;
    later_life(&redis, "ask:{ask}1", "gone").await;
    redis.write(&create("ask:{ask}3", "new")).await.unwrap();
    cluster.finish_migration(slot, to);
    later_life(&redis, "ask:{ask}3", "new").await;
}

/// `PERSIST` and `EXISTS` go together, and both are answered by the new node.
async fn a_pipeline_is_answered_where_its_key_is(cluster: &RedisCluster) {
    let redis = connect(cluster);
    let key = "pipeline:{pipeline}";
    let slot = RedisCluster::slot_of(key);
    let [to, _] = others(cluster, slot);
    redis.write(&create(key, "1")).await.unwrap();
    cluster.begin_migration(slot, to);
    cluster.move_keys(slot, to);
    let never = rrss_core::Deadline::Never;
    assert_eq!(
        redis.touch(&touch(key, never)).await.unwrap(),
        Written::Done
    );
    assert_eq!(
        redis.touch(&touch(key, never)).await.unwrap(),
        Written::Done
    );
    let absent = touch("pipeline:{pipeline}absent", never);
    assert_eq!(redis.touch(&absent).await.unwrap(), Written::Gone);
    cluster.finish_migration(slot, to);
    let owner = cluster.master_of(key);
    assert_eq!(cluster.command_on(owner, &["PTTL", key]), "-1");
    redis.delete(&delete(key)).await.unwrap();
}

/// All go over one connection to the new node; an `ASKING` that stood alone would be used up by another's command.
async fn operations_at_once_do_not_take_each_others_asking(cluster: &RedisCluster) {
    let redis = connect(cluster);
    let slot = RedisCluster::slot_of("{at-once}");
    let [to, _] = others(cluster, slot);
    cluster.begin_migration(slot, to);
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let redis = Arc::clone(&redis);
        tasks.spawn(async move { whole_life(&redis, &format!("once:{{at-once}}{number}")).await });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    cluster.finish_migration(slot, to);
}

/// Each write replaces exactly what the one before it wrote, so none is lost, and none is done twice.
async fn a_session_that_is_written_while_its_slot_moves_loses_nothing(
    cluster: &'static RedisCluster,
) {
    const WRITES: usize = 300;
    let redis = connect(cluster);
    let slot = RedisCluster::slot_of("{reshard}");
    let is_over = Arc::new(AtomicBool::new(false));
    let mover = {
        let is_over = Arc::clone(&is_over);
        tokio::task::spawn_blocking(move || {
            let mut moves = 0;
            while !is_over.load(Ordering::Relaxed) || moves < 3 {
                cluster.migrate_slot(slot, others(cluster, slot)[moves % 2]);
                moves += 1;
            }
        })
    };
    let mut tasks = JoinSet::new();
    for session in 0..8 {
        let redis = Arc::clone(&redis);
        tasks.spawn(async move {
            let key = format!("reshard:{{reshard}}{session}");
            let written = redis.write(&create(&key, "0")).await.unwrap();
            assert_eq!(written, Written::Done);
            for number in 1..=WRITES {
                let write = replace(&key, &(number - 1).to_string(), &number.to_string());
                assert_eq!(
                    redis.write(&write).await.unwrap(),
                    Written::Done,
                    "{number}"
                );
            }
            let last = stored(&redis, &key).await.unwrap();
            assert_eq!(last, Some(WRITES.to_string()));
            assert_eq!(redis.delete(&delete(&key)).await.unwrap(), Written::Done);
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    mover.await.unwrap();
}

/// A server counts a command that spans slots as refused.
async fn two_commands_of_one_session_never_need_one_slot(cluster: &RedisCluster) {
    let redis = connect(cluster);
    for number in 0..50 {
        whole_life(&redis, &format!("apart:{number}")).await;
    }
    assert_eq!(cluster.error_counts().get("CROSSSLOT"), None);
}

#[tokio::test]
async fn a_node_that_is_named_by_url_says_that_there_are_others() {
    let cluster = cluster(Flavor::Redis);
    let redis = Redis::new(Options {
        url: Some(cluster.nodes()[0].parse().unwrap()),
        timeout: GENEROUS,
        connect_timeout: GENEROUS,
        ..Options::default()
    })
    .unwrap();
    let far = (0..)
        .map(|number| format!("far:{number}"))
        .find(|key| cluster.master_of(key) != 0);
    let error = stored(&redis, &far.unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), rrss_core::ErrorKind::Unavailable);
    assert!(error.message().contains("`nodes`"), "{error}");
}

#[tokio::test]
async fn a_server_without_a_cluster_that_is_named_in_nodes_says_so() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let redis = Redis::new(to(&[server.url()])).unwrap();
        let error = stored(&redis, "sessions:1").await.unwrap_err();
        assert_eq!(error.kind(), rrss_core::ErrorKind::Unavailable);
        assert!(error.message().contains("`url`"), "{error}");
    }
}

/// First where it was, then on the way with nothing there yet, then at the new node.
async fn what_is_to_be_told_of_a_session_is_put_while_its_place_is_on_its_way(
    cluster: &RedisCluster,
) {
    let redis = connect(cluster);
    let places = (0..16).map(|place| format!("told:index:expired:{{{place:02}}}"));
    let places: Vec<String> = places.collect();
    let slots = places.iter().map(RedisCluster::slot_of);
    let moves = slots.map(|slot| (slot, others(cluster, slot)[0]));
    let moves: Vec<(u16, usize)> = moves.collect();
    let put = async |step: usize| {
        for number in 0..40 {
            let mut op = create(&format!("told:{step}-{number}"), "{}");
            op.index.note = NoteChange::Keep {
                note: "note".into(),
                after: Duration::from_secs(60),
            };
            assert_eq!(redis.write(&op).await.unwrap(), Written::Done);
        }
    };
    put(0).await;
    for (slot, to) in &moves {
        cluster.begin_migration(*slot, *to);
    }
    put(1).await;
    for (slot, to) in &moves {
        cluster.move_keys(*slot, *to);
    }
    put(2).await;
    for (slot, to) in &moves {
        cluster.finish_migration(*slot, *to);
    }
    put(3).await;
    let kept = || {
        let kept = places.iter().map(|due| {
            let on = |command: &[&str]| {
                let count = cluster.command_on(cluster.master_of(due), command);
                count.parse::<usize>().unwrap()
            };
            (on(&["ZCARD", due]), on(&["HLEN", &format!("{due}:notes")]))
        });
        kept.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    };
    assert_eq!(kept(), (160, 160));
    for step in 0..4 {
        for number in 0..40 {
            let mut op = delete(&format!("told:{step}-{number}"));
            op.index.note = NoteChange::Remove;
            assert_eq!(redis.delete(&op).await.unwrap(), Written::Done);
        }
    }
    assert_eq!(kept(), (0, 0));
}
