//! The index on a Redis Cluster: the session and the sets of its values are on servers of their own.

use std::collections::BTreeSet;

use rrss_core::{Backend, Deadline, Guard, IndexKey, Operation, Written};
use rrss_persistence::redis::{Options, Redis};
use rrss_test_servers::{Flavor, RedisCluster};

use super::support::*;

fn user(n: u32) -> IndexKey {
    IndexKey::of("user", &n.to_string()).unwrap().unwrap()
}

fn putting(mut op: Operation, put: &[u32], removed: &[u32]) -> Operation {
    op.index.put = put.iter().map(|n| user(*n)).collect();
    op.index.removed = removed.iter().map(|n| user(*n)).collect();
    op
}

async fn found(redis: &Redis, n: u32) -> BTreeSet<String> {
    let (mut found, mut cursor) = (BTreeSet::new(), None);
    loop {
        let page = redis.find(&load(""), &user(n), cursor.as_ref(), 2).await;
        let page = page.unwrap();
        found.extend(page.keys.iter().map(|key| key.as_str().to_owned()));
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn on_a_cluster_sessions_are_found_until_they_end_and_nothing_is_left() {
    for flavor in Flavor::ALL {
        let cluster = RedisCluster::start(flavor);
        let nodes = cluster.nodes();
        let redis = Redis::new(Options {
            nodes: Some(nodes.iter().map(|node| node.parse().unwrap()).collect()),
            timeout: GENEROUS,
            connect_timeout: GENEROUS,
            ..Options::default()
        })
        .unwrap();
        let keys: Vec<String> = (0..12).map(|n| format!("sessions:{n}")).collect();
        let masters: BTreeSet<_> = keys.iter().map(|key| cluster.master_of(key)).collect();
        assert!(masters.len() > 1, "{flavor}");
        for (n, key) in keys.iter().enumerate() {
            let deadline = match n % 2 {
                0 => in_an_hour(),
                _ => Deadline::Keep,
            };
            let op = putting(create(key, b"1", deadline), &[1, 2], &[]);
            assert_eq!(redis.write(&op).await.unwrap(), Written::Done);
        }
        let all: BTreeSet<_> = keys.iter().cloned().collect();
        assert_eq!(found(&redis, 1).await, all, "{flavor}");

        for key in &keys {
            let mut op = update(key, b"2", Deadline::Keep);
            op.guard = Guard::Unchanged(bytes::Bytes::from_static(b"1").into());
            let op = putting(op, &[1, 3], &[2]);
            assert_eq!(redis.write(&op).await.unwrap(), Written::Done, "{flavor}");
            assert_eq!(redis.write(&op).await.unwrap(), Written::Changed);
            let op = putting(touch(key, in_an_hour()), &[1, 3], &[]);
            assert_eq!(redis.touch(&op).await.unwrap(), Written::Done);
        }
        for (n, expected) in [(1, &all), (2, &BTreeSet::new()), (3, &all)] {
            assert_eq!(&found(&redis, n).await, expected, "{flavor}: {n}");
        }

        for key in &keys {
            let op = putting(delete(key), &[], &[1, 3]);
            assert_eq!(redis.delete(&op).await.unwrap(), Written::Done);
            let late = putting(update(key, b"3", in_an_hour()), &[1, 4], &[3]);
            assert_eq!(redis.write(&late).await.unwrap(), Written::Gone);
        }
        assert_eq!(cluster.keys(), Vec::<String>::new(), "{flavor}");
    }
}
