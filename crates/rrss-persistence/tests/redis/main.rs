//! What the `redis` backend promises beyond the sentences of `rrss_core::Backend`, which `conformance` holds it to: on real
//! servers, the oldest Redis that rrss supports and a new Valkey.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, reason = "what goes wrong here is a failed test")]

#[macro_use]
mod support;

#[path = "../authority/mod.rs"]
mod authority;

mod braked;
mod clock;
mod commands;
mod expired;
mod index;
mod index_on_a_cluster;
mod listing;
mod login;
mod moved;
mod outages;
mod own_certificates;
mod refusals;
mod rotation;
mod runtimes;
mod sharing;
mod step;
mod tls;
