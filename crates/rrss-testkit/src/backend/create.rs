//! What a write of a new session promises.

use std::time::Duration;

use rrss_core::{Deadline, Timestamp, Written};

use crate::Subject;
use crate::run::contest;

/// "Under `Guard::Absent` it writes only if nothing live is stored there, else it answers `Written::Taken`":
/// bytes and deadline of what is there stay.
pub async fn create_under_a_taken_key_answers_taken_and_changes_nothing(subject: Subject) {
    let (key, deadline, written) = subject
        .soon(async |key, deadline| {
            let first = subject.create(key, b"first", Deadline::At(deadline)).await;
            let second = subject.create(key, b"second", subject.later()).await;
            (first, second, subject.read(key).await)
        })
        .await;
    let first = bytes::Bytes::from_static(b"first");
    assert_eq!(written, (Written::Done, Written::Taken, Some(first)));
    subject.pass(deadline).await;
    assert_eq!(subject.read(&key).await, None, "its deadline must stay");
}

/// A key is free again once it was deleted.
pub async fn create_under_a_deleted_key_is_done(subject: Subject) {
    subject.create("key", b"first", Deadline::Never).await;
    subject.remove("key").await;
    let written = subject.create("key", b"second", subject.later()).await;
    assert_eq!(written, Written::Done);
    assert_eq!(subject.read("key").await.as_deref(), Some(&b"second"[..]));
}

/// "Only if nothing live is stored there": what is past its deadline is not live, swept or not. The new session
/// has its own deadline.
pub async fn create_under_an_expired_key_is_done(subject: Subject) {
    let (key, deadline, _) = subject
        .soon(async |key, deadline| subject.create(key, b"first", Deadline::At(deadline)).await)
        .await;
    subject.pass(deadline).await;
    let written = subject.create(&key, b"second", subject.later()).await;
    assert_eq!(written, Written::Done);
    subject.swept(100).await;
    assert_eq!(subject.read(&key).await.as_deref(), Some(&b"second"[..]));
}

/// "Of two creates of one key at once exactly one is done": the other is answered `Taken`, and the bytes are the
/// winner's.
pub async fn of_two_creates_at_once_exactly_one_is_done(subject: Subject) {
    let create = |bytes: &'static [u8]| {
        let subject = subject.clone();
        move |key: String| {
            let subject = subject.clone();
            async move { subject.create(&key, bytes, subject.later()).await }
        }
    };
    for (key, one, two) in contest(async |_| {}, create(b"one"), create(b"two")).await {
        let winner = match (one, two) {
            (Written::Done, Written::Taken) => "one",
            (Written::Taken, Written::Done) => "two",
            both => panic!("two creates at once were answered {both:?}"),
        };
        let read = subject.read(&key).await;
        assert_eq!(
            read.as_deref(),
            Some(winner.as_bytes()),
            "the winner's bytes"
        );
    }
}

/// "With `Deadline::Keep` … a new one has none": not even that of an expired session of the same key.
pub async fn create_that_keeps_the_deadline_has_none(subject: Subject) {
    let (key, deadline, _) = subject
        .soon(async |key, deadline| {
            subject.create("fresh", b"1", Deadline::Keep).await;
            subject.create(key, b"1", Deadline::At(deadline)).await
        })
        .await;
    subject.pass(deadline).await;
    assert_eq!(
        subject.create(&key, b"2", Deadline::Keep).await,
        Written::Done
    );
    age(&subject, &["fresh", &key]).await;
    assert!(subject.read("fresh").await.is_some(), "a new session");
    assert!(
        subject.read(&key).await.is_some(),
        "one under an expired key"
    );
}

/// With `Deadline::Never` a session never ends by itself.
pub async fn create_without_a_deadline_never_ends(subject: Subject) {
    subject.create("key", b"1", Deadline::Never).await;
    age(&subject, &["key"]).await;
    subject.swept(100).await;
    assert_eq!(subject.read("key").await.as_deref(), Some(&b"1"[..]));
}

/// "A deadline that is not in the future removes what is there, and is done": the present instant is not in the
/// future.
pub async fn create_with_a_past_deadline_is_done_and_stores_nothing(subject: Subject) {
    for (name, deadline) in past(&subject) {
        let written = subject.create(name, b"1", deadline).await;
        assert_eq!(written, Written::Done, "{name}");
        subject.pass(subject.now()).await;
        assert_eq!(subject.read(name).await, None, "{name}");
        assert_eq!(
            subject.create(name, b"2", subject.later()).await,
            Written::Done
        );
    }
}

/// The guard comes before the deadline: a create that ends at once removes nobody else's session.
pub async fn create_under_a_taken_key_answers_taken_whatever_its_deadline(subject: Subject) {
    for (name, deadline) in past(&subject) {
        subject.create(name, b"first", subject.later()).await;
        let written = subject.create(name, b"second", deadline).await;
        assert_eq!(written, Written::Taken, "{name}");
        assert_eq!(
            subject.read(name).await.as_deref(),
            Some(&b"first"[..]),
            "{name}"
        );
    }
}

/// Deadlines that are not in the future: long past, just past, the present instant.
pub(super) fn past(subject: &Subject) -> [(&'static str, Deadline); 3] {
    let millis = subject.now().as_millis();
    [
        ("long-past", Deadline::At(Timestamp::from_millis(1))),
        (
            "just-past",
            Deadline::At(Timestamp::from_millis(millis - 1)),
        ),
        ("now", Deadline::At(Timestamp::from_millis(millis))),
    ]
}

/// Lets enough time pass for whatever ends by itself to end: a century. Where the tests would have to wait for it, these
/// keys must say that they have no deadline.
pub(super) async fn age(subject: &Subject, endless: &[&str]) {
    if subject.is_real_time() {
        for name in endless {
            assert_eq!(subject.deadline(name).await, None, "{name}");
        }
    } else {
        subject
            .advance(Duration::from_secs(100 * 365 * 24 * 3600))
            .await;
    }
}
