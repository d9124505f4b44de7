#![doc = include_str!("../README.md")]

mod jitter;
mod options;
mod renew;
mod step;

pub use options::Options;
pub use renew::Renew;
pub use step::Expiry;
