//! A backend that keeps fields, with the flaw that its saves replace the whole session, or with none; and promises that are
//! listed as exceptions.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use bytes::Bytes;
use rrss_core::{
    Action, Backend, Cursor, Error, ErrorKind, Guard, Operation, Page, Record, Result, Session,
    StoredForm, Timestamp, Written,
};
use rrss_persistence::memory::Memory;
use rrss_testkit::{Subject, interleavings, store};

use crate::keeps;

struct Fields {
    replaces_all: bool,
    kept: Mutex<BTreeMap<String, (Session, Option<Timestamp>)>>,
}

impl Fields {
    fn subject(replaces_all: bool) -> Subject {
        Subject::new(Self {
            replaces_all,
            kept: Mutex::default(),
        })
    }
}

fn form(session: &Session) -> StoredForm {
    let fields: BTreeMap<_, _> = session.iter_raw().collect();
    Bytes::from(format!("{fields:?} {:?}", session.own_deadline())).into()
}

fn unsupported() -> Error {
    Error::new(ErrorKind::Unsupported, "this is not asked here")
}

impl Backend for Fields {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        let kept = self.kept.lock().expect("nothing panics here");
        let found = kept.get(op.key()?.as_str());
        Ok(found.map(|(session, deadline)| {
            Record::of_session(session.clone(), Some(form(session)), *deadline)
        }))
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        let mut kept = self.kept.lock().expect("nothing panics here");
        let key = op.key()?.as_str().to_owned();
        let session = op.session().ok_or_else(unsupported)?;
        let written = match (kept.get(&key), &op.guard) {
            (Some(_), Guard::Absent) => return Ok(Written::Taken),
            (None, Guard::Absent) => session.clone(),
            (None, _) => return Ok(Written::Gone),
            (Some((stored, _)), Guard::Unchanged(loaded)) if form(stored) != *loaded => {
                return Ok(Written::Changed);
            }
            (Some(_), _) if self.replaces_all => session.clone(),
            (Some((stored, _)), _) => session.merged_onto(stored.clone()),
        };
        let mut unmarked = Session::new();
        for (name, raw) in written.iter_raw() {
            unmarked.insert_raw(name, raw)?;
        }
        let unmarked = unmarked
            .with_created_at(written.created_at())
            .with_own_deadline(written.own_deadline());
        kept.insert(key, (unmarked, op.deadline.instant()));
        Ok(Written::Done)
    }

    fn stored_form(&self, session: &Session) -> Option<StoredForm> {
        Some(form(session))
    }

    fn keeps_fields(&self) -> bool {
        true
    }

    async fn touch(&self, _: &Operation) -> Result<Written> {
        Err(unsupported())
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        let mut kept = self.kept.lock().expect("nothing panics here");
        Ok(match kept.remove(op.key()?.as_str()) {
            Some(_) => Written::Done,
            None => Written::Gone,
        })
    }

    async fn list(&self, _: &Operation, _: Option<&Cursor>, _: usize) -> Result<Page> {
        Err(unsupported())
    }

    async fn count(&self, op: &Operation) -> Result<u64> {
        let kept = self.kept.lock().expect("nothing panics here");
        assert_eq!(*op.action(), Action::Count);
        Ok(kept.len() as u64)
    }

    async fn sweep(&self, _: &Operation, _: usize) -> Result<u64> {
        Ok(0)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

/// What is otherwise above a backend that keeps fields.
#[test]
fn saves_that_replace_the_whole_session_break_what_is_promised_of_fields() {
    let store = store::promises();
    let pairs = interleavings::promises();
    let told = [
        "saves_of_different_fields_both_survive",
        "a_merged_session_can_be_saved_again",
        "the_last_write_replaces_what_others_changed",
        "a_save_and_a_save",
    ];
    for name in told {
        let promise = store.iter().chain(&pairs).find(|one| one.name() == name);
        let promise = promise.expect("there is this promise");
        assert!(keeps(promise, || Fields::subject(false)), "{name}");
        assert!(!keeps(promise, || Fields::subject(true)), "{name}");
    }
}

/// The list of exceptions is no place to hide in.
#[test]
fn a_promise_that_is_listed_as_impossible_fails_where_it_is_kept() {
    let holds = |subject: fn() -> Subject| {
        let hold = || {
            rrss_testkit::__hold(
                "save_leaves_the_creation_time",
                async { subject() },
                store::save_leaves_the_creation_time,
            );
        };
        catch_unwind(AssertUnwindSafe(hold)).is_ok()
    };
    assert!(holds(|| Subject::new(Memory::default())));
    assert!(!holds(|| Subject::new(Memory::default()).without_times()));
}

/// Every exception is of a promise that there is.
#[test]
fn exceptions_name_promises() {
    for (_, name, _) in rrss_testkit::exceptions::EXCEPTIONS {
        let promises = store::promises();
        assert!(
            promises.iter().any(|promise| promise.name() == *name),
            "{name}"
        );
    }
}
