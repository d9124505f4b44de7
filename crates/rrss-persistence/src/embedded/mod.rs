//! The `embedded` step.
