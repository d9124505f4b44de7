//! What the `redis` backend promises on a Redis Cluster of six processes, while slots are moved and masters die.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, reason = "what goes wrong here is a failed test")]

#[macro_use]
mod support;

#[path = "../authority/mod.rs"]
mod authority;

mod braked;
mod conformance;
mod failover;
mod listing;
mod operations;
mod outages;
mod own_certificates;
mod redirections;
mod tls;
