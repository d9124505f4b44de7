//! The `rrss` command, with the steps that rrss has.

use std::process::ExitCode;

// Named, so that the steps that it registers are linked.
use rrss as _;

fn main() -> ExitCode {
    rrss_cli::run(rrss::Registry::linked())
}
