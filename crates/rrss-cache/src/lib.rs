#![doc = include_str!("../README.md")]

mod entry;
mod options;
mod step;

pub use options::{OnUntracked, Options};
pub use step::Cache;
