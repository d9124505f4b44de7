//! What each policy does with a session that is asked for and cannot be read.

use rrss::{Conflict, Error, ErrorKind, Memory, OnCorrupt, SessionId};
use rrss_testkit::{Call, Intercept, Intercepted, Log, Side};
use tracing::Level;

use crate::support::{BROKEN, World, entry, id, login, names, overwrite, raw, steps};

#[tokio::test]
async fn by_default_the_error_is_answered_and_the_bytes_stay() {
    let world = World::new(OnCorrupt::default());
    let session = world.broken().await;
    for _ in 0..2 {
        let error = world.store.load(id(&session)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
    assert_eq!(raw(&world.store, id(&session)).await.unwrap(), BROKEN);
    assert!(names(&world.store).await.is_empty());
    let counts = world.store.corrupt_counts();
    assert_eq!(
        (counts.found, counts.discarded, counts.quarantined),
        (2, 0, 0)
    );
}

#[tokio::test]
async fn an_error_costs_no_operation_more() {
    let world = World::new(OnCorrupt::Error);
    let session = world.broken().await;
    world.counts.reset();
    world.store.load(id(&session)).await.unwrap_err();
    assert_eq!(world.counts.of(Call::Load), 1);
    assert_eq!(world.counts.total(), 1);
}

#[tokio::test]
async fn discard_deletes_what_cannot_be_read_and_there_is_no_session() {
    let world = World::new(OnCorrupt::Discard);
    let session = world.broken().await;
    assert!(world.store.load(id(&session)).await.unwrap().is_none());
    assert_eq!(raw(&world.store, id(&session)).await, None);
    assert!(world.store.load(id(&session)).await.unwrap().is_none());
    let counts = world.store.corrupt_counts();
    assert_eq!(
        (counts.found, counts.discarded, counts.quarantined),
        (1, 1, 0)
    );
    assert!(names(&world.store).await.is_empty());
}

#[tokio::test]
async fn quarantine_moves_it_aside_and_there_is_no_session() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = world.broken().await;
    let began = world.store.now();
    assert!(world.store.load(id(&session)).await.unwrap().is_none());
    assert_eq!(raw(&world.store, id(&session)).await, None);
    let entry = entry(&world.store).await;
    assert_eq!(entry.bytes(), BROKEN);
    assert_eq!(entry.since(), began);
    assert_eq!(entry.deadline(), session.expires_at());
    assert!(entry.why().contains("json-codec"), "{}", entry.why());
    let counts = world.store.corrupt_counts();
    assert_eq!(
        (counts.found, counts.discarded, counts.quarantined),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn other_sessions_are_left_alone() {
    for policy in [OnCorrupt::Discard, OnCorrupt::Quarantine] {
        let world = World::new(policy);
        let other = login(&world.store, "bob").await;
        let session = world.broken().await;
        assert!(world.store.load(id(&session)).await.unwrap().is_none());
        assert!(world.store.load(id(&other)).await.unwrap().is_some());
        assert_eq!(world.store.count().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn an_outage_discards_nothing_whenever_it_comes() {
    use ErrorKind::{Timeout, Unavailable};
    for policy in [OnCorrupt::Discard, OnCorrupt::Quarantine] {
        let world = World::new(policy);
        let session = world.broken().await;
        for kind in [Unavailable, Timeout] {
            // The load, the second look, the copy and the deletion.
            for (call, nth) in [
                (Call::Load, 1),
                (Call::Load, 2),
                (Call::Create, 1),
                (Call::Delete, 1),
            ] {
                if call == Call::Create && policy == OnCorrupt::Discard {
                    continue;
                }
                world.faults.fail(call, nth, Side::Before, kind);
                let error = world.store.load(id(&session)).await.unwrap_err();
                assert_eq!(error.kind(), kind, "{call:?} {nth}");
                world.faults.heal();
                assert_eq!(raw(&world.store, id(&session)).await.unwrap(), BROKEN);
            }
        }
        world.faults.fail_all(Unavailable);
        let error = world.store.load(id(&session)).await.unwrap_err();
        assert_eq!(error.kind(), Unavailable);
        world.faults.heal();
        assert_eq!(world.store.corrupt_counts().discarded, 0);
        assert_eq!(world.store.corrupt_counts().quarantined, 0);
    }
}

#[tokio::test]
async fn a_full_backend_leaves_what_there_is_no_room_to_copy() {
    let backend = Memory::new(rrss::memory::Options {
        capacity: std::num::NonZeroUsize::new(1).unwrap(),
    });
    let store = steps()
        .on_corrupt(OnCorrupt::Quarantine)
        .backend("memory", backend)
        .build()
        .unwrap();
    let session = login(&store, "ann").await;
    overwrite(&store, id(&session), BROKEN).await;
    let error = store.load(id(&session)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("it stays as it is"), "{error}");
    assert_eq!(raw(&store, id(&session)).await.unwrap(), BROKEN);
}

#[tokio::test]
async fn inspecting_and_finding_change_nothing() {
    for policy in [OnCorrupt::Discard, OnCorrupt::Quarantine] {
        let world = World::new(policy);
        let session = world.broken().await;
        let error = world.store.inspect(id(&session)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let found = world
            .store
            .find("user", "ann-ann-ann", None, 10)
            .await
            .unwrap();
        assert!(found.sessions.is_empty());
        assert_eq!(raw(&world.store, id(&session)).await.unwrap(), BROKEN);
        assert_eq!(world.store.count().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_made_up_id_is_no_session_and_asks_nobody() {
    let world = World::new(OnCorrupt::Discard);
    world.counts.reset();
    assert!(
        world
            .store
            .load(&SessionId::from("../etc"))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(world.counts.total(), 0);
}

#[tokio::test]
async fn each_session_is_told_of_once_and_nothing_of_it_is_shown() {
    for policy in [OnCorrupt::Error, OnCorrupt::Discard, OnCorrupt::Quarantine] {
        let log = Log::listen();
        let world = World::new(policy);
        let sessions = [world.broken().await, world.broken().await];
        for session in sessions.iter().chain(&sessions) {
            let _ = world.store.load(id(session)).await;
            if policy != OnCorrupt::Error {
                // It comes back from a backup, and is as broken as before.
                world
                    .store
                    .rotate_to(&mut login(&world.store, "eve").await, id(session).clone())
                    .await
                    .unwrap();
                overwrite(&world.store, id(session), BROKEN).await;
                assert!(world.store.load(id(session)).await.unwrap().is_none());
            }
        }
        let text = log.text();
        assert_eq!(log.lines(Level::WARN), 2, "{text}");
        assert!(text.contains("cannot be read"), "{text}");
        for session in &sessions {
            assert!(!text.contains(id(session).as_str()), "{text}");
        }
        for secret in ["hunter2", "ann-ann-ann", "sessions:"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn no_error_and_no_debug_shows_what_was_found() {
    let world = World::with(OnCorrupt::Quarantine, Conflict::Merge);
    let session = world.broken().await;
    world.store.load(id(&session)).await.unwrap();
    let quarantine = world.store.quarantine().unwrap();
    let entry = entry(&world.store).await;
    let shown = format!("{entry:?} {quarantine:?} {:?}", world.store);
    assert!(
        !shown.contains("hunter2") && !shown.contains(id(&session).as_str()),
        "{shown}"
    );
}

/// A backend that cannot hand a value over, and says so as what it is.
struct Torn;

impl Intercept for Torn {
    async fn at(&self, call: Call, side: Side) -> rrss::Result<()> {
        match (call, side) {
            (Call::Load, Side::After) => Err(Error::new(ErrorKind::Corrupt, "the record is torn")),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn bytes_that_the_backend_cannot_hand_over_stay_since_nobody_knows_which_they_are() {
    for policy in [OnCorrupt::Discard, OnCorrupt::Quarantine] {
        let store = rrss::Store::builder()
            .step::<rrss::KeyMapper>(Default::default())
            .step::<rrss::JsonCodec>(Default::default())
            .on_corrupt(policy)
            .backend("torn", Intercepted::new(Memory::default(), Torn))
            .build()
            .unwrap();
        let session = login(&store, "ann").await;
        let error = store.load(id(&session)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert_eq!(store.count().await.unwrap(), 1);
    }
}
