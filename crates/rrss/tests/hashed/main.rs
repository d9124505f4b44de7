//! Stores that keep digests of ids in the place of ids, on every backend.
#![cfg(all(
    feature = "key-mapper",
    feature = "expiry",
    feature = "index",
    feature = "cache",
    feature = "json-codec",
    feature = "compression",
    feature = "memory",
    feature = "embedded",
    feature = "redis"
))]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cached;
mod conformance;
mod dump;
mod former;
mod handles;
mod races;
mod support;
