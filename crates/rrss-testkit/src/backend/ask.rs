//! Short forms of the operations, for promises to be read as what they promise.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use rrss_core::{
    Action, Answer, Cursor, Deadline, KeySpace, Operation, Outcome, Payload, Timestamp, Written,
};

use crate::subject::Subject;

/// No listing of a test has as many pages; one that does never ends.
pub(super) const MOST_PAGES: usize = 100_000;

impl Subject {
    /// A deadline that does not come while a test runs.
    pub(crate) fn later(&self) -> Deadline {
        Deadline::At(self.now() + Duration::from_secs(3600))
    }

    pub(crate) async fn create(&self, name: &str, bytes: &[u8], deadline: Deadline) -> Written {
        self.write_as(Action::Create, name, bytes, deadline).await
    }

    pub(crate) async fn update(&self, name: &str, bytes: &[u8], deadline: Deadline) -> Written {
        self.write_as(Action::Update, name, bytes, deadline).await
    }

    async fn write_as(
        &self,
        action: Action,
        name: &str,
        bytes: &[u8],
        deadline: Deadline,
    ) -> Written {
        let mut op = self.operation(action, name);
        op.deadline = deadline;
        op.payload = self.payload(bytes);
        match self.answered(op).await.outcome {
            Outcome::Done => Written::Done,
            Outcome::Taken => Written::Taken,
            Outcome::Missing => Written::Gone,
            outcome => panic!("a write was answered {outcome:?}"),
        }
    }

    /// Moves the deadline of what is under a key, and says whether it was there.
    pub(crate) async fn renew(&self, name: &str, deadline: Deadline) -> bool {
        let mut op = self.operation(Action::Touch, name);
        op.deadline = deadline;
        happened(&self.answered(op).await)
    }

    /// Deletes a key, and says whether it was there.
    pub(crate) async fn remove(&self, name: &str) -> bool {
        happened(&self.answered(self.operation(Action::Delete, name)).await)
    }

    /// The bytes under a key.
    pub(crate) async fn read(&self, name: &str) -> Option<Bytes> {
        self.record(name).await.map(|(bytes, _)| bytes)
    }

    /// The bytes under a key and their deadline, where the backend tells it.
    pub(crate) async fn record(&self, name: &str) -> Option<(Bytes, Option<Timestamp>)> {
        let answer = self.answered(self.operation(Action::Load, name)).await;
        match (answer.outcome, answer.payload) {
            (Outcome::Found, Payload::Bytes(bytes)) => Some((bytes, answer.expires_at)),
            (Outcome::Missing, _) => None,
            (outcome, _) => panic!("a load was answered {outcome:?}"),
        }
    }

    /// The deadline of what is live under a key, from a load that wants it.
    pub(crate) async fn deadline(&self, name: &str) -> Option<Timestamp> {
        let mut op = self.operation(Action::Load, name);
        op.wants_deadline = true;
        let answer = self.answered(op).await;
        assert_eq!(answer.outcome, Outcome::Found, "it is live");
        answer.expires_at
    }

    /// One page of a listing: the keys without the subject's prefix, and where the next page begins.
    pub(crate) async fn page(
        &self,
        space: &KeySpace,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> (Vec<String>, Option<Cursor>) {
        let mut op = Operation::new(Action::List { cursor, limit }, self.now());
        op.key_space = Some(space.clone());
        let Outcome::Page(page) = self.answered(op).await.outcome else {
            panic!("a list was not answered with a page");
        };
        let names = page.keys.iter().map(|key| {
            let name = key.as_str().strip_prefix(self.prefix());
            name.expect("a listing names keys of its key space")
                .to_owned()
        });
        (names.collect(), page.next)
    }

    /// All pages of a listing, without what is named twice.
    pub(crate) async fn names(&self, space: &KeySpace, limit: usize) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let (page, next) = self.page(space, cursor, limit).await;
            names.extend(page);
            match next {
                Some(next) => cursor = Some(next),
                None => return names,
            }
        }
        panic!("a listing did not end in {MOST_PAGES} pages");
    }

    pub(crate) async fn number(&self, space: &KeySpace) -> u64 {
        let mut op = Operation::new(Action::Count, self.now());
        op.key_space = Some(space.clone());
        counted(&self.answered(op).await)
    }

    pub(crate) async fn swept(&self, limit: usize) -> u64 {
        let op = Operation::new(Action::Sweep { limit }, self.now());
        counted(&self.answered(op).await)
    }

    pub(crate) async fn answered(&self, op: Operation) -> Answer {
        let action = op.action().clone();
        let answer = self.run(op).await;
        answer.unwrap_or_else(|error| panic!("{action:?} failed: {error:?}"))
    }

    /// Does what depends on a deadline that is near but has not passed, and answers the key, the deadline and
    /// what came of it. On a machine so slow that the deadline passed meanwhile it is done again with another
    /// key and a later deadline; so nothing in it may assert that the session is live.
    pub(crate) async fn soon<T>(
        &self,
        act: impl AsyncFn(&str, Timestamp) -> T,
    ) -> (String, Timestamp, T) {
        let mut span = if self.is_real_time() {
            Duration::from_millis(250)
        } else {
            Duration::from_secs(10)
        };
        for attempt in 0..8 {
            let name = format!("soon-{attempt}");
            let deadline = self.now() + span;
            let outcome = act(&name, deadline).await;
            if self.now() < deadline {
                return (name, deadline, outcome);
            }
            // Also what ends a little later than the deadline is then past, and disturbs no further attempt.
            self.pass(deadline + Duration::from_millis(50)).await;
            span *= 2;
        }
        panic!("this machine is too slow to do a few operations within {span:?}");
    }
}

fn happened(answer: &Answer) -> bool {
    match &answer.outcome {
        Outcome::Done => true,
        Outcome::Missing => false,
        outcome => panic!("whether something was there was answered {outcome:?}"),
    }
}

fn counted(answer: &Answer) -> u64 {
    match &answer.outcome {
        Outcome::Count(count) => *count,
        outcome => panic!("a count was answered {outcome:?}"),
    }
}
