//! Measures rrss beside what its users run today; see README.md.

mod allocations;
mod corpus;
mod embedded;
mod machine;
mod measure;
mod report;
mod sessions;
mod table;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Args, Parser, Subcommand};

use crate::corpus::Size;
use crate::machine::Machine;
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
    /// Both.
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
    /// About how large the sessions are. The promises are for 1 KB.
    #[arg(long, global = true, value_enum, default_value = "1kb")]
    size: Size,
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

fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    if cfg!(debug_assertions) {
        return Err("this is a debug build, whose figures mean nothing; add `--release`".into());
    }
    let Common {
        quick,
        json,
        size,
        dir,
    } = cli.common;
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
    if matches!(cli.bench, Bench::Sessions | Bench::All) {
        report.add(sessions::run(size, quick)?);
    }
    if matches!(cli.bench, Bench::Embedded | Bench::All) && !allocations::COUNTED {
        report.add(embedded::run(size, &dir, quick)?);
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
