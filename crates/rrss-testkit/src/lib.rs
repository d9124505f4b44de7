#![doc = include_str!("../README.md")]

pub mod backend;
mod bridge;
mod counts;
pub mod exceptions;
pub mod expired;
mod faults;
pub mod find;
mod gate;
pub mod index;
mod intercept;
pub mod interleavings;
pub mod keys;
mod log;
pub mod outage;
pub mod plain;
pub mod round_trip;
mod run;
mod secrets;
pub mod store;
mod subject;
mod suite;
pub mod transform;

pub use counts::Counts;
pub use faults::Faults;
pub use gate::{Awaited, Gate, Held};
pub use intercept::{Call, Intercept, Intercepted, Side};
pub use log::Log;
pub use run::Promise;
pub use subject::Subject;
pub use transform::Specimen;

pub use rrss_core::ManualClock;

#[doc(hidden)]
pub use exceptions::hold as __hold;
