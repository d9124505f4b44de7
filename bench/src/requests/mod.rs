//! Whole requests: the same application over HTTP, its sessions kept by one or another, on one Redis
//! and on one Valkey.

mod actix;
mod check;
mod client;
mod route;
mod rrss;
mod rrss_axum;
mod served;
mod tower_sessions;
mod without;

use std::rc::Rc;
use std::time::Duration;

use rrss_test_servers::{Flavor, RedisServer};
use tokio::runtime::{Builder, Runtime};

use self::check::Site;
use self::client::Visitors;
use self::route::Route;
use self::served::Served;
use crate::corpus::{self, Size};
use crate::measure::{self, Contender, Samples, Schedule};
use crate::peer::Result;
use crate::promise::{Promise, RATIO};
use crate::report::{Compare, Findings, Group, Row, Times};

const FULL: Schedule = Schedule::new(11, Duration::from_millis(300));
const QUICK: Schedule = Schedule::new(3, Duration::from_millis(80));

/// How many sessions each application has.
const SESSIONS: usize = 1_024;
const SEED: u64 = 7;

/// How many connections are open at once, each with a request under way.
const CONNECTIONS: usize = 64;

/// Measures whole requests with sessions of this size.
pub fn run(size: Size, quick: bool) -> Result<Findings> {
    let mut findings = Findings::default();
    for flavor in Flavor::ALL {
        let (groups, promises) = on(flavor, size, quick)?;
        findings.0.extend(groups);
        findings.1.extend(promises);
    }
    Ok(findings)
}

fn on(flavor: Flavor, size: Size, quick: bool) -> Result<Findings> {
    let server = RedisServer::start(flavor);
    let texts = corpus::sessions(SEED, size, SESSIONS);
    // One thread is every browser: it takes the same part of the machine from all.
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build()?);
    let mut sites = Vec::new();
    for (served, database) in ALL.iter().zip(1..) {
        let url = format!("{}/{database}", server.url());
        let site = Site::fill(&runtime, served(&url)?, &texts);
        sites.push(site.map_err(|error| format!("a session is not stored: {error}"))?);
    }
    for site in &sites {
        site.try_out(&runtime, &texts)?;
    }
    let without = without::serve()?;
    let samples = in_turns(&runtime, &sites, &without, &title(flavor, size), quick)?;
    for site in &sites {
        site.audit(&runtime, &texts)?;
    }
    Ok(findings(&samples, flavor, size))
}

/// What serves an application with its sessions in the database at an address.
type Serve = fn(&str) -> Result<Served>;

const ALL: &[Serve] = &[
    rrss_axum::serve,
    rrss_axum::serve_last_write,
    tower_sessions::serve_rrss,
    tower_sessions::serve_client,
    tower_sessions::serve_pool,
    actix::serve_rrss,
    actix::serve_redis,
];

/// What one contender took on a route.
type Turns = (&'static str, Route, Samples);

fn in_turns(
    runtime: &Rc<Runtime>,
    sites: &[Site],
    without: &Served,
    title: &str,
    quick: bool,
) -> Result<Vec<Turns>> {
    let mut who = vec![(without.name, Route::Still)];
    let mut contenders = vec![Contender::new(
        without.name,
        Visitors::new(runtime, without.address, Route::Still, &sites[0].cookies),
    )];
    for site in sites {
        for route in Route::ALL {
            who.push((site.served.name, route));
            contenders.push(Contender::new(
                site.served.name,
                site.visitors(runtime, route),
            ));
        }
    }
    let schedule = if quick { QUICK } else { FULL };
    let samples = measure::in_turns(title, &mut contenders, schedule);
    let turns = who.into_iter().zip(samples);
    Ok(turns
        .map(|((name, route), samples)| (name, route, samples))
        .collect())
}

fn title(flavor: Flavor, size: Size) -> String {
    format!("Whole requests, {flavor}, sessions of {}", size.name())
}

fn findings(samples: &[Turns], flavor: Flavor, size: Size) -> Findings {
    let mut findings = Findings::default();
    for route in Route::ALL {
        let rows = samples.iter().filter(|(_, of, _)| *of == route);
        let rows = rows.map(|(name, _, samples)| Row::timed(name, Times::of_many(samples)));
        let title = title(flavor, size);
        let title = format!("{title}, {}, {CONNECTIONS} connections", route.name());
        let group = Group::new(title, Compare::Rate, tower_sessions::CLIENT, rows.collect())
            .also_against(&[actix::REDIS])
            .in_picture(format!(
                "requests-{}-{}",
                flavor.to_string().to_lowercase(),
                size.file_name()
            ));
        findings.1.extend(promises(&group, route, size));
        findings.0.push(group);
    }
    findings
}

fn promises(group: &Group, route: Route, size: Size) -> Vec<Promise> {
    if route != Route::Write || size != Size::Medium {
        return Vec::new();
    }
    let both = [tower_sessions::CLIENT, tower_sessions::POOL];
    let promise = |other| Promise {
        what: format!(
            "requests a second, {}, {} against {other}",
            group.title,
            rrss_axum::NAME
        ),
        compare: Compare::Rate,
        limit: 1.5,
        measured: group.ratio_against(rrss_axum::NAME, other),
        unit: RATIO,
    };
    both.map(promise).into()
}
