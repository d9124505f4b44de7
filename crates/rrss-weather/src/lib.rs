#![doc = include_str!("../README.md")]

mod act;
mod calls;
mod checks;
mod clock;
mod event;
mod generate;
mod history;
mod model;
mod run;
mod scenario;
mod search;
mod setup;
mod shared;
mod violation;
mod world;

pub use event::{Change, Event, Fault, Op};
pub use run::Outcome;
pub use scenario::Scenario;
pub use search::{Found, Search, Tally};
pub use setup::{BACKENDS, Backend, Clocks, Limit, Setup};
pub use violation::{Promise, Violation};
pub use world::World;

/// What the events of a [`Scenario`] are written with.
pub mod prelude {
    pub use crate::Backend::*;
    pub use crate::Change::*;
    pub use crate::Event::*;
    pub use crate::Fault::*;
    pub use crate::Op::*;
    pub use crate::{Clocks, Limit, Scenario, Setup};
    pub use rrss::Conflict;
}
