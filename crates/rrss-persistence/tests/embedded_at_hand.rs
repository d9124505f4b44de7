//! What the `embedded` backend promises of sessions that it has at hand.
#![cfg(feature = "embedded")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]
#![allow(
    dead_code,
    reason = "the promises of all backends are not asked for here"
)]

mod promises;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use promises::{create, load, put, stored, sweep, until, update};
use rrss_core::{Action, Backend, Operation, Payload, Record, Result, Written};
use rrss_persistence::embedded::{Embedded, Options};
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn open(dir: &TempDir) -> Embedded {
    Embedded::open(&Options::at(dir.path())).unwrap()
}

/// What a load answers at once; `None` where it waits for another thread.
fn at_once(embedded: &Embedded, op: &Operation) -> Option<Option<Record>> {
    let load = pin!(embedded.load(op));
    match load.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer.unwrap()),
        Poll::Pending => None,
    }
}

#[test]
fn a_session_that_was_written_is_loaded_without_another_thread() {
    let (dir, runtime) = (TempDir::new().unwrap(), Runtime::new().unwrap());
    let embedded = open(&dir);
    runtime.block_on(put(&embedded, "s:1", until(100)));
    assert!(at_once(&embedded, &load("s:1", 99)).unwrap().is_some());
    assert!(
        at_once(&embedded, &load("s:1", 100)).unwrap().is_none(),
        "it has expired"
    );
}

#[tokio::test]
async fn what_was_deleted_or_swept_is_not_at_hand() {
    let dir = TempDir::new().unwrap();
    let embedded = open(&dir);
    for key in ["s:1", "s:2"] {
        put(&embedded, key, until(100)).await;
    }
    let delete = promises::op(Action::Delete, "s:1", 99);
    assert_eq!(embedded.delete(&delete).await.unwrap(), Written::Done);
    assert_eq!(embedded.sweep(&sweep(100), 10).await.unwrap(), 1);
    for key in ["s:1", "s:2"] {
        assert_eq!(stored(&embedded, key, 0).await, None, "{key}");
    }
}

/// Versions of one session, counted up by one task while others load it, at hand and while a commit is under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_load_answers_what_was_acknowledged_before_it_or_later_and_never_goes_back() {
    const VERSIONS: u64 = 2_000;
    let dir = TempDir::new().unwrap();
    let embedded = Arc::new(open(&dir));
    let op = create("s:1", "0", 0, until(1_000));
    assert_eq!(embedded.write(&op).await.unwrap(), Written::Done);
    let acknowledged = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (embedded, acknowledged) = (Arc::clone(&embedded), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                let mut last = 0;
                while last < VERSIONS {
                    let at_least = acknowledged.load(Ordering::SeqCst).max(last);
                    last = read(&embedded).await.unwrap();
                    assert!(last >= at_least, "{last} after {at_least}");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for number in 1..=VERSIONS {
        let op = update("s:1", &number.to_string(), 0, until(1_000));
        assert_eq!(embedded.write(&op).await.unwrap(), Written::Done);
        acknowledged.store(number, Ordering::SeqCst);
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

async fn read(embedded: &Embedded) -> Result<u64> {
    let record = embedded.load(&load("s:1", 0)).await?.unwrap();
    let Payload::Bytes(bytes) = record.payload else {
        panic!("a backend of bytes answers bytes");
    };
    Ok(std::str::from_utf8(&bytes).unwrap().parse().unwrap())
}
