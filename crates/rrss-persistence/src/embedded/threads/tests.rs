use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use rrss_core::{Action, Deadline, Operation, Payload, Record, StorageKey, Timestamp, Written};
use tempfile::TempDir;

use super::*;
use crate::embedded::record::Stored;

const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(5);

fn start(limit: Duration) -> (Threads, TempDir) {
    let dir = TempDir::new().unwrap();
    let options = Options {
        timeout: limit.into(),
        ..Options::at(dir.path())
    };
    (Threads::start(&options).unwrap(), dir)
}

fn op(action: Action, key: &str) -> Operation {
    let mut op = Operation::new(action, Timestamp::from_millis(0));
    op.key = Some(StorageKey::from(key.to_owned()));
    op.deadline = Deadline::At(Timestamp::from_millis(100));
    op.payload = Payload::Bytes("{}".into());
    op
}

fn create(key: &str) -> Change {
    Change::Write(op(Action::Create, key), Stored::encode(b"{}"))
}

async fn load(threads: &Threads, key: &str) -> Result<Option<Record>> {
    let op = op(Action::Load, key);
    match threads.kept().load_at_hand(&op)? {
        Ok(record) => Ok(record),
        Err(missed) => threads.load(move |engine| engine.load(&op, &missed)).await,
    }
}

/// Tries until a load is not late, where the limit is short.
async fn load_in_time(threads: &Threads, key: &str) -> Option<Record> {
    loop {
        if let Ok(record) = load(threads, key).await {
            return record;
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

/// Lets no change be made until the answer is dropped, as a disk does that takes long.
fn hold_up(threads: &Threads) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (begun, begins) = mpsc::channel();
    let hold = threads.spawn("hold", move |shared| {
        let held = shared.directory.with(|engine| {
            let _alone = engine.changes();
            begun.send(()).unwrap();
            let _ = held.recv();
            Ok(())
        });
        held.unwrap();
    });
    hold.unwrap();
    begins.recv().unwrap();
    release
}

/// Has the committing thread begin with a change of the session `first`, while it is held up.
fn begin_first(threads: &Threads) -> Changing<'_> {
    loop {
        let mut first: Changing<'_> = Box::pin(threads.change(create("first")));
        if poll(&mut first).is_ready() {
            continue;
        }
        while threads.shared.commits.waits() > 0 {
            thread::yield_now();
        }
        // Else it was given up before it was begun.
        if threads.shared.commits.is_under_way() {
            return first;
        }
    }
}

type Changing<'a> = Pin<Box<dyn Future<Output = Result<Changed>> + 'a>>;

fn begin(threads: &Threads, change: Change) -> Changing<'_> {
    let mut changing: Changing<'_> = Box::pin(threads.change(change));
    assert!(poll(&mut changing).is_pending());
    changing
}

fn poll(changing: &mut Changing<'_>) -> Poll<Result<Changed>> {
    let mut context = Context::from_waker(Waker::noop());
    changing.as_mut().poll(&mut context)
}

#[test]
fn the_queue_is_bounded() {
    let (threads, _dir) = start(LONG);
    let release = hold_up(&threads);
    let first = begin_first(&threads);
    let mut waiting = Vec::new();
    let refused = loop {
        let key = format!("s:{}", waiting.len());
        let mut change: Changing<'_> = Box::pin(threads.change(create(&key)));
        match poll(&mut change) {
            Poll::Pending => waiting.push(change),
            Poll::Ready(refused) => break refused.unwrap_err(),
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(
        refused.message().contains("nothing was stored"),
        "{refused}"
    );
    drop(release);
    runtime().block_on(async {
        let all = waiting.len();
        for change in waiting.into_iter().chain([first]) {
            assert_eq!(change.await.unwrap(), Changed::Written(Written::Done));
        }
        let refused = load(&threads, &format!("s:{all}")).await;
        assert!(refused.unwrap().is_none());
        let again = threads.change(create(&format!("s:{all}"))).await;
        assert_eq!(again.unwrap(), Changed::Written(Written::Done));
    });
}

#[test]
fn the_queue_is_bounded_in_bytes() {
    let (threads, _dir) = start(LONG);
    let release = hold_up(&threads);
    let first = begin_first(&threads);
    let large = || {
        let record = Stored::encode(&vec![b'x'; 40 * 1024 * 1024]);
        Change::Write(op(Action::Create, "large"), record)
    };
    // One that is larger than the bound would be refused for ever otherwise.
    let accepted = begin(&threads, large());
    let mut refused: Changing<'_> = Box::pin(threads.change(large()));
    match poll(&mut refused) {
        Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::Unavailable),
        other => panic!("{other:?}"),
    }
    drop(release);
    runtime().block_on(async {
        for change in [first, accepted] {
            assert_eq!(change.await.unwrap(), Changed::Written(Written::Done));
        }
    });
}

#[test]
fn a_change_that_is_late_is_a_timeout_and_may_have_happened() {
    let (threads, _dir) = start(SHORT);
    let release = hold_up(&threads);
    runtime().block_on(async {
        let late = begin_first(&threads);
        let error = late.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(error.message().contains("may have happened"), "{error}");
        drop(release);
        while threads.change(Change::Ping).await.is_err() {}
        assert!(load_in_time(&threads, "first").await.is_some());
    });
}

#[test]
fn a_change_that_was_not_begun_in_time_is_not_stored() {
    let (threads, _dir) = start(SHORT);
    let release = hold_up(&threads);
    runtime().block_on(async {
        let first = begin_first(&threads);
        let error = threads.change(create("second")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.message().contains("nothing was stored"), "{error}");
        assert!(first.await.is_err());
        drop(release);
        while threads.change(Change::Ping).await.is_err() {}
        assert!(load_in_time(&threads, "second").await.is_none());
    });
}

#[test]
fn a_disk_that_is_busy_with_changes_holds_up_no_load() {
    let (threads, _dir) = start(LONG);
    runtime().block_on(async {
        let done = threads.change(create("s")).await.unwrap();
        assert_eq!(done, Changed::Written(Written::Done));
        let release = hold_up(&threads);
        let mut update = begin(&threads, create("other"));
        threads.kept().recent.clear();
        assert!(load(&threads, "s").await.unwrap().is_some());
        assert!(load(&threads, "other").await.unwrap().is_none());
        assert!(poll(&mut update).is_pending());
        drop(release);
        assert_eq!(update.await.unwrap(), Changed::Written(Written::Done));
    });
}

#[test]
fn a_load_that_is_late_is_a_timeout() {
    let (threads, _dir) = start(SHORT);
    let (release, held) = mpsc::channel::<()>();
    runtime().block_on(async {
        let late = threads.load(move |_| {
            let _ = held.recv();
            Ok(())
        });
        assert_eq!(late.await.unwrap_err().kind(), ErrorKind::Timeout);
        drop(release);
        assert!(load_in_time(&threads, "s").await.is_none());
    });
}

#[test]
fn a_job_that_panics_costs_nobody_else() {
    let (threads, _dir) = start(LONG);
    runtime().block_on(async {
        for _ in 0..20 {
            let panics = threads.load(|_| -> Result<()> { panic!("a bug of the engine") });
            assert_eq!(panics.await.unwrap_err().kind(), ErrorKind::Unavailable);
        }
        assert!(load(&threads, "s").await.unwrap().is_none());
    });
}

#[test]
fn closing_waits_for_what_came_before_it() {
    let (threads, dir) = start(LONG);
    let release = hold_up(&threads);
    let mut changes: Vec<_> = (0..600)
        .map(|n| begin(&threads, create(&format!("s:{n}"))))
        .collect();
    let close = begin(&threads, Change::Close);
    let after = begin(&threads, create("after"));
    assert!(changes.iter_mut().all(|change| poll(change).is_pending()));
    drop(release);
    runtime().block_on(async {
        assert_eq!(close.await.unwrap(), Changed::Nothing);
        for change in changes {
            assert_eq!(change.await.unwrap(), Changed::Written(Written::Done));
        }
        let after = after.await.unwrap();
        assert_eq!(after, Changed::Written(Written::Done), "it opens it again");
    });
    drop(threads);
    Threads::start(&Options::at(dir.path())).unwrap();
}

#[test]
fn after_a_restart_the_first_load_reads_the_disk_and_the_next_does_not() {
    let (threads, dir) = start(LONG);
    runtime().block_on(async {
        let done = threads.change(create("s")).await;
        assert_eq!(done.unwrap(), Changed::Written(Written::Done));
        drop(threads);
        let threads = Threads::start(&Options::at(dir.path())).unwrap();
        let op = op(Action::Load, "s");
        assert!(threads.kept().load_at_hand(&op).unwrap().is_err());
        assert!(load(&threads, "s").await.unwrap().is_some());
        let at_hand = threads.kept().load_at_hand(&op).unwrap();
        assert!(at_hand.is_ok_and(|record| record.is_some()));
    });
}
