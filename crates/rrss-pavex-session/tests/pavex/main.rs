//! What pavex_session expects of a backend: in memory and on a real Redis, and under pavex's own sessions.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod backend;
mod bad_input;
mod session;
mod stores;
