//! What a write promises that must find what was loaded.

use bytes::Bytes;
use rrss_core::{Action, Deadline, Guard, Outcome, Payload, StoredForm, Written};

use super::create::past;
use crate::Subject;
use crate::run::contest;

impl Subject {
    /// Replaces `loaded` under a key.
    pub(crate) async fn replace(
        &self,
        name: &str,
        loaded: &[u8],
        bytes: &[u8],
        deadline: Deadline,
    ) -> Written {
        let mut op = self.operation(Action::Update, name);
        op.deadline = deadline;
        op.guard = Guard::Unchanged(StoredForm::from(Bytes::copy_from_slice(loaded)));
        op.payload = Payload::Bytes(Bytes::copy_from_slice(bytes));
        let answer = self.run(op).await.expect("a guarded write works");
        match answer.outcome {
            Outcome::Done => Written::Done,
            Outcome::Missing => Written::Gone,
            Outcome::Changed => Written::Changed,
            outcome => panic!("a guarded write was answered {outcome:?}"),
        }
    }
}

/// "Under `Guard::Unchanged` it replaces exactly those bytes": whatever bytes they are.
pub async fn update_of_what_was_loaded_is_done(subject: Subject) {
    let large = vec![b'x'; 50_000];
    let chain: [&[u8]; 5] = [b"{}", b"\0\xff\r\n", &large, b"", b"{\"a\":1}"];
    subject.create("key", chain[0], subject.later()).await;
    for pair in chain.windows(2) {
        let written = subject
            .replace("key", pair[0], pair[1], subject.later())
            .await;
        assert_eq!(written, Written::Done);
        assert_eq!(subject.read("key").await.as_deref(), Some(pair[1]));
    }
}

/// "Else it answers `Written::Changed` and stores nothing": larger, smaller, or different in one byte.
pub async fn update_of_what_has_changed_is_refused_and_stores_nothing(subject: Subject) {
    subject.create("key", b"stored", subject.later()).await;
    for loaded in [&b"Stored"[..], b"store", b"storedd", b""] {
        let written = subject
            .replace("key", loaded, b"late", subject.later())
            .await;
        assert_eq!(written, Written::Changed);
        assert_eq!(subject.read("key").await.as_deref(), Some(&b"stored"[..]));
    }
}

/// "Or `Written::Gone` where it can tell that nothing is there, and stores nothing."
pub async fn update_of_what_was_loaded_and_is_gone_is_refused_and_stores_nothing(subject: Subject) {
    subject.create("key", b"1", subject.later()).await;
    subject.remove("key").await;
    for deadline in [subject.later(), Deadline::Keep, Deadline::Never] {
        let written = subject.replace("key", b"1", b"late", deadline).await;
        assert!(
            [Written::Gone, Written::Changed].contains(&written),
            "{written:?}"
        );
        assert_eq!(
            subject.read("key").await,
            None,
            "it came back with {deadline:?}"
        );
    }
}

/// A guarded write treats the deadline as any other does: it moves it, keeps it, takes it away.
pub async fn update_of_what_was_loaded_minds_the_deadline(subject: Subject) {
    let (key, deadline, written) = subject
        .soon(async |key, deadline| {
            subject.create(key, b"1", Deadline::At(deadline)).await;
            subject.replace(key, b"1", b"2", Deadline::Keep).await
        })
        .await;
    assert_eq!(written, Written::Done);
    subject.pass(deadline).await;
    assert_eq!(subject.read(&key).await, None, "the deadline must stay");
    let written = subject.replace(&key, b"2", b"3", subject.later()).await;
    assert_ne!(
        written,
        Written::Done,
        "nothing brings back what has expired"
    );

    for (name, deadline) in past(&subject) {
        subject.create(name, b"1", Deadline::Never).await;
        let written = subject.replace(name, b"other", b"2", deadline).await;
        assert_eq!(written, Written::Changed, "{name}");
        assert!(subject.read(name).await.is_some(), "{name}");
        let written = subject.replace(name, b"1", b"2", deadline).await;
        assert_eq!(written, Written::Done, "{name}");
        subject.pass(subject.now()).await;
        assert_eq!(subject.read(name).await, None, "{name}");
    }
}

/// "Of two updates of the same bytes, exactly one is done."
pub async fn of_two_updates_of_the_same_bytes_exactly_one_is_done(subject: Subject) {
    let prepare = async |key: &str| {
        subject.create(key, b"loaded", subject.later()).await;
    };
    let replace = |bytes: &'static [u8]| {
        let subject = subject.clone();
        move |key: String| {
            let subject = subject.clone();
            async move {
                subject
                    .replace(&key, b"loaded", bytes, subject.later())
                    .await
            }
        }
    };
    for (key, one, other) in contest(prepare, replace(b"one"), replace(b"other")).await {
        let stored = subject.read(&key).await.expect("it is live");
        match (one, other) {
            (Written::Done, Written::Changed) => assert_eq!(&stored[..], b"one"),
            (Written::Changed, Written::Done) => assert_eq!(&stored[..], b"other"),
            both => panic!("two updates of the same bytes were answered {both:?}"),
        }
    }
}
