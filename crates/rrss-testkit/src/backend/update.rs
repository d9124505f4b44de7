//! What a write over an existing session promises.

use std::future::Future;

use bytes::Bytes;
use rrss_core::{Deadline, Written};

use super::create::{age, past};
use crate::Subject;
use crate::run::{ROUNDS, contest, joined};

/// "Under `Guard::Exists` it replaces what is live there": with more bytes, with fewer, with none.
pub async fn update_replaces_the_bytes(subject: Subject) {
    subject.create("key", b"first", subject.later()).await;
    for bytes in [&b"the second, and longer"[..], b"3", b""] {
        let written = subject.update("key", bytes, subject.later()).await;
        assert_eq!(written, Written::Done);
        assert_eq!(subject.read("key").await.as_deref(), Some(bytes));
    }
}

/// "Else it answers `Written::Gone` and stores nothing".
pub async fn update_of_a_key_never_written_answers_gone_and_stores_nothing(subject: Subject) {
    gone(&subject, "key").await;
}

/// "Else it answers `Written::Gone` and stores nothing": nobody brings a deleted session back.
pub async fn update_of_a_deleted_key_answers_gone_and_stores_nothing(subject: Subject) {
    subject.create("key", b"1", subject.later()).await;
    subject.remove("key").await;
    gone(&subject, "key").await;
}

/// "Else it answers `Written::Gone` and stores nothing": nobody brings an expired session back.
pub async fn update_of_an_expired_key_answers_gone_and_stores_nothing(subject: Subject) {
    let (key, deadline, _) = subject
        .soon(async |key, deadline| subject.create(key, b"1", Deadline::At(deadline)).await)
        .await;
    subject.pass(deadline).await;
    gone(&subject, &key).await;
}

async fn gone(subject: &Subject, key: &str) {
    for deadline in [subject.later(), Deadline::Keep, Deadline::Never] {
        let written = subject.update(key, b"late", deadline).await;
        assert_eq!(written, Written::Gone, "with {deadline:?}");
        assert_eq!(subject.read(key).await, None, "with {deadline:?}");
    }
}

/// "With `Deadline::Keep` a replaced session keeps the deadline that it has", or that it has none.
pub async fn update_that_keeps_the_deadline_leaves_it(subject: Subject) {
    let (key, deadline, written) = subject
        .soon(async |key, deadline| {
            subject.create(key, b"1", Deadline::At(deadline)).await;
            let written = subject.update(key, b"2", Deadline::Keep).await;
            (written, subject.read(key).await)
        })
        .await;
    assert_eq!(written, (Written::Done, Some(Bytes::from_static(b"2"))));
    subject.pass(deadline).await;
    assert_eq!(subject.read(&key).await, None, "its deadline must stay");

    subject.create("endless", b"1", Deadline::Never).await;
    subject.update("endless", b"2", Deadline::Keep).await;
    age(&subject, &["endless"]).await;
    assert!(
        subject.read("endless").await.is_some(),
        "it had no deadline"
    );
}

/// An update's deadline takes the place of an earlier one.
pub async fn update_moves_the_deadline_later(subject: Subject) {
    let (key, deadline, written) = subject
        .soon(async |key, deadline| {
            subject.create(key, b"1", Deadline::At(deadline)).await;
            subject.update(key, b"2", subject.later()).await
        })
        .await;
    assert_eq!(written, Written::Done);
    subject.pass(deadline).await;
    assert_eq!(subject.read(&key).await.as_deref(), Some(&b"2"[..]));
}

/// An update's deadline takes the place of a later one, and of none.
pub async fn update_moves_the_deadline_earlier(subject: Subject) {
    for before in [subject.later(), Deadline::Never] {
        let (key, deadline, written) = subject
            .soon(async |key, deadline| {
                subject.create(key, b"1", before).await;
                subject.update(key, b"2", Deadline::At(deadline)).await
            })
            .await;
        assert_eq!(written, Written::Done);
        subject.pass(deadline).await;
        assert_eq!(subject.read(&key).await, None, "it had {before:?}");
    }
}

/// With `Deadline::Never` a session that had a deadline has none any more.
pub async fn update_without_a_deadline_never_ends(subject: Subject) {
    let (key, deadline, _) = subject
        .soon(async |key, deadline| {
            subject.create(key, b"1", Deadline::At(deadline)).await;
            subject.update(key, b"2", Deadline::Never).await
        })
        .await;
    subject.pass(deadline).await;
    age(&subject, &[&key]).await;
    subject.swept(100).await;
    assert_eq!(subject.read(&key).await.as_deref(), Some(&b"2"[..]));
}

/// "A deadline that is not in the future removes what is there, and is done."
pub async fn update_with_a_past_deadline_is_done_and_removes(subject: Subject) {
    for (name, deadline) in past(&subject) {
        subject.create(name, b"1", Deadline::Never).await;
        let written = subject.update(name, b"2", deadline).await;
        assert_eq!(written, Written::Done, "{name}");
        subject.pass(subject.now()).await;
        assert_eq!(subject.read(name).await, None, "{name}");
        assert!(!subject.remove(name).await, "{name}");
    }
}

/// The guard comes before the deadline: where there is nothing to end, nothing was ended.
pub async fn update_of_a_missing_key_answers_gone_whatever_its_deadline(subject: Subject) {
    for (name, deadline) in past(&subject) {
        let written = subject.update(name, b"1", deadline).await;
        assert_eq!(written, Written::Gone, "{name}");
        assert_eq!(subject.read(name).await, None, "{name}");
    }
}

/// An update and a delete of one session at once: whichever comes first, nothing is left.
pub async fn an_update_and_a_delete_at_once_leave_nothing(subject: Subject) {
    let update = |subject: Subject, key: String| async move {
        subject.update(&key, b"2", subject.later()).await
    };
    and_a_delete_leave_nothing(subject, update).await;
}

/// Runs an operation and a delete at once on keys that are there.
pub(super) async fn and_a_delete_leave_nothing<A, P>(
    subject: Subject,
    act: impl Fn(Subject, String) -> P + Send + Clone + 'static,
) where
    A: Send + 'static,
    P: Future<Output = A> + Send + 'static,
{
    let prepare = async |key: &str| {
        subject.create(key, b"1", subject.later()).await;
    };
    let (acting, deleting) = (subject.clone(), subject.clone());
    let act = move |key| act(acting.clone(), key);
    let delete = move |key: String| {
        let subject = deleting.clone();
        async move { subject.remove(&key).await }
    };
    for (key, _, deleted) in contest(prepare, act, delete).await {
        assert!(deleted, "it was there to be deleted");
        assert_eq!(subject.read(&key).await, None, "it came back");
    }
}

/// Of updates at once each stores its bytes whole: a load meanwhile reads one of them, not parts of two.
pub async fn updates_at_once_are_never_mixed(subject: Subject) {
    const LENGTH: usize = 50_000;
    subject.create("key", &[0; LENGTH], subject.later()).await;
    for round in 0..ROUNDS / 10 {
        let update = |byte: u8| {
            let subject = subject.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    subject
                        .update("key", &[byte; LENGTH], subject.later())
                        .await;
                }
            })
        };
        let (one, two) = (update(1), update(2));
        loop {
            let is_last = one.is_finished() && two.is_finished();
            let read = subject.read("key").await.expect("it is live");
            assert!(
                read.len() == LENGTH && read.iter().all(|byte| *byte == read[0]),
                "round {round}: parts of two updates were read"
            );
            if is_last {
                break;
            }
            tokio::task::yield_now().await;
        }
        joined(one).await;
        joined(two).await;
    }
}
