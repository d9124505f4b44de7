#![doc = include_str!("../README.md")]

mod args;
mod commands;
mod exit;
mod instant;
mod json;
mod output;
mod progress;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use rrss_core::Registry;

pub use exit::Exit;

use crate::output::Output;

/// Runs the command with the arguments of this process, on its standard streams, and answers its exit code.
///
/// The files that it reads may name the step types of `registry`; `steps` and `schema` show them.
/// Call it outside any async runtime: it makes its own.
///
/// # Examples
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     rrss_cli::run(rrss_core::Registry::linked())
/// }
/// ```
pub fn run(registry: Registry) -> ExitCode {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let output = Output::standard(&mut out, &mut err);
    commands::run(registry, std::env::args_os(), output).into()
}

/// Runs the command with other arguments and streams: for a test of a binary's own steps. Nothing is coloured,
/// and no progress is shown.
///
/// The first argument is the name of the program, as a process has it.
///
/// # Examples
///
/// ```
/// use rrss_cli::Exit;
/// use rrss_core::Registry;
///
/// let (mut out, mut err) = (Vec::new(), Vec::new());
/// let exit = rrss_cli::run_with(Registry::new(), ["rrss", "steps", "forget"], &mut out, &mut err);
/// assert_eq!(exit, Exit::Usage);
/// assert!(String::from_utf8(err).unwrap().contains("no step type `forget`"));
/// ```
pub fn run_with<A>(
    registry: Registry,
    arguments: impl IntoIterator<Item = A>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit
where
    A: Into<OsString>,
{
    let arguments = arguments.into_iter().map(Into::into);
    commands::run(registry, arguments, Output::plain(out, err))
}
