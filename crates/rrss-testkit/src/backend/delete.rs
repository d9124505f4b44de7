//! What a delete promises.

use rrss_core::Deadline;

use crate::Subject;
use crate::run::contest;

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
