//! Measures rrss beside what its users run today; see README.md.
//!
//! Built twice: with the stores that stand on axum, and by pavex/Cargo.toml with that of pavex.
#![cfg_attr(
    not(feature = "axum"),
    allow(
        dead_code,
        reason = "whole requests need axum, and a part of the rest is theirs"
    )
)]

mod allocations;
mod corpus;
mod embedded;
mod encryption;
mod growth;
mod local;
mod machine;
mod measure;
mod peer;
mod pipeline;
mod plot;
mod promise;
mod redis;
mod report;
#[cfg(feature = "axum")]
mod requests;
mod sessions;
mod table;

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Args, Parser, Subcommand};

use crate::corpus::Size;
use crate::machine::Machine;
use crate::peer::Failed;
use crate::report::Report;

/// Measures rrss beside what its users run today, in one run on this machine.
#[derive(Debug, Parser)]
#[command(name = "rrss-bench")]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
enum Bench {
    /// Loads and saves through the default pipeline on `memory`, beside a map of JSON values.
    Sessions,
    /// Saves a second of the `embedded` backend, beside SQLite.
    Embedded,
    /// Loads and saves of session stores that need no server: in memory and on disk.
    Local,
    /// What the pipeline itself costs.
    Pipeline,
    /// What encrypting and decrypting a session costs.
    Encryption,
    /// Whether operations cost more where more sessions are stored, on Redis and `embedded`.
    Growth,
    /// Session stores side by side on one Redis and one Valkey, which it starts.
    Redis,
    /// Whole requests: applications of axum and actix, their sessions on one Redis and one Valkey, which it starts.
    Requests,
    /// All of them.
    All,
}

impl Bench {
    /// Whether other threads work for it, whose allocations are not counted.
    fn takes_times_alone(self) -> bool {
        matches!(
            self,
            Self::Embedded | Self::Local | Self::Growth | Self::Requests
        )
    }
}

#[derive(Debug, Args)]
struct Common {
    /// Take some seconds and measure roughly.
    #[arg(long, global = true)]
    quick: bool,
    /// Also write the figures to this file, as JSON.
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to draw the figures, as SVG: into docs/benchmarks unless said, and with `--quick` nowhere unless said.
    #[arg(long, global = true, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// About how large the sessions are, one size or several. The promises are for 1 KB.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "1kb",
        value_delimiter = ','
    )]
    size: Vec<Size>,
    /// How many tasks work at once on one Redis: 1, 64 and 512 unless said, with `--quick` 64. The promises are for 64.
    #[arg(long, global = true, value_name = "N", value_delimiter = ',')]
    tasks: Vec<NonZeroUsize>,
    /// Where to put databases meanwhile: a directory on the disk that is to be measured.
    #[arg(long, global = true, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failed> {
    if cfg!(debug_assertions) {
        return Err("this is a debug build, whose figures mean nothing; add `--release`".into());
    }
    if !cfg!(feature = "axum") && matches!(cli.bench, Bench::Requests | Bench::All) {
        return Err("whole requests need axum, and this build is the one with pavex; run that of bench/Cargo.toml".into());
    }
    let Common {
        quick,
        json,
        plots,
        size: sizes,
        tasks,
        dir,
    } = cli.common;
    let tasks: Vec<usize> = match (&tasks[..], quick) {
        ([], true) => vec![64],
        ([], false) => vec![1, 64, 512],
        (tasks, _) => tasks.iter().map(|tasks| tasks.get()).collect(),
    };
    let mut report = Report {
        machine: Machine::this(),
        date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        command: command(),
        quick,
        groups: Vec::new(),
        promises: Vec::new(),
    };
    if allocations::COUNTED && cli.bench.takes_times_alone() {
        return Err(
            "this build counts allocations, which this part has no figures of; \
             leave out `--features count-allocations`"
                .into(),
        );
    }
    let wanted = |bench: Bench| {
        cli.bench == bench
            || cli.bench == Bench::All && !(allocations::COUNTED && bench.takes_times_alone())
    };
    // First, while the memory of this process is that of its own work.
    for &size in &sizes {
        if wanted(Bench::Growth) {
            report.add(growth::run(size, &dir, quick)?);
        }
    }
    for &size in &sizes {
        if wanted(Bench::Sessions) {
            report.add(sessions::run(size, quick)?);
        }
        if wanted(Bench::Embedded) {
            report.add(embedded::run(size, &dir, quick)?);
        }
    }
    if wanted(Bench::Pipeline) {
        report.add(pipeline::run(quick)?);
    }
    for &size in &sizes {
        if wanted(Bench::Encryption) {
            report.add(encryption::run(size, quick)?);
        }
    }
    if wanted(Bench::Redis) {
        report.add(redis::run(&sizes, &tasks, quick)?);
    }
    if wanted(Bench::Local) {
        report.add(local::run(&sizes, &tasks, &dir, quick)?);
    }
    #[cfg(feature = "axum")]
    for &size in &sizes {
        if wanted(Bench::Requests) {
            report.add(requests::run(size, quick)?);
        }
    }
    print!("{report}");
    if let Some(file) = json {
        fs::write(file, serde_json::to_vec_pretty(&report)?)?;
    }
    // The pictures that are kept are of one build.
    let drawn = !quick && !allocations::COUNTED && cfg!(feature = "axum");
    if let Some(folder) = plots.or_else(|| drawn.then(|| DRAWN.into())) {
        plot::draw(&report, &folder)?;
    }
    Ok(())
}

/// Where pictures are kept, beside the crates that they are of.
const DRAWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks");

/// How to run this again.
fn command() -> String {
    let features = if allocations::COUNTED {
        " --features count-allocations"
    } else {
        ""
    };
    let manifest = match cfg!(feature = "axum") {
        true => "bench/Cargo.toml",
        false => "bench/pavex/Cargo.toml",
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!(
        "cargo run --release --manifest-path {manifest}{features} -- {}",
        arguments.join(" ")
    )
}
