//! Session stores side by side on one Redis, and on one Valkey.
//!
//! Each has a database of its own on the same server, and the same sessions in it. What a save is differs: rrss
//! compares what is stored with what was loaded, unless `last-write` is said; the others overwrite.

mod actix_session;
#[cfg(feature = "axum")]
mod axum_session;
mod footprint;
#[cfg(feature = "pavex")]
mod pavex;
mod promises;
mod raw;
mod rrss;
mod samples;
mod tower_sessions;
mod transfer;
mod wire;

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rrss_test_servers::{Flavor, RedisServer};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::allocations;
use crate::corpus::Size;
use crate::measure::Schedule;
use crate::peer::{self, Doing, Entrant, Result, Sample, Sides};
use crate::report::{Compare, Findings, Group, Row};

const FULL: Schedule = Schedule::new(11, Duration::from_millis(200));
const QUICK: Schedule = Schedule::new(3, Duration::from_millis(60));

/// How many sessions each store has.
const SESSIONS: usize = 2_048;

/// Of how many operations the allocations are counted.
const COUNTED: u64 = SESSIONS as u64;

/// Measures sessions of each size with each number of tasks.
pub fn run(sizes: &[Size], tasks: &[usize], quick: bool) -> Result<Findings> {
    let mut findings = Findings::default();
    for &size in sizes {
        for flavor in Flavor::ALL {
            let field = Field::new(flavor, size, SESSIONS)?;
            peer::check(&field.sides, &field.samples)?;
            if allocations::COUNTED {
                findings.0.extend(field.allocations()?);
                continue;
            }
            for &tasks in tasks {
                let schedule = if quick { QUICK } else { FULL };
                for (doing, group) in field.compare(tasks, schedule)? {
                    let promises = promises::of_times(&group, flavor, size, doing, tasks);
                    findings.1.extend(promises);
                    findings.0.push(group);
                }
            }
            findings.0.extend(field.wire()?);
            peer::check(&field.sides, &field.samples)?;
        }
    }
    if !allocations::COUNTED {
        for size in Size::ALL {
            let field = Field::new(Flavor::Redis, size, footprint::SESSIONS)?;
            let memory = field.memory()?;
            findings.1.extend(promises::of_memory(&memory, size));
            findings.0.push(memory);
            findings.1.push(transfer::promise(&field, quick)?);
        }
    }
    Ok(findings)
}

/// A server, and all stores with their sessions on it.
struct Field {
    // The stores go before the server, and before the runtime that drives their connections.
    sides: Sides,
    server: RedisServer,
    /// How the server calls itself.
    called: String,
    size: Size,
    samples: Arc<[Sample]>,
    runtime: Rc<Runtime>,
    dictionary: PathBuf,
    _folder: TempDir,
}

impl Field {
    fn new(flavor: Flavor, size: Size, sessions: usize) -> Result<Self> {
        let mut builder = if allocations::COUNTED {
            // They are counted on the thread that asks.
            Builder::new_current_thread()
        } else {
            Builder::new_multi_thread()
        };
        let runtime = Rc::new(builder.enable_all().build()?);
        let server = RedisServer::builder(flavor)
            .arg("--databases", "32")
            .start();
        let folder = TempDir::new()?;
        let samples = samples::measured(&runtime, &server, size, sessions)?;
        let dictionary = samples::dictionary(&runtime, &server, size, folder.path())?;
        let mut sides = Vec::new();
        for (entrant, database) in entrants(dictionary.clone()).into_iter().zip(1..) {
            let place = format!("{}/{database}", server.url());
            sides.push((entrant.name, entrant.fill(&runtime, &place, &samples)?));
        }
        Ok(Self {
            sides,
            called: called(&server),
            server,
            size,
            samples,
            runtime,
            dictionary,
            _folder: folder,
        })
    }

    fn compare(&self, tasks: usize, schedule: Schedule) -> Result<[(Doing, Group); 3]> {
        let title = |what: &str| self.title(&format!("{what}{tasks} at once"));
        let figures = peer::in_turns(&title(""), &self.sides, tasks, schedule)?;
        let picture = format!(
            "{}-{}",
            self.server.flavor().to_string().to_lowercase(),
            self.size.file_name()
        );
        let group = |doing: Doing, rows| {
            let title = title(&format!("{}, ", doing.name()));
            let group = group(title, Compare::Rate, rows);
            (doing, group.in_picture(&picture))
        };
        Ok([
            group(Doing::Load, figures.load),
            group(Doing::Save, figures.save),
            group(Doing::Request, figures.request),
        ])
    }

    fn allocations(&self) -> Result<[Group; 3]> {
        let mut rows = [Vec::new(), Vec::new(), Vec::new()];
        for (name, side) in &self.sides {
            let count = |doing| -> Result<f64> {
                let mut team = side.team(doing, 1)?;
                team.run(COUNTED);
                team.take_latencies();
                Ok(allocations::per_operation(COUNTED, |count| team.run(count)))
            };
            let (load, request) = (count(Doing::Load)?, count(Doing::Request)?);
            for (rows, counted) in rows.iter_mut().zip([load, request - load, request]) {
                rows.push(Row::counted(name, counted));
            }
        }
        let [load, save, request] = rows;
        let group =
            |doing: Doing, rows| group(self.title(doing.name()), Compare::Allocations, rows);
        Ok([
            group(Doing::Load, load),
            group(Doing::Save, save),
            group(Doing::Request, request),
        ])
    }

    fn wire(&self) -> Result<[Group; 2]> {
        let (mut loads, mut saves) = (Vec::new(), Vec::new());
        for ((name, side), database) in self.sides.iter().zip(1..) {
            let [load, save] = wire::count(&self.runtime, &self.server, database, &**side)?;
            loads.push(Row::wired(name, load));
            saves.push(Row::wired(name, save));
        }
        let group = |doing: Doing, rows| {
            let title = self.title(&format!("{}, on the wire", doing.name()));
            Group::new(title, Compare::Memory, "", rows)
        };
        Ok([group(Doing::Load, loads), group(Doing::Save, saves)])
    }

    fn memory(&self) -> Result<Group> {
        let mut rows = Vec::new();
        for (&(name, _), database) in self.sides.iter().zip(1..) {
            let url = format!("{}/{database}", self.server.url());
            let used = self.runtime.block_on(footprint::of_a_key(&url))?;
            rows.push(Row::of_memory(name, used));
        }
        let title = self.title("`MEMORY USAGE` of each");
        Ok(group(title, Compare::Memory, rows).in_picture("memory"))
    }

    fn title(&self, what: &str) -> String {
        format!("{}, sessions of {}, {what}", self.called, self.size.name())
    }
}

fn entrants(dictionary: PathBuf) -> Vec<Entrant> {
    let mut all = rrss::entrants(dictionary);
    all.extend(tower_sessions::entrants());
    all.push(actix_session::entrant());
    #[cfg(feature = "axum")]
    all.push(axum_session::entrant());
    #[cfg(feature = "pavex")]
    all.push(pavex::entrant());
    all.extend(raw::entrants());
    all
}

fn group(title: String, compare: Compare, rows: Vec<Row>) -> Group {
    Group::new(title, compare, tower_sessions::CLIENT, rows)
        .also_against(&[actix_session::NAME, raw::REDIS_RS])
}

/// `Redis` or `Valkey`, with its version.
fn called(server: &RedisServer) -> String {
    let info = server.command(&["INFO", "server"]);
    let field = match server.flavor() {
        Flavor::Valkey => "valkey_version:",
        _ => "redis_version:",
    };
    let version = info.lines().find_map(|line| line.strip_prefix(field));
    let name = match server.flavor() {
        Flavor::Valkey => "Valkey",
        _ => "Redis",
    };
    format!("{name} {}", version.unwrap_or_default().trim())
}
