//! A store that is used from several runtimes, of which some end and some stand still.

use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use rrss_core::{Backend, Written};
use rrss_persistence::redis::Redis;
use rrss_test_servers::{Blackhole, Flavor, RedisServer};
use tokio::runtime::{Builder, Runtime};

use super::support::*;

fn of_one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// What `#[tokio::test]` and the workers of actix do with a `static` store.
#[test]
fn every_save_is_stored_while_runtimes_come_and_go() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let redis = Arc::new(connect(&server));
        let threads: Vec<_> = (0..8)
            .map(|of| {
                let redis = Arc::clone(&redis);
                thread::spawn(move || {
                    for n in 0..10 {
                        let runtime = of_one_thread();
                        for m in 0..3 {
                            let save =
                                create(&format!("sessions:{of}:{n}:{m}"), b"{}", in_an_hour());
                            let written = runtime.block_on(redis.write(&save));
                            assert_eq!(written.unwrap(), Written::Done);
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(server.scan("sessions:*").len(), 8 * 10 * 3);
        // The connections of runtimes that have ended are gone with them.
        of_one_thread().block_on(eventually(|| server.connections() == 0));
    }
}

/// Its connection is there, and nothing is done by its driver.
#[test]
fn a_runtime_that_stands_still_holds_up_no_other() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let redis = connect(&server);
        let (still, other) = (of_one_thread(), of_one_thread());
        still.block_on(redis.ping()).unwrap();
        for n in 0..10 {
            let save = create(&format!("sessions:{n}"), b"{}", in_an_hour());
            assert_eq!(other.block_on(redis.write(&save)).unwrap(), Written::Done);
        }
        assert_eq!(server.connections(), 2);
        // It still has its own.
        still.block_on(redis.ping()).unwrap();
        assert_eq!(server.connections(), 2);
        drop(still);
        other.block_on(eventually(|| server.connections() == 1));
    }
}

/// Begins a ping, and leaves it where it waits.
fn begin(runtime: &Runtime, redis: &Redis) {
    runtime.block_on(async {
        let mut ping = Box::pin(redis.ping());
        let polled = std::future::poll_fn(|context| Poll::Ready(ping.as_mut().poll(context)));
        assert!(polled.await.is_pending());
    });
}

#[test]
fn an_attempt_to_connect_in_a_runtime_that_stands_still_holds_up_no_other() {
    let server = RedisServer::start(Flavor::Redis);
    let redis = connect(&server);
    let (still, other) = (of_one_thread(), of_one_thread());
    begin(&still, &redis);
    other.block_on(redis.ping()).unwrap();
    still.block_on(redis.ping()).unwrap();
}

/// Of an attempt that hangs no more than the runtime that waits for it is held up.
#[test]
fn a_runtime_that_ends_while_it_connects_leaves_nothing_behind() {
    let hole = Blackhole::start();
    let redis = connect_to(&hole.url());
    for round in 1..4 {
        let runtime = of_one_thread();
        begin(&runtime, &redis);
        runtime.block_on(eventually(|| hole.accepted() == round));
    }
}

/// While nothing drives the runtime, nothing hears that the server hangs up; the write must not be what finds out.
#[test]
fn a_write_after_a_pause_in_which_the_server_hung_up_is_done() {
    for flavor in Flavor::ALL {
        let mut server = RedisServer::start(flavor);
        let redis = connect(&server);
        let runtime = of_one_thread();
        for n in 0..3 {
            let save = create(&format!("sessions:{n}"), b"{}", in_an_hour());
            assert_eq!(runtime.block_on(redis.write(&save)).unwrap(), Written::Done);
            let begun = Instant::now();
            server.restart();
            // A connection counts as idle after a while.
            while begun.elapsed() < Duration::from_millis(150) {
                thread::yield_now();
            }
        }
    }
}
