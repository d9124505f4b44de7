//! What changes a session, in one script: only where what it goes by still holds, and only the fields that changed.

use std::borrow::Cow;

use redis::Value;
use rrss_core::{
    Action, Deadline, Error, ErrorKind, Guard, Operation, Result, Session, StoredForm, Timestamp,
    Written,
};

use super::bounds::Bounds;
use super::compat::All;
use super::form;
use super::head;
use super::text::{self, Readers};
use crate::redis::commands::{Nonsense, millis};
use crate::redis::script::{Code, Script};

static CHANGE: Code = Code::new(include_str!("change.lua"));

/// A run of the script.
pub(super) struct Change<'a> {
    pub(super) script: Script<'a>,
    pub(super) reading: Reading,
}

/// How its reply is read.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    /// What it means that nothing was done.
    refused: Written,
}

/// What must hold of the entries that are stored.
#[derive(Default)]
struct Held<'a> {
    /// Its own deadline; `None` for any.
    until: Option<Cow<'a, str>>,
    /// How many fields there are; `None` for any number.
    count: Option<usize>,
    /// Names and texts by turns.
    entries: Vec<Cow<'a, [u8]>>,
    /// Names that are not there.
    absent: Vec<Cow<'a, [u8]>>,
}

impl<'a> Change<'a> {
    /// `None` where what is stored cannot be what the guard says.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] where a session is to be stored that is beyond `bounds`.
    pub(super) fn of(
        op: &'a Operation,
        all: Option<&'a All>,
        bounds: Bounds,
    ) -> Result<Option<Self>> {
        let mut keys = vec![op.key()?.as_bytes()];
        keys.extend(all.map(All::key));
        let mut script = Script::new(&CHANGE, keys);
        let action = match (op.action(), &op.guard) {
            (Action::Create, _) => "create",
            (Action::Delete, Guard::Unchanged(_)) => "delete",
            (Action::Delete, _) => "remove",
            (Action::Touch, _) => "touch",
            _ => "update",
        };
        script.text(action);
        script.text(deadline(op, all));
        script.text(all.map_or(String::new(), |all| all.horizon(op.now()).to_string()));
        let readers = match all {
            Some(_) => Readers::Others,
            None => Readers::Rrss,
        };
        match op.action() {
            Action::Create | Action::Update => {
                let session = op.session().ok_or_else(no_session)?;
                bounds.allow(session)?;
                script.text(op.now().as_millis().to_string());
                script.text(in_millis(session.created_at()));
                script.text(in_millis(session.own_deadline()));
                if *op.action() == Action::Update {
                    let Some(held) = Held::of(op, session, readers)? else {
                        return Ok(None);
                    };
                    held.put_on(&mut script);
                    put_fields(session.written(), readers, &mut script)?;
                } else {
                    if session.is_empty() && all.is_some() {
                        return Err(no_entry());
                    }
                    let fields = session.iter_raw().map(|(name, raw)| (name, Some(raw)));
                    put_fields(fields, readers, &mut script)?;
                }
            }
            _ => {
                for _ in ["now", "created", "own deadline"] {
                    script.text("");
                }
                let held = match &op.guard {
                    Guard::Unchanged(stored) => Held::whole(stored),
                    _ => Some(Held::default()),
                };
                let Some(held) = held else {
                    return Ok(None);
                };
                held.put_on(&mut script);
            }
        }
        let refused = match op.action() {
            Action::Create => Written::Taken,
            _ => Written::Gone,
        };
        let reading = Reading { refused };
        Ok(Some(Self { script, reading }))
    }
}

impl Reading {
    pub(super) fn of(self, reply: &Value) -> Result<Written, Nonsense> {
        match reply {
            Value::Int(1) => Ok(Written::Done),
            Value::Int(0) => Ok(self.refused),
            Value::Int(-1) => Ok(Written::Changed),
            _ => Err(Nonsense),
        }
    }
}

impl<'a> Held<'a> {
    /// For an update of `session`; `None` where nothing can be so.
    fn of(op: &'a Operation, session: &'a Session, readers: Readers) -> Result<Option<Self>> {
        let mut held = match &op.guard {
            Guard::Unchanged(stored) => match Self::whole(stored) {
                Some(held) => held,
                None => return Ok(None),
            },
            Guard::Exists => Self::default(),
            _ => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "the `redis` backend does not know the guard of this write; update `rrss-persistence`",
                ));
            }
        };
        // A deadline of its own that another request has given it must not be taken back unasked.
        let keeps_head = readers == Readers::Rrss;
        if held.until.is_none() && keeps_head && !session.is_deadline_modified() {
            held.until = Some(in_millis(session.own_deadline()).into());
        }
        for name in session.guarded_fields() {
            match session.stored_raw(name) {
                Some(raw) => {
                    held.entries.push(Cow::Borrowed(name.as_bytes()));
                    held.entries.push(bytes(text::stored(name, raw, readers)?));
                }
                None => held.absent.push(Cow::Borrowed(name.as_bytes())),
            }
        }
        Ok(Some(held))
    }

    /// Exactly what a stored form says.
    fn whole(stored: &'a StoredForm) -> Option<Self> {
        let mut texts = form::texts(stored)?.into_iter();
        let until = std::str::from_utf8(texts.next()?).ok()?;
        let entries: Vec<_> = texts.map(Cow::Borrowed).collect();
        Some(Self {
            until: Some(until.into()),
            count: Some(entries.len() / 2),
            entries,
            absent: Vec::new(),
        })
    }

    fn put_on(self, script: &mut Script<'a>) {
        script.text(self.until.unwrap_or(ANY.into()));
        script.text(self.count.map_or(ANY.into(), |count| count.to_string()));
        script.list(self.entries);
        script.list(self.absent);
    }
}

const ANY: &str = "any";

/// What is set, and what is removed.
fn put_fields<'a>(
    fields: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    readers: Readers,
    script: &mut Script<'a>,
) -> Result<()> {
    let (mut set, mut removed) = (Vec::new(), Vec::new());
    for (name, raw) in fields {
        let name_bytes = Cow::Borrowed(name.as_bytes());
        match raw {
            Some(_) if name == head::NAME => return Err(reserved()),
            Some(raw) => {
                set.push(name_bytes);
                set.push(bytes(text::stored(name, raw, readers)?));
            }
            // Only an application can name it, and what it names is not there.
            None if name == head::NAME => {}
            None => removed.push(name_bytes),
        }
    }
    script.list(set);
    script.list(removed);
    Ok(())
}

fn deadline(op: &Operation, all: Option<&All>) -> Cow<'static, str> {
    match (op.deadline, all) {
        _ if op.deadline.is_past(op.now()) => "past".into(),
        (Deadline::Never, _) => "never".into(),
        // What is left of another session in `sessions:all` is not for this one.
        (Deadline::Keep, Some(_)) if op.guard == Guard::Absent => "never".into(),
        (Deadline::Keep, _) => "keep".into(),
        (Deadline::At(deadline), None) => millis(deadline).to_string().into(),
        (Deadline::At(deadline), Some(all)) => all.written_before(deadline).to_string().into(),
    }
}

fn in_millis(time: Option<Timestamp>) -> String {
    time.map_or(String::new(), |time| time.as_millis().to_string())
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

fn no_session() -> Error {
    Error::new(
        ErrorKind::Config,
        "what came to the `redis` step is no session, and with `layout = \"hash\"` it keeps the fields itself; remove \
         the codec above it",
    )
}

fn no_entry() -> Error {
    Error::new(
        ErrorKind::Value,
        "a session without fields cannot be created with this `compat`, whose hashes have no other entries; give it a field \
         first",
    )
}

fn reserved() -> Error {
    Error::new(
        ErrorKind::Value,
        format!(
            "the name `{}` is reserved for what rrss stores beside the fields; give the field another name",
            head::NAME
        ),
    )
}
