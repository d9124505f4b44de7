//! actix-session's own middleware over real HTTP, with an rrss store under it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod app;
mod bad_input;
mod ended;
mod flow;
mod redis;
