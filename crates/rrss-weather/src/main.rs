//! `weather`: random runs on every backend, for as long as is asked.

#![allow(clippy::print_stdout, reason = "it is a program for people to look at")]

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use clap::Parser;
use rrss_weather::{BACKENDS, Backend, Search};

/// Looks for runs in which rrss does not keep its promises: random operations of several processes, through faults.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many minutes to look on each backend.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// The one backend to look on: memory, embedded, redis7, redis8, valkey, sentinel, cluster.
    #[arg(long)]
    backend: Option<Backend>,
    /// The seed of the first run; the next one has the next seed. The time where it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// How many runs at most.
    #[arg(long)]
    runs: Option<u64>,
    /// How many violations to look for before the next backend.
    #[arg(long, default_value_t = 1)]
    violations: usize,
    /// Lets servers lose what they are documented to lose too: evicted index entries, and writes that no replica had.
    #[arg(long)]
    losses: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let backends = arguments
        .backend
        .map_or_else(|| BACKENDS.to_vec(), |backend| vec![backend]);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let first = arguments.seed.unwrap_or(now.as_secs());
    let mut found = 0;
    for backend in backends {
        println!("{backend}: seeds from {first}");
        found += look(&arguments, backend, first)?;
    }
    println!("{found} violations");
    Ok(if found == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Looks on one backend, and says how many runs broke a promise.
fn look(arguments: &Arguments, backend: Backend, first: u64) -> Result<usize> {
    let until = Instant::now() + Duration::from_secs_f64(arguments.minutes * 60.0);
    let mut search = Search::on(backend);
    if arguments.losses {
        search = search.with_losses();
    }
    let (mut found, mut seed) = (0, first);
    let last = arguments
        .runs
        .map_or(u64::MAX, |runs| first.saturating_add(runs));
    while Instant::now() < until && seed < last && found < arguments.violations {
        if let Some(run) = search.run(seed)? {
            println!("\n{run}");
            found += 1;
        }
        seed += 1;
    }
    let tally = search.tally();
    println!(
        "{backend}: seeds {first} to {}, {} runs, {} operations, {found} violations",
        seed.saturating_sub(1),
        tally.runs,
        tally.operations
    );
    for what in &tally.skipped {
        println!("{backend}: left out: {what}");
    }
    Ok(found)
}
