//! What is answered from here and what is not, by calls of the backend that are counted, held and failed.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::num::NonZeroU64;
use std::time::Duration;

use rrss::core::Step;
use rrss::{
    Clock, Conflict, ErrorKind, Expiry, JsonCodec, KeyMapper, ManualClock, Memory, Result, Session,
    SessionId, Store, StoreBuilder, Timestamp,
};
use rrss_cache::{Cache, OnUntracked, Options};
use rrss_testkit::{Call, Counts, Faults, Gate, Side, Subject};
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A store with a cache above a backend that tells of nothing, where sessions are kept all the same; and another process's,
/// over the same sessions, without one.
struct World {
    store: Store,
    other: Store,
    cache: Cache,
    clock: ManualClock,
    counts: Counts,
    gate: Gate,
    faults: Faults,
}

impl World {
    fn new() -> Self {
        Self::with("duration = '1h'", &Options::default(), Conflict::Merge)
    }

    fn with(expiry: &str, options: &Options, conflict: Conflict) -> Self {
        let options = Options {
            on_untracked: OnUntracked::MaxAge,
            ..options.clone()
        };
        let cache = Cache::new(&options).unwrap();
        let clock = ManualClock::at(Timestamp::from_millis(1_000_000_000_000));
        let memory = Subject::new(Memory::default());
        let (counts, gate, faults) = (Counts::new(), Gate::new(), Faults::new());
        let watched = counts.before(gate.before(faults.before(memory.clone())));
        let steps = |above: fn(StoreBuilder, Cache, &Options) -> StoreBuilder| {
            let steps = Store::builder()
                .clock(clock.clone())
                .conflict(conflict)
                .step::<KeyMapper>(rrss::key_mapper::Options::default())
                .step::<Expiry>(toml::from_str(expiry).unwrap());
            let steps = above(steps, cache.clone(), &options);
            steps.step::<JsonCodec>(rrss::json_codec::Options::default())
        };
        let cached =
            steps(|steps, cache, options| steps.around("cache", Cache::shape(options), cache));
        let store = cached.backend("memory", watched).build().unwrap();
        let other = steps(|steps, _, _| steps).backend("memory", memory);
        Self {
            store,
            other: other.build().unwrap(),
            cache,
            clock,
            counts,
            gate,
            faults,
        }
    }

    /// A session that is stored, and not kept here yet.
    async fn saved(&self) -> SessionId {
        let mut session = Session::new();
        session.insert("count", &0).unwrap();
        self.other.save(&mut session).await.unwrap();
        session.id().unwrap().clone()
    }

    async fn load(&self, id: &SessionId) -> Session {
        self.store.load(id).await.unwrap().unwrap()
    }

    fn loading(&self, id: &SessionId) -> JoinHandle<Result<Option<Session>>> {
        let (store, id) = (self.store.clone(), id.clone());
        tokio::spawn(async move { store.load(&id).await })
    }

    /// What 64 loads of one session are answered that all come before the first is.
    async fn loads_at_once(&self, id: &SessionId) -> Vec<Option<Session>> {
        let held = self.gate.hold(Call::Load, Side::After);
        let loads: Vec<_> = (0..64).map(|_| self.loading(id)).collect();
        let held = held.arrived().await;
        all_wait().await;
        held.release();
        let mut answers = Vec::new();
        for load in loads {
            answers.push(load.await.unwrap().unwrap());
        }
        answers
    }

    /// Another process adds a field.
    async fn changed_elsewhere(&self, id: &SessionId) {
        let mut theirs = self.other.load(id).await.unwrap().unwrap();
        theirs.insert("theirs", &1).unwrap();
        self.other.save(&mut theirs).await.unwrap();
    }

    fn loads(&self) -> u64 {
        self.counts.of(Call::Load)
    }
}

fn count(session: &Session) -> u64 {
    session.get("count").unwrap().unwrap()
}

/// On a runtime of one thread: what was spawned before has come to where it waits.
async fn all_wait() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_session_is_asked_for_once_and_then_answered_from_here() {
    let world = World::new();
    let id = world.saved().await;
    let first = world.load(&id).await;
    for _ in 0..10 {
        let again = world.load(&id).await;
        assert_eq!(again.keys().collect::<Vec<_>>(), ["count"]);
        assert_eq!(again.created_at(), first.created_at());
        assert_eq!(again.expires_at(), first.expires_at());
        assert!(!again.is_new() && !again.is_modified());
    }
    assert_eq!(world.loads(), 1);
    assert_eq!(world.cache.len(), 1);
    world.cache.clear();
    world.load(&id).await;
    assert_eq!(world.loads(), 2);
}

#[tokio::test]
async fn what_is_done_to_a_loaded_session_stays_with_whoever_loaded_it() {
    let world = World::new();
    let id = world.saved().await;
    let mut mine = world.load(&id).await;
    mine.insert("count", &7).unwrap();
    assert_eq!(count(&world.load(&id).await), 0);
}

#[tokio::test]
async fn no_session_is_answered_from_here_after_max_age() {
    let world = World::new();
    let id = world.saved().await;
    world.load(&id).await;
    assert!(world.other.delete(&id).await.unwrap());
    world.clock.advance(SECOND * 10 - Duration::from_millis(1));
    world.load(&id).await;
    world.clock.advance(Duration::from_millis(1));
    assert!(world.store.load(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_session_younger() {
    let world = World::new();
    let id = world.saved().await;
    world.load(&id).await;
    world.clock.set(Timestamp::from_millis(999_999_999_999));
    world.load(&id).await;
    assert_eq!(world.loads(), 2);
}

#[tokio::test]
async fn no_session_is_answered_past_its_deadline() {
    let world = World::with("duration = '5s'", &Options::default(), Conflict::Merge);
    let id = world.saved().await;
    world.load(&id).await;
    world.clock.advance(SECOND * 5);
    assert!(world.store.load(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_that_is_used_is_renewed_when_that_is_due_though_it_is_answered_from_here() {
    let expiry = "duration = '10m'\nrenew = 'load'\nrenew_after = '1m'";
    let options = Options {
        max_age: (MINUTE * 60).into(),
        ..Options::default()
    };
    let world = World::with(expiry, &options, Conflict::Merge);
    let id = world.saved().await;
    world.load(&id).await;
    for minute in 1..30 {
        world.clock.advance(MINUTE);
        let loaded = world.load(&id).await;
        let deadline = world.clock.now() + MINUTE * 10;
        assert_eq!(loaded.expires_at(), Some(deadline), "minute {minute}");
        assert_eq!(world.counts.of(Call::Touch), minute);
    }
    world.clock.advance(MINUTE * 10);
    assert!(world.store.load(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_done_from_here_is_seen_by_the_next_load() {
    let world = World::new();
    let id = world.saved().await;
    let mut session = world.load(&id).await;
    session.insert("count", &1).unwrap();
    world.store.save(&mut session).await.unwrap();
    assert_eq!(count(&world.load(&id).await), 1);

    world.store.rotate(&mut session).await.unwrap();
    let new = session.id().unwrap().clone();
    assert!(world.store.load(&id).await.unwrap_err().is_gone());
    assert_eq!(count(&world.load(&new).await), 1);

    let sooner = world.clock.now() + SECOND;
    assert!(world.store.touch_until(&new, sooner).await.unwrap());
    assert_eq!(world.load(&new).await.expires_at(), Some(sooner));

    assert!(world.store.delete(&new).await.unwrap());
    assert!(world.store.load(&new).await.unwrap().is_none());
}

#[tokio::test]
async fn an_id_without_a_session_is_asked_for_every_time() {
    let world = World::new();
    let id = SessionId::from("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60".to_owned());
    for _ in 0..3 {
        assert!(world.store.load(&id).await.unwrap().is_none());
    }
    assert_eq!((world.loads(), world.cache.len()), (3, 0));
    let mut session = Session::with_id(id.clone());
    session.insert("count", &1).unwrap();
    world.other.save(&mut session).await.unwrap();
    assert_eq!(count(&world.load(&id).await), 1);
}

#[tokio::test]
async fn loads_of_one_session_at_once_are_one_call() {
    let world = World::new();
    let id = world.saved().await;
    for loaded in world.loads_at_once(&id).await {
        assert_eq!(count(&loaded.unwrap()), 0);
    }
    assert_eq!(world.loads(), 1);
}

#[tokio::test]
async fn loads_of_an_unknown_id_at_once_are_one_call() {
    let world = World::new();
    let id = SessionId::from("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60".to_owned());
    for loaded in world.loads_at_once(&id).await {
        assert!(loaded.is_none());
    }
    assert_eq!((world.loads(), world.cache.len()), (1, 0));
}

/// Whoever waited does not wait for one failure after the other.
#[tokio::test]
async fn a_load_that_fails_fails_alone_and_the_others_ask_all_at_once() {
    let world = World::new();
    let id = world.saved().await;
    world
        .faults
        .fail(Call::Load, 1, Side::After, ErrorKind::Timeout);
    let held = world.gate.hold(Call::Load, Side::Before);
    let loads: Vec<_> = (0..8).map(|_| world.loading(&id)).collect();
    let held = held.arrived().await;
    all_wait().await;
    let next = [(); 7].map(|()| world.gate.hold(Call::Load, Side::After));
    held.release();
    // None of the seven is answered before all have asked.
    let mut asked = Vec::new();
    for held in next {
        asked.push(held.arrived().await);
    }
    for held in asked {
        held.release();
    }
    let mut failed = 0;
    for load in loads {
        match load.await.unwrap() {
            Ok(session) => assert_eq!(count(&session.unwrap()), 0),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Timeout);
                failed += 1;
            }
        }
    }
    assert_eq!((failed, world.loads()), (1, 8));
}

#[tokio::test]
async fn a_load_that_is_given_up_leaves_the_others_to_the_next() {
    let world = World::new();
    let id = world.saved().await;
    let held = world.gate.hold(Call::Load, Side::After);
    let first = world.loading(&id);
    let _held = held.arrived().await;
    let others: Vec<_> = (0..8).map(|_| world.loading(&id)).collect();
    all_wait().await;
    first.abort();
    for load in others {
        assert_eq!(count(&load.await.unwrap().unwrap().unwrap()), 0);
    }
    assert_eq!(world.loads(), 2);
}

/// The load has read what is stored, and is answered only when the session is another, or none.
#[tokio::test]
async fn a_load_that_a_change_overtakes_is_not_kept() {
    for delete in [false, true] {
        let world = World::new();
        let id = world.saved().await;
        let mut session = world.load(&id).await;
        world.cache.clear();
        let held = world.gate.hold(Call::Load, Side::After);
        let early = world.loading(&id);
        let held = held.arrived().await;
        if delete {
            assert!(world.store.delete(&id).await.unwrap());
        } else {
            session.insert("count", &1).unwrap();
            world.store.save(&mut session).await.unwrap();
        }
        held.release();
        assert_eq!(count(&early.await.unwrap().unwrap().unwrap()), 0);
        let now = world.store.load(&id).await.unwrap();
        assert_eq!(now.as_ref().map(count), (!delete).then_some(1));
    }
}

/// The change is carried out and not answered yet: a load that begins now, and what it keeps, is of no use afterwards.
#[tokio::test]
async fn a_load_during_a_change_is_not_kept_after_it() {
    let world = World::new();
    let id = world.saved().await;
    let mut session = world.load(&id).await;
    session.insert("count", &1).unwrap();
    let held = world.gate.hold(Call::Update, Side::Before);
    let store = world.store.clone();
    let saving = tokio::spawn(async move { store.save(&mut session).await });
    let held = held.arrived().await;
    assert_eq!(count(&world.load(&id).await), 0);
    held.release();
    saving.await.unwrap().unwrap();
    assert_eq!(count(&world.load(&id).await), 1);
}

#[tokio::test]
async fn a_change_that_is_given_up_is_looked_for() {
    let world = World::new();
    let id = world.saved().await;
    let mut session = world.load(&id).await;
    session.insert("count", &1).unwrap();
    let held = world.gate.hold(Call::Update, Side::After);
    let store = world.store.clone();
    let saving = tokio::spawn(async move { store.save(&mut session).await });
    let _held = held.arrived().await;
    saving.abort();
    assert!(saving.await.unwrap_err().is_cancelled());
    assert_eq!(count(&world.load(&id).await), 1);
}

#[tokio::test]
async fn a_save_of_a_session_that_was_answered_from_here_loses_nothing_of_others() {
    let world = World::new();
    let id = world.saved().await;
    world.load(&id).await;
    world.changed_elsewhere(&id).await;

    let mut stale = world.load(&id).await;
    assert!(!stale.contains_key("theirs"), "it is of before that");
    stale.insert("mine", &1).unwrap();
    world.store.save(&mut stale).await.unwrap();
    let merged = world.load(&id).await;
    assert!(merged.contains_key("theirs") && merged.contains_key("mine"));
}

#[tokio::test]
async fn a_save_of_a_session_that_was_answered_from_here_is_rejected_where_others_changed_it() {
    let world = World::with("duration = '1h'", &Options::default(), Conflict::Reject);
    let id = world.saved().await;
    world.load(&id).await;
    world.changed_elsewhere(&id).await;

    let mut stale = world.load(&id).await;
    stale.insert("mine", &1).unwrap();
    let error = world.store.save(&mut stale).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(world.load(&id).await.contains_key("theirs"));
}

#[tokio::test]
async fn a_session_that_others_ended_is_not_saved_again() {
    let world = World::new();
    let id = world.saved().await;
    let mut stale = world.load(&id).await;
    world.other.delete(&id).await.unwrap();
    stale.insert("mine", &1).unwrap();
    assert!(world.store.save(&mut stale).await.unwrap_err().is_gone());
    assert!(world.store.load(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_kept_is_bounded_by_its_weight() {
    let options = Options {
        capacity: NonZeroU64::new(64 * 1024).unwrap(),
        ..Options::default()
    };
    let world = World::with("duration = '1h'", &options, Conflict::Merge);
    let mut ids = Vec::new();
    for number in 0..500 {
        let mut session = Session::new();
        session.insert("text", &"x".repeat(1_000)).unwrap();
        session.insert("count", &number).unwrap();
        world.other.save(&mut session).await.unwrap();
        ids.push(session.id().unwrap().clone());
    }
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(count(&world.load(id).await), number as u64);
    }
    let kept = world.cache.len();
    assert!((1..=64).contains(&kept), "{kept} of 500 are kept");

    let mut large = Session::new();
    large.insert("text", &"x".repeat(100_000)).unwrap();
    world.other.save(&mut large).await.unwrap();
    for _ in 0..2 {
        let loaded = world.load(large.id().unwrap()).await;
        assert_eq!(loaded.len(), 1);
    }
    assert!(
        !world.cache.is_empty(),
        "one that is too large takes no other's place"
    );
}

#[tokio::test]
async fn debug_shows_nothing_of_a_session() {
    let world = World::new();
    let id = world.saved().await;
    world.load(&id).await;
    assert_eq!(format!("{:?}", world.cache), "Cache(1 sessions)");
}
