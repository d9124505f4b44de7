//! What is not given.

use std::collections::BTreeSet;
use std::time::Duration;

use rrss_core::{Deadline, Guard, NoteChange, Timestamp, Written};

use super::ask::{LONG, Noted, keep, names};
use crate::Subject;

/// "Nor of one that an operation removed the note of": whoever ends a session knows of it.
pub async fn a_deleted_session_is_not_given(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let (key, deadline, deleted) = subject
        .soon(async |key, deadline| {
            let (at, deleted) = (Deadline::At(deadline), format!("{key}d"));
            noted.create(key, at, keep("it ends")).await;
            noted.create(&deleted, at, keep("deleted")).await;
            noted.delete(&deleted, Guard::Exists).await
        })
        .await;
    assert_eq!(deleted, Written::Done);
    let given = noted.given_after(deadline).await;
    assert!(given.contains_key(&key), "{given:?}");
    assert!(!given.contains_key(&format!("{key}d")), "{given:?}");
}

/// What nothing is to be told of is not told of: a session whose pipeline keeps no notes.
pub async fn a_session_without_a_note_is_not_given(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let (key, deadline, ()) = subject
        .soon(async |key, deadline| {
            let (at, none) = (Deadline::At(deadline), format!("{key}n"));
            noted.create(&none, at, NoteChange::Leave).await;
            noted.update(&none, at, NoteChange::Leave).await;
            noted.create(key, at, keep("of ann")).await;
        })
        .await;
    let given = noted.given_after(deadline).await;
    assert!(given.contains_key(&key), "{given:?}");
    assert!(!given.keys().any(|name| name.ends_with('n')), "{given:?}");
}

/// "A session that gets no deadline never expires": not when the deadline comes that it had.
pub async fn a_session_that_never_ends_is_not_given(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let never = Deadline::Never;
    noted.create("never", never, keep("for ever")).await;
    noted.create("kept", Deadline::Keep, keep("for ever")).await;
    let (key, deadline, done) = subject
        .soon(async |key, deadline| {
            let at = Deadline::At(deadline);
            let [updated, touched] = ["u", "t"].map(|end| format!("{key}{end}"));
            noted.create(&updated, at, keep("it ended")).await;
            noted.create(&touched, at, keep("it ended")).await;
            noted.create(key, at, keep("it ends")).await;
            [
                noted.update(&updated, never, keep("for ever")).await,
                noted.touch(&touched, never, keep("for ever")).await,
            ]
        })
        .await;
    assert_eq!(done, [Written::Done; 2]);
    let given = noted.given_after(deadline).await;
    assert!(given.contains_key(&key), "{given:?}");
    for name in ["never", "kept", &format!("{key}u"), &format!("{key}t")] {
        assert!(!given.contains_key(name), "{name}: {given:?}");
    }
}

/// What a backend keeps to tell is no session.
pub async fn notes_are_neither_listed_nor_counted(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let listed: BTreeSet<String> = ["s:one_____", "s:two_____"].map(str::to_owned).into();
    for name in ["one", "two"] {
        noted.create(name, noted.later(), keep("it lives")).await;
    }
    let (_, deadline, ()) = subject
        .soon(async |key, deadline| {
            let at = Deadline::At(deadline);
            noted.create(key, at, keep("it ends")).await;
        })
        .await;
    subject.pass(deadline).await;
    noted.sweep().await;
    assert_eq!(subject.number(noted.space()).await, 2);
    assert_eq!(subject.names(noted.space(), 1).await, listed);
    assert!(!noted.take_all(10).await.is_empty());
    assert_eq!(subject.number(noted.space()).await, 2);
    assert_eq!(subject.names(noted.space(), 1).await, listed);
}

/// "It drops the notes whose session's deadline is `keep` ago or more", whoever asks, and gives those of the others. The one
/// deadline is far in the past and the other has just passed, so that no pause between the two makes them alike.
pub async fn what_is_too_old_is_dropped(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let age = Duration::from_secs(1_800);
    let now = subject.now().as_millis();
    for (name, deadline) in [("old", now - age.as_millis() as u64), ("young", now)] {
        let past = Deadline::At(Timestamp::from_millis(deadline));
        noted.create(name, noted.later(), keep(name)).await;
        noted.touch(name, past, keep(name)).await;
    }
    subject.pass(subject.now()).await;
    noted.sweep().await;
    // Nobody takes any, and what is old enough goes all the same.
    let given = noted.take(0, LONG, age).await;
    assert_eq!(names(&given), [""; 0]);
    let given = noted.take_all(10).await;
    assert_eq!(names(&given), ["young"]);
}
