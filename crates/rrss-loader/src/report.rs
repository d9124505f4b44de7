//! Every problem of a file, in the order of the file.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use rrss_core::{Error, ErrorKind};

use crate::render;
use crate::source::{Source, Span, without_passwords};
use crate::suggest::clean;

/// Every problem that was found in one file, in the order of the file.
///
/// `Display` prints it in plain text, [`Report::render`] also in colour: for each problem its place, the line
/// with what is wrong underlined, and what to do. Values of secret options, the passwords of addresses and what
/// came from environment variables or other files are never shown.
///
/// # Examples
///
/// ```
/// use rrss_core::Registry;
/// use rrss_loader::Loader;
///
/// let report = Loader::new(Registry::new()).read_text("[[steps]]\n").unwrap_err();
/// assert_eq!(
///     report.to_string(),
///     "\
/// error: a file has no table `steps`
///  --> <text>:1:3
///   |
/// 1 | [[steps]]
///   |   ^^^^^
///   |
///   = help: did you mean `step`?
///
/// <text>: 1 problem; nothing was started"
/// );
/// assert_eq!(report.problems()[0].hint(), Some("did you mean `step`?"));
/// ```
#[derive(Clone)]
pub struct Report {
    source: Arc<Source>,
    problems: Vec<Problem>,
    found: usize,
    kind: ErrorKind,
}

impl Report {
    /// The problems of a source, of which there is at least one.
    pub(crate) fn new(source: Arc<Source>, problems: Problems) -> Self {
        let Problems { mut list, found } = problems;
        for problem in &mut list {
            problem.position = problem
                .span
                .as_ref()
                .map(|span| source.position(span.start));
        }
        list.sort_by_key(|problem| problem.span.as_ref().map(|span| span.start));
        Self {
            source,
            problems: list,
            found,
            kind: ErrorKind::Config,
        }
    }

    /// The same report, as an error of another kind.
    pub(crate) fn of_kind(self, kind: ErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// The problems, in the order of the file. There is at least one.
    ///
    /// Of a file with thousands of problems not all are kept.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What kind of error it is: [`ErrorKind::Config`], or what a step said that could not be built.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The whole report, with colours for a terminal or without. Its last line has no line break.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        render::report(&self.source, &self.problems, self.found, colour)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Report {
    /// The same as `Display`: a program whose `main` returns a report shows it so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Report {}

impl From<Report> for Error {
    /// An error whose message is the report, of the report's kind.
    fn from(report: Report) -> Self {
        Self::new(report.kind, report.to_string())
    }
}

/// One thing that is wrong, or questionable, in a file.
#[derive(Debug, Clone)]
pub struct Problem {
    message: String,
    hint: Option<String>,
    notes: Vec<String>,
    span: Option<Span>,
    other: Option<Span>,
    position: Option<(usize, usize)>,
    warning: bool,
}

impl Problem {
    pub(crate) fn error(message: &str) -> Self {
        Self {
            message: line(message),
            hint: None,
            notes: Vec::new(),
            span: None,
            other: None,
            position: None,
            warning: false,
        }
    }

    pub(crate) fn warning(message: &str) -> Self {
        Self {
            warning: true,
            ..Self::error(message)
        }
    }

    /// The same problem, at a place.
    pub(crate) fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// The same problem, which has to do with a second place.
    pub(crate) fn with_other(mut self, span: Option<Span>) -> Self {
        self.other = span;
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hint = Some(line(hint.as_ref()));
        self
    }

    /// The same problem, with the help of an option. An address in it is an example, with no password in it.
    pub(crate) fn with_help(mut self, option: &str, help: &str) -> Self {
        self.hint = Some(clean(&format!("{option}: {help}"), 300));
        self
    }

    pub(crate) fn with_note(mut self, note: impl AsRef<str>) -> Self {
        self.notes.push(line(note.as_ref()));
        self
    }

    /// What is wrong, on one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, on one line.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The line where it starts, from 1; `None` where the file as a whole is meant.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.position.map(|(line, _)| line)
    }

    /// The column where it starts, from 1, in characters; `None` where the file as a whole is meant.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.position.map(|(_, column)| column)
    }

    /// Whether the configuration works in spite of it.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        self.warning
    }

    /// What is to be known besides, such as what caused it.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }

    pub(crate) fn other(&self) -> Option<&Span> {
        self.other.as_ref()
    }
}

/// A message may quote what a file or a foreign library says.
fn line(text: &str) -> String {
    clean(&without_passwords(text), 300)
}

/// Problems as they are found, in any order.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: Vec<Problem>,
    found: usize,
}

impl Problems {
    /// More than these nobody reads, and each takes a line of memory or more.
    const KEPT: usize = 1_000;

    /// Adds a problem; once there are too many, it only counts.
    pub(crate) fn add(&mut self, problem: impl FnOnce() -> Problem) {
        self.found += 1;
        if self.list.len() < Self::KEPT {
            self.list.push(problem());
        }
    }

    /// How many were added.
    pub(crate) fn found(&self) -> usize {
        self.found
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        let mut problems = Self::default();
        problems.add(|| problem);
        problems
    }
}
