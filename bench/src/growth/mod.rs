//! Whether an operation costs more where more sessions are stored.
//!
//! Stores of 10,000, of 100,000 and of a million sessions stand side by side, and work in turns.

mod full;
mod rounds;
mod sweeps;

use std::path::Path;
use std::rc::Rc;

use rrss_test_servers::{Flavor, RedisServer};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::full::Full;
use crate::corpus::Size;
use crate::machine;
use crate::peer::Result;
use crate::promise::{Promise, RATIO};
use crate::report::{Compare, Findings, Group, Row};

const STORED: [(usize, &str); 3] = [
    (10_000, "10,000 stored"),
    (100_000, "100,000 stored"),
    (1_000_000, "1,000,000 stored"),
];

/// Measures stores of sessions of one size. `dir` is for databases.
pub fn run(size: Size, dir: &Path, quick: bool) -> Result<Findings> {
    let stored = if quick { &STORED[..2] } else { &STORED };
    let mut findings = Findings::default();
    on_redis(&mut findings, size, stored, quick)?;
    on_embedded(&mut findings, size, stored, dir, quick)?;
    Ok(findings)
}

fn on_redis(
    findings: &mut Findings,
    size: Size,
    stored: &[(usize, &'static str)],
    quick: bool,
) -> Result<()> {
    let runtime = Rc::new(Runtime::new()?);
    let mut servers = Vec::new();
    let (mut stores, mut memory) = (Vec::new(), Vec::new());
    for &(count, name) in stored {
        let server = RedisServer::start(Flavor::Redis);
        let store = full::on_redis(&server.url())?;
        servers.push(server);
        stores.push(Full::new(name, store, &runtime, size, count)?);
        memory.push(Row::of_memory(name, machine::resident_bytes()));
    }
    let title = format!("Redis, sessions of {}", size.name());
    for group in rounds::run(&title, &stores, &runtime, quick)? {
        findings.1.push(promise(&group, 1.5));
        findings.0.push(group.in_picture("growth-redis"));
    }
    finish(findings, &title, memory);
    Ok(())
}

fn on_embedded(
    findings: &mut Findings,
    size: Size,
    stored: &[(usize, &'static str)],
    dir: &Path,
    quick: bool,
) -> Result<()> {
    let runtime = Rc::new(Runtime::new()?);
    let folder = TempDir::with_prefix_in("rrss-bench-", dir)?;
    let (mut stores, mut clocks, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for &(count, name) in stored {
        let (store, clock) = full::on_embedded(&folder.path().join(count.to_string()))?;
        stores.push(Full::new(name, store, &runtime, size, count)?);
        clocks.push(clock);
        memory.push(Row::of_memory(name, machine::resident_bytes()));
    }
    let title = format!("Embedded, sessions of {}", size.name());
    let mut groups = rounds::run(&title, &stores, &runtime, quick)?;
    groups.push(sweeps::run(
        &title, &stores, &clocks, &runtime, size, quick,
    )?);
    for group in groups {
        findings.1.push(promise(&group, 2.0));
        findings.0.push(group.in_picture("growth-embedded"));
    }
    finish(findings, &title, memory);
    Ok(())
}

/// The slowest against the fastest.
fn promise(group: &Group, limit: f64) -> Promise {
    let ratios = group.rows.iter().map(|row| row.ratio);
    let slowest = ratios.clone().fold(f64::NAN, f64::max);
    let fastest = ratios.fold(f64::NAN, f64::min);
    Promise {
        what: format!("{}, the slowest against the fastest", group.title),
        compare: Compare::Time,
        limit,
        measured: slowest / fastest,
        unit: RATIO,
    }
}

fn finish(findings: &mut Findings, title: &str, memory: Vec<Row>) {
    let title = format!("{title}, memory of this process with the stores so far");
    let group = Group::new(title, Compare::Memory, STORED[0].1, memory);
    findings.0.push(group);
}
