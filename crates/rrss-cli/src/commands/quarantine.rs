//! `quarantine`: the stored sessions that could not be read and were moved aside, and putting them back.

use std::collections::BTreeSet;

use clap::error::ErrorKind;
use rrss::{Quarantine, QuarantineName, Quarantined, Store};
use serde_json::{Value, json};

use super::Context;
use super::find::deadline;
use crate::args::{QuarantineCommand, RestoreArgs, at_most};
use crate::exit::{Exit, Failure};
use crate::instant::rfc3339;
use crate::json::lay_out;
use crate::output::table;
use crate::progress::{Counts, Progress};

/// How many names one page asks for.
const PAGE: usize = 1_000;

/// So many bytes are shown where not all are asked for.
const SHOWN: usize = 4 * 1024;

/// The digits of a name that may stand for it.
const FEWEST_DIGITS: usize = 4;

const SECRET: &str = "these bytes may hold what logs people in, and all else that a session holds; \
                      show them to nobody who must not read the store";

pub(super) fn run(context: &mut Context<'_>, command: QuarantineCommand) -> Result<(), Failure> {
    match command {
        QuarantineCommand::List { limit, json } => list(context, limit, json),
        QuarantineCommand::Show { name, raw, json } => show(context, &name, raw, json),
        QuarantineCommand::Restore(arguments) => restore(context, &arguments),
    }
}

fn list(context: &mut Context<'_>, limit: Option<u64>, json: bool) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let quarantine = store.quarantine()?;
        let progress = if json {
            Progress::hidden()
        } else {
            context.output.progress("listing", Counts::Yes)
        };
        let (mut rows, limit) = (Vec::new(), at_most(limit));
        for name in progress.during(names(&quarantine, |_| true)).await? {
            if rows.len() == limit {
                break;
            }
            if let Some(entry) = progress.during(quarantine.get(&name)).await? {
                rows.push(Row::of(&entry));
                progress.reached(rows.len() as u64);
            }
        }
        drop(progress);
        rows.sort_by(|one, other| (&one.since, one.name).cmp(&(&other.since, other.name)));
        let output = &mut context.output;
        if json {
            let rows: Vec<Value> = rows.iter().map(Row::json).collect();
            let layout = output.layout();
            return output.line(&lay_out(&Value::from(rows).to_string(), layout));
        }
        let text = match output.columns() {
            Some(columns) if !rows.is_empty() => in_columns(&rows, columns),
            _ => rows
                .iter()
                .map(|row| row.cells().join("\t") + "\n")
                .collect(),
        };
        output.write(&text)
    })
}

fn show(context: &mut Context<'_>, name: &str, raw: bool, json: bool) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let quarantine = store.quarantine()?;
        let name = named(context, &quarantine, name).await?;
        let entry = quarantine.get(&name).await?.ok_or_else(no_entry)?;
        let output = &mut context.output;
        if raw {
            if output.columns().is_some() {
                let refused = "the bytes as they are may be commands to a terminal";
                return Err(Failure::new(Exit::Usage, refused)
                    .with_help("send them to a file, as with `> FILE`, or leave --raw out"));
            }
            output.report(|_| format!("warning: {SECRET}\n"));
            return output.bytes(entry.bytes());
        }
        output.report(|_| format!("warning: {SECRET}\n"));
        let bytes = entry.bytes();
        let shown = bytes[..bytes.len().min(SHOWN)].escape_ascii().to_string();
        let row = Row::of(&entry);
        if json {
            let mut row = row.json();
            row["shown"] = shown.into();
            let layout = output.layout();
            return output.line(&lay_out(&row.to_string(), layout));
        }
        let labels = ["name", "since", "deadline", "kept until", "bytes", "why"];
        let cells = labels.map(str::to_owned).into_iter().zip(row.cells());
        let rows: Vec<[String; 2]> = cells.map(|(label, cell)| [label, cell]).collect();
        output.write(&table(&rows, None))?;
        output.line("")?;
        output.line(&shown)?;
        if bytes.len() > SHOWN {
            let more = bytes.len() - SHOWN;
            output.report(|_| format!("note: {more} bytes more; --raw prints all of them\n"));
        }
        Ok(())
    })
}

fn restore(context: &mut Context<'_>, arguments: &RestoreArgs) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        let quarantine = store.quarantine()?;
        let mut chosen = Vec::new();
        if arguments.all {
            chosen.extend(names(&quarantine, |_| true).await?);
        }
        for name in &arguments.names {
            chosen.push(named(context, &quarantine, name).await?);
        }
        let progress = context.output.progress("putting back", Counts::Yes);
        let (mut restored, mut failed) = (0, None);
        for name in &chosen {
            match progress.during(quarantine.restore(name)).await {
                Ok(done) => {
                    restored += 1;
                    progress.reached(restored);
                    if let Some(error) = done.unreadable {
                        let text =
                            format!("warning: {name} is back and still cannot be read: {error}\n");
                        progress.aside(|| context.output.report(|_| text));
                    }
                }
                Err(error) if chosen.len() == 1 => return Err(error.into()),
                // One that cannot go back keeps no other from it; what ails the backend ails them all.
                Err(error)
                    if matches!(
                        error.kind(),
                        rrss::ErrorKind::Gone
                            | rrss::ErrorKind::Conflict
                            | rrss::ErrorKind::Corrupt
                    ) =>
                {
                    let text = format!("warning: {name}: {error}\n");
                    progress.aside(|| context.output.report(|_| text));
                    failed.get_or_insert(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        drop(progress);
        context.output.line(&restored.to_string())?;
        match failed {
            Some(error) => Err(Failure::new(
                error.kind().into(),
                "not all could be put back; those stay in the quarantine",
            )),
            None => Ok(()),
        }
    })
}

/// How many entries there are; none where the store can have no quarantine.
pub(super) async fn count(store: &Store) -> Result<u64, Failure> {
    match store.quarantine() {
        Ok(quarantine) => Ok(names(&quarantine, |_| true).await?.len() as u64),
        Err(error) if error.kind() == rrss::ErrorKind::Unsupported => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// The names that are wanted, each once.
async fn names(
    quarantine: &Quarantine<'_>,
    is_wanted: impl Fn(&QuarantineName) -> bool,
) -> Result<BTreeSet<QuarantineName>, Failure> {
    let (mut names, mut cursor) = (BTreeSet::new(), None);
    loop {
        let page = quarantine.names(cursor, PAGE).await?;
        names.extend(page.names.into_iter().filter(&is_wanted));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(names);
        }
    }
}

/// The name that was given whole, or by its first digits.
async fn named(
    context: &Context<'_>,
    quarantine: &Quarantine<'_>,
    text: &str,
) -> Result<QuarantineName, Failure> {
    let whole = match text.parse() {
        Ok(name) => return Ok(name),
        Err(error) => error,
    };
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    // What was given is not repeated: it may be an id.
    let wrong = |message: &str| context.usage("quarantine", ErrorKind::InvalidValue, message);
    if text.len() < FEWEST_DIGITS || !text.bytes().all(is_digit) {
        return Err(wrong(whole.message()));
    }
    let names = names(quarantine, |name| name.to_string().starts_with(text)).await?;
    match names.len() {
        0 => Err(no_entry()),
        1 => names.into_iter().next().ok_or_else(no_entry),
        _ => Err(wrong(
            "several entries have names that begin with these digits; give more of them",
        )),
    }
}

fn no_entry() -> Failure {
    Failure::new(
        Exit::Missing,
        "no such entry in the quarantine: its time is over, it was put back, or it never was",
    )
}

/// What is printed of an entry, without its bytes.
struct Row {
    name: QuarantineName,
    since: String,
    deadline: Option<String>,
    kept_until: Option<String>,
    bytes: usize,
    why: String,
}

impl Row {
    fn of(entry: &Quarantined) -> Self {
        Self {
            name: entry.name(),
            since: rfc3339(entry.since()),
            deadline: entry.deadline().map(rfc3339),
            kept_until: entry.expires_at().map(rfc3339),
            bytes: entry.bytes().len(),
            why: printable(entry.why()),
        }
    }

    fn cells(&self) -> [String; 6] {
        let never = || deadline(None);
        [
            self.name.to_string(),
            self.since.clone(),
            self.deadline.clone().unwrap_or_else(never),
            self.kept_until.clone().unwrap_or_else(never),
            self.bytes.to_string(),
            self.why.clone(),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name.to_string(),
            "since": self.since,
            "deadline": self.deadline,
            "kept_until": self.kept_until,
            "bytes": self.bytes,
            "why": self.why,
        })
    }
}

/// Somebody else may have written the entry: nothing of it is for a terminal to obey.
fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

fn in_columns(rows: &[Row], columns: usize) -> String {
    let head = ["name", "since", "deadline", "kept until", "bytes", "why"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head)
        .chain(rows.iter().map(Row::cells))
        .collect();
    table(&rows, Some(columns))
}
