//! What the `redis` step promises with `layout = "hash"`, and with `compat = "rrss-0.2"`: on real servers, the oldest Redis
//! that rrss supports and a new Valkey.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, reason = "what goes wrong here is a failed test")]

#[macro_use]
mod support;

mod bounds;
mod compat;
mod conflicts;
mod conformance;
mod deadlines;
mod foreign;
mod guide;
mod operations;
mod original;
mod outages;
mod saves;
mod step;
mod values;
