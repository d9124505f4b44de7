//! Finding sessions by the value of a field, and ending them.
#![cfg(all(
    feature = "key-mapper",
    feature = "expiry",
    feature = "index",
    feature = "json-codec",
    feature = "memory"
))]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::HashSet;
use std::time::Duration;

use rrss::core::{Backend, Payload};
use rrss::{
    ErrorKind, Expiry, Index, JsonCodec, KeyMapper, ManualClock, Memory, Saved, Session, SessionId,
    SessionInfo, Shape, Store, StoreBuilder, Timestamp, expiry, index,
};
use rrss_testkit::{Call, Counts, Gate, Side};
use serde::Serialize;

const HOUR: Duration = Duration::from_secs(3600);

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_millis(1_795_348_800_000))
}

fn steps(clock: &ManualClock) -> StoreBuilder {
    Store::builder()
        .clock(clock.clone())
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(expiry::Options {
            duration: HOUR.into(),
            ..Default::default()
        })
        .step::<Index>(index::Options::of(["user", "team"]))
        .step::<JsonCodec>(Default::default())
}

fn store_over(backend: impl Backend) -> Store {
    steps(&clock()).backend("memory", backend).build().unwrap()
}

fn store() -> Store {
    store_over(Memory::default())
}

async fn login<T: Serialize + ?Sized>(store: &Store, user: &T) -> Session {
    let mut session = Session::new();
    session.insert("user", user).unwrap();
    assert_eq!(store.save(&mut session).await.unwrap(), Saved::Created);
    session
}

/// All sessions of `user`, by pages of seven.
async fn found<T: Serialize + ?Sized>(store: &Store, user: &T) -> Vec<SessionInfo> {
    let (mut sessions, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.find("user", user, cursor, 7).await.unwrap();
        sessions.extend(page.sessions);
        cursor = page.next;
        if cursor.is_none() {
            return sessions;
        }
    }
}

async fn count<T: Serialize + ?Sized>(store: &Store, user: &T) -> usize {
    found(store, user).await.len()
}

#[tokio::test]
async fn a_saved_session_is_found_with_what_a_page_of_an_account_shows() {
    let clock = clock();
    let store = steps(&clock)
        .step::<Memory>(Default::default())
        .build()
        .unwrap();
    let created = store.now();
    let mut session = login(&store, &42).await;
    clock.advance(HOUR / 2);
    session.insert("device", "laptop").unwrap();
    store.save(&mut session).await.unwrap();
    login(&store, &43).await;

    let sessions = found(&store, &42).await;
    let [info] = &sessions[..] else {
        panic!("one is of 42: {sessions:?}");
    };
    assert_eq!(info.created_at(), Some(created));
    assert_eq!(info.written_at(), Some(created + HOUR / 2));
    assert_eq!(info.expires_at(), Some(created + HOUR / 2 + HOUR));
    let device = info.get::<String>("device").unwrap();
    assert_eq!(device.as_deref(), Some("laptop"));
    let id = session.id().unwrap();
    assert!(info.is(id));
    let shown = format!("{info:?} {:?} {}", info.handle(), info.handle());
    assert!(!shown.contains(id.as_str()), "{shown}");
    assert!(!shown.contains("laptop"), "{shown}");
}

#[tokio::test]
async fn a_changed_or_removed_value_moves_a_session_and_an_unrelated_save_does_not() {
    let store = store();
    let mut session = login(&store, "ann").await;
    session.insert("theme", "dark").unwrap();
    store.save(&mut session).await.unwrap();
    assert_eq!(count(&store, "ann").await, 1);
    session.insert("user", "bob").unwrap();
    store.save(&mut session).await.unwrap();
    assert_eq!(count(&store, "ann").await, 0);
    assert_eq!(count(&store, "bob").await, 1);
    session.remove("user");
    store.save(&mut session).await.unwrap();
    assert_eq!(count(&store, "bob").await, 0);
    session.insert("user", "bob").unwrap();
    store.save(&mut session).await.unwrap();
    session.clear();
    store.save(&mut session).await.unwrap();
    assert_eq!(count(&store, "bob").await, 0);
}

#[tokio::test]
async fn a_session_that_ended_is_not_found() {
    let clock = clock();
    let store = steps(&clock)
        .step::<Memory>(Default::default())
        .build()
        .unwrap();
    let deleted = login(&store, "ann").await;
    let past = login(&store, "ann").await;
    let touched = login(&store, "ann").await;
    login(&store, "ann").await;
    assert!(store.delete(deleted.id().unwrap()).await.unwrap());
    let now = store.now();
    assert!(store.touch_until(past.id().unwrap(), now).await.unwrap());
    assert_eq!(count(&store, "ann").await, 2);
    clock.advance(HOUR / 2);
    assert!(store.touch(touched.id().unwrap()).await.unwrap());
    clock.advance(HOUR / 2);
    let left = found(&store, "ann").await;
    assert_eq!(left.len(), 1);
    assert!(left[0].is(touched.id().unwrap()));
    clock.advance(HOUR);
    assert_eq!(count(&store, "ann").await, 0);
}

#[tokio::test]
async fn a_rotated_session_is_found_once_under_its_new_id() {
    let store = store();
    let mut session = login(&store, "ann").await;
    let old = session.id().unwrap().clone();
    store.rotate(&mut session).await.unwrap();
    let sessions = found(&store, "ann").await;
    assert_eq!(sessions.len(), 1);
    assert!(sessions[0].is(session.id().unwrap()) && !sessions[0].is(&old));
}

#[tokio::test]
async fn what_two_copies_do_to_one_value_is_found_as_it_is_stored() {
    let store = store();
    for (first, second) in [
        (Some("bob"), Some("eve")),
        (Some("bob"), None),
        (None, Some("eve")),
    ] {
        let mut one = login(&store, "ann").await;
        let mut two = store.load(one.id().unwrap()).await.unwrap().unwrap();
        for (copy, value) in [(&mut one, first), (&mut two, second)] {
            match value {
                Some(value) => copy.insert("user", value).unwrap(),
                None => drop(copy.remove("user")),
            }
            store.save(copy).await.unwrap();
        }
        let stored = store.load(one.id().unwrap()).await.unwrap().unwrap();
        let user = stored.get::<String>("user").unwrap();
        assert_eq!(user.as_deref(), second);
        for name in ["ann", "bob", "eve"] {
            let expected = usize::from(second == Some(name));
            assert_eq!(count(&store, name).await, expected, "{name}");
        }
        store.delete(one.id().unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn values_are_found_by_their_text() {
    let store = store();
    login(&store, &42).await;
    login(&store, "42").await;
    login(&store, &true).await;
    assert_eq!(count(&store, &42).await, 2);
    assert_eq!(count(&store, "42").await, 2);
    assert_eq!(count(&store, "true").await, 1);
    assert_eq!(count(&store, &1.0).await, 0);
    let huge = "ann ".repeat(50_000);
    login(&store, &huge).await;
    assert_eq!(count(&store, &huge).await, 1);
    assert_eq!(count(&store, &huge[1..]).await, 0);
    login(&store, "").await;
    login(&store, &None::<u32>).await;
    assert_eq!(count(&store, "").await, 1);
    assert_eq!(store.count().await.unwrap(), 6);
}

#[tokio::test]
async fn a_value_with_no_text_of_its_own_is_refused_and_nothing_is_stored() {
    let store = store();
    let mut session = Session::new();
    session.insert("user", &["ann"]).unwrap();
    let error = store.save(&mut session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(error.message().contains("`user`"), "{error}");
    assert_eq!(store.count().await.unwrap(), 0);

    session.insert("user", "ann").unwrap();
    store.save(&mut session).await.unwrap();
    session.insert("user", &["hunter2"]).unwrap();
    let error = store.save(&mut session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(count(&store, "ann").await, 1);
}

#[tokio::test]
async fn only_what_is_indexed_can_be_found() {
    let store = store();
    let error = store.find("device", &1, None, 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("add it to the `fields`"));
    for value in [serde_json::json!(null), serde_json::json!([1])] {
        let error = store.find("user", &value, None, 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        let error = store.revoke("user", &value).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
    }
}

#[tokio::test]
async fn the_pages_of_many_sessions_name_each_and_all_of_them_can_be_revoked() {
    let store = store();
    let mut ids = HashSet::new();
    for n in 0..300 {
        let session = login(&store, if n % 3 == 0 { "bob" } else { "ann" }).await;
        if n % 3 != 0 {
            ids.insert(session.id().unwrap().clone());
        }
    }
    for limit in [1, 50, 128, 1_000] {
        let (mut seen, mut cursor) = (0, None);
        loop {
            let page = store.find("user", "ann", cursor, limit).await.unwrap();
            assert!(page.sessions.len() <= limit);
            for session in &page.sessions {
                assert!(ids.iter().any(|id| session.is(id)));
            }
            seen += page.sessions.len();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, 200, "pages of {limit}");
    }
    assert_eq!(store.revoke("user", "ann").await.unwrap(), 200);
    assert_eq!(store.count().await.unwrap(), 100);
    assert_eq!(count(&store, "bob").await, 100);
}

#[tokio::test]
async fn revoke_others_keeps_one_and_revoke_one_ends_one() {
    let store = store();
    let kept = login(&store, "ann").await;
    let others = [login(&store, "ann").await, login(&store, "ann").await];
    let bob = login(&store, "bob").await;

    let handle = rrss::Handle::of(bob.id().unwrap());
    assert!(!store.revoke_one("user", "ann", handle).await.unwrap());
    let handle = rrss::Handle::of(others[0].id().unwrap());
    assert!(store.revoke_one("user", "ann", handle).await.unwrap());
    assert!(!store.revoke_one("user", "ann", handle).await.unwrap());
    let mut late = others[0].clone();
    late.insert("late", &true).unwrap();
    assert!(store.save(&mut late).await.unwrap_err().is_gone());

    let kept = kept.id().unwrap();
    assert_eq!(store.revoke_others("user", "ann", kept).await.unwrap(), 1);
    let left = found(&store, "ann").await;
    assert_eq!(left.len(), 1);
    assert!(left[0].is(kept));
    assert_eq!(count(&store, "bob").await, 1);
}

#[tokio::test]
async fn finding_costs_a_look_and_a_load_for_each_and_saving_nothing_more() {
    let counts = Counts::new();
    let store = store_over(counts.before(Memory::default()));
    let mut session = login(&store, "ann").await;
    login(&store, "ann").await;
    session.insert("theme", "dark").unwrap();
    store.save(&mut session).await.unwrap();
    store.load(session.id().unwrap()).await.unwrap();
    assert_eq!(counts.total(), 4);
    counts.reset();
    assert_eq!(count(&store, "ann").await, 2);
    assert_eq!((counts.of(Call::Find), counts.of(Call::Load)), (1, 2));
    counts.reset();
    assert_eq!(store.revoke("user", "ann").await.unwrap(), 2);
    assert_eq!((counts.of(Call::Find), counts.of(Call::Load)), (1, 2));
    assert_eq!((counts.of(Call::Delete), counts.total()), (2, 5));
}

/// Whatever a rotation and a revocation do to one session in turns, it ends, and under both of its ids.
#[tokio::test]
async fn a_session_that_is_rotated_while_it_is_revoked_ends() {
    for (call, side) in [
        (Call::Find, Side::After),
        (Call::Load, Side::After),
        (Call::Delete, Side::Before),
        (Call::Delete, Side::After),
    ] {
        let gate = Gate::new();
        let store = store_over(gate.before(Memory::default()));
        let mut session = login(&store, "ann").await;
        let held = gate.hold(call, side);
        let revocation = tokio::spawn({
            let store = store.clone();
            async move { store.revoke("user", "ann").await }
        });
        let held = held.arrived().await;
        let rotated = store.rotate(&mut session).await;
        held.release();
        assert_eq!(revocation.await.unwrap().unwrap(), 1, "{call:?} {side:?}");
        assert_eq!(
            rotated.is_ok(),
            side == Side::Before || call != Call::Delete
        );
        assert_eq!(store.count().await.unwrap(), 0, "{call:?} {side:?}");
    }
}

/// A rotation between the look and the delete gives the session another handle.
#[tokio::test]
async fn a_device_that_is_rotated_while_it_is_ended_ends() {
    for (call, side) in [(Call::Load, Side::After), (Call::Delete, Side::Before)] {
        let gate = Gate::new();
        let store = store_over(gate.before(Memory::default()));
        let other = login(&store, "ann").await;
        let mut session = login(&store, "ann").await;
        let handle = rrss::Handle::of(session.id().unwrap());
        let held = gate.hold(call, side);
        let ending = tokio::spawn({
            let store = store.clone();
            async move { store.revoke_one("user", "ann", handle).await }
        });
        let held = held.arrived().await;
        store.rotate(&mut session).await.unwrap();
        held.release();
        assert!(ending.await.unwrap().unwrap(), "{call:?} {side:?}");
        let loaded = store.load(session.id().unwrap()).await.unwrap();
        assert!(loaded.is_none(), "{call:?} {side:?}");
        assert_eq!(count(&store, "ann").await, 1, "only the other goes on");
        assert!(store.load(other.id().unwrap()).await.unwrap().is_some());
    }
}

/// The other way round: the rotation waits, the revocation goes through.
#[tokio::test]
async fn a_session_that_is_revoked_while_it_is_rotated_ends() {
    for side in [Side::Before, Side::After] {
        let gate = Gate::new();
        let store = store_over(gate.before(Memory::default()));
        let mut session = login(&store, "ann").await;
        let held = gate.hold(Call::Rotate, side);
        let rotation = tokio::spawn({
            let store = store.clone();
            async move { store.rotate(&mut session).await }
        });
        let held = held.arrived().await;
        assert!(store.revoke("user", "ann").await.unwrap() > 0);
        held.release();
        let rotated = rotation.await.unwrap();
        assert_eq!(rotated.is_ok(), side == Side::After);
        assert_eq!(store.count().await.unwrap(), 0, "{side:?}");
    }
}

/// A store in which the sessions of the user `damaged` cannot be read.
fn damaging() -> Store {
    steps(&clock())
        .after("damage", Shape::on_bytes(), |_, answer| {
            if let Payload::Bytes(bytes) = &answer.payload
                && bytes.windows(9).any(|bytes| bytes == b"unreadabl")
            {
                answer.payload = Payload::Bytes("{".into());
            }
            Ok(())
        })
        .step::<Memory>(Default::default())
        .build()
        .unwrap()
}

async fn unreadable(store: &Store) -> SessionId {
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    session.insert("note", "unreadable").unwrap();
    store.save(&mut session).await.unwrap();
    session.id().unwrap().clone()
}

#[tokio::test]
async fn a_session_that_cannot_be_read_hides_no_other_and_is_revoked_with_them() {
    let store = damaging();
    let kept = login(&store, "ann").await;
    let damaged = unreadable(&store).await;
    login(&store, "ann").await;
    let error = store.load(&damaged).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(count(&store, "ann").await, 2);

    let kept = kept.id().unwrap();
    assert_eq!(store.revoke_others("user", "ann", kept).await.unwrap(), 2);
    assert!(store.load(&damaged).await.unwrap().is_none());
    assert_eq!(count(&store, "ann").await, 1);

    let damaged = unreadable(&store).await;
    let handle = rrss::Handle::of(&damaged);
    assert!(store.revoke_one("user", "ann", handle).await.unwrap());
    assert!(store.load(&damaged).await.unwrap().is_none());
}
