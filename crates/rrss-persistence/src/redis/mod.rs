//! The `redis` step.
