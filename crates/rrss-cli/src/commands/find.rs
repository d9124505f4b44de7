//! Commands on the sessions of one value: found, and ended.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use clap::error::ErrorKind;
use rrss::core::{Action, IndexKey, Outcome};
use rrss::{Handle, Operation, SessionId, SessionInfo, Store, Timestamp};
use serde_json::{Value, json};

use super::Context;
use crate::args::{FieldValue, at_most};
use crate::exit::{Exit, Failure};
use crate::instant::rfc3339;
use crate::json::lay_out;
use crate::output::table;
use crate::progress::{Counts, Progress};

/// How many sessions one page reads.
const PAGE: usize = 128;

/// How many ids one page of an entry names, which reads no sessions.
const IDS: usize = 1_000;

/// What is printed of a session.
struct Row {
    handle: Handle,
    created_at: Option<Timestamp>,
    written_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    /// Only where it was asked for.
    id: Option<SessionId>,
}

pub(super) fn find(
    context: &mut Context<'_>,
    value: &FieldValue,
    limit: Option<u64>,
    ids: bool,
    json: bool,
) -> Result<(), Failure> {
    context.with_store(async |context, store| {
        if ids && store.pipeline().hides_ids() {
            return Err(Failure::new(
                Exit::Config,
                "the store holds no ids: the step `key-mapper` hashes them",
            )
            .with_help("leave out --ids; a handle is enough for `rrss revoke`"));
        }
        let progress = if json {
            Progress::hidden()
        } else {
            context.output.progress("finding", Counts::Yes)
        };
        let mut rows = rows(store, value, at_most(limit), &progress).await?;
        if ids {
            rows = progress.during(with_ids(store, value, rows)).await?;
        }
        drop(progress);
        rows.sort_by_key(|row| (row.created_at, row.handle));
        let output = &mut context.output;
        if json {
            let rows: Vec<Value> = rows.iter().map(Row::json).collect();
            let layout = output.layout();
            return output.line(&lay_out(&Value::from(rows).to_string(), layout));
        }
        let text = match output.columns() {
            Some(_) if !rows.is_empty() => in_columns(&rows, ids),
            _ => rows.iter().map(Row::line).collect(),
        };
        output.write(&text)
    })
}

pub(super) fn revoke(
    context: &mut Context<'_>,
    value: &FieldValue,
    handle: Option<&str>,
) -> Result<(), Failure> {
    let handle = handle.map(str::parse::<Handle>).transpose();
    // What was given is not repeated: it may be an id.
    let handle = handle
        .map_err(|error| context.usage("revoke", ErrorKind::InvalidValue, error.message()))?;
    context.with_store(async |context, store| {
        let progress = context.output.progress("ending sessions", Counts::No);
        let ended = match handle {
            None => {
                progress
                    .during(store.revoke(&value.field, value.value()))
                    .await?
            }
            Some(handle) => {
                let one = store.revoke_one(&value.field, value.value(), handle);
                u64::from(progress.during(one).await?)
            }
        };
        drop(progress);
        if handle.is_some() && ended == 0 {
            return Err(Failure::new(
                Exit::Missing,
                "no such session: none with this value has this handle",
            ));
        }
        context.output.line(&ended.to_string())
    })
}

/// The sessions of a value, up to `limit`, each once.
async fn rows(
    store: &Store,
    value: &FieldValue,
    limit: usize,
    progress: &Progress,
) -> Result<Vec<Row>, Failure> {
    let (mut rows, mut seen, mut cursor) = (Vec::new(), HashSet::new(), None);
    loop {
        let page = PAGE.min(limit - rows.len());
        let found = store.find(&value.field, value.value(), cursor, page);
        let found = progress.during(found).await?;
        for session in &found.sessions {
            if rows.len() < limit && seen.insert(session.handle()) {
                rows.push(Row::of(session));
            }
        }
        progress.reached(rows.len() as u64);
        cursor = found.next;
        if cursor.is_none() || rows.len() == limit {
            return Ok(rows);
        }
    }
}

/// The rows with the ids of their sessions. One that has got a new id or another value since it was found is left out.
async fn with_ids(store: &Store, value: &FieldValue, rows: Vec<Row>) -> Result<Vec<Row>, Failure> {
    let Some(entry) = IndexKey::of(&*value.field, value.value().get())? else {
        return Ok(rows);
    };
    let mut rows: HashMap<Handle, Row> = rows.into_iter().map(|row| (row.handle, row)).collect();
    let mut complete = Vec::new();
    each_named(store, &entry, |id| {
        if let Some(row) = rows.remove(&Handle::of(&id)) {
            complete.push(Row {
                id: Some(id),
                ..row
            });
        }
        if rows.is_empty() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .await?;
    Ok(complete)
}

/// Calls `see` with the ids that an entry of the index names, until it breaks off. They are not read: some may have
/// ended, or have another value by now.
pub(super) async fn each_named(
    store: &Store,
    entry: &IndexKey,
    mut see: impl FnMut(SessionId) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut cursor = None;
    loop {
        let find = Action::Find {
            entry: entry.clone(),
            cursor,
            limit: IDS,
        };
        let mut op = Operation::new(find, store.now());
        let Outcome::Page(page) = store.pipeline().run(&mut op).await?.outcome else {
            return Err(Failure::new(
                Exit::Software,
                "the store was asked for the sessions of a value and answered something else",
            ));
        };
        cursor = page.next;
        if page.ids.into_iter().try_for_each(&mut see).is_break() || cursor.is_none() {
            return Ok(());
        }
    }
}

impl Row {
    fn of(session: &SessionInfo) -> Self {
        Self {
            handle: session.handle(),
            created_at: session.created_at(),
            written_at: session.written_at(),
            expires_at: session.expires_at(),
            id: None,
        }
    }

    fn cells(&self) -> [String; 5] {
        [
            self.handle.to_string(),
            known(self.created_at),
            known(self.written_at),
            deadline(self.expires_at),
            self.id
                .as_ref()
                .map_or_else(String::new, |id| id.as_str().to_owned()),
        ]
    }

    fn line(&self) -> String {
        self.cells().join("\t").trim_end().to_owned() + "\n"
    }

    fn json(&self) -> Value {
        let mut row = json!({
            "handle": self.handle.to_string(),
            "created_at": self.created_at.map(rfc3339),
            "written_at": self.written_at.map(rfc3339),
            "expires_at": self.expires_at.map(rfc3339),
        });
        if let Some(id) = &self.id {
            row["id"] = id.as_str().into();
        }
        row
    }
}

fn in_columns(rows: &[Row], ids: bool) -> String {
    let id = if ids { "id" } else { "" };
    let head = ["handle", "created", "written", "deadline", id].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head)
        .chain(rows.iter().map(Row::cells))
        .collect();
    table(&rows, None)
}

/// An instant that the stored form may not tell.
pub(super) fn known(instant: Option<Timestamp>) -> String {
    instant.map_or_else(|| "unknown".to_owned(), rfc3339)
}

pub(super) fn deadline(instant: Option<Timestamp>) -> String {
    instant.map_or_else(|| "never".to_owned(), rfc3339)
}
