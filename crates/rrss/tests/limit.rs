//! How many sessions one value of an indexed field may have.
#![cfg(all(
    feature = "key-mapper",
    feature = "index",
    feature = "json-codec",
    feature = "memory"
))]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use rrss::core::Backend;
use rrss::{
    ErrorKind, Index, JsonCodec, KeyMapper, ManualClock, Memory, OnLimit, Saved, Session, Store,
    Timestamp, index,
};
use rrss_testkit::{Call, Counts, Gate, Side};
use tokio::sync::Barrier;

fn store_over(clock: &ManualClock, max: usize, on_limit: OnLimit, backend: impl Backend) -> Store {
    Store::builder()
        .clock(clock.clone())
        .step::<KeyMapper>(Default::default())
        .step::<Index>(index::Options {
            max_per_value: NonZeroUsize::new(max),
            on_limit: Some(on_limit),
            ..index::Options::of(["user"])
        })
        .step::<JsonCodec>(Default::default())
        .backend("memory", backend)
        .build()
        .unwrap()
}

fn store(max: usize, on_limit: OnLimit) -> (Store, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
    let store = store_over(&clock, max, on_limit, Memory::default());
    (store, clock)
}

fn session_of(user: &str) -> Session {
    let mut session = Session::new();
    session.insert("user", user).unwrap();
    session
}

/// Logs in, a second after what happened before.
async fn login(store: &Store, clock: &ManualClock, user: &str) -> Session {
    clock.advance(Duration::from_secs(1));
    let mut session = session_of(user);
    assert_eq!(store.save(&mut session).await.unwrap(), Saved::Created);
    session
}

async fn lives(store: &Store, session: &Session) -> bool {
    let loaded = store.load(session.id().unwrap()).await;
    loaded.unwrap().is_some()
}

async fn count(store: &Store, user: &str) -> usize {
    let found = store.find("user", user, None, 1_000).await.unwrap();
    assert_eq!(found.next, None);
    found.sessions.len()
}

#[tokio::test]
async fn the_oldest_by_creation_ends_where_there_is_one_too_many() {
    let (store, clock) = store(2, OnLimit::EvictOldest);
    let mut first = login(&store, &clock, "ann").await;
    let second = login(&store, &clock, "ann").await;
    let bob = login(&store, &clock, "bob").await;
    clock.advance(Duration::from_secs(1));
    first.insert("used", &true).unwrap();
    store.save(&mut first).await.unwrap();

    let third = login(&store, &clock, "ann").await;
    assert!(!lives(&store, &first).await, "it was created first");
    assert!(lives(&store, &second).await && lives(&store, &third).await);
    assert!(lives(&store, &bob).await);
}

/// A login in the session of an anonymous visitor who came long before the others logged in.
#[tokio::test]
async fn the_session_that_is_saved_stays_though_it_is_the_oldest() {
    for rotate in [false, true] {
        let (store, clock) = store(1, OnLimit::EvictOldest);
        let mut visitor = Session::new();
        visitor.insert("cart", &1).unwrap();
        store.save(&mut visitor).await.unwrap();
        let other = login(&store, &clock, "ann").await;
        clock.advance(Duration::from_secs(1));
        visitor.insert("user", "ann").unwrap();
        if rotate {
            store.rotate(&mut visitor).await.unwrap();
        } else {
            store.save(&mut visitor).await.unwrap();
        }
        assert!(lives(&store, &visitor).await && !lives(&store, &other).await);
    }
}

#[tokio::test]
async fn a_rotation_or_a_save_at_the_limit_ends_nobody_and_is_not_refused() {
    for on_limit in [OnLimit::EvictOldest, OnLimit::Reject] {
        let (store, clock) = store(2, on_limit);
        let other = login(&store, &clock, "ann").await;
        let mut session = login(&store, &clock, "ann").await;
        for _ in 0..3 {
            session.insert("at", &store.now().as_millis()).unwrap();
            store.save(&mut session).await.unwrap();
            store.rotate(&mut session).await.unwrap();
        }
        assert!(lives(&store, &other).await && lives(&store, &session).await);
        assert_eq!(count(&store, "ann").await, 2);
    }
}

/// Whoever logs in stays, and what is ended in its place ends under the id that it has by then.
#[tokio::test]
async fn the_oldest_ends_though_it_is_rotated_before_it_can_be_ended() {
    let clock = ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
    let gate = Gate::new();
    let backend = gate.before(Memory::default());
    let store = store_over(&clock, 1, OnLimit::EvictOldest, backend);
    let mut oldest = login(&store, &clock, "ann").await;
    let held = gate.hold(Call::Delete, Side::Before);
    let coming = tokio::spawn({
        let (store, clock) = (store.clone(), clock.clone());
        async move { login(&store, &clock, "ann").await }
    });
    let held = held.arrived().await;
    store.rotate(&mut oldest).await.unwrap();
    held.release();
    let newest = coming.await.unwrap();
    assert!(lives(&store, &newest).await && !lives(&store, &oldest).await);
    assert_eq!(count(&store, "ann").await, 1);
}

#[tokio::test]
async fn a_limit_that_was_lowered_holds_from_the_next_login_on() {
    let clock = ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
    let memory = rrss_testkit::Subject::new(Memory::default());
    let wide = store_over(&clock, 200, OnLimit::EvictOldest, memory.clone());
    for _ in 0..200 {
        login(&wide, &clock, "ann").await;
    }
    assert_eq!(count(&wide, "ann").await, 200);
    let narrow = store_over(&clock, 2, OnLimit::EvictOldest, memory);
    let last = login(&narrow, &clock, "ann").await;
    assert!(lives(&narrow, &last).await);
    assert_eq!(count(&narrow, "ann").await, 2);
}

#[tokio::test]
async fn a_save_that_would_be_one_too_many_is_refused_and_can_be_made_later() {
    let (store, clock) = store(1, OnLimit::Reject);
    let first = login(&store, &clock, "ann").await;

    let mut new = session_of("ann");
    let error = store.save(&mut new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.message().contains("`user` has 1 session already"));
    assert!(!error.to_string().contains("ann"));
    assert!(new.is_new() && new.id().is_none());

    let mut bob = login(&store, &clock, "bob").await;
    bob.insert("user", "ann").unwrap();
    for error in [store.save(&mut bob).await, store.rotate(&mut bob).await] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::TooLarge);
    }
    assert_eq!(bob.stored_raw("user"), Some("\"bob\""));
    assert_eq!(
        (count(&store, "ann").await, count(&store, "bob").await),
        (1, 1)
    );
    assert_eq!(store.count().await.unwrap(), 2);

    store.delete(first.id().unwrap()).await.unwrap();
    assert_eq!(store.save(&mut bob).await.unwrap(), Saved::Replaced);
    assert_eq!(
        store.save(&mut new).await.unwrap_err().kind(),
        ErrorKind::TooLarge
    );
    store.delete(bob.id().unwrap()).await.unwrap();
    assert_eq!(store.save(&mut new).await.unwrap(), Saved::Created);
    assert_eq!(count(&store, "ann").await, 1);
}

#[tokio::test]
async fn what_has_no_value_counts_for_no_limit() {
    let (store, _) = store(1, OnLimit::Reject);
    for _ in 0..3 {
        let mut session = Session::new();
        session.insert("user", &None::<u32>).unwrap();
        store.save(&mut session).await.unwrap();
    }
    assert_eq!(store.count().await.unwrap(), 3);
}

#[tokio::test]
async fn only_a_login_costs_more_and_below_the_limit_no_session_is_read() {
    for (on_limit, max) in [(OnLimit::EvictOldest, 3), (OnLimit::Reject, 3)] {
        let counts = Counts::new();
        let clock = ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
        let store = store_over(&clock, max, on_limit, counts.before(Memory::default()));
        login(&store, &clock, "ann").await;
        let mut session = login(&store, &clock, "ann").await;
        assert_eq!((counts.of(Call::Find), counts.of(Call::Create)), (4, 2));
        assert_eq!(counts.total(), 6);
        counts.reset();
        session.insert("theme", "dark").unwrap();
        store.save(&mut session).await.unwrap();
        store.rotate(&mut session).await.unwrap();
        assert_eq!(counts.total(), 2, "an update and a rotation");
    }
}

/// Both have looked before either is stored.
#[tokio::test]
async fn of_two_logins_at_once_one_stays_where_one_may() {
    let gate = Gate::new();
    let clock = ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
    let store = store_over(
        &clock,
        1,
        OnLimit::EvictOldest,
        gate.before(Memory::default()),
    );
    let oldest = login(&store, &clock, "ann").await;
    // Of those of one millisecond nobody can say which is the oldest.
    clock.advance(Duration::from_millis(1));
    let logins = [(); 2].map(|()| {
        let held = gate.hold(Call::Create, Side::After);
        let store = store.clone();
        let login = tokio::spawn(async move {
            let mut session = session_of("ann");
            store.save(&mut session).await.map(|_| session)
        });
        (held, login)
    });
    let mut arrived = Vec::new();
    for (held, login) in logins {
        arrived.push((held.arrived().await, login));
    }
    let mut live = 0;
    for (held, login) in arrived {
        held.release();
        let session = login.await.unwrap().unwrap();
        live += usize::from(lives(&store, &session).await);
    }
    assert_eq!(live, 1);
    assert!(!lives(&store, &oldest).await);
    assert_eq!(count(&store, "ann").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_log_in_at_once_no_more_than_the_limit_stay() {
    for on_limit in [OnLimit::EvictOldest, OnLimit::Reject] {
        let (store, _) = store(3, on_limit);
        let barrier = Arc::new(Barrier::new(16));
        let logins = [(); 16].map(|()| {
            let (store, barrier) = (store.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                let mut session = session_of("ann");
                barrier.wait().await;
                let saved = store.save(&mut session).await;
                if let Err(error) = &saved {
                    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
                    assert!(session.is_new() && session.id().is_none());
                }
                saved.is_ok()
            })
        });
        let mut accepted = 0;
        for login in logins {
            accepted += usize::from(login.await.unwrap());
        }
        let live = count(&store, "ann").await;
        assert_eq!(store.count().await.unwrap(), live as u64);
        assert!(live <= 3, "{live} stay");
        let expected = if on_limit == OnLimit::Reject {
            live
        } else {
            16
        };
        assert_eq!(accepted, expected);
        let mut late = session_of("ann");
        let saved = store.save(&mut late).await;
        assert_eq!(saved.is_ok(), on_limit == OnLimit::EvictOldest || live < 3);
    }
}

/// The save of a session that exists is taken back, because somebody else logged in at the same moment.
#[tokio::test]
async fn a_save_that_is_taken_back_keeps_what_others_saved_and_can_be_made_later() {
    for rotate in [false, true] {
        let gate = Gate::new();
        let clock = ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
        let store = store_over(&clock, 1, OnLimit::Reject, gate.before(Memory::default()));
        let mut mine = login(&store, &clock, "bob").await;
        let mut theirs = store.load(mine.id().unwrap()).await.unwrap().unwrap();
        theirs.insert("cart", &1).unwrap();
        store.save(&mut theirs).await.unwrap();

        let id = mine.id().unwrap().clone();
        mine.insert("user", "ann").unwrap();
        let held = gate.hold(Call::Find, Side::After);
        let saving = tokio::spawn({
            let store = store.clone();
            async move {
                let saved = if rotate {
                    store.rotate(&mut mine).await
                } else {
                    store.save(&mut mine).await
                };
                (saved, mine)
            }
        });
        let held = held.arrived().await;
        let other = login(&store, &clock, "ann").await;
        held.release();
        let (saved, mut mine) = saving.await.unwrap();
        assert_eq!(saved.unwrap_err().kind(), ErrorKind::TooLarge);
        assert!(lives(&store, &other).await);

        assert_eq!(mine.id(), Some(&id));
        let stored = store.load(&id).await.unwrap().unwrap();
        assert_eq!(
            stored.get::<String>("user").unwrap().as_deref(),
            Some("bob")
        );
        assert_eq!(stored.get::<u32>("cart").unwrap(), Some(1));
        assert_eq!(store.count().await.unwrap(), 2);
        assert_eq!(
            (count(&store, "ann").await, count(&store, "bob").await),
            (1, 1)
        );

        store.delete(other.id().unwrap()).await.unwrap();
        store.save(&mut mine).await.unwrap();
        assert_eq!(mine.get::<u32>("cart").unwrap(), Some(1));
        assert_eq!(count(&store, "ann").await, 1);
    }
}
