//! The sentences of `rrss_core::Backend`, one test each, for the backends that keep the deadlines themselves.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use rrss_core::{
    Action, Backend, Cursor, Deadline, ErrorKind, KeySpace, Operation, Payload, StorageKey,
    Timestamp, Written,
};
use tokio::sync::Barrier;

/// How often a race is run: the barrier starts both sides together, and which of them wins is left to chance.
const ROUNDS: usize = 300;

/// Makes a test of each promise for the backend that `$open` answers, with what must outlive it.
#[macro_export]
macro_rules! promises {
    ($open:path) => {
        $crate::promises!($open:
            a_load_answers_the_bytes_exactly_as_they_were_written
            a_load_answers_none_for_what_was_never_written_or_was_deleted
            a_load_answers_none_from_the_deadline_on
            reading_changes_nothing
            a_create_is_done_only_where_nothing_live_is
            an_update_replaces_only_what_is_live
            of_two_creates_at_once_one_is_done
            a_kept_deadline_is_the_old_one_and_a_new_session_has_none
            a_deadline_that_is_not_in_the_future_removes_and_is_done
            a_touch_moves_the_deadline_and_nothing_else
            a_touch_never_creates
            a_touch_that_keeps_the_deadline_only_says_whether_the_session_is_there
            a_touch_to_the_past_removes
            a_delete_says_whether_a_live_session_was_there
            nothing_brings_a_deleted_session_back
            the_pages_of_a_list_name_every_live_key_of_the_space_once
            a_list_names_what_was_there_all_the_while
            a_count_is_of_the_live_keys_of_the_space
            a_sweep_removes_up_to_its_limit_and_fewer_means_that_none_are_left
            a_sweep_leaves_what_was_renewed_or_never_ends
            a_limited_sweep_misses_nothing_that_falls_due_behind_it
            two_sweeps_at_once_remove_each_session_once
            a_session_is_either_swept_or_renewed
            an_operation_without_what_it_needs_is_a_config_error
            it_asks_for_sweeps_and_answers_pings
        );
    };
    ($open:path: $($promise:ident)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let (backend, _kept) = $open();
            promises::$promise(std::sync::Arc::new(backend)).await;
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

pub(crate) fn delete(key: &str, now: u64) -> Operation {
    op(Action::Delete, key, now)
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

async fn exists(backend: &impl Backend, key: &str, now: u64) -> bool {
    stored(backend, key, now).await.is_some()
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

pub(crate) async fn a_load_answers_the_bytes_exactly_as_they_were_written(
    backend: Arc<impl Backend>,
) {
    let every_byte: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
    for (key, bytes) in [
        ("s:empty", Bytes::new()),
        ("s:nul", Bytes::from_static(b"\0\0\0\0\0\0\0\0\0")),
        ("s:every", every_byte.into()),
        (
            "s:\u{2603} \0 key",
            Bytes::from_static("\u{1f980}".as_bytes()),
        ),
    ] {
        let mut op = create(key, "", 0, until(100));
        op.payload = Payload::Bytes(bytes.clone());
        backend.write(&op).await.unwrap();
        assert_eq!(
            stored(&*backend, key, 99).await,
            Some((bytes, Some(at(100))))
        );
    }
}

pub(crate) async fn a_load_answers_none_for_what_was_never_written_or_was_deleted(
    backend: Arc<impl Backend>,
) {
    put(&*backend, "s:1", Deadline::Never).await;
    assert!(backend.delete(&delete("s:1", 0)).await.unwrap());
    for key in ["s:1", "s:2", "s:", "", "s:11", "S:1"] {
        assert!(!exists(&*backend, key, 0).await, "{key}");
    }
}

pub(crate) async fn a_load_answers_none_from_the_deadline_on(backend: Arc<impl Backend>) {
    put(&*backend, "s:1", until(100)).await;
    assert!(exists(&*backend, "s:1", 99).await);
    assert!(!exists(&*backend, "s:1", 100).await);
    assert!(!exists(&*backend, "s:1", u64::MAX).await);
    put(&*backend, "s:2", Deadline::Never).await;
    assert!(exists(&*backend, "s:2", u64::MAX).await);
}

pub(crate) async fn reading_changes_nothing(backend: Arc<impl Backend>) {
    put(&*backend, "s:1", until(100)).await;
    for now in [0, 99, 100, 1_000, 0] {
        let live = exists(&*backend, "s:1", now).await;
        assert_eq!(live, now < 100);
        let space = load("", now);
        assert_eq!(backend.count(&space).await.unwrap(), u64::from(live));
        assert_eq!(
            all_keys(&*backend, &space, 10).await.len(),
            usize::from(live)
        );
    }
}

pub(crate) async fn a_create_is_done_only_where_nothing_live_is(backend: Arc<impl Backend>) {
    put(&*backend, "s:1", until(100)).await;
    let second = create("s:1", "second", 99, until(200));
    assert_eq!(backend.write(&second).await.unwrap(), Written::Taken);
    let past = create("s:1", "past", 99, until(1));
    assert_eq!(backend.write(&past).await.unwrap(), Written::Taken);
    assert_eq!(
        stored(&*backend, "s:1", 99).await,
        Some(("{}".into(), Some(at(100))))
    );
    let third = create("s:1", "third", 100, until(200));
    assert_eq!(backend.write(&third).await.unwrap(), Written::Done);
    assert_eq!(
        stored(&*backend, "s:1", 100).await,
        Some(("third".into(), Some(at(200))))
    );
}

pub(crate) async fn an_update_replaces_only_what_is_live(backend: Arc<impl Backend>) {
    let never = update("s:1", "never", 0, until(100));
    assert_eq!(backend.write(&never).await.unwrap(), Written::Gone);
    assert!(!exists(&*backend, "s:1", 0).await);

    put(&*backend, "s:1", until(100)).await;
    let longer = update("s:1", "longer than before", 50, until(200));
    assert_eq!(backend.write(&longer).await.unwrap(), Written::Done);
    assert_eq!(
        stored(&*backend, "s:1", 50).await,
        Some(("longer than before".into(), Some(at(200))))
    );

    let late = update("s:1", "late", 200, until(300));
    assert_eq!(backend.write(&late).await.unwrap(), Written::Gone);
    assert!(!exists(&*backend, "s:1", 200).await);

    put(&*backend, "s:2", Deadline::Never).await;
    backend.delete(&delete("s:2", 0)).await.unwrap();
    let deleted = update("s:2", "deleted", 0, Deadline::Never);
    assert_eq!(backend.write(&deleted).await.unwrap(), Written::Gone);
    assert!(!exists(&*backend, "s:2", 0).await);
}

/// Runs both at once, as far as a barrier can tell.
async fn at_once<A, B>(one: A, two: B) -> (A::Output, B::Output)
where
    A: Future<Output: Send> + Send + 'static,
    B: Future<Output: Send> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(2));
    let other = Arc::clone(&barrier);
    let one = tokio::spawn(async move {
        barrier.wait().await;
        one.await
    });
    let two = tokio::spawn(async move {
        other.wait().await;
        two.await
    });
    (one.await.unwrap(), two.await.unwrap())
}

pub(crate) async fn of_two_creates_at_once_one_is_done(backend: Arc<impl Backend>) {
    for round in 0..ROUNDS {
        let key = format!("s:{round}");
        let writer = |bytes: &'static str| {
            let (backend, op) = (
                Arc::clone(&backend),
                create(&key, bytes, 0, Deadline::Never),
            );
            async move { backend.write(&op).await.unwrap() }
        };
        let winner = match at_once(writer("one"), writer("two")).await {
            (Written::Done, Written::Taken) => "one",
            (Written::Taken, Written::Done) => "two",
            both => panic!("{both:?}"),
        };
        assert_eq!(
            stored(&*backend, &key, 0).await,
            Some((winner.into(), None))
        );
    }
}

pub(crate) async fn a_kept_deadline_is_the_old_one_and_a_new_session_has_none(
    backend: Arc<impl Backend>,
) {
    put(&*backend, "s:1", until(100)).await;
    let kept = update("s:1", "kept", 50, Deadline::Keep);
    assert_eq!(backend.write(&kept).await.unwrap(), Written::Done);
    assert_eq!(
        stored(&*backend, "s:1", 99).await,
        Some(("kept".into(), Some(at(100))))
    );
    let never = update("s:1", "never", 50, Deadline::Never);
    assert_eq!(backend.write(&never).await.unwrap(), Written::Done);
    assert_eq!(
        stored(&*backend, "s:1", 100).await,
        Some(("never".into(), None))
    );

    put(&*backend, "s:2", Deadline::Keep).await;
    assert_eq!(
        stored(&*backend, "s:2", u64::MAX).await,
        Some(("{}".into(), None))
    );

    put(&*backend, "s:3", until(100)).await;
    let anew = create("s:3", "anew", 100, Deadline::Keep);
    assert_eq!(backend.write(&anew).await.unwrap(), Written::Done);
    assert_eq!(
        stored(&*backend, "s:3", 100).await,
        Some(("anew".into(), None))
    );
    assert_eq!(backend.sweep(&sweep(1_000), 10).await.unwrap(), 0);
}

pub(crate) async fn a_deadline_that_is_not_in_the_future_removes_and_is_done(
    backend: Arc<impl Backend>,
) {
    for deadline in [0, 49, 50] {
        let born_dead = create("s:1", "born dead", 50, until(deadline));
        assert_eq!(backend.write(&born_dead).await.unwrap(), Written::Done);
        assert!(!exists(&*backend, "s:1", 0).await);

        put(&*backend, "s:1", until(100)).await;
        let last = update("s:1", "last", 50, until(deadline));
        assert_eq!(backend.write(&last).await.unwrap(), Written::Done);
        assert!(!exists(&*backend, "s:1", 0).await);
    }
    assert_eq!(backend.sweep(&sweep(1_000), 10).await.unwrap(), 0);
}

pub(crate) async fn a_touch_moves_the_deadline_and_nothing_else(backend: Arc<impl Backend>) {
    put(&*backend, "s:1", until(100)).await;
    for (deadline, expected) in [
        (until(200), Some(at(200))),
        (until(150), Some(at(150))),
        (Deadline::Never, None),
        (until(120), Some(at(120))),
    ] {
        assert!(backend.touch(&touch("s:1", 50, deadline)).await.unwrap());
        assert_eq!(
            stored(&*backend, "s:1", 50).await,
            Some(("{}".into(), expected))
        );
    }
    assert!(!exists(&*backend, "s:1", 120).await);
}

pub(crate) async fn a_touch_never_creates(backend: Arc<impl Backend>) {
    put(&*backend, "s:expired", until(100)).await;
    for key in ["s:expired", "s:never"] {
        for deadline in [until(200), until(1), Deadline::Never, Deadline::Keep] {
            assert!(!backend.touch(&touch(key, 100, deadline)).await.unwrap());
            assert!(!exists(&*backend, key, 100).await);
        }
    }
}

pub(crate) async fn a_touch_that_keeps_the_deadline_only_says_whether_the_session_is_there(
    backend: Arc<impl Backend>,
) {
    put(&*backend, "s:1", until(100)).await;
    let keep = |now| touch("s:1", now, Deadline::Keep);
    assert!(backend.touch(&keep(99)).await.unwrap());
    assert!(!backend.touch(&keep(100)).await.unwrap());
    assert_eq!(
        stored(&*backend, "s:1", 99).await,
        Some(("{}".into(), Some(at(100))))
    );
}

pub(crate) async fn a_touch_to_the_past_removes(backend: Arc<impl Backend>) {
    put(&*backend, "s:1", until(100)).await;
    assert!(backend.touch(&touch("s:1", 50, until(50))).await.unwrap());
    assert!(!exists(&*backend, "s:1", 0).await);
    assert!(!backend.touch(&touch("s:1", 50, until(50))).await.unwrap());
    assert_eq!(backend.sweep(&sweep(1_000), 10).await.unwrap(), 0);
}

pub(crate) async fn a_delete_says_whether_a_live_session_was_there(backend: Arc<impl Backend>) {
    put(&*backend, "s:1", until(100)).await;
    assert!(backend.delete(&delete("s:1", 99)).await.unwrap());
    assert!(!backend.delete(&delete("s:1", 99)).await.unwrap());
    put(&*backend, "s:2", until(100)).await;
    assert!(!backend.delete(&delete("s:2", 100)).await.unwrap());
    assert!(!exists(&*backend, "s:2", 0).await);
    assert_eq!(backend.sweep(&sweep(1_000), 10).await.unwrap(), 0);
}

pub(crate) async fn nothing_brings_a_deleted_session_back(backend: Arc<impl Backend>) {
    for round in 0..ROUNDS {
        let key = format!("s:{round}");
        put(&*backend, &key, until(100)).await;
        let deleting = {
            let (backend, op) = (Arc::clone(&backend), delete(&key, 0));
            async move { backend.delete(&op).await.unwrap() }
        };
        let writing = {
            let backend = Arc::clone(&backend);
            let (update, touch) = (
                update(&key, "late", 0, until(200)),
                touch(&key, 0, until(300)),
            );
            async move {
                let written = backend.write(&update).await.unwrap();
                (written, backend.touch(&touch).await.unwrap())
            }
        };
        let (deleted, (written, touched)) = at_once(deleting, writing).await;
        assert!(deleted);
        assert!(!touched || written == Written::Done);
        assert!(!exists(&*backend, &key, 0).await);
    }
    assert_eq!(backend.sweep(&sweep(1_000), 10).await.unwrap(), 0);
}

pub(crate) async fn the_pages_of_a_list_name_every_live_key_of_the_space_once(
    backend: Arc<impl Backend>,
) {
    let live: Vec<String> = (0..25).map(|n| format!("s:{n:02}:data")).collect();
    for key in &live {
        put(&*backend, key, until(100)).await;
    }
    for foreign in ["r:1:data", "s", "s:1", "s;1:data", "t:1:data", "s:01:datum"] {
        put(&*backend, foreign, until(100)).await;
    }
    put(&*backend, "s:99:data", until(50)).await;
    let mut space = load("", 50);
    space.key_space = Some(KeySpace::new("s:", ":data"));
    for limit in [1, 2, 7, 25, 100] {
        assert_eq!(all_keys(&*backend, &space, limit).await, live, "{limit}");
    }
    space.key_space = Some(KeySpace::new("x:", ""));
    assert!(all_keys(&*backend, &space, 10).await.is_empty());
    space.key_space = Some(KeySpace::default());
    assert_eq!(all_keys(&*backend, &space, 10).await.len(), 31);
}

pub(crate) async fn a_list_names_what_was_there_all_the_while(backend: Arc<impl Backend>) {
    for n in 0..30 {
        put(&*backend, &format!("s:{n:02}"), Deadline::Never).await;
    }
    let space = load("", 0);
    let (mut named, mut cursor) = (BTreeSet::new(), None::<Cursor>);
    for page in 0.. {
        // Between two pages the last key named goes, one behind it goes, and new ones come on both sides.
        let answer = backend.list(&space, cursor.as_ref(), 5).await.unwrap();
        named.extend(answer.keys.iter().map(|key| key.as_str().to_owned()));
        let Some(next) = answer.next else { break };
        let last = named.last().unwrap().clone();
        backend.delete(&delete(&last, 0)).await.unwrap();
        backend.delete(&delete("s:29", 0)).await.unwrap();
        put(&*backend, &format!("s:00:{page}"), Deadline::Never).await;
        put(&*backend, &format!("s:28:{page}"), Deadline::Never).await;
        cursor = Some(next);
    }
    for n in 0..29 {
        assert!(named.contains(&format!("s:{n:02}")), "{n}");
    }
    assert!(!named.contains("s:29"));
}

pub(crate) async fn a_count_is_of_the_live_keys_of_the_space(backend: Arc<impl Backend>) {
    assert_eq!(backend.count(&load("", 0)).await.unwrap(), 0);
    for n in 0..2_500 {
        put(&*backend, &format!("s:{n}"), until(100 + n % 2)).await;
    }
    put(&*backend, "other:1", Deadline::Never).await;
    for (now, count) in [(0, 2_500), (99, 2_500), (100, 1_250), (101, 0)] {
        assert_eq!(backend.count(&load("", now)).await.unwrap(), count);
    }
}

pub(crate) async fn a_sweep_removes_up_to_its_limit_and_fewer_means_that_none_are_left(
    backend: Arc<impl Backend>,
) {
    for n in 0..700 {
        put(&*backend, &format!("s:{n}"), until(100 + n)).await;
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

pub(crate) async fn a_sweep_leaves_what_was_renewed_or_never_ends(backend: Arc<impl Backend>) {
    for key in ["s:touched", "s:updated", "s:freed", "s:ended"] {
        put(&*backend, key, until(100)).await;
    }
    put(&*backend, "s:endless", Deadline::Never).await;
    let renew = touch("s:touched", 50, until(200));
    assert!(backend.touch(&renew).await.unwrap());
    let renew = update("s:updated", "{}", 50, until(200));
    assert_eq!(backend.write(&renew).await.unwrap(), Written::Done);
    let free = touch("s:freed", 50, Deadline::Never);
    assert!(backend.touch(&free).await.unwrap());
    assert_eq!(backend.sweep(&sweep(199), 10).await.unwrap(), 1);
    assert_eq!(
        all_keys(&*backend, &load("", 0), 10).await,
        ["s:endless", "s:freed", "s:touched", "s:updated"]
    );
}

pub(crate) async fn a_limited_sweep_misses_nothing_that_falls_due_behind_it(
    backend: Arc<impl Backend>,
) {
    for n in 0..5 {
        put(&*backend, &format!("s:{n}"), until(100 + n)).await;
    }
    assert_eq!(backend.sweep(&sweep(1_000), 3).await.unwrap(), 3);
    put(&*backend, "s:early", until(50)).await;
    put(&*backend, "s:again", until(100)).await;
    assert_eq!(backend.sweep(&sweep(60), 3).await.unwrap(), 1);
    put(&*backend, "s:early", until(50)).await;
    assert_eq!(backend.sweep(&sweep(1_000), 3).await.unwrap(), 3);
    assert_eq!(backend.sweep(&sweep(1_000), 3).await.unwrap(), 1);
    assert_eq!(backend.count(&load("", 0)).await.unwrap(), 0);
}

pub(crate) async fn two_sweeps_at_once_remove_each_session_once(backend: Arc<impl Backend>) {
    for _ in 0..5 {
        for n in 0..400 {
            put(&*backend, &format!("s:{n}"), until(100 + n % 3)).await;
        }
        let sweeper = || {
            let backend = Arc::clone(&backend);
            async move { backend.sweep(&sweep(200), 1_000).await.unwrap() }
        };
        let (one, two) = at_once(sweeper(), sweeper()).await;
        assert_eq!(one + two, 400);
        assert_eq!(backend.count(&load("", 0)).await.unwrap(), 0);
    }
}

pub(crate) async fn a_session_is_either_swept_or_renewed(backend: Arc<impl Backend>) {
    for round in 0..ROUNDS {
        let key = format!("s:{round}");
        put(&*backend, &key, until(100)).await;
        let renewing = {
            let (backend, op) = (Arc::clone(&backend), touch(&key, 99, until(200)));
            async move { backend.touch(&op).await.unwrap() }
        };
        let sweeping = {
            let backend = Arc::clone(&backend);
            async move { backend.sweep(&sweep(100), 10).await.unwrap() }
        };
        let (renewed, swept) = at_once(renewing, sweeping).await;
        assert_eq!(swept, u64::from(!renewed));
        assert_eq!(exists(&*backend, &key, 100).await, renewed);
    }
}

pub(crate) async fn an_operation_without_what_it_needs_is_a_config_error(
    backend: Arc<impl Backend>,
) {
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

pub(crate) async fn it_asks_for_sweeps_and_answers_pings(backend: Arc<impl Backend>) {
    assert!(backend.needs_sweep());
    backend.ping().await.unwrap();
    put(&*backend, "s:1", Deadline::Never).await;
    backend.close().await.unwrap();
}
