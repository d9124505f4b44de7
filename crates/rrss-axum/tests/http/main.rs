//! The layer behind a real server, visited by real clients.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cost;
mod devices;
mod devices_outage;
mod life;
mod site;
mod stacks;
mod together;
mod wire;
