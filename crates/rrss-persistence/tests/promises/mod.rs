//! What the backends that keep the deadlines themselves promise beyond the conformance suite: that what they do in
//! parts, pages and batches, is whole.

use bytes::Bytes;
use rrss_core::{
    Action, Backend, Cursor, Deadline, ErrorKind, KeySpace, Operation, Payload, StorageKey,
    Timestamp, Written,
};

/// Makes a test of each promise for the backend that `$open` answers, with what must outlive it.
#[macro_export]
macro_rules! promises {
    ($open:path) => {
        $crate::promises!($open:
            the_pages_of_a_list_name_every_live_key_of_the_space_once
            a_count_is_of_the_live_keys_of_the_space
            a_sweep_removes_up_to_its_limit_and_fewer_means_that_none_are_left
            a_limited_sweep_misses_nothing_that_falls_due_behind_it
            an_operation_without_what_it_needs_is_a_config_error
        );
    };
    ($open:path: $($promise:ident)*) => { $(
        #[tokio::test]
        async fn $promise() {
            let (backend, _kept) = $open();
            promises::$promise(&backend).await;
        }
    )* };
}

pub(crate) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// An operation on `key` at the instant `now`, in the key space of `s:…`.
pub(crate) fn op(action: Action, key: &str, now: u64) -> Operation {
    let mut op = Operation::new(action, at(now));
    op.key = Some(StorageKey::from(key.to_owned()));
    op.key_space = Some(KeySpace::new("s:", ""));
    op
}

pub(crate) fn load(key: &str, now: u64) -> Operation {
    op(Action::Load, key, now)
}

pub(crate) fn create(key: &str, bytes: &str, now: u64, deadline: Deadline) -> Operation {
    storing(op(Action::Create, key, now), bytes, deadline)
}

pub(crate) fn update(key: &str, bytes: &str, now: u64, deadline: Deadline) -> Operation {
    storing(op(Action::Update, key, now), bytes, deadline)
}

pub(crate) fn touch(key: &str, now: u64, deadline: Deadline) -> Operation {
    let mut op = op(Action::Touch, key, now);
    op.deadline = deadline;
    op
}

pub(crate) fn sweep(now: u64) -> Operation {
    Operation::new(Action::Sweep { limit: 0 }, at(now))
}

fn storing(mut op: Operation, bytes: &str, deadline: Deadline) -> Operation {
    op.payload = Payload::Bytes(Bytes::copy_from_slice(bytes.as_bytes()));
    op.deadline = deadline;
    op
}

pub(crate) fn until(millis: u64) -> Deadline {
    Deadline::At(at(millis))
}

/// The bytes and the deadline of what is live under `key`.
pub(crate) async fn stored(
    backend: &impl Backend,
    key: &str,
    now: u64,
) -> Option<(Bytes, Option<Timestamp>)> {
    let record = backend.load(&load(key, now)).await.unwrap()?;
    match record.payload {
        Payload::Bytes(bytes) => Some((bytes, record.expires_at)),
        _ => panic!("a backend answers bytes"),
    }
}

pub(crate) async fn put(backend: &impl Backend, key: &str, deadline: Deadline) {
    let written = backend.write(&create(key, "{}", 0, deadline)).await;
    assert_eq!(written.unwrap(), Written::Done);
}

pub(crate) async fn all_keys(backend: &impl Backend, op: &Operation, limit: usize) -> Vec<String> {
    let (mut keys, mut cursor) = (Vec::new(), None::<Cursor>);
    loop {
        let page = backend.list(op, cursor.as_ref(), limit).await.unwrap();
        assert!(page.keys.len() <= limit);
        keys.extend(page.keys.iter().map(|key| key.as_str().to_owned()));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return keys,
        }
    }
}

pub(crate) async fn the_pages_of_a_list_name_every_live_key_of_the_space_once(
    backend: &impl Backend,
) {
    let live: Vec<String> = (0..25).map(|n| format!("s:{n:02}:data")).collect();
    for key in &live {
        put(backend, key, until(100)).await;
    }
    for foreign in ["r:1:data", "s", "s:1", "s;1:data", "t:1:data", "s:01:datum"] {
        put(backend, foreign, until(100)).await;
    }
    put(backend, "s:99:data", until(50)).await;
    let mut space = load("", 50);
    space.key_space = Some(KeySpace::new("s:", ":data"));
    for limit in [1, 2, 7, 25, 100] {
        assert_eq!(all_keys(backend, &space, limit).await, live, "{limit}");
    }
    space.key_space = Some(KeySpace::new("x:", ""));
    assert!(all_keys(backend, &space, 10).await.is_empty());
    space.key_space = Some(KeySpace::default());
    assert_eq!(all_keys(backend, &space, 10).await.len(), 31);
}

pub(crate) async fn a_count_is_of_the_live_keys_of_the_space(backend: &impl Backend) {
    assert_eq!(backend.count(&load("", 0)).await.unwrap(), 0);
    for n in 0..2_500 {
        put(backend, &format!("s:{n}"), until(100 + n % 2)).await;
    }
    put(backend, "other:1", Deadline::Never).await;
    for (now, count) in [(0, 2_500), (99, 2_500), (100, 1_250), (101, 0)] {
        assert_eq!(backend.count(&load("", now)).await.unwrap(), count);
    }
}

pub(crate) async fn a_sweep_removes_up_to_its_limit_and_fewer_means_that_none_are_left(
    backend: &impl Backend,
) {
    for n in 0..700 {
        put(backend, &format!("s:{n}"), until(100 + n)).await;
    }
    assert_eq!(backend.sweep(&sweep(99), 1_000).await.unwrap(), 0);
    assert_eq!(backend.sweep(&sweep(100), 1_000).await.unwrap(), 1);
    assert_eq!(backend.sweep(&sweep(699), 0).await.unwrap(), 0);
    for expected in [300, 299, 0] {
        assert_eq!(backend.sweep(&sweep(699), 300).await.unwrap(), expected);
    }
    assert_eq!(backend.count(&load("", 0)).await.unwrap(), 100);
    assert_eq!(backend.sweep(&sweep(u64::MAX), 1_000).await.unwrap(), 100);
    assert_eq!(backend.count(&load("", 0)).await.unwrap(), 0);
}

pub(crate) async fn a_limited_sweep_misses_nothing_that_falls_due_behind_it(
    backend: &impl Backend,
) {
    for n in 0..5 {
        put(backend, &format!("s:{n}"), until(100 + n)).await;
    }
    assert_eq!(backend.sweep(&sweep(1_000), 3).await.unwrap(), 3);
    put(backend, "s:early", until(50)).await;
    put(backend, "s:again", until(100)).await;
    assert_eq!(backend.sweep(&sweep(60), 3).await.unwrap(), 1);
    put(backend, "s:early", until(50)).await;
    assert_eq!(backend.sweep(&sweep(1_000), 3).await.unwrap(), 3);
    assert_eq!(backend.sweep(&sweep(1_000), 3).await.unwrap(), 1);
    assert_eq!(backend.count(&load("", 0)).await.unwrap(), 0);
}

pub(crate) async fn an_operation_without_what_it_needs_is_a_config_error(backend: &impl Backend) {
    let bare = Operation::new(Action::Create, at(0));
    for error in [
        backend.load(&bare).await.unwrap_err(),
        backend.write(&bare).await.unwrap_err(),
        backend.write(&load("s:1", 0)).await.unwrap_err(),
        backend.touch(&bare).await.unwrap_err(),
        backend.delete(&bare).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
    for error in [
        backend.list(&bare, None, 1).await.unwrap_err(),
        backend.count(&bare).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
}
