//! Saves of existing sessions to this machine's disk: the `embedded` backend beside SQLite.
//!
//! A save replaces one session of many, with a new deadline, if it still exists, and is answered when the new one
//! survives a killed process. Nobody waits for the disk before the answer; everybody does so in the background now
//! and then.

mod drive;
mod ours;
mod sessions;
mod sqlite;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use self::drive::Fleet;
use self::ours::{Backend, WholeStore};
use self::sessions::Sessions;
use self::sqlite::{Commit, Database};
use crate::corpus::Size;
use crate::machine;
use crate::measure::{self, Contender, Schedule};
use crate::promise::{Promise, RATIO};
use crate::report::{Compare, Findings, Group, Row, Times};

const FULL: Schedule = Schedule::new(11, Duration::from_secs(1));
const QUICK: Schedule = Schedule::new(3, Duration::from_millis(100));

/// How many sessions are stored.
const SESSIONS: usize = 10_000;

/// How many tasks save at once, each its own share of the sessions.
const TASKS: [usize; 4] = [1, 16, 64, 256];

const STORE: &str = "rrss: key-mapper, expiry, json-codec, embedded";
const BACKEND: &str = "rrss: embedded alone";
const SQLITE: &str = "SQLite, spawn_blocking";
const SQLITE_THREAD: &str = "SQLite, writer thread";
const SQLITE_BATCHES: &str = "SQLite, writer thread, batches";

/// Measures saves of sessions of one size, in databases in `dir`, and holds the figures to what is promised of 1 KB.
pub fn run(size: Size, dir: &Path, quick: bool) -> Result<Findings, Box<dyn Error + Send + Sync>> {
    let kind = machine::file_system(dir);
    let dir = tempfile::Builder::new()
        .prefix("rrss-bench-")
        .tempdir_in(dir)?;
    let runtime = Runtime::new()?;
    let sessions = Arc::new(Sessions::new(size, SESSIONS));
    let store = runtime.block_on(WholeStore::filled(dir.path(), &sessions))?;
    let backend = runtime.block_on(Backend::filled(dir.path(), &sessions))?;
    let database = |name| Database::filled(dir.path().join(name), &sessions);
    let (pooled, threaded, batching) = (
        database("pooled")?,
        database("threaded")?,
        database("batching")?,
    );

    let schedule = if quick { QUICK } else { FULL };
    let (mut groups, mut promises) = (Vec::new(), Vec::new());
    for tasks in TASKS {
        let mut a = Fleet::new(&runtime, runtime.block_on(store.savers(tasks))?);
        let mut b = Fleet::new(&runtime, backend.savers(tasks));
        let mut c = Fleet::new(&runtime, pooled.pooled(tasks)?);
        let mut d = Fleet::new(&runtime, threaded.threaded(tasks, Commit::Each)?);
        let mut e = Fleet::new(&runtime, batching.threaded(tasks, Commit::Waiting)?);
        let mut contenders = [
            Contender::new(STORE, move |saves| a.save(saves)),
            Contender::new(BACKEND, move |saves| b.save(saves)),
            Contender::new(SQLITE, move |saves| c.save(saves)),
            Contender::new(SQLITE_THREAD, move |saves| d.save(saves)),
            Contender::new(SQLITE_BATCHES, move |saves| e.save(saves)),
        ];
        let title = format!(
            "Saves of {} to {kind}, 10,000 stored, {tasks} at once",
            size.name()
        );
        let samples = measure::in_turns(&title, &mut contenders, schedule);
        let rows = contenders.iter().zip(&samples).map(|(each, samples)| {
            let times = Times {
                cpu_nanoseconds: Some(samples.cpu()),
                ..Times::new(samples)
            };
            Row::timed(each.name, times)
        });
        let group = Group::new(title, Compare::Rate, SQLITE, rows.collect());
        promises.push(Promise {
            what: format!("saves a second, {tasks} at once, {BACKEND}, against {SQLITE}"),
            compare: Compare::Rate,
            limit: 8.0,
            measured: group.ratio(BACKEND),
            unit: RATIO,
        });
        groups.push(group);
    }

    runtime.block_on(store.check())?;
    runtime.block_on(backend.check())?;
    for database in [pooled, threaded, batching] {
        database.check()?;
    }
    Ok((groups, promises))
}
