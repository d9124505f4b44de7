#![doc = include_str!("../README.md")]

mod actix_session;
mod options;
mod step;
mod tower_sessions;

pub use options::{Format, Options};
pub use step::LegacyRead;
