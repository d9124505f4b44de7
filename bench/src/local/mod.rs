//! Session stores without a server: in memory and on this machine's disk.

mod rrss;
mod tower_sessions;

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::corpus::{self, Size};
use crate::machine;
use crate::measure::Schedule;
use crate::peer::{self, Doing, Result, Sample, Sides};
use crate::promise::{Promise, RATIO};
use crate::report::{Compare, Findings, Group};

const FULL: Schedule = Schedule::new(9, Duration::from_millis(500));
const QUICK: Schedule = Schedule::new(3, Duration::from_millis(80));

const SESSIONS: usize = 10_000;
const SEED: u64 = 7;

/// With how many tasks at once it is promised.
const TASKS: usize = 64;

/// Measures sessions of each size with each number of tasks, in databases in `dir`.
pub fn run(sizes: &[Size], tasks: &[usize], dir: &Path, quick: bool) -> Result<Findings> {
    let schedule = if quick { QUICK } else { FULL };
    let mut findings = Findings::default();
    for &size in sizes {
        let runtime = Rc::new(Runtime::new()?);
        let folder = TempDir::with_prefix_in("rrss-bench-", dir)?;
        let samples = samples(size);
        let mut sides: Sides = Vec::new();
        for (entrant, number) in rrss::entrants()
            .into_iter()
            .chain(tower_sessions::entrants())
            .zip(1..)
        {
            let place = folder.path().join(format!("{number}"));
            std::fs::create_dir(&place)?;
            let place = place.to_string_lossy();
            sides.push((entrant.name, entrant.fill(&runtime, &place, &samples)?));
        }
        peer::check(&sides, &samples)?;
        for &tasks in tasks {
            let title = |what: &str| {
                format!(
                    "without a server, on {}, 10,000 sessions of {}{what}, {tasks} at once",
                    machine::file_system(dir),
                    size.name(),
                )
            };
            let peer::Figures {
                load,
                save,
                request,
            } = peer::in_turns(&title(""), &sides, tasks, schedule)?;
            for (doing, rows) in [
                (Doing::Load, load),
                (Doing::Save, save),
                (Doing::Request, request),
            ] {
                let title = title(&format!(", {}", doing.name()));
                let group = Group::new(title, Compare::Rate, tower_sessions::SQLITE, rows)
                    .also_against(&[tower_sessions::SQLITE_ALONE, tower_sessions::MOKA]);
                if size == Size::Medium && tasks == TASKS {
                    findings.1.extend(promises(&group, doing));
                }
                let picture = format!("local-{}", size.file_name());
                findings.0.push(group.in_picture(picture));
            }
        }
        peer::check(&sides, &samples)?;
    }
    Ok(findings)
}

fn samples(size: Size) -> Arc<[Sample]> {
    let texts = corpus::sessions(SEED, size, SESSIONS).into_iter();
    let samples = texts.map(|text| Sample {
        text,
        stored: Bytes::new(),
    });
    samples.collect()
}

/// Held against both shapes of the SQLite store: the one that sqlx makes unless said, and the one that is faster here.
fn promises(group: &Group, doing: Doing) -> Vec<Promise> {
    let limit = match doing {
        Doing::Load => 5.0,
        Doing::Save => 10.0,
        Doing::Request => return Vec::new(),
    };
    let promise = |sqlite: &str| Promise {
        what: format!(
            "operations a second, {}, {} against {sqlite}",
            group.title,
            rrss::EMBEDDED
        ),
        compare: Compare::Rate,
        limit,
        measured: group.ratio_against(rrss::EMBEDDED, sqlite),
        unit: RATIO,
    };
    vec![
        promise(tower_sessions::SQLITE),
        promise(tower_sessions::SQLITE_ALONE),
    ]
}
