//! How often an outage is asked whether it is over.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rrss_core::Backend;
use rrss_persistence::redis::Redis;
use rrss_test_servers::RedisServer;

use super::support::*;

on_both_servers![
    a_server_that_hangs_up_on_everybody_is_not_stormed,
    a_server_that_is_of_no_use_now_is_not_stormed,
];

/// Attempts of one process at one server in an outage that takes as long: those of the first pauses, and one for each of
/// the longest, which is 250 ms less a quarter.
fn at_most(outage: Duration) -> u64 {
    10 + u64::try_from(outage.as_millis()).unwrap() / 187
}

/// Many at once, over and over, all in vain. Answers how long they took.
async fn many_fail(redis: Redis) -> Duration {
    let redis = Arc::new(redis);
    let begun = Instant::now();
    let clients: Vec<_> = (0..32)
        .map(|_| {
            let redis = Arc::clone(&redis);
            tokio::spawn(async move {
                for _ in 0..8 {
                    redis.load(&load("sessions:1")).await.unwrap_err();
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    begun.elapsed()
}

async fn a_server_that_hangs_up_on_everybody_is_not_stormed(mut server: RedisServer) {
    server.stop();
    let listener = TcpListener::bind((server.host(), server.port())).unwrap();
    let accepted = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&accepted);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            drop(client);
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let url = format!("redis://{}:{}", server.host(), server.port());
    let outage = many_fail(connect_to(&url)).await;
    let accepted = accepted.load(Ordering::SeqCst);
    assert!(accepted <= at_most(outage), "{accepted} in {outage:?}");
}

/// Each connection is made, and given up for what is answered over it.
async fn a_server_that_is_of_no_use_now_is_not_stormed(server: RedisServer) {
    let redis = connect(&server);
    server.command(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    let refused = rrss_test_servers::refused_port().to_string();
    server.command(&["REPLICAOF", "127.0.0.1", &refused]);
    server.reset_counts();
    let outage = many_fail(redis).await;
    // Only ours greet.
    let connections = server.command_counts()["hello"];
    assert!(
        connections <= at_most(outage),
        "{connections} in {outage:?}"
    );
    server.command(&["REPLICAOF", "NO", "ONE"]);
}
