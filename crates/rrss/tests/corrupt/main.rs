//! Stored sessions that cannot be read: what a store does about them, and the quarantine.
#![cfg(all(
    feature = "key-mapper",
    feature = "expiry",
    feature = "index",
    feature = "json-codec",
    feature = "memory"
))]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[cfg(all(feature = "embedded", feature = "redis", feature = "cache"))]
mod backends;
mod changes;
mod config;
#[cfg(all(
    feature = "toml",
    feature = "compression",
    feature = "encryption",
    feature = "embedded"
))]
mod keys;
mod policy;
mod quarantine;
mod races;
mod restore;
mod support;
