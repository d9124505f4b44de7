//! The `rrss` command, with the step of this crate beside the built-in ones.

use std::process::ExitCode;

// Naming the crate links it, and with it its step.
use custom_step as _;

fn main() -> ExitCode {
    rrss_cli::run(rrss_core::Registry::linked())
}
