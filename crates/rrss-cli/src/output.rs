//! Where results and reports go.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;

use crate::exit::Failure;
use crate::json::Layout;
use crate::progress::{Counts, Progress};

/// Standard output and standard error, or what stands for them.
pub(crate) struct Output<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    out_is: Sink,
    err_is: Sink,
}

/// What is at the other end of a stream.
#[derive(Debug, Clone, Copy, Default)]
struct Sink {
    /// The columns of a terminal; `None` where it is none.
    columns: Option<usize>,
    colour: bool,
}

/// The columns of a terminal that does not tell them.
const COLUMNS: usize = 80;

impl<'a> Output<'a> {
    /// Streams that are read by a program: no colours, no line breaks to fit a width.
    pub(crate) fn plain(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            out,
            err,
            out_is: Sink::default(),
            err_is: Sink::default(),
        }
    }

    /// The standard streams; each is coloured if it is a terminal and the environment (`NO_COLOR` and its like) agrees.
    pub(crate) fn standard(
        out: &'a mut io::StdoutLock<'_>,
        err: &'a mut io::StderrLock<'_>,
    ) -> Self {
        let columns =
            || terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0));
        let out_is = Sink {
            columns: out.is_terminal().then(columns),
            colour: AutoStream::choice(&*out) != ColorChoice::Never,
        };
        let err_is = Sink {
            columns: err.is_terminal().then(columns),
            colour: AutoStream::choice(&*err) != ColorChoice::Never,
        };
        Self {
            out,
            err,
            out_is,
            err_is,
        }
    }

    /// The columns of the terminal that results go to; `None` where they go elsewhere.
    pub(crate) fn columns(&self) -> Option<usize> {
        self.out_is.columns
    }

    /// How JSON is laid out for whoever reads the results.
    pub(crate) fn layout(&self) -> Layout {
        match self.out_is.columns {
            Some(_) => Layout::Pretty,
            None => Layout::Compact,
        }
    }

    /// The progress of a command, drawn where reports go to a terminal and nowhere else.
    pub(crate) fn progress(&self, doing: &'static str, counts: Counts) -> Progress {
        match self.err_is.columns {
            Some(_) => Progress::drawn(doing, counts),
            None => Progress::hidden(),
        }
    }

    /// `style` where results may be coloured.
    pub(crate) fn style(&self, style: Style) -> Style {
        if self.out_is.colour {
            style
        } else {
            Style::new()
        }
    }

    /// Writes a result as it is.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Writes a result that is no text.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.out.write_all(bytes);
        written
            .and_then(|()| self.out.flush())
            .map_err(Failure::output)
    }

    /// Writes a result of one line.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.write(&format!("{text}\n"))
    }

    /// Writes a report. There is nobody to tell if that fails.
    pub(crate) fn report(&mut self, text: impl FnOnce(bool) -> String) {
        let text = text(self.err_is.colour);
        let _ = self.err.write_all(text.as_bytes());
        let _ = self.err.flush();
    }

    /// Writes what clap says of itself, such as its help, to standard output.
    pub(crate) fn help(&mut self, help: &clap::Error) -> Result<(), Failure> {
        let text = help.render();
        let text = if self.out_is.colour {
            text.ansi().to_string()
        } else {
            text.to_string()
        };
        self.write(&text)
    }
}

/// Rows in columns, two spaces apart. The last column is broken at words to fit the width, where there is one.
pub(crate) fn table<const N: usize>(rows: &[[String; N]], columns: Option<usize>) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let indent: usize = widths[..N - 1].iter().map(|width| width + 2).sum();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths[..N - 1].iter().zip(row) {
            let gap = width + 2 - cell.chars().count();
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', gap));
        }
        line += &wrapped(&row[N - 1], indent, columns);
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Too narrow a column is worse to read than long lines.
const NARROWEST: usize = 20;

/// The text, broken at words so that it fits `columns` behind an indent; its first line is not indented.
pub(crate) fn wrapped(text: &str, indent: usize, columns: Option<usize>) -> String {
    let Some(room) = columns
        .map(|columns| columns.saturating_sub(indent))
        .filter(|room| *room >= NARROWEST)
    else {
        return text.to_owned();
    };
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let length: usize = lines.last().map_or(0, |line| line.chars().count());
        if length > 0 && length + 1 + word.chars().count() > room {
            lines.push(word.to_owned());
        } else if let Some(line) = lines.last_mut() {
            if length > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> [[String; 2]; 2] {
        [
            ["a".into(), "one two three four five six".into()],
            ["→bc".into(), String::new()],
        ]
    }

    #[test]
    fn a_table_has_no_trailing_spaces_and_is_not_broken_for_a_program() {
        assert_eq!(
            table(&rows(), None),
            "a    one two three four five six\n→bc\n"
        );
    }

    #[test]
    fn the_last_column_is_broken_to_fit_a_terminal() {
        assert_eq!(
            table(&rows(), Some(25)),
            "a    one two three four\n     five six\n→bc\n"
        );
    }

    #[test]
    fn a_terminal_that_is_too_narrow_gets_long_lines() {
        assert_eq!(table(&rows(), Some(10)), table(&rows(), None));
    }
}
