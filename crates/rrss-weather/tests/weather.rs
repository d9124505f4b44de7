//! Random runs on every backend, a few minutes in all: what is to hold in each change. `./scripts/weather` looks for longer.
//!
//! The seeds are those of the day, so that over time many are tried; a run that fails prints its own.

#![allow(
    clippy::print_stdout,
    reason = "the seeds are for whoever looks into a failure"
)]

use std::time::{Duration, Instant, SystemTime};

use rrss_weather::{Backend, Search};

/// So many operations are carried out on each backend, but no run is begun after so long.
const OPERATIONS: usize = 4_000;
const LONGEST: Duration = Duration::from_secs(25);

fn holds(backend: Backend) {
    let day = SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_secs() / 86_400);
    // Apart from those of the days around.
    let first = day * 1_000_000;
    let until = Instant::now() + LONGEST;
    let mut search = Search::on(backend);
    let mut seed = first;
    while search.tally().operations < OPERATIONS && Instant::now() < until {
        match search.run(seed) {
            Ok(None) => {}
            Ok(Some(found)) => panic!("{found}"),
            Err(error) => panic!("{backend}, seed {seed}: the run could not be set up: {error:?}"),
        }
        seed += 1;
    }
    let tally = search.tally();
    println!("{backend}: seeds {first} to {}, {tally:?}", seed - 1);
    assert!(tally.operations > 0, "{tally:?}");
}

#[test]
fn the_promises_hold_on_memory() {
    holds(Backend::Memory);
}

#[test]
fn the_promises_hold_on_embedded() {
    holds(Backend::Embedded);
}

#[test]
fn the_promises_hold_on_redis_7() {
    holds(Backend::Redis7);
}

#[test]
fn the_promises_hold_on_redis_8() {
    holds(Backend::Redis8);
}

#[test]
fn the_promises_hold_on_valkey() {
    holds(Backend::Valkey);
}

#[test]
fn the_promises_hold_behind_sentinels() {
    holds(Backend::Sentinel);
}

#[test]
fn the_promises_hold_in_a_cluster() {
    holds(Backend::Cluster);
}
