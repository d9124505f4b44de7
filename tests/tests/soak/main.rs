//! Many tasks on the same few sessions, all at once: nothing that was acknowledged is lost, nothing that has ended comes back, and
//! every refusal is one that the documents name.
//!
//! 64 tasks make 1,000 updates each on 16 sessions. Each task has a field of its own in every session, which it counts up, and all
//! share a counter in each; some updates come with a rotation, and now and then a task deletes a session and begins it anew.
//!
//! That is so on `memory`, on `embedded`, on one Redis and on a Redis Cluster of six processes. A quarter of the updates are made
//! on sessions that Redis keeps as hashes, and less where a Cluster reshards and where a master is killed; each test prints how
//! many there were, and how often tasks met.
//!
//! What a task does is drawn from a seed, which is printed; `RRSS_SOAK_SEED` sets it. How the tasks meet is up to the scheduler.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]
#![allow(clippy::print_stdout, reason = "what happened is part of the result")]

mod backends;
mod churn;
mod figures;
mod killing;
mod resharding;
mod sessions;
mod stores;
mod task;
