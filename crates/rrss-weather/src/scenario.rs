//! A run that is written down: what `tests/found.rs` is made of.

use std::fmt;

use anyhow::Result;

use crate::event::Event;
use crate::run::{self, Outcome};
use crate::setup::{Backend, Setup};
use crate::world::World;

/// A run: the backend, how the stores are set up, and what happens.
///
/// # Examples
///
/// ```
/// use rrss_weather::prelude::*;
///
/// Scenario {
///     backend: Memory,
///     setup: Setup::default(),
///     events: vec![
///         Do(0, Create(0, 1)),
///         Do(1, Load(0)),
///         Begin(0, Save(0, SetA)),
///         Begin(1, Save(0, SetB)),
///         Join,
///         Do(0, Rotate(0, Nothing)),
///         Do(1, Revoke(1)),
///     ],
/// }
/// .holds();
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Scenario {
    /// What keeps the sessions.
    pub backend: Backend,
    /// How the stores are set up.
    pub setup: Setup,
    /// What happens, in order.
    pub events: Vec<Event>,
}

impl Scenario {
    /// Carries it out on a world of its own.
    ///
    /// # Panics
    ///
    /// Where a promise is not kept, with what was promised, what was seen, and every operation.
    pub fn holds(&self) {
        self.holds_on(&mut World::start(self.backend));
    }

    /// As [`holds`](Scenario::holds), on a world that other runs use too, one after the other.
    ///
    /// # Panics
    ///
    /// As [`holds`](Scenario::holds).
    pub fn holds_on(&self, world: &mut World) {
        let outcome = self.run(world);
        let outcome =
            outcome.unwrap_or_else(|error| panic!("the run could not be set up: {error:?}"));
        assert!(outcome.violations.is_empty(), "{}", report(self, &outcome));
    }

    /// Carries it out on `world`.
    ///
    /// # Errors
    ///
    /// Where the stores cannot be made.
    pub fn run(&self, world: &mut World) -> Result<Outcome> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let outcome = runtime.block_on(run::run(world, &self.setup, &self.events));
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        outcome
    }
}

/// What a person wants to know of a run in which promises were not kept.
pub(crate) fn report(scenario: &Scenario, outcome: &Outcome) -> String {
    let mut text = String::new();
    for violation in outcome.violations.iter().take(6) {
        text += &format!("\n{violation}\n");
    }
    if outcome.violations.len() > 6 {
        text += &format!("\nand {} more\n", outcome.violations.len() - 6);
    }
    text += "\nthe operations, from call to answer:\n";
    for line in &outcome.log {
        text += &format!("  {line}\n");
    }
    text + &format!("\nthe run, for tests/found.rs:\n{scenario:?}.holds();\n")
}

/// As it is written in Rust.
impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setup {
            conflict,
            limit,
            duration,
            renew,
            events,
            clocks,
        } = &self.setup;
        writeln!(f, "Scenario {{")?;
        writeln!(f, "    backend: {:?},", self.backend)?;
        let limit = match limit {
            crate::Limit::None => "Limit::None".to_owned(),
            limit => format!("Limit::{limit:?}"),
        };
        writeln!(
            f,
            "    setup: Setup {{ conflict: Conflict::{conflict:?}, limit: {limit}, duration: {duration}, renew: {renew}, \
             events: {events}, clocks: vec!{clocks:?} }},"
        )?;
        writeln!(f, "    events: vec![")?;
        for event in &self.events {
            writeln!(f, "        {event:?},")?;
        }
        write!(f, "    ],\n}}")
    }
}
