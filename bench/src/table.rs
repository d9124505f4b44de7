//! A report as text: Markdown, so that it can be pasted as it is.

use std::fmt;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use crate::report::{Compare, Group, Report, Row, Times, Wire};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            writeln!(f, "{group}")?;
        }
        for promise in &self.promises {
            writeln!(f, "- {promise}")?;
        }
        let Self {
            machine,
            date,
            command,
            ..
        } = self;
        writeln!(f, "\n{machine}; {date}; `{command}`")?;
        if self.quick {
            writeln!(
                f,
                "A quick run: its figures are rough. Quote those of a run without `--quick`."
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<Column<'_>> = self
            .columns()
            .into_iter()
            .filter(|column| self.rows.iter().any(|row| (column.cell)(row).is_some()))
            .collect();
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header(columns.iter().map(|column| &column.name));
        for row in &self.rows {
            table.add_row(
                columns
                    .iter()
                    .map(|column| (column.cell)(row).unwrap_or_default()),
            );
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "### {}\n\n{table}", self.title)
    }
}

struct Column<'g> {
    name: String,
    cell: Cell<'g>,
}

/// What stands in a column for a row, if anything.
type Cell<'g> = Box<dyn Fn(&Row) -> Option<String> + 'g>;

impl Group {
    fn columns(&self) -> Vec<Column<'_>> {
        let column = |name: &str, cell: fn(&Row) -> Option<String>| Column {
            name: name.to_owned(),
            cell: Box::new(cell),
        };
        let timed = |name: &str, cell: fn(&Times) -> Option<String>| Column {
            name: name.to_owned(),
            cell: Box::new(move |row| row.times.as_ref().and_then(cell)),
        };
        let (figure, spread) = if self.compare == Compare::Rate {
            (
                timed("per second", |times| Some(grouped(times.per_second))),
                timed("quartiles", |times| {
                    let (low, high) = times.quartiles;
                    Some(format!("{} – {}", rate(high), rate(low)))
                }),
            )
        } else {
            (
                timed("time", |times| Some(time(times.nanoseconds))),
                timed("quartiles", |times| {
                    let (low, high) = times.quartiles;
                    Some(format!("{} – {}", time(low), time(high)))
                }),
            )
        };
        let latency = |name: &str, at: usize| Column {
            name: name.to_owned(),
            cell: Box::new(move |row| {
                let times = row.times.as_ref()?;
                times.latency_nanoseconds.map(|latency| time(latency[at]))
            }),
        };
        let wired = |name: &str, cell: fn(&Wire) -> String| Column {
            name: name.to_owned(),
            cell: Box::new(move |row| row.wire.as_ref().map(cell)),
        };
        let mut columns = vec![
            column("", |row| Some(row.name.to_owned())),
            figure,
            spread,
            latency("p50", 0),
            latency("p99", 1),
            latency("p99.9", 2),
            timed("CPU", |times| times.cpu_nanoseconds.map(time)),
            column("allocations", |row| {
                row.allocations.map(|count| format!("{count:.1}"))
            }),
            wired("round trips", |wire| format!("{:.2}", wire.round_trips)),
            wired("commands", |wire| format!("{:.2}", wire.commands)),
            wired("bytes sent", |wire| grouped(wire.bytes_sent)),
            wired("received", |wire| grouped(wire.bytes_received)),
            column("memory", |row| row.memory_bytes.map(memory)),
        ];
        let all = std::iter::once(self.baseline).chain(self.also.iter().copied());
        columns.extend(all.filter(|name| !name.is_empty()).map(|name| {
            let base = self.ratio(name);
            Column {
                name: format!("against {name}"),
                cell: Box::new(move |row| {
                    let ratio = row.ratio / base;
                    (!ratio.is_nan()).then(|| format!("{ratio:.2} ×"))
                }),
            }
        }));
        columns
    }
}

/// What a row is compared by, as people read it.
pub fn figure(number: f64, compare: Compare) -> String {
    match compare {
        Compare::Time => time(number),
        Compare::Rate => grouped(number),
        Compare::Allocations => format!("{number:.1}"),
        Compare::Memory => memory(number),
    }
}

/// Nanoseconds as people read them.
fn time(nanoseconds: f64) -> String {
    if nanoseconds < 1_000.0 {
        format!("{nanoseconds:.0} ns")
    } else if nanoseconds < 1_000_000.0 {
        format!("{:.2} µs", nanoseconds / 1_000.0)
    } else {
        format!("{:.2} ms", nanoseconds / 1_000_000.0)
    }
}

/// Bytes as people read them.
fn memory(bytes: f64) -> String {
    if bytes < 1_048_576.0 {
        format!("{} B", grouped(bytes))
    } else {
        format!("{:.1} MiB", bytes / 1_048_576.0)
    }
}

/// How many a second take so many nanoseconds each. One operation can seem to take no time, where it is what two
/// took more than one.
fn rate(nanoseconds: f64) -> String {
    if nanoseconds > 0.0 {
        grouped(1e9 / nanoseconds)
    } else {
        "?".to_owned()
    }
}

/// A whole number, its digits in groups of three.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Samples;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(7.4), "7");
        assert_eq!(grouped(123.0), "123");
        assert_eq!(grouped(1_234_567.0), "1,234,567");
        assert_eq!(
            (rate(1_000.0), rate(-5.0)),
            ("1,000,000".into(), "?".into())
        );
        assert_eq!(time(999.4), "999 ns");
        assert_eq!(time(1_250.0), "1.25 µs");
        assert_eq!(time(12_340_000.0), "12.34 ms");
        assert_eq!(memory(1_234.0), "1,234 B");
        assert_eq!(memory(3.5 * 1_048_576.0), "3.5 MiB");
    }

    #[test]
    fn a_group_is_a_markdown_table_without_the_columns_that_it_has_no_figures_for() {
        let row = |name, nanoseconds| {
            let times = Times {
                nanoseconds,
                quartiles: (nanoseconds, nanoseconds),
                ..Times::new(&Samples::default())
            };
            Row::timed(name, times)
        };
        let rows = vec![row("ours", 500.0), row("theirs", 2_000.0)];
        let group = Group::new("Loads".to_owned(), Compare::Time, "theirs", rows);
        let text = group.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "### Loads");
        assert!(lines[2].starts_with('|') && lines[2].contains("against theirs"));
        assert!(lines[4].contains("500 ns") && lines[4].contains("0.25 ×"));
        assert!(!text.contains("CPU") && !text.contains("allocations"));
    }
}
