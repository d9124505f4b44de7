//! The table as the documentation shows it.

use std::fmt::Write;

use rrss::Conflict;

use super::words::{Act, Row};
use super::{FIELD_BY_FIELD, OTHERWISE, TABLE, WITHOUT_TIMES};

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
        text.push_str(&under(*policy, row));
    }
    text.push_str(
        "\n### Above a backend that keeps fields\n\n\
         All other rows are the same.\n\n\
         | `conflict` | first | second | comes | first answers | second answers | left |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for (policy, row) in FIELD_BY_FIELD {
        text.push_str(&under(*policy, row));
    }
    text.push_str(
        "\n### Above a backend that keeps no times\n\n\
         With `compat = \"rrss-0.2\"` a session has no deadline of its own. All other rows are those of a backend that keeps \
         fields.\n\n\
         | first | second | comes | first answers | second answers | left |\n\
         |---|---|---|---|---|---|\n",
    );
    for row in WITHOUT_TIMES {
        let _ = writeln!(text, "| {} | {} | {}", row.first, row.second, cells(row));
    }
    text
}

fn under(policy: Conflict, row: &Row) -> String {
    let policy = match policy {
        Conflict::Reject => "reject",
        Conflict::LastWrite => "last-write",
        _ => "merge",
    };
    let (first, second) = (row.first, row.second);
    format!("| `{policy}` | {first} | {second} | {}\n", cells(row))
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
