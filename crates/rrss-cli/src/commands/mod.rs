//! From arguments to the command that they name.

mod check;
#[cfg(feature = "train")]
mod dictionaries;
mod explain;
mod find;
mod init;
#[cfg(feature = "encryption")]
mod keygen;
mod listing;
mod quarantine;
mod reindex;
#[cfg(feature = "encryption")]
mod rekey;
mod schema;
mod session;
mod show;
mod steps;
mod store;
#[cfg(feature = "train")]
mod train;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use rrss_core::Registry;
use rrss_loader::{Loader, Plan};

use crate::args::{Cli, Command, FileArg};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// The variable that names the file where `--config` does not.
const CONFIG_VARIABLE: &str = "RRSS_CONFIG";

/// The file where nothing names one.
const DEFAULT_FILE: &str = "rrss.toml";

/// What every command works with.
struct Context<'a> {
    registry: Registry,
    output: Output<'a>,
    /// The name under which the program was called.
    program: String,
    config: Option<PathBuf>,
}

/// Parses the arguments, does what they say, and reports what went wrong.
pub(crate) fn run(
    registry: Registry,
    arguments: impl Iterator<Item = OsString>,
    mut output: Output<'_>,
) -> Exit {
    let mut arguments = arguments.peekable();
    let program = arguments
        .peek()
        .and_then(|path| Path::new(path).file_stem())
        .map_or_else(|| "rrss".into(), |name| name.to_string_lossy().into_owned());
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refused(error, &mut output),
    };
    let mut context = Context {
        registry,
        output,
        program,
        config: cli.config,
    };
    match context.run(cli.command) {
        Ok(()) => Exit::Done,
        Err(failure) => failed(&failure, &mut context.output),
    }
}

/// clap answers `--help` and `--version` with an error that is none.
fn refused(error: clap::Error, output: &mut Output<'_>) -> Exit {
    if error.use_stderr() {
        return failed(&error.into(), output);
    }
    match output.help(&error) {
        Ok(()) => Exit::Done,
        Err(failure) => failed(&failure, output),
    }
}

fn failed(failure: &Failure, output: &mut Output<'_>) -> Exit {
    output.report(|colour| failure.text(colour));
    failure.exit()
}

impl Context<'_> {
    fn run(&mut self, command: Command) -> Result<(), Failure> {
        match command {
            Command::Init { file, force } => init::run(self, file, force),
            Command::Check { file, connect } => check::run(self, file, connect),
            Command::Steps { name, json } => steps::run(self, name.as_deref(), json),
            Command::Explain { file } => explain::run(self, file),
            Command::Schema => schema::run(self),
            Command::Create { fields } => session::create(self, &fields),
            Command::Get { id, field } => session::get(self, &id, field.as_deref()),
            Command::Set { id, fields } => session::set(self, &id, &fields),
            Command::Unset { id, fields } => session::unset(self, &id, &fields),
            Command::Touch { id } => session::touch(self, &id),
            Command::Rotate { id } => session::rotate(self, &id),
            Command::Delete { id } => session::delete(self, &id),
            Command::List { limit, json } => listing::list(self, limit, json),
            Command::Find {
                value,
                limit,
                ids,
                json,
            } => find::find(self, &value, limit, ids, json),
            Command::Revoke { value, handle } => find::revoke(self, &value, handle.as_deref()),
            Command::Show { id, json } => show::run(self, &id, json),
            Command::Quarantine { command } => quarantine::run(self, command),
            Command::Count => listing::count(self),
            Command::Sweep => listing::sweep(self),
            Command::Reindex { json } => reindex::run(self, json),
            #[cfg(feature = "encryption")]
            Command::Keygen => keygen::run(self),
            #[cfg(feature = "encryption")]
            Command::Rekey { json } => rekey::run(self, json),
            #[cfg(feature = "train")]
            Command::Train(arguments) => train::run(self, &arguments),
            Command::Completions { shell } => self.completions(shell),
        }
    }

    fn completions(&mut self, shell: clap_complete::Shell) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), &self.program, &mut script);
        self.output.write(&String::from_utf8_lossy(&script))
    }

    /// The file that `--config`, the environment or nobody names.
    fn config(&self) -> PathBuf {
        let variable = || std::env::var_os(CONFIG_VARIABLE).filter(|file| !file.is_empty());
        self.config
            .clone()
            .or_else(|| variable().map(PathBuf::from))
            .unwrap_or_else(|| DEFAULT_FILE.into())
    }

    /// The file of a command that is about the file itself.
    fn file(&self, argument: FileArg) -> Result<PathBuf, Failure> {
        match argument.file {
            Some(_) if self.config.is_some() => {
                let twice = "the file is named twice: as FILE and with --config";
                Err(Failure::new(Exit::Usage, twice).with_help("leave one of the two out"))
            }
            Some(file) => Ok(file),
            None => Ok(self.config()),
        }
    }

    fn plan(&self, file: &Path) -> Result<Plan, Failure> {
        Ok(Loader::new(self.registry.clone()).read_file(file)?)
    }

    /// A failure as clap reports its own, of this subcommand.
    fn usage(&self, subcommand: &str, kind: ErrorKind, message: &str) -> Failure {
        let mut command = Cli::command().bin_name(&self.program);
        command.build();
        let refused = match command.find_subcommand_mut(subcommand) {
            Some(subcommand) => subcommand.error(kind, message),
            None => command.error(kind, message),
        };
        refused.into()
    }

    /// A registry in which two crates claim one name cannot be trusted.
    fn refuse_clashes(&self) -> Result<(), Failure> {
        match self.registry.clashes() {
            [] => Ok(()),
            clashes => {
                let clashes: Vec<String> = clashes.iter().map(ToString::to_string).collect();
                Err(Failure::new(Exit::Config, clashes.join("; and "))
                    .with_help("leave one of the two crates out, or rename the step type of one"))
            }
        }
    }
}
