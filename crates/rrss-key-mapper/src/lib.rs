#![doc = include_str!("../README.md")]

mod hash;
mod id_format;
mod options;
mod step;
mod template;

pub use hash::Hash;
pub use id_format::IdFormat;
pub use options::Options;
pub use step::KeyMapper;
pub use template::Template;
