//! Telling listeners of sessions that have expired: in the background, though listeners fail, hang or panic.
#![cfg(all(
    feature = "key-mapper",
    feature = "expiry",
    feature = "index",
    feature = "json-codec",
    feature = "memory"
))]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rrss::core::Backend;
use rrss::{
    ErrorKind, Expired, Expiry, Handle, Index, JsonCodec, KeyMapper, ManualClock, Memory, OnLimit,
    Session, Store, Timestamp, expiry, index,
};
use rrss_testkit::{Call, Counts, Faults, Side, Subject};

const HOUR: Duration = Duration::from_secs(3600);
const TURN: Duration = Duration::from_secs(601);

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_millis(1_795_348_800_000))
}

fn noting() -> index::Options {
    index::Options {
        keep_expired: Some((HOUR * 24).into()),
        ..index::Options::of(["user"])
    }
}

/// Sessions that live an hour.
fn store_over(clock: &ManualClock, index: index::Options, backend: impl Backend) -> Store {
    Store::builder()
        .clock(clock.clone())
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(expiry::Options {
            duration: HOUR.into(),
            ..Default::default()
        })
        .step::<Index>(index)
        .step::<JsonCodec>(Default::default())
        .backend("memory", backend)
        .build()
        .unwrap()
}

fn store() -> (Store, ManualClock) {
    let clock = clock();
    let store = store_over(&clock, noting(), Memory::default());
    (store, clock)
}

async fn login(store: &Store, user: &str) -> Handle {
    let mut session = Session::new();
    session.insert("user", user).unwrap();
    store.save(&mut session).await.unwrap();
    Handle::of(session.id().unwrap())
}

type Told = Arc<Mutex<Vec<Handle>>>;

fn listen(store: &Store) -> Told {
    let told = Told::default();
    let all = Arc::clone(&told);
    let listener = move |expired: Expired| {
        all.lock().unwrap().push(expired.handle());
        async { Ok::<(), Infallible>(()) }
    };
    store.on_expired(listener).unwrap();
    told
}

fn drained(told: &Told) -> Vec<Handle> {
    std::mem::take(&mut *told.lock().unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_expires_is_told_once_at_the_next_turn_of_the_sweep() {
    let (store, clock) = store();
    let told = listen(&store);
    let ann = login(&store, "ann").await;
    tokio::time::sleep(TURN).await;
    assert_eq!(drained(&told), [], "nothing has expired yet");
    clock.advance(HOUR);
    tokio::time::sleep(TURN).await;
    assert_eq!(drained(&told), [ann]);
    clock.advance(HOUR);
    tokio::time::sleep(TURN).await;
    assert_eq!(drained(&told), []);
}

#[tokio::test(start_paused = true)]
async fn what_a_listener_fails_on_is_told_again_after_a_minute() {
    let (store, clock) = store();
    let told = listen(&store);
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let fails = move |_| {
        let nth = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            match nth {
                0 => Err("the first time it answers an error"),
                1 => panic!("the second time it panics"),
                2 => pending().await,
                _ => Ok(()),
            }
        }
    };
    store.on_expired(fails).unwrap();
    let ann = login(&store, "ann").await;
    clock.advance(HOUR);
    for nth in 1..=4 {
        assert_eq!(store.sweep().await.unwrap(), u64::from(nth == 1));
        assert_eq!(drained(&told), [ann]);
        assert_eq!(tries.load(Ordering::SeqCst), nth);
        store.sweep().await.unwrap();
        assert_eq!(drained(&told), [], "others may be telling of it");
        clock.advance(Duration::from_secs(60));
    }
    store.sweep().await.unwrap();
    assert_eq!(drained(&told), [], "the fourth time all took it in");
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_a_listener_that_is_being_called() {
    let clock = clock();
    let counts = Counts::new();
    let store = store_over(&clock, noting(), counts.before(Memory::default()));
    let (began, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let (go_on, may_go_on) = tokio::sync::watch::channel(false);
    let ended = Arc::new(AtomicUsize::new(0));
    let ends = Arc::clone(&ended);
    let slow = move |_| {
        began.send(()).unwrap();
        let (mut may_go_on, ends) = (may_go_on.clone(), Arc::clone(&ends));
        async move {
            may_go_on.wait_for(|may| *may).await?;
            ends.fetch_add(1, Ordering::SeqCst);
            Ok::<(), tokio::sync::watch::error::RecvError>(())
        }
    };
    store.on_expired(slow).unwrap();
    login(&store, "ann").await;
    clock.advance(HOUR);
    begun.recv().await.unwrap();
    let shutdown = {
        let store = store.clone();
        tokio::spawn(async move { store.shutdown(HOUR).await })
    };
    tokio::task::yield_now().await;
    assert!(!shutdown.is_finished());
    go_on.send(true).unwrap();
    shutdown.await.unwrap().unwrap();
    assert_eq!(ended.load(Ordering::SeqCst), 1);
    assert_eq!(counts.of(Call::ForgetExpired), 1);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_never_ends_stops_no_later_sweep() {
    let clock = clock();
    let counts = Counts::new();
    let store = store_over(&clock, noting(), counts.before(Memory::default()));
    store
        .on_expired(|_| pending::<Result<(), Infallible>>())
        .unwrap();
    login(&store, "ann").await;
    clock.advance(HOUR);
    tokio::time::sleep(TURN).await;
    assert_eq!(counts.of(Call::TakeExpired), 1);
    assert_eq!(counts.of(Call::Sweep), 1);
    tokio::time::sleep(TURN).await;
    assert_eq!(counts.of(Call::Sweep), 2);
    assert_eq!(counts.of(Call::ForgetExpired), 0);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_listens_nothing_is_taken_and_what_is_too_old_is_dropped() {
    let (store, clock) = store();
    let ann = login(&store, "ann").await;
    clock.advance(HOUR);
    tokio::time::sleep(TURN).await;
    let bob = login(&store, "bob").await;
    clock.advance(HOUR * 22);
    tokio::time::sleep(TURN).await;
    let told = listen(&store);
    store.sweep().await.unwrap();
    let mut both = drained(&told);
    both.sort();
    let mut expected = [ann, bob];
    expected.sort();
    assert_eq!(both, expected, "they were kept");

    let (store, clock) = self::store();
    login(&store, "ann").await;
    clock.advance(HOUR);
    tokio::time::sleep(TURN).await;
    clock.advance(HOUR * 24);
    tokio::time::sleep(TURN).await;
    let told = listen(&store);
    store.sweep().await.unwrap();
    assert_eq!(drained(&told), [], "a day is over");
}

#[tokio::test(start_paused = true)]
async fn an_evicted_session_is_not_told() {
    let clock = clock();
    let options = index::Options {
        max_per_value: std::num::NonZeroUsize::new(1),
        on_limit: Some(OnLimit::EvictOldest),
        ..noting()
    };
    let store = store_over(&clock, options, Memory::default());
    let told = listen(&store);
    login(&store, "ann").await;
    clock.advance(Duration::from_millis(1));
    let second = login(&store, "ann").await;
    clock.advance(HOUR);
    store.sweep().await.unwrap();
    assert_eq!(drained(&told), [second]);
}

#[tokio::test(start_paused = true)]
async fn what_failed_to_be_forgotten_is_told_again() {
    let clock = clock();
    let faults = Faults::new();
    let store = store_over(&clock, noting(), faults.before(Memory::default()));
    let told = listen(&store);
    let ann = login(&store, "ann").await;
    clock.advance(HOUR);
    faults.fail(Call::TakeExpired, 1, Side::After, ErrorKind::Timeout);
    let error = store.sweep().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(drained(&told), [], "the answer was lost");
    for _ in 0..2 {
        clock.advance(Duration::from_secs(60));
        faults.fail(Call::ForgetExpired, 1, Side::Before, ErrorKind::Unavailable);
        let error = store.sweep().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(drained(&told), [ann]);
    }
    clock.advance(Duration::from_secs(60));
    store.sweep().await.unwrap();
    assert_eq!(drained(&told), [ann]);
}

#[tokio::test(start_paused = true)]
async fn more_than_a_batch_is_told_of_in_one_sweep() {
    let (store, clock) = store();
    let told = listen(&store);
    let mut all = Vec::new();
    for n in 0..300 {
        all.push(login(&store, &format!("user-{n}")).await);
    }
    clock.advance(HOUR);
    assert_eq!(store.sweep().await.unwrap(), 300);
    let mut told = drained(&told);
    told.sort();
    all.sort();
    assert_eq!(told, all);
}

#[tokio::test]
async fn without_keep_expired_nothing_is_asked_and_a_listener_is_refused() {
    let counts = Counts::new();
    let options = index::Options::of(["user"]);
    let clock = clock();
    let store = store_over(&clock, options, counts.before(Memory::default()));
    let error = store
        .on_expired(|_| async { Ok::<(), Infallible>(()) })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`keep_expired`"), "{error}");
    login(&store, "ann").await;
    clock.advance(HOUR);
    store.sweep().await.unwrap();
    assert_eq!(counts.of(Call::TakeExpired), 0);

    let error = Subject::new(Memory::default())
        .store()
        .on_expired(|_| async { Ok::<(), Infallible>(()) })
        .unwrap_err();
    assert!(error.to_string().contains("step `index`"), "{error}");
}

#[cfg(feature = "toml")]
#[test]
fn a_bad_keep_expired_is_reported_at_its_place() {
    let file = |keep: &str| {
        format!(
            "[[step]]\ntype = 'key-mapper'\n\
             [[step]]\ntype = 'index'\nfields = ['user']\nkeep_expired = {keep}\n\
             [[step]]\ntype = 'json-codec'\n\
             [[step]]\ntype = 'memory'\n"
        )
    };
    for (keep, words) in [
        ("'0s'", "a `keep_expired` of 0 drops"),
        ("'a day'", "not a duration"),
        ("-1", "a duration cannot be negative"),
    ] {
        let report = Store::from_toml(&file(keep)).unwrap_err();
        let report = report.to_string();
        for words in [words, "`keep_expired` of step `index`", ":6:16"] {
            assert!(report.contains(words), "{words}: {report}");
        }
    }
    assert!(Store::from_toml(&file("'1d'")).is_ok());
}

#[tokio::test]
async fn debug_of_an_expired_session_shows_no_value() {
    let (store, clock) = store();
    let (sent, mut told) = tokio::sync::mpsc::unbounded_channel();
    let listener = move |expired: Expired| {
        let sent = sent.send(expired);
        async move { sent }
    };
    store.on_expired(listener).unwrap();
    let handle = login(&store, "hunter2").await;
    clock.advance(HOUR);
    store.sweep().await.unwrap();
    let expired = told.recv().await.unwrap();
    let debug = format!("{expired:?}");
    assert!(debug.contains(&handle.to_string()) && debug.contains("\"user\""));
    assert!(!debug.contains("hunter2"), "{debug}");
    assert_eq!(expired.get_raw("user"), Some("\"hunter2\""));
}
