#![doc = include_str!("../README.md")]

mod guard;
mod known;
mod pool;
mod record;

pub use guard::{Guard, GuardLayer};
pub use pool::RrssPool;
