#![doc = include_str!("../README.md")]

mod dictionary;
mod frame;
mod lz4;
mod options;
mod step;
mod zstd;

pub use options::{Algorithm, Options};
pub use step::Compression;
