#![doc = include_str!("../README.md")]

#[cfg(feature = "embedded")]
pub mod embedded;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "redis")]
pub mod redis;
