//! Short forms of the operations with notes, for promises to be read as what they promise.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use rrss_core::{
    Action, Deadline, ExpiredNote, Guard, KeySpace, NoteChange, Operation, Outcome, Payload,
    Timestamp, Written,
};

use crate::Subject;

/// Longer than any test runs.
pub(super) const LONG: Duration = Duration::from_secs(3600);

/// No answer of a test is given in as many parts; one that is never ends.
const MOST_TAKES: usize = 10_000;

const NAME_LENGTH: usize = 8;

/// Notes by the names of their sessions, each with the deadline that is told.
pub(super) type Given = BTreeMap<String, (String, Timestamp)>;

/// Sessions with notes, in one key space of a subject.
#[derive(Clone)]
pub(super) struct Noted {
    pub(super) subject: Subject,
    space: KeySpace,
}

/// A note to be kept.
pub(super) fn keep(note: &str) -> NoteChange {
    NoteChange::Keep {
        note: Bytes::copy_from_slice(note.as_bytes()),
        after: LONG,
    }
}

impl Noted {
    /// In a key space of the subject's.
    #[track_caller]
    pub(super) fn of(subject: Subject) -> Self {
        Self::in_space(subject, "s:")
    }

    #[track_caller]
    pub(super) fn in_space(subject: Subject, space: &str) -> Self {
        assert!(
            subject.pipeline().keeps_expired(),
            "this backend keeps no notes of sessions"
        );
        let space = KeySpace::new(format!("{}{space}", subject.prefix()), "");
        let space = space.with_middle_of(NAME_LENGTH);
        Self { subject, space }
    }

    pub(super) fn later(&self) -> Deadline {
        self.subject.later()
    }

    pub(super) fn space(&self) -> &KeySpace {
        &self.space
    }

    fn operation(&self, action: Action, name: &str) -> Operation {
        let mut op = Operation::new(action, self.subject.now());
        let name = format!("{name:_<NAME_LENGTH$}");
        op.key = Some(format!("{}{name}", self.space.prefix()).into());
        op.key_space = Some(self.space.clone());
        op
    }

    /// Stores a new session.
    pub(super) async fn create(&self, name: &str, deadline: Deadline, note: NoteChange) {
        let mut op = self.operation(Action::Create, name);
        op.payload = Payload::Bytes(Bytes::from_static(b"created"));
        op.deadline = deadline;
        op.index.note = note;
        assert_eq!(self.written(op).await, Written::Done);
    }

    /// Replaces a session, whatever it is.
    pub(super) async fn update(&self, name: &str, deadline: Deadline, note: NoteChange) -> Written {
        let mut op = self.operation(Action::Update, name);
        op.payload = Payload::Bytes(Bytes::from_static(b"updated"));
        op.deadline = deadline;
        op.index.note = note;
        self.written(op).await
    }

    /// Moves the deadline of a session.
    pub(super) async fn touch(&self, name: &str, deadline: Deadline, note: NoteChange) -> Written {
        let mut op = self.operation(Action::Touch, name);
        op.deadline = deadline;
        op.index.note = note;
        self.written(op).await
    }

    /// Ends a session, of which nothing is to be told then.
    pub(super) async fn delete(&self, name: &str, guard: Guard) -> Written {
        let mut op = self.operation(Action::Delete, name);
        op.guard = guard;
        op.index.note = NoteChange::Remove;
        self.written(op).await
    }

    async fn written(&self, op: Operation) -> Written {
        match self.subject.answered(op).await.outcome {
            Outcome::Done => Written::Done,
            Outcome::Taken => Written::Taken,
            Outcome::Missing => Written::Gone,
            Outcome::Changed => Written::Changed,
            outcome => panic!("a change was answered {outcome:?}"),
        }
    }

    /// Takes up to `limit` notes once.
    pub(super) async fn take(&self, limit: usize, lease: Duration, keep: Duration) -> Given {
        let take = Action::TakeExpired { limit, lease, keep };
        let mut op = Operation::new(take, self.subject.now());
        op.key_space = Some(self.space.clone());
        let Outcome::Expired(notes) = self.subject.answered(op).await.outcome else {
            panic!("taking notes was not answered with notes");
        };
        let number = notes.len();
        let given: Given = notes.iter().map(|note| self.named(note)).collect();
        assert_eq!(given.len(), number, "one is given twice at once");
        given
    }

    fn named(&self, given: &ExpiredNote) -> (String, (String, Timestamp)) {
        let name = self.space.middle(given.key.as_str());
        let name = name.expect("what is given is of the key space");
        let note = String::from_utf8(given.note.to_vec()).expect("the notes of a test are text");
        let name = name.trim_end_matches('_').to_owned();
        (name, (note, given.deadline))
    }

    /// Takes what there is, a few at a time, for longer than the test runs.
    pub(super) async fn take_all(&self, limit: usize) -> Given {
        let mut all = Given::new();
        for _ in 0..MOST_TAKES {
            let given = self.take(limit, LONG, LONG).await;
            assert!(given.len() <= limit, "{} of {limit} are given", given.len());
            if given.is_empty() {
                return all;
            }
            for (name, given) in given {
                assert!(all.insert(name, given).is_none(), "one is given twice");
            }
        }
        panic!("notes were still given after {MOST_TAKES} times");
    }

    /// What is given once `deadline` has come, and what is to be swept is swept.
    pub(super) async fn given_after(&self, deadline: Timestamp) -> Given {
        self.subject.pass(deadline).await;
        self.sweep().await;
        self.take_all(100).await
    }

    /// Sweeps until nothing is left to sweep.
    pub(super) async fn sweep(&self) {
        while self.subject.swept(100).await >= 100 {}
    }

    /// Forgets the notes of these sessions, and says how many there were.
    pub(super) async fn forget(&self, names: &[&str]) -> u64 {
        let key = |name: &&str| format!("{}{name:_<NAME_LENGTH$}", self.space.prefix()).into();
        let keys = names.iter().map(key).collect();
        let mut op = Operation::new(Action::ForgetExpired { keys }, self.subject.now());
        op.key_space = Some(self.space.clone());
        match self.subject.answered(op).await.outcome {
            Outcome::Count(count) => count,
            outcome => panic!("forgetting notes was answered {outcome:?}"),
        }
    }
}

/// The names of what was given.
pub(super) fn names(given: &Given) -> Vec<&str> {
    given.keys().map(String::as_str).collect()
}
