//! One connection for many operations, many processes, many runtimes.

use std::sync::Arc;

use rrss_core::{Backend, Written};
use rrss_test_servers::{Flavor, RedisServer};
use tokio::sync::Barrier;

use super::support::*;

on_both_servers![
    of_two_creates_at_once_one_is_done,
    a_hundred_operations_at_once_share_one_connection,
    an_operation_that_is_dropped_midway_disturbs_no_other,
    close_lets_go_of_the_connection_and_loses_nothing,
];

/// Each from a process of its own, as far as the server can tell.
async fn of_two_creates_at_once_one_is_done(server: RedisServer) {
    let processes = [connect(&server), connect(&server)].map(Arc::new);
    for round in 0..20 {
        let key = format!("sessions:{round}");
        let barrier = Arc::new(Barrier::new(2));
        let [one, two] = processes.each_ref().map(|redis| {
            let (redis, barrier) = (Arc::clone(redis), Arc::clone(&barrier));
            let op = create(&key, b"{}", in_an_hour());
            tokio::spawn(async move {
                barrier.wait().await;
                redis.write(&op).await.unwrap()
            })
        });
        let written = [one.await.unwrap(), two.await.unwrap()];
        assert!(written.contains(&Written::Done) && written.contains(&Written::Taken));
    }
}

fn connections_so_far(server: &RedisServer) -> u64 {
    let stats = server.command(&["INFO", "stats"]);
    let line = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_connections_received:"));
    line.unwrap().trim_end().parse().unwrap()
}

async fn a_hundred_operations_at_once_share_one_connection(server: RedisServer) {
    let redis = Arc::new(connect(&server));
    let before = connections_so_far(&server);
    let operations: Vec<_> = (0..100)
        .map(|n| {
            let (redis, key) = (Arc::clone(&redis), format!("sessions:{n}"));
            tokio::spawn(async move {
                let op = create(&key, key.as_bytes(), in_an_hour());
                assert_eq!(redis.write(&op).await.unwrap(), Written::Done);
                assert_eq!(stored(&redis, &key).await.unwrap().unwrap(), key);
            })
        })
        .collect();
    for operation in operations {
        operation.await.unwrap();
    }
    // Ours, and the one that asks.
    assert_eq!(connections_so_far(&server), before + 2);
}

async fn an_operation_that_is_dropped_midway_disturbs_no_other(server: RedisServer) {
    let redis = connect(&server);
    // The first is dropped while it connects, the others after they were sent.
    for n in 0..20 {
        let key = format!("sessions:{n}");
        let op = create(&key, b"{}", in_an_hour());
        let mut write = Box::pin(redis.write(&op));
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(write.as_mut().poll(context).is_ready())
        });
        assert!(!polled.await);
        drop(write);
        let other = format!("others:{n}");
        redis
            .write(&create(&other, other.as_bytes(), in_an_hour()))
            .await
            .unwrap();
        assert_eq!(stored(&redis, &other).await.unwrap().unwrap(), other);
    }
}

async fn close_lets_go_of_the_connection_and_loses_nothing(server: RedisServer) {
    let redis = connect(&server);
    redis
        .write(&create("sessions:1", b"{}", in_an_hour()))
        .await
        .unwrap();
    redis.close().await.unwrap();
    // The connection ends where its last owner is dropped; the server learns of it a moment later.
    eventually(|| server.command(&["CLIENT", "LIST"]).lines().count() == 1).await;
    assert_eq!(stored(&redis, "sessions:1").await.unwrap().unwrap(), "{}");
}

/// A backend outlives the runtime that it was first used on, and is made where there is none.
#[test]
fn one_backend_serves_one_runtime_after_another() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let redis = connect(&server);
        for n in 0..3 {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let key = format!("sessions:{n}");
            let op = create(&key, b"{}", in_an_hour());
            assert_eq!(runtime.block_on(redis.write(&op)).unwrap(), Written::Done);
        }
        assert_eq!(server.scan("*").len(), 3);
    }
}
