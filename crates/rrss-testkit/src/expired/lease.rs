//! Who is given a note, and for how long.

use std::time::Duration;

use rrss_core::{Deadline, Timestamp};

use super::ask::{Given, LONG, Noted, keep, names};
use crate::Subject;
use crate::run::joined;

/// Sessions that have expired, and when.
async fn expired(noted: &Noted, number: usize) -> (Vec<String>, Timestamp) {
    let subject = &noted.subject;
    for n in 0..number {
        let name = format!("key-{n:03}");
        noted.create(&name, noted.later(), keep("it lives")).await;
    }
    let past = Timestamp::from_millis(subject.now().as_millis() - 1);
    let mut names = Vec::with_capacity(number);
    for n in 0..number {
        let name = format!("key-{n:03}");
        noted.touch(&name, Deadline::At(past), keep("of ann")).await;
        names.push(name);
    }
    (names, past)
}

/// "What is given is not given again, to anybody, until `lease` after now."
pub async fn what_is_taken_is_not_given_again_within_its_lease(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let (all, _) = expired(&noted, 2).await;
    let one = noted.take(1, LONG, LONG).await;
    assert_eq!(one.len(), 1);
    subject.advance(Duration::from_millis(5)).await;
    let other = noted.take(10, LONG, LONG).await;
    assert_eq!(other.len(), 1);
    let both: Given = one.into_iter().chain(other).collect();
    assert_eq!(names(&both), all);
    assert_eq!(names(&noted.take(10, LONG, LONG).await), [""; 0]);
}

/// "Then it is given again", with the deadline that its session had.
pub async fn what_is_not_forgotten_is_given_again_after_its_lease(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let (all, past) = expired(&noted, 1).await;
    let lease = Duration::from_millis(50);
    for _ in 0..3 {
        let given = noted.take(10, lease, LONG).await;
        assert_eq!(names(&given), all);
        assert_eq!(given[&all[0]], ("of ann".to_owned(), past));
        subject.advance(lease).await;
    }
}

/// What was told is told no more; forgetting says what it forgot.
pub async fn what_is_forgotten_is_given_no_more(subject: Subject) {
    let noted = Noted::of(subject.clone());
    let (all, _) = expired(&noted, 2).await;
    let lease = Duration::from_millis(50);
    assert_eq!(names(&noted.take(10, lease, LONG).await), all);
    assert_eq!(noted.forget(&[&all[0], "unknown"]).await, 1);
    assert_eq!(noted.forget(&[&all[0]]).await, 0);
    assert_eq!(noted.forget(&[]).await, 0);
    subject.advance(lease).await;
    assert_eq!(names(&noted.take(10, lease, LONG).await), all[1..]);
}

/// "With a `limit` of 0 it does nothing else."
pub async fn taking_none_claims_none(subject: Subject) {
    let noted = Noted::of(subject);
    let (all, _) = expired(&noted, 2).await;
    assert_eq!(names(&noted.take(0, LONG, LONG).await), [""; 0]);
    assert_eq!(names(&noted.take(10, LONG, LONG).await), all);
}

/// "To anybody": many processes may ask at once, and each note goes to one of them.
pub async fn of_many_who_take_at_once_one_is_given_each_note(subject: Subject) {
    let noted = Noted::of(subject);
    let (all, _) = expired(&noted, 90).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let noted = noted.clone();
            tokio::spawn(async move { noted.take_all(3).await })
        })
        .collect();
    let mut given = Vec::new();
    for task in tasks {
        given.extend(joined(task).await.into_keys());
    }
    given.sort();
    assert_eq!(given, all);
}
