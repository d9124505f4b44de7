//! Listing and counting over all masters, while slots are moved between them.

use std::collections::BTreeSet;

use rrss_core::{Backend, Cursor, ErrorKind, Page};
use rrss_persistence::redis::Redis;
use rrss_test_servers::RedisCluster;

use super::support::*;

on_both_clusters![apart =>
    every_session_is_listed_and_counted_wherever_it_is,
    a_session_whose_slot_moves_during_a_list_is_listed,
    a_list_of_many_pages_beside_others_who_write_misses_none_whose_slot_moves,
    a_session_on_its_way_is_listed,
    a_list_goes_on_in_another_process,
    a_cursor_of_another_backend_is_refused,
];

/// Sessions of all three masters.
async fn fill(redis: &Redis, space: &str, count: usize) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for number in 0..count {
        let key = format!("{space}:{number}");
        redis.write(&create(&key, "{}")).await.unwrap();
        keys.insert(key);
    }
    keys
}

fn names(page: &Page) -> impl Iterator<Item = String> {
    page.keys.iter().map(|key| key.as_str().to_owned())
}

async fn page(redis: &Redis, space: &str, cursor: Option<&Cursor>) -> Page {
    let op = load(&format!("{space}:"));
    redis.list(&op, cursor, 10).await.unwrap()
}

/// All keys of a list, with `between` done after each page.
async fn listed(redis: &Redis, space: &str, mut between: impl FnMut(usize)) -> BTreeSet<String> {
    let (mut keys, mut cursor, mut pages) = (BTreeSet::new(), None, 0);
    loop {
        let page = page(redis, space, cursor.as_ref()).await;
        keys.extend(names(&page));
        pages += 1;
        match page.next {
            Some(next) => cursor = Some(next),
            None => return keys,
        }
        between(pages);
    }
}

async fn clear(redis: &Redis, keys: &BTreeSet<String>) {
    for key in keys {
        redis.delete(&delete(key)).await.unwrap();
    }
}

async fn every_session_is_listed_and_counted_wherever_it_is(cluster: &RedisCluster) {
    let redis = connect(cluster);
    let keys = fill(&redis, "everywhere", 100).await;
    assert_eq!(listed(&redis, "everywhere", |_| ()).await, keys);
    let count = redis.count(&load("everywhere:")).await.unwrap();
    assert_eq!(count, 100);
    assert_eq!(redis.count(&load("nowhere:")).await.unwrap(), 0);
    clear(&redis, &keys).await;
}

/// From nodes that the list has yet to come to, to those where it was.
async fn a_session_whose_slot_moves_during_a_list_is_listed(cluster: &RedisCluster) {
    let redis = connect(cluster);
    let keys = fill(&redis, "moving", 60).await;
    let mut slots: Vec<u16> = keys.iter().map(RedisCluster::slot_of).collect();
    let found = listed(&redis, "moving", |pages| {
        if let Some(slot) = slots.pop().filter(|_| pages % 2 == 0) {
            cluster.migrate_slot(slot, others(cluster, slot)[pages % 4 / 2]);
        }
    })
    .await;
    assert_eq!(found, keys);
    assert_eq!(redis.count(&load("moving:")).await.unwrap(), 60);
    clear(&redis, &keys).await;
}

/// Every slot of the sessions that are looked for moves while one node is scanned, and the tables of the nodes grow.
async fn a_list_of_many_pages_beside_others_who_write_misses_none_whose_slot_moves(
    cluster: &RedisCluster,
) {
    let redis = connect(cluster);
    let others_keys = fill(&redis, "others", 3_000).await;
    let keys = fill(&redis, "among", 60).await;
    let mut slots: Vec<u16> = keys.iter().map(RedisCluster::slot_of).collect();
    let (mut cursor, mut found, mut written) = (None, BTreeSet::new(), BTreeSet::new());
    for pages in 0.. {
        let page = page(&redis, "among", cursor.as_ref()).await;
        found.extend(names(&page));
        let Some(next) = page.next else { break };
        cursor = Some(next);
        if let Some(slot) = slots.pop_if(|_| pages % 2 == 0) {
            cluster.migrate_slot(slot, others(cluster, slot)[pages % 4 / 2]);
        }
        let writes = (0..10).map(|number| format!("written:{pages}:{number}"));
        let writes: Vec<_> = writes.map(|key| create(&key, "{}")).collect();
        for write in writes.iter().filter(|_| pages < 300) {
            redis.write(write).await.unwrap();
            written.insert(write.key().unwrap().as_str().to_owned());
        }
    }
    assert!(slots.is_empty(), "{} slots were not moved", slots.len());
    assert_eq!(found, keys);
    assert_eq!(redis.count(&load("among:")).await.unwrap(), 60);
    for keys in [keys, others_keys, written] {
        clear(&redis, &keys).await;
    }
}

/// The key is at the new node before the list comes to the old one, and the slot is not.
async fn a_session_on_its_way_is_listed(cluster: &RedisCluster) {
    let redis = connect(cluster);
    let keys = fill(&redis, "way", 30).await;
    for key in keys.iter().take(6) {
        let slot = RedisCluster::slot_of(key);
        for to in others(cluster, slot) {
            cluster.begin_migration(slot, to);
            let found = listed(&redis, "way", |pages| {
                if pages == 2 {
                    cluster.move_keys(slot, to);
                }
            })
            .await;
            assert_eq!(found, keys);
            assert_eq!(redis.count(&load("way:")).await.unwrap(), 30);
            cluster.finish_migration(slot, to);
        }
    }
    clear(&redis, &keys).await;
}

async fn a_list_goes_on_in_another_process(cluster: &RedisCluster) {
    let redis = connect(cluster);
    let keys = fill(&redis, "another", 60).await;
    let (mut found, mut cursor) = (BTreeSet::new(), None);
    loop {
        let page = page(&connect(cluster), "another", cursor.as_ref()).await;
        found.extend(names(&page));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(found, keys);
    clear(&redis, &keys).await;
}

/// Nor is a connection made to where it says.
async fn a_cursor_of_another_backend_is_refused(cluster: &RedisCluster) {
    let redis = connect(cluster);
    for foreign in ["", "0", "17", "sessions:1"] {
        let cursor = Cursor::from(foreign.as_bytes().to_vec());
        let error = redis
            .list(&load("any:1"), Some(&cursor), 1)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value, "{foreign}");
    }
    let hole = rrss_test_servers::Blackhole::start();
    let forged = format!("cluster 127.0.0.1:{} 0 0-1 0-1", hole.port());
    let cursor = Cursor::from(forged.into_bytes());
    redis.list(&load("any:1"), Some(&cursor), 1).await.unwrap();
    assert_eq!(hole.accepted(), 0);
}
