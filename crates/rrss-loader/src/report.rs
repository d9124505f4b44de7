//! Every problem of a file, in the order of the file.

use std::error::Error as StdError;
use std::fmt;

use rrss_core::{Error, ErrorKind};

/// Every problem that was found in one file, in the order of the file.
///
/// `Display` prints it in plain text; [`Report::render`] can colour it.
#[derive(Debug, Clone)]
pub struct Report {
    file: String,
    problems: Vec<Problem>,
}

impl Report {
    pub(crate) fn new(file: String, problems: Vec<Problem>) -> Self {
        Self { file, problems }
    }

    /// The problems, in the order of the file. There is at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The whole report, with colours for a terminal or without.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let _ = colour;
        let lines: Vec<String> = self
            .problems
            .iter()
            .map(|problem| format!("{}: {}", self.file, problem.message()))
            .collect();
        lines.join("\n")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl StdError for Report {}

impl From<Report> for Error {
    fn from(report: Report) -> Self {
        Self::new(ErrorKind::Config, report.to_string())
    }
}

/// One thing that is wrong, or questionable, in a file.
#[derive(Debug, Clone)]
pub struct Problem {
    message: String,
    hint: Option<String>,
    place: Option<(usize, usize)>,
    warning: bool,
}

impl Problem {
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            place: None,
            warning: false,
        }
    }

    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self {
            warning: true,
            ..Self::error(message)
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The line where it starts, from 1; `None` where the file as a whole is meant.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.place.map(|(line, _)| line)
    }

    /// The column where it starts, from 1, in characters; `None` where the file as a whole is meant.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.place.map(|(_, column)| column)
    }

    /// Whether the configuration works in spite of it.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        self.warning
    }
}
