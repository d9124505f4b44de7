//! An operation that changes more than one key: the session, its entries in the index, its event, the mark of a rotation.
//!
//! One server carries it out in one script, so all of it happens or nothing does. A Cluster has these keys on several nodes:
//! see [`Changes`](super::index::Changes) for the order in which they are changed there.

use std::time::Duration;

use redis::Value;
use rrss_core::{
    Action, Deadline, Error, ErrorKind, Guard, IndexKey, KeySpace, NoteChange, Operation, Result,
    Timestamp, Written,
};

use super::commands::{Nonsense, millis};
use super::index::{Sets, below_long_past, changes_index};
use super::notes::Shard;
use super::rotated;
use super::script::{Code, Script};

static TRANSACTION: Code = Code::new(include_str!("transaction.lua"));

/// The script that carries out `op`; `None` where it changes one key, which takes no script.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] for a guard that this crate does not know; [`ErrorKind::Config`] and
/// [`ErrorKind::Unsupported`] where a step has not said what an operation needs.
pub(super) fn script(op: &Operation) -> Result<Option<Script<'_>>> {
    let rotates = *op.action() == Action::Rotate;
    let changes_index = changes_index(op);
    if !rotates && !changes_index {
        return Ok(None);
    }
    let key = op.key()?.as_bytes();
    let keys = match rotates {
        true => vec![op.replaced()?.key()?.as_bytes(), key],
        false => vec![key],
    };
    let mut script = Script::new(&TRANSACTION, keys);
    put_guard(op, &mut script)?;
    put_change(op, &mut script)?;
    let mark = rotated::mark_of(op);
    if let Some(mark) = mark.clone() {
        script.add_key(mark);
    }
    let space = changes_index.then(|| op.key_space()).transpose()?;
    put_entries(op, space, &mut script);
    put_event(op, space, &mut script)?;
    let known_for = op.replaces.as_ref().filter(|_| mark.is_some());
    script.text(known_for.map_or(String::new(), |old| in_millis(old.known_for)));
    Ok(Some(script))
}

/// What the script answers.
pub(super) fn written(reply: &Value) -> Result<Written, Nonsense> {
    match reply {
        Value::Int(1) => Ok(Written::Done),
        Value::Int(0) => Ok(Written::Gone),
        Value::Int(-1) => Ok(Written::Changed),
        Value::Int(-2) => Ok(Written::Taken),
        _ => Err(Nonsense),
    }
}

fn put_guard<'a>(op: &'a Operation, script: &mut Script<'a>) -> Result<()> {
    let (guard, loaded) = match &op.guard {
        Guard::Absent => ("absent", &[][..]),
        Guard::Exists => ("exists", &[][..]),
        Guard::Unchanged(loaded) => ("unchanged", loaded.as_bytes()),
        _ => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the `redis` backend does not know the guard of this write; update `rrss-persistence`",
            ));
        }
    };
    script.text(guard);
    script.arg(loaded);
    Ok(())
}

/// The action, what it stores, and until when.
fn put_change<'a>(op: &'a Operation, script: &mut Script<'a>) -> Result<()> {
    let (action, bytes) = match op.action() {
        Action::Rotate => ("rotate", &op.bytes()?[..]),
        Action::Touch | Action::Reindex => ("touch", &[][..]),
        Action::Delete => ("delete", &[][..]),
        _ => ("set", &op.bytes()?[..]),
    };
    script.text(action);
    script.arg(bytes);
    script.text(match op.deadline {
        Deadline::Keep => "keep".to_owned(),
        Deadline::Never => "never".to_owned(),
        Deadline::At(instant) => exact(instant).to_string(),
    });
    script.text(if op.deadline.is_past(op.now()) {
        "ends"
    } else {
        ""
    });
    Ok(())
}

/// The values that the session is found by, and is not found by any more.
fn put_entries(op: &Operation, space: Option<&KeySpace>, script: &mut Script<'_>) {
    let (put, removed) = (&op.index.put, &op.index.removed);
    let rotates = *op.action() == Action::Rotate;
    // A rotation removes the entries of the old session, of values that the new one has as well.
    let is_removed = |entry: &&IndexKey| rotates || !put.contains(entry);
    let removed: Vec<&IndexKey> = removed.iter().filter(is_removed).collect();
    script.text(below_long_past(op.now()));
    script.text(put.len().to_string());
    script.text(removed.len().to_string());
    if let Some(space) = space {
        for entry in put.iter().chain(removed) {
            let Sets { ending, endless } = Sets::of(entry, space);
            script.add_key(ending);
            script.add_key(endless);
        }
    }
}

fn put_event<'a>(
    op: &'a Operation,
    space: Option<&KeySpace>,
    script: &mut Script<'a>,
) -> Result<()> {
    let (change, event, after) = match &op.index.note {
        NoteChange::Leave => ("", &[][..], Duration::ZERO),
        NoteChange::Remove => ("remove", &[][..], Duration::ZERO),
        NoteChange::Keep { note, after } => ("keep", &note[..], *after),
    };
    if let Some(space) = space.filter(|_| !change.is_empty()) {
        let old = op.replaces.as_ref().map(rrss_core::Replaced::key);
        for key in [old, Some(op.key())].into_iter().flatten() {
            let Shard { due, notes } = Shard::of(key?.as_str(), space);
            script.add_key(due);
            script.add_key(notes);
        }
    }
    script.text(change);
    script.arg(event);
    script.text(in_millis(after));
    Ok(())
}

fn in_millis(duration: Duration) -> String {
    duration.as_millis().min(1 << 53).to_string()
}

/// Scripts count in doubles.
fn exact(instant: Timestamp) -> i64 {
    millis(instant).min(1 << 53)
}
