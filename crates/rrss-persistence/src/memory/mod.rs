//! The `memory` step.
