//! What a touch promises.

use std::time::Duration;

use bytes::Bytes;
use rrss_core::{Deadline, Timestamp, Written};

use super::create::{age, past};
use super::update::and_a_delete_leave_nothing;
use crate::Subject;

/// "Moves the deadline of what is live under the key, and says whether there was any."
pub async fn touch_moves_the_deadline_later(subject: Subject) {
    let (key, deadline, touched) = subject
        .soon(async |key, deadline| {
            subject.create(key, b"1", Deadline::At(deadline)).await;
            subject.renew(key, subject.later()).await
        })
        .await;
    assert!(touched);
    subject.pass(deadline).await;
    subject.swept(100).await;
    assert_eq!(subject.read(&key).await.as_deref(), Some(&b"1"[..]));
}

/// A touch's deadline takes the place of a later one, and of none.
pub async fn touch_moves_the_deadline_earlier(subject: Subject) {
    for before in [subject.later(), Deadline::Never] {
        let (key, deadline, touched) = subject
            .soon(async |key, deadline| {
                subject.create(key, b"1", before).await;
                subject.renew(key, Deadline::At(deadline)).await
            })
            .await;
        assert!(touched);
        subject.pass(deadline).await;
        assert_eq!(subject.read(&key).await, None, "it had {before:?}");
    }
}

/// With `Deadline::Never` a session that had a deadline has none any more.
pub async fn touch_without_a_deadline_never_ends(subject: Subject) {
    let (key, deadline, touched) = subject
        .soon(async |key, deadline| {
            subject.create(key, b"1", Deadline::At(deadline)).await;
            subject.renew(key, Deadline::Never).await
        })
        .await;
    assert!(touched);
    subject.pass(deadline).await;
    age(&subject, &[&key]).await;
    subject.swept(100).await;
    assert_eq!(subject.read(&key).await.as_deref(), Some(&b"1"[..]));
}

/// "It never creates": not what was never written, nor what was deleted, nor what is past its deadline.
pub async fn touch_never_creates(subject: Subject) {
    let (expired, deadline, _) = subject
        .soon(async |key, deadline| subject.create(key, b"1", Deadline::At(deadline)).await)
        .await;
    subject.pass(deadline).await;
    subject.create("deleted", b"1", subject.later()).await;
    subject.remove("deleted").await;
    for key in ["never", "deleted", &expired] {
        for deadline in [subject.later(), Deadline::Never, Deadline::Keep] {
            assert!(
                !subject.renew(key, deadline).await,
                "{key} with {deadline:?}"
            );
            assert_eq!(subject.read(key).await, None, "{key} with {deadline:?}");
        }
        let written = subject.create(key, b"2", subject.later()).await;
        assert_eq!(written, Written::Done, "the key stays free: {key}");
    }
}

/// "… and never changes the bytes."
pub async fn touch_never_changes_the_bytes(subject: Subject) {
    let bytes = Bytes::from_static(b"\0\xff{\"a\":1}");
    subject.create("key", &bytes, subject.later()).await;
    for deadline in [
        subject.later(),
        Deadline::Keep,
        Deadline::Never,
        subject.later(),
    ] {
        assert!(subject.renew("key", deadline).await);
        assert_eq!(
            subject.read("key").await,
            Some(bytes.clone()),
            "{deadline:?}"
        );
    }
}

/// "With `Deadline::Keep` it only says whether the session is there": its deadline stays.
pub async fn touch_that_keeps_the_deadline_says_whether_it_is_there(subject: Subject) {
    let (key, deadline, touched) = subject
        .soon(async |key, deadline| {
            subject.create(key, b"1", Deadline::At(deadline)).await;
            subject.renew(key, Deadline::Keep).await
        })
        .await;
    assert!(touched);
    assert!(!subject.renew("never", Deadline::Keep).await);
    subject.pass(deadline).await;
    assert!(
        !subject.renew(&key, Deadline::Keep).await,
        "its deadline must stay"
    );

    subject.create("endless", b"1", Deadline::Never).await;
    assert!(subject.renew("endless", Deadline::Keep).await);
    age(&subject, &["endless"]).await;
    assert!(
        subject.renew("endless", Deadline::Keep).await,
        "it had no deadline"
    );
}

/// "A deadline that is not in the future removes it, and answers `true`."
pub async fn touch_with_a_past_deadline_answers_true_and_removes(subject: Subject) {
    for (name, deadline) in past(&subject) {
        subject.create(name, b"1", Deadline::Never).await;
        assert!(subject.renew(name, deadline).await, "{name}");
        subject.pass(subject.now()).await;
        assert_eq!(subject.read(name).await, None, "{name}");
        assert!(
            !subject.renew(name, deadline).await,
            "{name} is not there any more"
        );
    }
}

/// A touch and a delete of one session at once: whichever comes first, nothing is left.
pub async fn a_touch_and_a_delete_at_once_leave_nothing(subject: Subject) {
    let touch = |subject: Subject, key: String| async move {
        // Another deadline than it has, so that there is something to store.
        let later = subject.now() + Duration::from_secs(7_200);
        subject.renew(&key, Deadline::At(later)).await
    };
    and_a_delete_leave_nothing(subject, touch).await;
}

/// Deadlines are in milliseconds: they are not rounded to seconds, neither up nor down. Where the tests move the
/// clock, a session lives one millisecond before its deadline and not at it.
pub async fn sub_second_deadlines_hold(subject: Subject) {
    let (key, deadline, read) = subject
        .soon(async |key, deadline| {
            subject.create(key, b"1", Deadline::At(deadline)).await;
            subject.read(key).await
        })
        .await;
    assert!(read.is_some(), "it was read before its deadline");
    subject.pass(deadline).await;
    assert_eq!(subject.read(&key).await, None);
    if subject.is_real_time() {
        return;
    }
    for millis in [1, 999, 1_000, 1_001, 1_500] {
        let deadline = subject.now() + Duration::from_millis(millis);
        let at = Deadline::At(deadline);
        subject.create("created", b"1", at).await;
        subject.create("updated", b"1", Deadline::Never).await;
        subject.update("updated", b"2", at).await;
        subject.create("touched", b"1", Deadline::Never).await;
        subject.renew("touched", at).await;
        subject
            .pass(Timestamp::from_millis(deadline.as_millis() - 1))
            .await;
        for key in ["created", "updated", "touched"] {
            assert!(
                subject.read(key).await.is_some(),
                "{key}, {millis} ms, before"
            );
        }
        subject.pass(deadline).await;
        for key in ["created", "updated", "touched"] {
            assert_eq!(
                subject.read(key).await,
                None,
                "{key}, {millis} ms, at its deadline"
            );
        }
    }
}
