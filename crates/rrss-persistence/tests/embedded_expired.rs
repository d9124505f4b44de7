//! What the `embedded` backend promises of the notes of expired sessions, beside what every backend does.
#![cfg(feature = "embedded")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use bytes::Bytes;
use rrss_core::{
    Action, Backend, Deadline, ExpiredNote, KeySpace, NoteChange, Operation, Payload, StorageKey,
    Timestamp, Written,
};
use rrss_persistence::embedded::{Embedded, Options};
use tempfile::TempDir;

const LEASE: Duration = Duration::from_millis(50);
const KEEP: Duration = Duration::from_millis(1_000);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn op(action: Action, key: &str, now: u64) -> Operation {
    let mut op = Operation::new(action, at(now));
    op.key = Some(StorageKey::from(key.to_owned()));
    op.key_space = Some(KeySpace::new("s:", ""));
    op
}

/// A write of a session until 100, whose note is its key.
fn create(key: &str) -> Operation {
    let mut op = op(Action::Create, key, 0);
    op.payload = Payload::Bytes("{}".into());
    op.deadline = Deadline::At(at(100));
    op.index.note = NoteChange::Keep {
        note: Bytes::from(key.to_owned()),
        after: KEEP,
    };
    op
}

async fn write(embedded: &Embedded, op: &Operation) {
    assert_eq!(embedded.write(op).await.unwrap(), Written::Done);
}

async fn sweep(embedded: &Embedded, now: u64) -> u64 {
    let op = Operation::new(Action::Sweep { limit: 100_000 }, at(now));
    embedded.sweep(&op, 100_000).await.unwrap()
}

async fn take(embedded: &Embedded, now: u64, limit: usize) -> Vec<ExpiredNote> {
    let op = op(Action::Count, "", now);
    embedded
        .take_expired(&op, limit, LEASE, KEEP)
        .await
        .unwrap()
}

async fn taken(embedded: &Embedded, now: u64) -> Vec<String> {
    let notes = take(embedded, now, 100).await;
    notes
        .iter()
        .map(|note| note.key.as_str().to_owned())
        .collect()
}

async fn forget(embedded: &Embedded, keys: &[&str]) -> u64 {
    let keys: Vec<_> = keys
        .iter()
        .map(|key| StorageKey::from((*key).to_owned()))
        .collect();
    embedded
        .forget_expired(&op(Action::Count, "", 0), &keys)
        .await
        .unwrap()
}

/// Runs `work` on the directory, which is closed when this answers.
fn on<T>(dir: &TempDir, work: impl AsyncFnOnce(&Embedded) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let embedded = Embedded::open(&Options::at(dir.path())).unwrap();
    let done = runtime.block_on(work(&embedded));
    drop(runtime);
    done
}

fn folder() -> TempDir {
    TempDir::new().unwrap()
}

#[test]
fn what_expired_while_the_directory_was_closed_is_told_after_it_is_opened() {
    let dir = folder();
    on(&dir, async |embedded| {
        write(embedded, &create("s:1")).await;
        write(embedded, &create("s:2")).await;
    });
    on(&dir, async |embedded| {
        assert_eq!(sweep(embedded, 100).await, 2);
        assert_eq!(taken(embedded, 100).await, ["s:1", "s:2"]);
        assert_eq!(forget(embedded, &["s:1"]).await, 1);
    });
    // Who had taken the second one has not come to tell of it.
    on(&dir, async |embedded| {
        let notes = take(embedded, 101, 100).await;
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].key.as_str(), "s:2");
        assert_eq!(notes[0].deadline, at(100));
        assert_eq!(notes[0].note, "s:2");
        assert_eq!(forget(embedded, &["s:2", "s:2", "s:1"]).await, 1);
    });
    on(&dir, async |embedded| {
        assert_eq!(taken(embedded, 102).await, [""; 0]);
    });
}

#[test]
fn what_is_taken_is_given_again_after_the_lease_and_not_before() {
    on(&folder(), async |embedded| {
        for n in 0..600 {
            write(embedded, &create(&format!("s:{n:03}"))).await;
        }
        assert_eq!(sweep(embedded, 100).await, 600);
        let mut all = Vec::new();
        loop {
            let some = taken(embedded, 100).await;
            if some.is_empty() {
                break;
            }
            all.extend(some);
        }
        let expected: Vec<_> = (0..600).map(|n| format!("s:{n:03}")).collect();
        assert_eq!(all, expected);
        assert_eq!(taken(embedded, 149).await, [""; 0]);
        assert_eq!(taken(embedded, 150).await.len(), 100);
    });
}

#[test]
fn what_nobody_asked_for_in_time_is_dropped_by_the_sweep_too() {
    on(&folder(), async |embedded| {
        write(embedded, &create("s:1")).await;
        let mut later = create("s:2");
        later.deadline = Deadline::At(at(101));
        write(embedded, &later).await;
        assert_eq!(sweep(embedded, 1_099).await, 2);
        assert_eq!(sweep(embedded, 1_100).await, 0);
        assert_eq!(forget(embedded, &["s:1", "s:2"]).await, 1);
    });
}

#[test]
fn a_session_that_takes_the_key_of_one_that_expired_takes_the_place_of_its_note() {
    on(&folder(), async |embedded| {
        for swept in [true, false] {
            write(embedded, &create("s:1")).await;
            if swept {
                assert_eq!(sweep(embedded, 100).await, 1);
            }
            let mut successor = op(Action::Create, "s:1", 100);
            successor.payload = Payload::Bytes("{}".into());
            successor.deadline = Deadline::At(at(200));
            successor.index.note = NoteChange::Keep {
                note: "successor".into(),
                after: KEEP,
            };
            write(embedded, &successor).await;
            sweep(embedded, 150).await;
            assert_eq!(taken(embedded, 150).await, [""; 0]);
            sweep(embedded, 200).await;
            let notes = take(embedded, 200, 10).await;
            assert_eq!(notes.len(), 1, "swept: {swept}");
            assert_eq!(
                (notes[0].deadline, &*notes[0].note),
                (at(200), &b"successor"[..])
            );
            assert_eq!(forget(embedded, &["s:1"]).await, 1);
        }
    });
}

#[test]
fn notes_of_another_store_stay_for_it() {
    on(&folder(), async |embedded| {
        for key in ["s:1", "t:1"] {
            write(embedded, &create(key)).await;
        }
        assert_eq!(sweep(embedded, 100).await, 2);
        assert_eq!(taken(embedded, 100).await, ["s:1"]);
        let mut other = op(Action::Count, "", 100);
        other.key_space = Some(KeySpace::new("t:", ""));
        let notes = embedded
            .take_expired(&other, 10, LEASE, KEEP)
            .await
            .unwrap();
        assert_eq!(notes.len(), 1);
    });
}
