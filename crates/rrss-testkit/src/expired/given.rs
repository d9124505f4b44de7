//! What is given of sessions that have expired.

use std::time::Duration;

use bytes::Bytes;
use rrss_core::{Deadline, Guard, NoteChange, StoredForm, Timestamp, Written};

use super::ask::{LONG, Noted, keep, names};
use crate::Subject;

/// "It gives each note": as it was kept, with the deadline; and not before the deadline has come.
pub async fn the_note_of_an_expired_session_is_given_with_its_deadline(subject: Subject) {
    let noted = Noted::of(subject.clone());
    noted.create("lives", noted.later(), keep("it lives")).await;
    let (key, deadline, early) = subject
        .soon(async |key, deadline| {
            // What was too late for an earlier deadline is given here, and stays out of what follows.
            noted.sweep().await;
            noted.take_all(10).await;
            noted
                .create(key, Deadline::At(deadline), keep("of ann"))
                .await;
            noted.sweep().await;
            noted.take(10, Duration::from_millis(1), LONG).await
        })
        .await;
    assert_eq!(names(&early), [""; 0], "its deadline has not come");
    let given = noted.given_after(deadline).await;
    assert_eq!(names(&given), [key.as_str()]);
    assert_eq!(given[&key], ("of ann".to_owned(), deadline));
}

/// "Each note that was kept last": by an update or a touch, also by one that keeps the deadline; what leaves the note leaves it.
pub async fn the_note_that_was_kept_last_is_given(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let (key, deadline, ()) = subject
        .soon(async |key, deadline| {
            let at = Deadline::At(deadline);
            for end in ["u", "k", "t", "l"] {
                noted
                    .create(&format!("{key}{end}"), at, keep("first"))
                    .await;
            }
            noted.update(&format!("{key}u"), at, keep("last")).await;
            noted
                .update(&format!("{key}k"), Deadline::Keep, keep("last"))
                .await;
            noted.touch(&format!("{key}t"), at, keep("last")).await;
            noted
                .update(&format!("{key}l"), at, NoteChange::Leave)
                .await;
        })
        .await;
    let given = noted.given_after(deadline).await;
    for (end, note) in [("u", "last"), ("k", "last"), ("t", "last"), ("l", "first")] {
        let given = given.get(&format!("{key}{end}"));
        assert_eq!(given, Some(&(note.to_owned(), deadline)), "{end}");
    }
}

/// "It gives none of a session that is live": renewed by an update or a touch.
pub async fn a_session_that_was_renewed_is_not_given(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let (key, deadline, done) = subject
        .soon(async |key, deadline| {
            let at = Deadline::At(deadline);
            let [updated, touched] = ["u", "t"].map(|end| format!("{key}{end}"));
            noted.create(&updated, at, keep("first")).await;
            noted.create(&touched, at, keep("first")).await;
            noted.create(key, at, keep("it ends")).await;
            let later = noted.later();
            [
                noted.update(&updated, later, keep("second")).await,
                noted.touch(&touched, later, keep("second")).await,
            ]
        })
        .await;
    assert_eq!(done, [Written::Done; 2]);
    let given = noted.given_after(deadline).await;
    // On a slow machine others of the same beginning ended too.
    assert!(given.contains_key(&key));
    for end in ["u", "t"] {
        assert!(!given.contains_key(&format!("{key}{end}")), "{given:?}");
    }
}

/// "With the deadline that the session had last", though it had a later one before.
pub async fn a_session_whose_deadline_moved_closer_is_given(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let (key, deadline, ()) = subject
        .soon(async |key, deadline| {
            let [updated, touched] = ["u", "t"].map(|end| format!("{key}{end}"));
            noted.create(&updated, noted.later(), keep("first")).await;
            noted.create(&touched, Deadline::Never, keep("first")).await;
            let at = Deadline::At(deadline);
            noted.update(&updated, at, keep("second")).await;
            noted.touch(&touched, at, keep("second")).await;
        })
        .await;
    let given = noted.given_after(deadline).await;
    for end in ["u", "t"] {
        let given = given.get(&format!("{key}{end}"));
        assert_eq!(given, Some(&("second".to_owned(), deadline)), "{end}");
    }
}

/// "An update or a touch that ends a live session, by a deadline that is not in the future, lets it expire."
pub async fn what_a_past_deadline_ended_is_given(subject: Subject) {
    let noted = Noted::of(subject.clone());
    for name in ["updated", "touched"] {
        noted.create(name, noted.later(), keep("first")).await;
    }
    let past = Timestamp::from_millis(subject.now().as_millis() - 1);
    let at = Deadline::At(past);
    assert_eq!(
        noted.update("updated", at, keep("last")).await,
        Written::Done
    );
    assert_eq!(
        noted.touch("touched", at, keep("last")).await,
        Written::Done
    );
    let given = noted.given_after(past).await;
    assert_eq!(names(&given), ["touched", "updated"]);
    for given in given.values() {
        assert_eq!(given, &("last".to_owned(), past));
    }
}

/// A session that was not deleted, since it had changed, expires like others.
pub async fn a_delete_that_is_refused_leaves_the_note(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let (key, deadline, deleted) = subject
        .soon(async |key, deadline| {
            noted
                .create(key, Deadline::At(deadline), keep("of ann"))
                .await;
            let other = StoredForm::from(Bytes::from_static(b"another"));
            noted.delete(key, Guard::Unchanged(other)).await
        })
        .await;
    assert_eq!(deleted, Written::Changed);
    let given = noted.given_after(deadline).await;
    assert!(given.contains_key(&key), "{given:?}");
}

/// A session that had expired when it was to be deleted has expired, swept or not.
pub async fn a_delete_that_comes_too_late_leaves_the_note(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let (key, deadline, ()) = subject
        .soon(async |key, deadline| {
            for end in ["s", "u"] {
                let name = format!("{key}{end}");
                noted
                    .create(&name, Deadline::At(deadline), keep("of ann"))
                    .await;
            }
        })
        .await;
    let [swept, unswept] = ["s", "u"].map(|end| format!("{key}{end}"));
    subject.pass(deadline).await;
    assert_eq!(noted.delete(&unswept, Guard::Exists).await, Written::Gone);
    noted.sweep().await;
    assert_eq!(noted.delete(&swept, Guard::Exists).await, Written::Gone);
    let given = noted.take_all(100).await;
    for name in [swept, unswept] {
        assert!(given.contains_key(&name), "{name}: {given:?}");
    }
}

/// "An empty answer means that there is none to give for now", and until then there are no more than `limit` at a time.
pub async fn every_expired_session_is_given_a_few_at_a_time(subject: Subject) {
    let noted = Noted::of(subject.clone());
    for n in 0..40 {
        let name = format!("k{n:03}");
        noted.create(&name, noted.later(), keep("it lives")).await;
    }
    let (key, deadline, ()) = subject
        .soon(async |key, deadline| {
            for n in 0..57 {
                let at = Deadline::At(deadline);
                noted
                    .create(&short(key, n), at, keep(&format!("of {n}")))
                    .await;
            }
        })
        .await;
    subject.pass(deadline).await;
    noted.sweep().await;
    let given = noted.take_all(10).await;
    for n in 0..57 {
        let given = given.get(&short(&key, n));
        assert_eq!(given.map(|(note, _)| note), Some(&format!("of {n}")));
    }
    assert!(
        given
            .keys()
            .all(|name| name.starts_with(&short(&key, 0)[..1]))
    );
}

/// A name for one of many that end soon.
fn short(key: &str, n: usize) -> String {
    format!("{}{n:03}", key.replace("soon-", "s"))
}

/// "Notes of sessions of the key space": another store on the same backend has its own.
pub async fn notes_are_given_in_their_key_space(subject: Subject) {
    let one = Noted::in_space(subject.clone(), "s:");
    let other = Noted::in_space(subject.clone(), "t:");
    let longer = Noted::in_space(subject.clone(), "s:s:");
    let all = [one, other, longer];
    let (key, deadline, ()) = subject
        .soon(async |key, deadline| {
            for (n, noted) in all.iter().enumerate() {
                let at = Deadline::At(deadline);
                noted.create(key, at, keep(&format!("of {n}"))).await;
            }
        })
        .await;
    for (n, noted) in all.iter().enumerate() {
        let given = noted.given_after(deadline).await;
        assert_eq!(given[&key].0, format!("of {n}"));
        assert!(given.values().all(|(note, _)| *note == format!("of {n}")));
    }
}
