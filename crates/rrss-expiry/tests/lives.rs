//! The lives of sessions in a store: in memory, by a clock that the test moves.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use rrss::{Saved, Session, SessionId, Store, Timestamp};
use rrss_expiry::{Expiry, Options};
use rrss_json_codec::JsonCodec;
use rrss_key_mapper::KeyMapper;
use rrss_persistence::memory::Memory;
use rrss_testkit::{Call, Counts, Subject};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

struct World {
    subject: Subject,
    counts: Counts,
    store: Store,
}

impl World {
    fn new(toml: &str) -> Self {
        let options: Options = toml::from_str(toml).unwrap();
        let counts = Counts::new();
        let subject =
            Subject::new(counts.before(Memory::default())).with_steps(move |builder, _| {
                builder
                    .step::<KeyMapper>(Default::default())
                    .step::<Expiry>(options.clone())
                    .step::<JsonCodec>(Default::default())
            });
        let store = subject.store();
        Self {
            subject,
            counts,
            store,
        }
    }

    fn now(&self) -> Timestamp {
        self.subject.now()
    }

    async fn pass(&self, time: Duration) {
        self.subject.advance(time).await;
    }

    async fn saved(&self) -> Session {
        let mut session = Session::new();
        session.insert("user", "ann").unwrap();
        assert_eq!(self.store.save(&mut session).await.unwrap(), Saved::Created);
        session
    }

    async fn load(&self, id: &SessionId) -> Option<Session> {
        self.store.load(id).await.unwrap()
    }

    async fn is_live(&self, session: &Session) -> bool {
        self.load(session.id().unwrap()).await.is_some()
    }
}

#[tokio::test]
async fn a_session_in_use_lives_on_and_one_that_is_not_ends() {
    let world = World::new("duration = '1h'\nrenew = 'load'");
    let (used, unused) = (world.saved().await, world.saved().await);
    for _ in 0..10 {
        world.pass(MINUTE * 20).await;
        assert!(world.is_live(&used).await);
    }
    assert!(!world.is_live(&unused).await);
    world.pass(HOUR).await;
    assert!(!world.is_live(&used).await);
}

#[tokio::test]
async fn reading_is_one_round_trip_and_writes_nothing_until_a_renewal_is_due() {
    let world = World::new("duration = '1h'\nrenew = 'load'\nrenew_after = '10m'");
    let session = world.saved().await;
    world.counts.reset();
    for _ in 0..9 {
        world.pass(MINUTE).await;
        assert!(world.is_live(&session).await);
    }
    assert_eq!((world.counts.of(Call::Load), world.counts.total()), (9, 9));

    world.pass(MINUTE).await;
    let loaded = world.load(session.id().unwrap()).await.unwrap();
    assert_eq!(
        (world.counts.of(Call::Touch), world.counts.total()),
        (1, 11)
    );
    assert_eq!(loaded.expires_at(), Some(world.now() + HOUR));
    assert!(!loaded.is_modified());

    world.pass(MINUTE).await;
    assert!(world.is_live(&session).await);
    assert_eq!(
        (world.counts.of(Call::Touch), world.counts.total()),
        (1, 12)
    );
}

#[tokio::test]
async fn renewed_by_writes_alone_a_session_that_is_only_read_ends() {
    let world = World::new("duration = '1h'");
    let mut session = world.saved().await;
    world.counts.reset();
    world.pass(MINUTE * 59).await;
    assert!(world.is_live(&session).await);
    assert_eq!(world.counts.total(), 1);
    session.insert("n", &1).unwrap();
    world.store.save(&mut session).await.unwrap();
    world.pass(MINUTE * 59).await;
    assert!(world.is_live(&session).await);
    world.pass(MINUTE).await;
    assert!(!world.is_live(&session).await);
}

#[tokio::test]
async fn nothing_prolongs_a_life_beyond_its_longest() {
    let world = World::new("duration = '1h'\nrenew = 'load'\nabsolute = '3h'");
    let mut session = world.saved().await;
    let end = world.now() + HOUR * 3;
    for round in 0..8 {
        world.pass(MINUTE * 20).await;
        let id = session.id().unwrap().clone();
        match round % 4 {
            0 => {
                session.insert("round", &round).unwrap();
                world.store.save(&mut session).await.unwrap();
            }
            1 => {
                world.store.rotate(&mut session).await.unwrap();
            }
            2 => assert!(world.store.touch(&id).await.unwrap()),
            _ => assert!(world.store.touch_until(&id, end + HOUR).await.unwrap()),
        }
        session = world.load(session.id().unwrap()).await.unwrap();
        assert!(session.expires_at() <= Some(end), "{round}");
    }
    assert_eq!(session.expires_at(), Some(end));
    world.counts.reset();
    world.pass(MINUTE * 19).await;
    assert!(world.is_live(&session).await);
    assert_eq!(world.counts.total(), 1, "at the end there is no renewal");

    session.set_expires_at(end + HOUR);
    world.store.save(&mut session).await.unwrap();
    assert_eq!(session.expires_at(), Some(end));
    world.pass(MINUTE).await;
    assert!(!world.is_live(&session).await);
}

#[tokio::test]
async fn parts_of_a_second_count() {
    let world =
        World::new("duration = '250ms'\nrenew = 'load'\nrenew_after = '100ms'\nabsolute = '400ms'");
    let session = world.saved().await;
    world.pass(Duration::from_millis(249)).await;
    assert!(world.is_live(&session).await, "and is renewed");
    world.pass(Duration::from_millis(150)).await;
    assert!(world.is_live(&session).await);
    world.pass(Duration::from_millis(1)).await;
    assert!(!world.is_live(&session).await);
}

#[tokio::test]
async fn a_session_kept_for_long_outlives_the_duration_without_sliding() {
    let world = World::new("duration = '1h'\nrenew = 'load'");
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    let month = world.now() + HOUR * 24 * 30;
    session.set_expires_at(month);
    world.store.save(&mut session).await.unwrap();
    world.counts.reset();
    for _ in 0..30 {
        world.pass(HOUR * 24 - MINUTE).await;
        let loaded = world.load(session.id().unwrap()).await.unwrap();
        assert_eq!(loaded.expires_at(), Some(month));
        assert_eq!(loaded.own_deadline(), Some(month));
    }
    assert_eq!(
        (world.counts.of(Call::Load), world.counts.total()),
        (30, 30)
    );
    world.pass(MINUTE * 30).await;
    assert!(!world.is_live(&session).await);
}

#[tokio::test]
async fn a_deadline_in_the_past_ends_a_session_at_once() {
    for toml in ["", "renew = 'load'", "absolute = '7d'"] {
        let world = World::new(toml);
        let mut session = world.saved().await;
        world.pass(MINUTE).await;
        session.set_expires_at(Timestamp::from_millis(world.now().as_millis() - 1));
        world.store.save(&mut session).await.unwrap();
        assert!(!world.is_live(&session).await, "{toml}");
        assert_eq!(world.store.count().await.unwrap(), 0);

        let mut new = Session::new();
        new.insert("user", "ann").unwrap();
        new.set_expires_at(world.now());
        world.store.save(&mut new).await.unwrap();
        assert!(!world.is_live(&new).await, "{toml}");
        assert_eq!(world.store.count().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_touch_moves_the_deadline_within_what_the_session_may_live() {
    let world = World::new("duration = '1h'\nabsolute = '90m'");
    let session = world.saved().await;
    let id = session.id().unwrap();
    let created = world.now();
    world.pass(MINUTE * 10).await;
    assert!(world.store.touch(id).await.unwrap());
    let touched = world.load(id).await.unwrap();
    assert_eq!(touched.expires_at(), Some(created + MINUTE * 70));
    assert_eq!(touched.created_at(), Some(created));

    let later = created + HOUR * 24;
    assert!(world.store.touch_until(id, later).await.unwrap());
    let touched = world.load(id).await.unwrap();
    assert_eq!(touched.expires_at(), Some(created + MINUTE * 90));
}

/// Deadlines are instants, and a load does not move one nearer by such a clock. A write counts from what it shows.
#[tokio::test]
async fn a_clock_that_is_set_back_ends_no_session_and_brings_none_back() {
    let clock = rrss::ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
    let store = |toml: &str| {
        Store::builder()
            .clock(clock.clone())
            .step::<KeyMapper>(Default::default())
            .step::<Expiry>(toml::from_str(toml).unwrap())
            .step::<JsonCodec>(Default::default())
            .step::<Memory>(Default::default())
            .build()
            .unwrap()
    };
    for toml in [
        "duration = '1h'",
        "duration = '1h'\nrenew = 'load'",
        "duration = '1h'\nrenew = 'load'\nabsolute = '4h'",
    ] {
        let store = store(toml);
        let began = store.now();
        let mut session = Session::new();
        session.insert("user", "ann").unwrap();
        store.save(&mut session).await.unwrap();
        let id = session.id().unwrap().clone();
        let mut ended = Session::new();
        ended.insert("user", "bob").unwrap();
        ended.set_expires_at(began + MINUTE);
        store.save(&mut ended).await.unwrap();
        clock.advance(MINUTE);
        store.sweep().await.unwrap();

        let day_before = Timestamp::from_millis(began.as_millis() - 24 * 3_600_000);
        clock.set(day_before);
        let loaded = store.load(&id).await.unwrap().unwrap();
        assert_eq!(loaded.created_at(), Some(began), "{toml}: in the future");
        assert_eq!(loaded.expires_at(), Some(began + HOUR), "{toml}");
        assert!(store.load(ended.id().unwrap()).await.unwrap().is_none());
        clock.set(began + MINUTE * 59);
        assert!(store.load(&id).await.unwrap().is_some(), "{toml}");

        clock.set(day_before);
        session.insert("n", &1).unwrap();
        store.save(&mut session).await.unwrap();
        assert_eq!(session.expires_at(), Some(day_before + HOUR), "{toml}");
        assert_eq!(session.created_at(), Some(began), "{toml}");
        clock.set(began);
    }
}

#[tokio::test]
async fn a_shorter_duration_in_the_file_reaches_the_sessions_that_are_used() {
    let world = World::new("duration = '7d'");
    let session = world.saved().await;
    let shorter = world.subject.clone().with_steps(|builder, _| {
        builder
            .step::<KeyMapper>(Default::default())
            .step::<Expiry>(toml::from_str("duration = '1h'\nrenew = 'load'").unwrap())
            .step::<JsonCodec>(Default::default())
    });
    let loaded = shorter.store().load(session.id().unwrap()).await.unwrap();
    assert_eq!(loaded.unwrap().expires_at(), Some(world.now() + HOUR));
}

#[tokio::test]
async fn sessions_saved_at_one_moment_end_at_many() {
    let world = World::new("duration = '1h'\njitter = '30m'");
    for _ in 0..60 {
        world.saved().await;
    }
    world.pass(MINUTE * 30).await;
    let mut live = world.store.count().await.unwrap();
    assert_eq!(live, 60);
    let mut moments = 0;
    for _ in 0..30 {
        world.pass(MINUTE).await;
        let left = world.store.count().await.unwrap();
        moments += usize::from(left < live);
        live = left;
    }
    assert_eq!(live, 0);
    assert!(moments > 10, "{moments}");
}
