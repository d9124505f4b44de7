//! How a run ends: its exit code, and what it says of a failure.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use rrss_core::{Error, ErrorKind};
use rrss_loader::Report;

/// How a run of the command ended.
///
/// The numbers from 64 up are those of BSD's
/// [`sysexits.h`](https://man.freebsd.org/cgi/man.cgi?query=sysexits&sektion=3).
///
/// # Examples
///
/// ```
/// use rrss_cli::Exit;
///
/// assert_eq!(Exit::Unavailable.code(), 69);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// 0: it was done.
    Done,
    /// 1: there is no such session, or it has no such field.
    Missing,
    /// 2: the command line is wrong.
    Usage,
    /// 65 (`EX_DATAERR`): stored or given data is unusable: corrupt, too large, of another type.
    Data,
    /// 69 (`EX_UNAVAILABLE`): the backend is unavailable or did not answer in time.
    Unavailable,
    /// 70 (`EX_SOFTWARE`): a failure that this version of the command does not know.
    Software,
    /// 74 (`EX_IOERR`): a file could not be read or written, or the output not written.
    Io,
    /// 75 (`EX_TEMPFAIL`): the session was changed meanwhile; another try may succeed.
    Conflict,
    /// 78 (`EX_CONFIG`): the configuration is wrong, or cannot do what was asked.
    Config,
}

impl Exit {
    /// The number that the process exits with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Missing => 1,
            Self::Usage => 2,
            Self::Data => 65,
            Self::Unavailable => 69,
            Self::Software => 70,
            Self::Io => 74,
            Self::Conflict => 75,
            Self::Config => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Gone => Self::Missing,
            ErrorKind::Corrupt | ErrorKind::Value | ErrorKind::TooLarge => Self::Data,
            ErrorKind::Unavailable | ErrorKind::Timeout => Self::Unavailable,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Config | ErrorKind::Unsupported => Self::Config,
            _ => Self::Software,
        }
    }
}

/// Why a run failed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    said: Said,
    help: Option<String>,
}

#[derive(Debug)]
enum Said {
    Nothing,
    Usage(clap::Error),
    Report(Report),
    /// A report that became text on its way.
    Reported(String),
    Error(Error),
    Message(Cow<'static, str>),
    Io(&'static str, io::Error),
}

impl Failure {
    /// A failure in a sentence.
    pub(crate) fn new(exit: Exit, message: impl Into<Cow<'static, str>>) -> Self {
        Self::said(exit, Said::Message(message.into()))
    }

    /// The same failure, and what to do about it.
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// There is no session of the id that was given. The id is not repeated: whoever reads it is its owner.
    pub(crate) fn no_session() -> Self {
        Self::new(
            Exit::Missing,
            "no such session: it never was, or it was deleted, has expired or was given a new id",
        )
    }

    /// Something outside the store could not be written.
    pub(crate) fn io(doing: &'static str, error: io::Error) -> Self {
        Self::said(Exit::Io, Said::Io(doing, error))
    }

    /// The output could not be written. A reader that closed its end has read all that it wanted.
    pub(crate) fn output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::said(Exit::Done, Said::Nothing);
        }
        Self::io("writing the output failed", error)
    }

    /// A step of a good file could not be built. The message of the error is a report already.
    pub(crate) fn build(error: &Error) -> Self {
        Self::said(
            error.kind().into(),
            Said::Reported(error.message().to_owned()),
        )
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// What is said of it, ending in a line break; empty where nothing is.
    pub(crate) fn text(&self, colour: bool) -> String {
        let mut text = match &self.said {
            Said::Nothing => String::new(),
            Said::Usage(error) if colour => error.render().ansi().to_string(),
            Said::Usage(error) => error.render().to_string(),
            Said::Report(report) => report.render(colour),
            Said::Reported(text) => text.clone(),
            Said::Error(error) => chain(error, colour),
            Said::Message(message) => headline(message, colour),
            Said::Io(doing, error) => {
                headline(doing, colour) + &detail("caused by", &error.to_string(), colour)
            }
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        if let Some(help) = &self.help {
            text += &detail("help", help, colour);
        }
        text
    }

    fn said(exit: Exit, said: Said) -> Self {
        Self {
            exit,
            said,
            help: None,
        }
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::said(Exit::Usage, Said::Usage(error))
    }
}

impl From<Report> for Failure {
    fn from(report: Report) -> Self {
        Self::said(Exit::Config, Said::Report(report))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::said(error.kind().into(), Said::Error(error))
    }
}

/// The error and what caused it, one line each. A cause that the line above quotes already is left out.
fn chain(error: &dyn StdError, colour: bool) -> String {
    let mut above = one_line(error);
    let mut text = headline(&above, colour);
    let mut next = error.source();
    while let Some(cause) = next {
        let line = one_line(cause);
        if !above.contains(&line) {
            text += &detail("caused by", &line, colour);
        }
        above = line;
        next = cause.source();
    }
    text
}

fn one_line(error: &dyn StdError) -> String {
    let text = error.to_string();
    let parts: Vec<&str> = text.split_whitespace().collect();
    parts.join(" ")
}

fn headline(message: &str, colour: bool) -> String {
    let style = style(AnsiColor::Red.on_default().bold(), colour);
    format!("{style}error:{style:#} {message}\n")
}

fn detail(label: &str, text: &str, colour: bool) -> String {
    let style = style(Style::new().bold(), colour);
    format!("  {style}{label}:{style:#} {text}\n")
}

fn style(style: Style, colour: bool) -> Style {
    if colour { style } else { Style::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_stand_on_a_line_each_and_none_is_said_twice() {
        let inner = io::Error::other("refused");
        let middle = Error::new(
            ErrorKind::Unavailable,
            "opening a connection failed: refused",
        )
        .with_source(inner);
        let error = Error::new(ErrorKind::Unavailable, "cannot reach localhost:1")
            .with_source(middle)
            .in_step("redis");
        assert_eq!(
            Failure::from(error).text(false),
            "error: redis: cannot reach localhost:1\n  caused by: opening a connection failed: refused\n"
        );
    }

    #[test]
    fn a_cause_of_many_lines_becomes_one() {
        let error = Error::new(ErrorKind::Config, "no").with_source(io::Error::other("a\n\n  b\n"));
        assert_eq!(chain(&error, false), "error: no\n  caused by: a b\n");
    }

    #[test]
    fn every_kind_of_error_has_its_code() {
        for (kind, code) in [
            (ErrorKind::Gone, 1),
            (ErrorKind::Corrupt, 65),
            (ErrorKind::Value, 65),
            (ErrorKind::TooLarge, 65),
            (ErrorKind::Unavailable, 69),
            (ErrorKind::Timeout, 69),
            (ErrorKind::Conflict, 75),
            (ErrorKind::Config, 78),
            (ErrorKind::Unsupported, 78),
        ] {
            assert_eq!(Exit::from(kind).code(), code, "{kind:?}");
        }
    }

    #[test]
    fn a_closed_pipe_ends_quietly() {
        let failure = Failure::output(io::ErrorKind::BrokenPipe.into());
        assert_eq!(
            (failure.exit(), failure.text(true)),
            (Exit::Done, String::new())
        );
        let failure = Failure::output(io::ErrorKind::StorageFull.into());
        assert_eq!(failure.exit(), Exit::Io);
    }
}
