#![doc = include_str!("../README.md")]

mod options;
mod step;

pub use options::Options;
pub use rrss_core::OnLimit;
pub use step::Index;
