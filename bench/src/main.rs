//! Measures rrss beside what its users run today; see README.md.

mod allocations;
mod corpus;
mod embedded;
mod machine;
mod measure;
mod peer;
mod redis;
mod report;
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

#[derive(Debug, Subcommand)]
enum Bench {
    /// Loads and saves through the default pipeline on `memory`, beside a map of JSON values.
    Sessions,
    /// Saves a second of the `embedded` backend, beside SQLite.
    Embedded,
    /// Session stores side by side on one Redis and one Valkey, which it starts.
    Redis,
    /// All of them.
    All,
}

#[derive(Debug, Args)]
struct Common {
    /// Take some seconds and measure roughly.
    #[arg(long, global = true)]
    quick: bool,
    /// Also write the figures to this file, as JSON.
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
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
    let Common {
        quick,
        json,
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
    if allocations::COUNTED && matches!(cli.bench, Bench::Embedded) {
        return Err(
            "this build counts allocations, which `embedded` has no figures of; \
             leave out `--features count-allocations`"
                .into(),
        );
    }
    for &size in &sizes {
        if matches!(cli.bench, Bench::Sessions | Bench::All) {
            report.add(sessions::run(size, quick)?);
        }
        if matches!(cli.bench, Bench::Embedded | Bench::All) && !allocations::COUNTED {
            report.add(embedded::run(size, &dir, quick)?);
        }
    }
    if matches!(cli.bench, Bench::Redis | Bench::All) {
        report.add(redis::run(&sizes, &tasks, quick)?);
    }
    print!("{report}");
    if let Some(file) = json {
        fs::write(file, serde_json::to_vec_pretty(&report)?)?;
    }
    Ok(())
}

/// How to run this again.
fn command() -> String {
    let features = if allocations::COUNTED {
        " --features count-allocations"
    } else {
        ""
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!(
        "cargo run --release --manifest-path bench/Cargo.toml{features} -- {}",
        arguments.join(" ")
    )
}
