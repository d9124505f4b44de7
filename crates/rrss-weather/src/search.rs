//! Looking for a run in which a promise is not kept, and for the smallest such run.

use std::time::{Duration, Instant};

use anyhow::Result;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::generate;
use crate::run::Outcome;
use crate::scenario::{Scenario, report};
use crate::setup::Backend;
use crate::world::World;

/// Random runs on one backend, one after the other.
#[derive(Debug)]
pub struct Search {
    backend: Backend,
    world: World,
    losses: bool,
    tally: Tally,
}

/// What a search has done so far.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Runs.
    pub runs: usize,
    /// Operations in all of them.
    pub operations: usize,
    /// Faults that this machine cannot bring about.
    pub skipped: Vec<&'static str>,
}

/// A run in which a promise is not kept.
#[derive(Debug, Clone)]
pub struct Found {
    /// The seed of the run as it was made.
    pub seed: u64,
    /// The run, shrunk.
    pub scenario: Scenario,
    /// What the shrunk run came to.
    pub outcome: Outcome,
}

/// What a person wants to know of it.
impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Found {
            seed,
            scenario,
            outcome,
        } = self;
        let backend = scenario.backend;
        writeln!(f, "a promise is not kept on {backend}, seed {seed}")?;
        f.write_str(&report(scenario, outcome))
    }
}

/// How often a smaller run is tried: what depends on which of two tasks is faster does not show each time.
const TRIES: usize = 2;
/// How many smaller runs are tried, and for how long.
const SHRINKS: usize = 200;
const SHRINK_FOR: Duration = Duration::from_secs(90);

impl Search {
    /// Starts what the backend needs.
    #[must_use]
    pub fn on(backend: Backend) -> Search {
        Search {
            backend,
            world: World::start(backend),
            losses: false,
            tally: Tally::default(),
        }
    }

    /// The same, where servers lose what they are documented to lose too: index entries that are evicted, and what a
    /// replica did not have when it took its master's place. The model forgets what it knew then.
    #[must_use]
    pub fn with_losses(self) -> Search {
        Search {
            losses: true,
            ..self
        }
    }

    /// What has been done so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The run that `seed` makes.
    #[must_use]
    pub fn scenario(&self, seed: u64) -> Scenario {
        let (setup, events) = self.tree(seed).current();
        Scenario {
            backend: self.backend,
            setup,
            events,
        }
    }

    /// Carries out the run that `seed` makes; where a promise is not kept, shrinks it.
    ///
    /// # Errors
    ///
    /// Where the stores cannot be made.
    pub fn run(&mut self, seed: u64) -> Result<Option<Found>> {
        let mut tree = self.tree(seed);
        let (mut scenario, mut outcome) = (self.scenario(seed), None);
        if let Some(failed) = self.fails(&scenario, 1)? {
            outcome = Some(failed);
        }
        let Some(mut outcome) = outcome else {
            return Ok(None);
        };
        let until = Instant::now() + SHRINK_FOR;
        let mut is_smaller = tree.simplify();
        for _ in 0..SHRINKS {
            if !is_smaller || Instant::now() > until {
                break;
            }
            let (setup, events) = tree.current();
            let smaller = Scenario {
                setup,
                events,
                ..scenario.clone()
            };
            is_smaller = match self.fails(&smaller, TRIES)? {
                Some(failed) => {
                    (scenario, outcome) = (smaller, failed);
                    tree.simplify()
                }
                None => tree.complicate(),
            };
        }
        Ok(Some(Found {
            seed,
            scenario,
            outcome,
        }))
    }

    fn fails(&mut self, scenario: &Scenario, tries: usize) -> Result<Option<Outcome>> {
        for _ in 0..tries {
            let outcome = scenario.run(&mut self.world)?;
            self.tally.runs += 1;
            self.tally.operations += outcome.operations;
            for what in &outcome.skipped {
                if !self.tally.skipped.contains(what) {
                    self.tally.skipped.push(what);
                }
            }
            if !outcome.violations.is_empty() {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    fn tree(&self, seed: u64) -> impl ValueTree<Value = (crate::Setup, Vec<crate::Event>)> + use<> {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let tree = generate::scenario(self.backend, self.losses).new_tree(&mut runner);
        tree.expect("runs are made without a filter that could refuse them")
    }
}
