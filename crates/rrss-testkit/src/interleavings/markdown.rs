//! The table as the documentation shows it.

use std::fmt::Write;

use rrss::Conflict;

use super::words::{Act, Row};
use super::{OTHERWISE, TABLE};

/// The table in Markdown: a part for each first operation, and one for what other policies change. A test of this crate
/// holds `docs/semantics.md` to it.
///
/// # Examples
///
/// ```
/// let table = rrss_testkit::interleavings::markdown();
/// assert!(table.contains("| save | before it removes | done | saved | nothing |"));
/// ```
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    for first in Act::ALL {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "### First {first}\n\n\
             | second | comes | {first} answers | second answers | left |\n\
             |---|---|---|---|---|\n"
        );
        for row in TABLE.iter().filter(|row| row.first == first) {
            let _ = writeln!(text, "| {} | {}", row.second, cells(row));
        }
        text.push('\n');
    }
    text.push_str(
        "### Under other policies for conflicts\n\n\
         All other rows are the same under each policy.\n\n\
         | `conflict` | first | second | comes | first answers | second answers | left |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (policy, row) in OTHERWISE {
        let policy = match policy {
            Conflict::Reject => "reject",
            Conflict::LastWrite => "last-write",
            _ => "merge",
        };
        let _ = writeln!(
            text,
            "| `{policy}` | {} | {} | {}",
            row.first,
            row.second,
            cells(row)
        );
    }
    text
}

fn cells(row: &Row) -> String {
    format!(
        "{} | {} | {} | {} |",
        row.when.text(row.first),
        row.first_says,
        row.second_says,
        row.left
    )
}
