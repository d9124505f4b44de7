#![doc = include_str!("../README.md")]

mod decode;
mod encode;
mod head;
mod members;
mod nesting;
mod options;
mod step;

pub use options::Options;
pub use step::JsonCodec;
