#![doc = include_str!("../README.md")]

mod error;
mod id;
mod record;
mod sessions;
mod store;

pub use store::v0_15::RrssStore;

/// The same store for tower-sessions 0.14, and for what is built on it, such as axum-login 0.18.
#[cfg(feature = "v0_14")]
pub mod v0_14 {
    pub use crate::store::v0_14::RrssStore;
}
