//! What was asked, and what was answered.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rrss::{ErrorKind, Handle, Session, SessionId, Timestamp};

use crate::event::Op;

/// A field that sessions of a run may have, with its value as JSON text; `None` where it has none.
pub(crate) type Field = (&'static str, Option<String>);

/// The field that tells sessions apart, whatever ids they have.
pub(crate) const WHO: &str = "who";
/// The field that is indexed.
pub(crate) const USER: &str = "user";
/// The field that counts.
pub(crate) const COUNT: &str = "n";
/// The fields whose values are followed.
pub(crate) const FIELDS: [&str; 3] = [USER, "a", "b"];

/// One operation, from its call to its answer.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) store: usize,
    pub(crate) op: Op,
    /// Which session it was on, and by which id.
    pub(crate) who: Option<u64>,
    pub(crate) id: Option<SessionId>,
    /// When it was called and answered, as numbers that grow.
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// When it was called and answered, in milliseconds of the server's clock.
    pub(crate) began: u64,
    pub(crate) ended: u64,
    /// What it was to write.
    pub(crate) writes: Vec<Field>,
    /// What it may have written besides, because its copy of the session had it.
    pub(crate) copied: Vec<Field>,
    /// Whether it was to set a deadline far away.
    pub(crate) forever: bool,
    pub(crate) answer: Answer,
    /// How many faults came meanwhile that leave doubt.
    pub(crate) faults: u64,
    /// By which id the caller's session is known after it.
    pub(crate) held: Option<SessionId>,
    /// Whether the caller's session does not know any more that it has changes, though they were not stored.
    pub(crate) forgot: bool,
}

/// What an operation answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// It has not answered yet.
    None,
    /// Done, for what has nothing to tell.
    Done,
    /// A new session, or a new id.
    Id(SessionId),
    Loaded(Option<Seen>),
    /// There was such a session, or none.
    Was(bool),
    Sessions(Vec<Seen>),
    Counted(u64),
    Failed {
        kind: ErrorKind,
        message: String,
        doubt: bool,
    },
}

/// A session as somebody saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) who: Option<u64>,
    pub(crate) id: Option<SessionId>,
    pub(crate) fields: Vec<Field>,
    pub(crate) count: u64,
}

impl Seen {
    pub(crate) fn of(session: &Session) -> Self {
        let text = |name| session.get_raw(name).map(str::to_owned);
        Self {
            who: session.get(WHO).ok().flatten(),
            id: session.id().cloned(),
            fields: FIELDS.map(|name| (name, text(name))).to_vec(),
            count: session.get(COUNT).ok().flatten().unwrap_or(0),
        }
    }

    pub(crate) fn user(&self) -> Option<&str> {
        let user = self.fields.iter().find(|(name, _)| *name == USER);
        user.and_then(|(_, value)| value.as_deref())
    }
}

impl Record {
    /// Whether it failed and certainly changed nothing.
    pub(crate) fn did_nothing(&self) -> bool {
        matches!(self.answer, Answer::Failed { doubt: false, .. })
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(
            self.answer,
            Answer::Failed { doubt: true, .. } | Answer::None
        )
    }

    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.answer, Answer::None)
    }

    pub(crate) fn is_done(&self) -> bool {
        !matches!(self.answer, Answer::Failed { .. } | Answer::None)
    }

    pub(crate) fn failed_as(&self, as_kind: ErrorKind) -> bool {
        matches!(self.answer, Answer::Failed { kind, .. } if kind == as_kind)
    }

    /// The sessions that it saw.
    pub(crate) fn seen(&self) -> &[Seen] {
        match &self.answer {
            Answer::Loaded(Some(seen)) => std::slice::from_ref(seen),
            Answer::Sessions(seen) => seen,
            _ => &[],
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |id: &SessionId| {
            let handle = Handle::of(id).to_string();
            handle.chars().take(4).collect::<String>()
        };
        write!(f, "{:>4}–", self.start)?;
        match self.end {
            u64::MAX => write!(f, "{:<4}", "?")?,
            end => write!(f, "{end:<4}")?,
        }
        match self.op {
            Op::LoadOld(usize::MAX) => write!(f, " store {} looks", self.store)?,
            op => write!(f, " store {} {op:?}", self.store)?,
        }
        if let Some(who) = self.who {
            write!(f, " session {who}")?;
        }
        if let Some(id) = &self.id {
            write!(f, " id {}", name(id))?;
        }
        for (field, value) in &self.writes {
            write!(f, " {field}={}", value.as_deref().unwrap_or("none"))?;
        }
        f.write_str(" → ")?;
        match &self.answer {
            Answer::None => f.write_str("no answer"),
            Answer::Done => f.write_str("done"),
            Answer::Id(id) => write!(f, "id {}", name(id)),
            Answer::Loaded(None) => f.write_str("none"),
            Answer::Was(was) => write!(f, "{was}"),
            Answer::Counted(count) => write!(f, "{count}"),
            Answer::Loaded(Some(_)) | Answer::Sessions(_) => {
                let seen = self.seen().iter().map(|seen| {
                    let fields = seen.fields.iter().filter_map(|(field, value)| {
                        value.as_ref().map(|value| format!("{field}={value}"))
                    });
                    let fields: Vec<String> = fields.collect();
                    let who = seen.who.map_or("?".to_owned(), |who| who.to_string());
                    let id = seen.id.as_ref().map(|id| format!(" id {}", name(id)));
                    format!(
                        "session {who}{} {}",
                        id.unwrap_or_default(),
                        fields.join(" ")
                    )
                });
                write!(f, "[{}]", seen.collect::<Vec<_>>().join(", "))
            }
            Answer::Failed {
                kind,
                message,
                doubt,
            } => {
                let doubt = if *doubt { ", in doubt" } else { "" };
                write!(f, "{kind:?}{doubt}: {message}")
            }
        }
    }
}

/// The operations of a run, in the order of their calls.
#[derive(Debug, Default)]
pub(crate) struct History {
    records: Mutex<Vec<Record>>,
    clock: AtomicU64,
    whos: AtomicU64,
    values: AtomicU64,
}

impl History {
    /// A number that is larger than all before.
    pub(crate) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// A session that no other is.
    pub(crate) fn fresh_who(&self) -> u64 {
        self.whos.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// A value that no other write has.
    pub(crate) fn fresh_value(&self) -> u64 {
        self.values.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Writes a call down; the place is for its answer.
    pub(crate) fn call(&self, record: Record) -> usize {
        let mut records = self.records();
        records.push(record);
        records.len() - 1
    }

    pub(crate) fn answer(&self, at: usize, change: impl FnOnce(&mut Record)) {
        change(&mut self.records()[at]);
    }

    pub(crate) fn all(&self) -> Vec<Record> {
        self.records().clone()
    }

    /// Forgets all operations; what they did may or may not have happened.
    pub(crate) fn forget(&self) {
        self.records().clear();
    }

    /// What is in doubt now has happened by now, or will not.
    pub(crate) fn settle(&self) {
        let now = self.tick();
        for record in self.records().iter_mut() {
            if record.end == u64::MAX {
                record.end = now;
            }
        }
    }

    fn records(&self) -> std::sync::MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The year 9999.
pub(crate) const FOREVER: Timestamp = Timestamp::from_millis(253_402_300_799_000);
