//! What a delete promises.

use bytes::Bytes;
use rrss_core::{Action, Deadline, Guard, Outcome, StoredForm, Written};

use crate::Subject;
use crate::run::contest;

impl Subject {
    /// Deletes `loaded` from under a key.
    pub(crate) async fn remove_loaded(&self, name: &str, loaded: &[u8]) -> Written {
        let mut op = self.operation(Action::Delete, name);
        op.guard = Guard::Unchanged(StoredForm::from(Bytes::copy_from_slice(loaded)));
        match self.answered(op).await.outcome {
            Outcome::Done => Written::Done,
            Outcome::Missing => Written::Gone,
            Outcome::Changed => Written::Changed,
            outcome => panic!("a guarded delete was answered {outcome:?}"),
        }
    }
}

/// "Removes what is under the key, and says whether a live session was there."
pub async fn delete_says_whether_a_live_session_was_there(subject: Subject) {
    assert!(!subject.remove("key").await, "it was never written");
    subject.create("key", b"1", subject.later()).await;
    assert!(subject.remove("key").await, "it was there");
    assert_eq!(subject.read("key").await, None);
    assert!(!subject.remove("key").await, "it was deleted already");

    let (expired, deadline, _) = subject
        .soon(async |key, deadline| subject.create(key, b"1", Deadline::At(deadline)).await)
        .await;
    subject.pass(deadline).await;
    assert!(!subject.remove(&expired).await, "it was past its deadline");
}

/// It removes the session of that key alone.
pub async fn delete_removes_no_other_key(subject: Subject) {
    let others = ["ke", "key2", "KEY", "key:", "other"];
    for other in others {
        subject
            .create(other, other.as_bytes(), subject.later())
            .await;
    }
    subject.create("key", b"1", subject.later()).await;
    subject.remove("key").await;
    subject.remove("k*").await;
    for other in others {
        let read = subject.read(other).await;
        assert_eq!(read.as_deref(), Some(other.as_bytes()), "{other}");
    }
}

/// Of two deletes at once exactly one says that the session was there: rotations rely on it.
pub async fn of_two_deletes_at_once_exactly_one_answers_true(subject: Subject) {
    let prepare = async |key: &str| {
        subject.create(key, b"1", subject.later()).await;
    };
    let delete = || {
        let subject = subject.clone();
        move |key: String| {
            let subject = subject.clone();
            async move { subject.remove(&key).await }
        }
    };
    for (_, one, two) in contest(prepare, delete(), delete()).await {
        assert!(one != two, "two deletes at once were both answered {one}");
    }
}

/// "Under `Guard::Unchanged` it removes exactly those bytes": whatever bytes they are, and no other key.
pub async fn delete_of_what_was_loaded_removes_it(subject: Subject) {
    let large = vec![b'x'; 50_000];
    let all: [&[u8]; 4] = [b"{}", b"\0\xff\r\n", &large, b""];
    for (at, bytes) in all.into_iter().enumerate() {
        let (name, other) = (format!("key-{at}"), format!("other-{at}"));
        subject.create(&name, bytes, subject.later()).await;
        subject.create(&other, bytes, Deadline::Never).await;
        let removed = subject.remove_loaded(&name, bytes).await;
        assert_eq!(removed, Written::Done, "{name}");
        assert_eq!(subject.read(&name).await, None, "{name}");
        assert_eq!(subject.read(&other).await.as_deref(), Some(bytes));
    }
}

/// "Else it answers `Written::Changed` … and removes nothing that is live": larger, smaller, or different in one byte.
pub async fn delete_of_what_has_changed_is_refused_and_leaves_it(subject: Subject) {
    let Deadline::At(later) = subject.later() else {
        unreachable!("a later deadline is an instant");
    };
    subject.create("key", b"stored", Deadline::At(later)).await;
    for loaded in [&b"Stored"[..], b"store", b"storedd", b""] {
        let removed = subject.remove_loaded("key", loaded).await;
        assert_eq!(removed, Written::Changed);
        assert_eq!(subject.read("key").await.as_deref(), Some(&b"stored"[..]));
        assert_eq!(subject.deadline("key").await, Some(later));
    }
}

/// "Or `Written::Gone` where it can tell that nothing is there": never written, deleted, or past its deadline.
pub async fn delete_of_what_was_loaded_and_is_gone_is_refused(subject: Subject) {
    subject.create("deleted", b"1", subject.later()).await;
    subject.remove("deleted").await;
    let (expired, deadline, _) = subject
        .soon(async |key, deadline| subject.create(key, b"1", Deadline::At(deadline)).await)
        .await;
    subject.pass(deadline).await;
    for name in ["never", "deleted", &expired] {
        let removed = subject.remove_loaded(name, b"1").await;
        assert!(
            [Written::Gone, Written::Changed].contains(&removed),
            "{name}: {removed:?}"
        );
        assert_eq!(subject.read(name).await, None, "{name}");
    }
}

/// A rotation deletes what it has copied while others save: of the two "exactly one is done", and nothing saved is lost.
pub async fn of_an_update_and_a_delete_of_the_same_bytes_exactly_one_is_done(subject: Subject) {
    let prepare = async |key: &str| {
        subject.create(key, b"loaded", subject.later()).await;
    };
    let (updating, deleting) = (subject.clone(), subject.clone());
    let update = move |key: String| {
        let subject = updating.clone();
        async move {
            subject
                .replace(&key, b"loaded", b"saved", subject.later())
                .await
        }
    };
    let delete = move |key: String| {
        let subject = deleting.clone();
        async move { subject.remove_loaded(&key, b"loaded").await }
    };
    for (key, updated, deleted) in contest(prepare, update, delete).await {
        let stored = subject.read(&key).await;
        match (updated, deleted) {
            (Written::Done, Written::Changed) => assert_eq!(stored.as_deref(), Some(&b"saved"[..])),
            (Written::Gone | Written::Changed, Written::Done) => assert_eq!(stored, None),
            both => panic!("an update and a delete of the same bytes were answered {both:?}"),
        }
    }
}

/// Of two rotations that have copied the same bytes, exactly one deletes them.
pub async fn of_two_deletes_of_the_same_bytes_exactly_one_is_done(subject: Subject) {
    let prepare = async |key: &str| {
        subject.create(key, b"loaded", subject.later()).await;
    };
    let delete = || {
        let subject = subject.clone();
        move |key: String| {
            let subject = subject.clone();
            async move { subject.remove_loaded(&key, b"loaded").await }
        }
    };
    for (_, one, other) in contest(prepare, delete(), delete()).await {
        assert_eq!(
            [one, other]
                .iter()
                .filter(|written| **written == Written::Done)
                .count(),
            1,
            "two deletes of the same bytes were answered {one:?} and {other:?}"
        );
    }
}
