//! Short forms of the operations with entries, for promises to be read as what they promise.

use std::collections::BTreeSet;

use bytes::Bytes;
use rrss_core::{
    Action, Backend, Cursor, Deadline, Guard, IndexKey, KeySpace, Operation, Outcome, Payload,
    StoredForm, Written,
};

use crate::Subject;

/// No answer of a test has as many pages; one that does never ends.
pub(super) const MOST_PAGES: usize = 100_000;

/// How long the names of sessions are, so that their keys are told from those of entries.
const NAME_LENGTH: usize = 8;

/// The entry of `value` in `field`.
pub(super) fn entry(field: &str, value: &str) -> IndexKey {
    let raw = serde_json::Value::from(value).to_string();
    let entry = IndexKey::of(field, &raw).expect("text is indexed");
    entry.expect("text is not null")
}

/// The entry of ann's sessions.
pub(super) fn ann() -> IndexKey {
    entry("user", "ann")
}

/// The entry of bob's.
pub(super) fn bob() -> IndexKey {
    entry("user", "bob")
}

/// Sessions with entries, in one key space of a subject.
#[derive(Clone)]
pub(super) struct Indexed {
    pub(super) subject: Subject,
    space: KeySpace,
}

impl Indexed {
    /// In a key space of the subject's.
    #[track_caller]
    pub(super) fn of(subject: Subject) -> Self {
        Self::in_space(subject, "s:")
    }

    #[track_caller]
    pub(super) fn in_space(subject: Subject, space: &str) -> Self {
        assert!(subject.keeps_index(), "this backend keeps no index");
        let space = KeySpace::new(format!("{}{space}", subject.prefix()), "");
        let space = space.with_middle_of(NAME_LENGTH);
        Self { subject, space }
    }

    pub(super) fn later(&self) -> Deadline {
        self.subject.later()
    }

    /// A name of the right length.
    pub(super) fn name(number: usize) -> String {
        format!("key-{number:04}")
    }

    fn operation(&self, action: Action, name: &str) -> Operation {
        let mut op = Operation::new(action, self.subject.now());
        let name = format!("{name:_<NAME_LENGTH$}");
        op.key = Some(format!("{}{name}", self.space.prefix()).into());
        op.key_space = Some(self.space.clone());
        op
    }

    /// Stores a new session that is found by `put`.
    pub(super) async fn create(&self, name: &str, deadline: Deadline, put: &[IndexKey]) -> Written {
        let mut op = self.operation(Action::Create, name);
        op.payload = Payload::Bytes(Bytes::from_static(b"created"));
        op.deadline = deadline;
        op.index.put = put.to_vec();
        self.written(op).await
    }

    /// Replaces a session, whatever it is.
    pub(super) async fn update(
        &self,
        name: &str,
        deadline: Deadline,
        put: &[IndexKey],
        removed: &[IndexKey],
    ) -> Written {
        self.update_if(name, Guard::Exists, b"updated", deadline, put, removed)
            .await
    }

    pub(super) async fn update_if(
        &self,
        name: &str,
        guard: Guard,
        bytes: &'static [u8],
        deadline: Deadline,
        put: &[IndexKey],
        removed: &[IndexKey],
    ) -> Written {
        let mut op = self.operation(Action::Update, name);
        op.payload = Payload::Bytes(Bytes::from_static(bytes));
        op.deadline = deadline;
        op.guard = guard;
        op.index.put = put.to_vec();
        op.index.removed = removed.to_vec();
        self.written(op).await
    }

    /// Moves the deadline of a session that has the entries `put`.
    pub(super) async fn touch(&self, name: &str, deadline: Deadline, put: &[IndexKey]) -> bool {
        let mut op = self.operation(Action::Touch, name);
        op.deadline = deadline;
        op.index.put = put.to_vec();
        self.written(op).await == Written::Done
    }

    /// Ends a session that has the entries `removed`.
    pub(super) async fn delete(&self, name: &str, removed: &[IndexKey]) -> Written {
        self.delete_if(name, Guard::Exists, removed).await
    }

    pub(super) async fn delete_if(
        &self,
        name: &str,
        guard: Guard,
        removed: &[IndexKey],
    ) -> Written {
        let mut op = self.operation(Action::Delete, name);
        op.guard = guard;
        op.index.removed = removed.to_vec();
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

    /// One page: the names, and where the next page begins.
    pub(super) async fn page(
        &self,
        entry: &IndexKey,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> (Vec<String>, Option<Cursor>) {
        let find = Action::Find {
            entry: entry.clone(),
            cursor,
            limit,
        };
        let mut op = Operation::new(find, self.subject.now());
        op.key_space = Some(self.space.clone());
        let Outcome::Page(page) = self.subject.answered(op).await.outcome else {
            panic!("a find was not answered with a page");
        };
        let names = page.keys.iter().map(|key| {
            let name = self.space.middle(key.as_str());
            let name = name.expect("a find names keys of its key space");
            name.trim_end_matches('_').to_owned()
        });
        (names.collect(), page.next)
    }

    /// All pages, without what is named twice.
    pub(super) async fn found_by(&self, entry: &IndexKey, limit: usize) -> BTreeSet<String> {
        let (mut names, mut cursor) = (BTreeSet::new(), None);
        for _ in 0..MOST_PAGES {
            let (page, next) = self.page(entry, cursor, limit).await;
            names.extend(page);
            match next {
                Some(next) => cursor = Some(next),
                None => return names,
            }
        }
        panic!("a find did not end in {MOST_PAGES} pages");
    }

    /// Whether `entry` names a session.
    pub(super) async fn finds(&self, entry: &IndexKey, name: &str) -> bool {
        self.found_by(entry, 100).await.contains(name)
    }

    /// Sweeps until nothing is left to sweep.
    pub(super) async fn sweep(&self) {
        while self.subject.swept(100).await >= 100 {}
    }

    pub(super) fn space(&self) -> &KeySpace {
        &self.space
    }
}

/// The guard of a session that was loaded as `bytes`.
pub(super) fn loaded(bytes: &'static [u8]) -> Guard {
    Guard::Unchanged(StoredForm::from(Bytes::from_static(bytes)))
}

pub(super) fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}
