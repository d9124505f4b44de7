//! `show`: what is known of a session, and none of its values.

use std::ops::ControlFlow;

use rrss::core::{Handle, IndexKey};
use rrss::{Session, SessionId, Store};
use serde_json::{Value, json};

use super::Context;
use super::find::{deadline, each_named, known};
use crate::args::IdArg;
use crate::exit::Failure;
use crate::instant::rfc3339;
use crate::json::{Layout, lay_out};
use crate::output::table;

/// An indexed field that the session has.
struct Entry<'a> {
    field: &'a str,
    state: State,
}

/// Whether the session is found by a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Found,
    /// It was stored before the field was indexed.
    Missing,
    /// As that, and the value is of a sort that no session is found by.
    Refused,
}

pub(super) fn run(context: &mut Context<'_>, id: &IdArg, json: bool) -> Result<(), Failure> {
    let id = id.session_id()?;
    context.with_store(async |context, store| {
        let session = store.inspect(&id).await?;
        let session = session.ok_or_else(Failure::no_session)?;
        let entries = entries(store, &id, &session).await?;
        let output = &mut context.output;
        if json {
            let shown = as_json(&id, &session, &entries).to_string();
            let layout = output.layout();
            return output.line(&lay_out(&shown, layout));
        }
        output.write(&as_text(&id, &session, &entries))
    })
}

async fn entries<'a>(
    store: &'a Store,
    id: &SessionId,
    session: &Session,
) -> Result<Vec<Entry<'a>>, Failure> {
    let mut entries = Vec::new();
    for field in store
        .pipeline()
        .index()
        .map_or(&[][..], |rules| &rules.fields)
    {
        let Some(raw) = session.get_raw(field) else {
            continue;
        };
        let state = match IndexKey::of(field.clone(), raw) {
            Ok(Some(entry)) if names(store, &entry, id).await? => State::Found,
            Ok(Some(_)) => State::Missing,
            Ok(None) => continue,
            Err(_) => State::Refused,
        };
        entries.push(Entry { field, state });
    }
    Ok(entries)
}

async fn names(store: &Store, entry: &IndexKey, id: &SessionId) -> Result<bool, Failure> {
    let mut is_named = false;
    each_named(store, entry, |named| {
        is_named = named.names_same(id);
        if is_named {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .await?;
    Ok(is_named)
}

fn as_json(id: &SessionId, session: &Session, entries: &[Entry<'_>]) -> Value {
    let index: Vec<Value> = entries
        .iter()
        .map(|entry| json!({ "field": entry.field, "found": entry.state == State::Found }))
        .collect();
    json!({
        "handle": Handle::of(id).to_string(),
        "created_at": session.created_at().map(rfc3339),
        "written_at": session.written_at().map(rfc3339),
        "expires_at": session.expires_at().map(rfc3339),
        "own_deadline": session.own_deadline().map(rfc3339),
        "stored_bytes": stored_bytes(session),
        "fields": session.keys().collect::<Vec<_>>(),
        "index": index,
    })
}

fn as_text(id: &SessionId, session: &Session, entries: &[Entry<'_>]) -> String {
    let row = |label: &str, text: String| [label.to_owned(), text];
    let own = session
        .own_deadline()
        .map_or_else(|| "none".to_owned(), rfc3339);
    let bytes =
        stored_bytes(session).map_or_else(|| "unknown".to_owned(), |bytes| bytes.to_string());
    let mut rows = vec![
        row("handle", Handle::of(id).to_string()),
        row("created", known(session.created_at())),
        row("written", known(session.written_at())),
        row("deadline", deadline(session.expires_at())),
        row("own deadline", own),
        row("stored bytes", bytes),
    ];
    let mut list = |label: &str, lines: Vec<String>| {
        let labels = std::iter::once(label).chain(std::iter::repeat(""));
        let count = lines.len().max(1);
        let lines = lines.into_iter().chain(["none".to_owned()]);
        rows.extend(
            labels
                .zip(lines)
                .take(count)
                .map(|(label, line)| row(label, line)),
        );
    };
    list("fields", session.keys().map(name).collect());
    list("index", entries.iter().map(Entry::line).collect());
    table(&rows, None)
}

impl Entry<'_> {
    fn line(&self) -> String {
        let field = name(self.field);
        let state = match self.state {
            State::Found => "found by it",
            State::Missing => "not found by it until its next change is saved",
            State::Refused => {
                "not found by it: the value is neither text, a number, true nor false"
            }
        };
        format!("{field}: {state}")
    }
}

fn stored_bytes(session: &Session) -> Option<usize> {
    session.stored().map(|stored| stored.as_bytes().len())
}

/// A field's name as it is if nothing in it can be mistaken, and else as JSON text: a name may hold what a terminal
/// obeys.
fn name(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.:/$@".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        return name.to_owned();
    }
    lay_out(&Value::from(name).to_string(), Layout::Pretty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_terminal_would_obey_are_quoted() {
        assert_eq!(name("user_id"), "user_id");
        assert_eq!(name("größe"), "größe");
        for (odd, quoted) in [
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("\x1b[31m", r#""\u001b[31m""#),
            ("a\n\u{9b}", r#""a\n\u009b""#),
        ] {
            assert_eq!(name(odd), quoted);
        }
    }
}
