#![doc = include_str!("../README.md")]

mod dictionary;
mod frame;
mod lz4;
#[cfg(feature = "train")]
mod measure;
mod options;
mod step;
#[cfg(feature = "train")]
mod train;
mod zstd;

#[cfg(feature = "train")]
pub use measure::Measured;
pub use options::{Algorithm, Options};
pub use step::Compression;
#[cfg(feature = "train")]
pub use train::{Dictionary, Sample};
