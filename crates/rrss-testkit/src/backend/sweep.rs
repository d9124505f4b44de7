//! What a sweep promises. A backend that expires by itself has nothing to do in one, and sweeps nothing.

use std::time::Duration;

use rrss_core::{Action, Deadline, Operation, Outcome, Timestamp, Written};

use crate::Subject;
use crate::run::{ROUNDS, at_once};

/// "Removes … sessions whose deadline is not after `Operation::now`, and says how many"; then none are left.
pub async fn sweep_removes_what_is_past_its_deadline_and_says_how_many(subject: Subject) {
    let deadline = expire(&subject, 12).await;
    assert_eq!(subject.swept(100).await, expected(&subject, 12));
    assert_eq!(subject.swept(100).await, 0, "they were removed already");
    if subject.needs_sweep() && !subject.is_real_time() {
        // Only from before the deadline can what is stored be told from what is live.
        let before = Timestamp::from_millis(deadline.as_millis() - 1);
        let mut op = Operation::new(Action::Count, before);
        op.key_space = Some(subject.key_space());
        let answer = subject.run(op).await.expect("counting works");
        assert_eq!(answer.outcome, Outcome::Count(0), "they are stored still");
    }
}

/// It leaves what has no deadline or a later one, with its bytes.
pub async fn sweep_leaves_what_is_live(subject: Subject) {
    subject.create("endless", b"1", Deadline::Never).await;
    subject.create("later", b"2", subject.later()).await;
    expire(&subject, 3).await;
    assert_eq!(subject.swept(100).await, expected(&subject, 3));
    assert_eq!(subject.read("endless").await.as_deref(), Some(&b"1"[..]));
    assert_eq!(subject.read("later").await.as_deref(), Some(&b"2"[..]));
}

/// "Up to `limit`", and "fewer than `limit` means that none were left."
pub async fn sweep_removes_at_most_its_limit(subject: Subject) {
    expire(&subject, 25).await;
    let (mut most, mut removed) = (0, 0);
    loop {
        let now = subject.swept(10).await;
        most = most.max(now);
        removed += now;
        if now < 10 {
            break;
        }
    }
    assert!(most <= 10, "{most} were removed at once");
    assert_eq!(removed, expected(&subject, 25));
    assert_eq!(
        subject.swept(10).await,
        0,
        "fewer than the limit was the end"
    );
}

/// "It never removes one that was renewed meanwhile": by a touch, by an update, by a new session of the same key.
pub async fn sweep_never_removes_what_was_renewed(subject: Subject) {
    let (key, deadline, ()) = subject
        .soon(async |key, deadline| {
            for how in ["touched", "kept", "updated", "replaced"] {
                let name = format!("{key}-{how}");
                subject.create(&name, b"1", Deadline::At(deadline)).await;
            }
            subject
                .renew(&format!("{key}-touched"), subject.later())
                .await;
            subject.renew(&format!("{key}-kept"), Deadline::Never).await;
            subject
                .update(&format!("{key}-updated"), b"2", subject.later())
                .await;
            subject.remove(&format!("{key}-replaced")).await;
            subject
                .create(&format!("{key}-replaced"), b"2", subject.later())
                .await;
        })
        .await;
    subject.pass(deadline).await;
    subject.swept(100).await;
    for how in ["touched", "kept", "updated", "replaced"] {
        let read = subject.read(&format!("{key}-{how}")).await;
        assert!(read.is_some(), "{how}: it was renewed");
    }
}

/// What was deleted before its deadline is not there to be removed when the deadline comes, and what had several
/// deadlines is there once.
pub async fn sweep_does_not_count_what_is_gone_already(subject: Subject) {
    let (_, deadline, ()) = subject
        .soon(async |key, deadline| {
            subject.swept(100).await;
            let after = |millis| Deadline::At(deadline + Duration::from_millis(millis));
            for n in 0..5 {
                let name = format!("{key}-deleted-{n}");
                subject.create(&name, b"1", after(0)).await;
                subject.remove(&name).await;
            }
            let moved = format!("{key}-moved");
            subject.create(&moved, b"1", after(0)).await;
            subject.renew(&moved, after(2)).await;
            subject.update(&moved, b"2", after(1)).await;
        })
        .await;
    subject.pass(deadline + Duration::from_millis(2)).await;
    assert_eq!(subject.swept(100).await, expected(&subject, 1));
}

/// Many may sweep at once: each expired session is counted by one of them.
pub async fn two_sweeps_at_once_remove_each_once(subject: Subject) {
    for round in 0..if subject.is_real_time() { 2 } else { ROUNDS } {
        expire(&subject, 20).await;
        let sweep = || {
            let subject = subject.clone();
            async move { subject.swept(100).await }
        };
        let (one, two) = at_once(sweep(), sweep()).await;
        let expected = expected(&subject, 20);
        assert_eq!(one + two, expected, "round {round}: {one} and {two}");
    }
}

/// Sessions that are touched in time while a sweep runs: where a touch was told that its session is there, it stays.
pub async fn a_sweep_and_a_touch_at_once_agree(subject: Subject) {
    const KEYS: usize = 8;
    let span = Duration::from_millis(if subject.is_real_time() { 20 } else { 1_000 });
    for round in 0..ROUNDS {
        let deadline = subject.now() + span;
        let keys: Vec<String> = (0..KEYS).map(|n| format!("race-{round}-{n}")).collect();
        for key in &keys {
            subject.create(key, b"1", Deadline::At(deadline)).await;
        }
        // Each operation brings its own instant: the touches are in time, and the sweeps come after the deadline. They
        // begin at opposite ends, and so they meet.
        let touches: Vec<Operation> = keys
            .iter()
            .rev()
            .map(|key| {
                let mut touch = subject.operation(Action::Touch, key);
                touch.deadline = Deadline::At(deadline + Duration::from_secs(3600));
                touch
            })
            .collect();
        let (touching, sweeping) = (subject.clone(), subject.clone());
        let (touched, ()) = at_once(
            async move {
                let mut touched = Vec::new();
                for touch in touches {
                    let answer = touching.run(touch).await.expect("touching works");
                    touched.push(answer.outcome == Outcome::Done);
                }
                touched
            },
            async move {
                for _ in 0..KEYS {
                    let sweep = Operation::new(Action::Sweep { limit: 1 }, deadline);
                    sweeping.run(sweep).await.expect("sweeping works");
                }
            },
        )
        .await;
        subject.pass(deadline).await;
        for (key, touched) in keys.iter().rev().zip(touched) {
            let lives = subject.read(key).await.is_some();
            assert_eq!(lives, touched, "round {round}: {key}");
            // The next round's sweeps are not to meet it.
            subject.remove(key).await;
        }
    }
}

/// Stores this many sessions, and nothing else that a sweep would find, and lets their deadline pass.
async fn expire(subject: &Subject, number: usize) -> Timestamp {
    let (_, deadline, ()) = subject
        .soon(async |key, deadline| {
            subject.swept(1_000).await;
            for n in 0..number {
                let name = format!("{key}-{n}");
                let written = subject.create(&name, b"1", Deadline::At(deadline)).await;
                assert_eq!(written, Written::Done);
            }
        })
        .await;
    subject.pass(deadline).await;
    deadline
}

/// How many a sweep has to remove of these: all, where the backend needs sweeps, else none.
fn expected(subject: &Subject, number: u64) -> u64 {
    if subject.needs_sweep() { number } else { 0 }
}
