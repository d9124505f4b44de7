//! What `Rekey` does beside live traffic, on every backend. Each test says what comes between its reading and its writing.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rrss::core::Backend;
use rrss::key_mapper::Hash;
use rrss::{
    Clock, Compression, Embedded, ErrorKind, Expiry, Index, JsonCodec, KeyMapper, Memory, Redis,
    Session, SessionId, Store, StoreBuilder, Timestamp,
};
use rrss_encryption::{Encryption, Options, Rekey, Rekeyed, key_id_of};
use rrss_test_servers::{Flavor, RedisServer};
use rrss_testkit::{Call, Gate, Side, Subject};

const OLD: &[&str] = &["old"];
const BOTH: &[&str] = &["new", "old"];
const NEW: &[&str] = &["new"];

/// The time of the subject, for stores of other steps than its own.
#[derive(Debug)]
struct Time(Subject);

impl Clock for Time {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

fn steps(subject: &Subject, options: Options) -> StoreBuilder {
    steps_with(subject, options, Default::default())
}

fn steps_with(subject: &Subject, options: Options, hash: Hash) -> StoreBuilder {
    Store::builder()
        .clock(Time(subject.clone()))
        .name("shop")
        .step::<KeyMapper>(rrss::key_mapper::Options {
            template: format!("{}{{id}}", subject.prefix()).parse().unwrap(),
            hash,
            ..Default::default()
        })
        .step::<Expiry>(rrss::expiry::Options {
            duration: Duration::from_secs(3600).into(),
            ..Default::default()
        })
        .step::<Index>(rrss::index::Options {
            keep_expired: Some(Duration::from_secs(86_400).into()),
            ..rrss::index::Options::of(["user"])
        })
        .step::<JsonCodec>(Default::default())
        .step::<Compression>(Default::default())
        .step::<Encryption>(options)
}

fn over(subject: &Subject, keys: &[&str], backend: impl Backend) -> Store {
    let steps = steps(subject, support::options(keys));
    steps.backend("backend", backend).build().unwrap()
}

fn store(subject: &Subject, keys: &[&str]) -> Store {
    over(subject, keys, subject.clone())
}

async fn saved(store: &Store, user: &str) -> Session {
    let mut session = Session::new();
    session.insert("user", user).unwrap();
    session.insert("text", &"words ".repeat(100)).unwrap();
    store.save(&mut session).await.unwrap();
    session
}

fn id(session: &Session) -> SessionId {
    session.id().unwrap().clone()
}

async fn rekeyed(store: &Store) -> Rekeyed {
    let mut rekey = Rekey::new(store.pipeline().clone()).unwrap();
    while rekey.page(store.now()).await.unwrap() {}
    rekey.done().clone()
}

/// Under which key each session is stored.
async fn key_ids(subject: &Subject, store: &Store, ids: &[SessionId]) -> Vec<String> {
    let mut found = Vec::new();
    for id in ids {
        let mut op =
            rrss::Operation::new(rrss::core::Action::Load, subject.now()).with_id(id.clone());
        assert!(store.pipeline().prepare(&mut op).unwrap());
        let answer = store.pipeline().run_on_backend(&op).await.unwrap();
        let bytes = answer.payload.bytes().unwrap();
        found.push(key_id_of(bytes).unwrap_or("none").to_owned());
    }
    found
}

async fn everything_is_under_the_first_key_and_nothing_else_has_changed(subject: Subject) {
    let old = store(&subject, OLD);
    let mut ids = Vec::new();
    for n in 0..70 {
        ids.push(id(&saved(&old, &format!("user{n}")).await));
    }
    let mut before = Vec::new();
    for id in &ids {
        before.push(old.inspect(id).await.unwrap().unwrap());
    }
    subject.advance(Duration::from_millis(50)).await;

    let both = store(&subject, BOTH);
    let done = rekeyed(&both).await;
    assert_eq!((done.rekeyed, done.current, done.corrupt), (70, 0, 0));
    assert_eq!((done.changed, done.notes_left), (0, 0));
    assert!(
        key_ids(&subject, &both, &ids)
            .await
            .iter()
            .all(|id| id == "new")
    );

    let new = store(&subject, NEW);
    for (id, before) in ids.iter().zip(&before) {
        let after = new.inspect(id).await.unwrap().unwrap();
        assert!(after.iter_raw().eq(before.iter_raw()));
        assert_eq!(after.expires_at(), before.expires_at());
        assert_eq!(after.created_at(), before.created_at());
        assert_eq!(after.written_at(), before.written_at());
        let user = before.get::<String>("user").unwrap().unwrap();
        let found = new.find("user", &user, None, 10).await.unwrap();
        assert_eq!(found.sessions.len(), 1);
    }
    let again = rekeyed(&new).await;
    assert_eq!((again.rekeyed, again.current, again.corrupt), (0, 70, 0));
}

/// A walk that is held once it has read the one session there is, until `meanwhile` is done.
async fn with_something_between<T>(
    subject: &Subject,
    meanwhile: impl AsyncFnOnce(Store) -> T,
) -> (T, Rekeyed) {
    let gate = Gate::new();
    let walking = over(subject, BOTH, gate.before(subject.clone()));
    let held = gate.hold(Call::Load, Side::After);
    let walk = tokio::spawn(async move { rekeyed(&walking).await });
    let held = held.arrived().await;
    let done = meanwhile(store(subject, BOTH)).await;
    held.release();
    (done, walk.await.unwrap())
}

async fn an_update_between_reading_and_writing_is_not_lost(subject: Subject) {
    let id = id(&saved(&store(&subject, OLD), "ann").await);
    let ((), done) = with_something_between(&subject, async |live| {
        let mut session = live.load(&id).await.unwrap().unwrap();
        session.insert("cart", &["tea"]).unwrap();
        live.save(&mut session).await.unwrap();
    })
    .await;
    // The live update has stored it under the first key.
    assert_eq!((done.rekeyed, done.current, done.changed), (0, 1, 0));
    let session = store(&subject, NEW).load(&id).await.unwrap().unwrap();
    assert!(session.contains_key("cart"));
}

async fn an_update_under_the_old_key_meanwhile_is_rekeyed_as_well(subject: Subject) {
    let old = store(&subject, OLD);
    let id = id(&saved(&old, "ann").await);
    let ((), done) = with_something_between(&subject, async |_| {
        let mut session = old.load(&id).await.unwrap().unwrap();
        session.insert("cart", &["tea"]).unwrap();
        old.save(&mut session).await.unwrap();
    })
    .await;
    assert_eq!((done.rekeyed, done.current, done.changed), (1, 0, 0));
    let session = store(&subject, NEW).load(&id).await.unwrap().unwrap();
    assert!(session.contains_key("cart"));
}

async fn a_session_that_was_deleted_meanwhile_stays_gone(subject: Subject) {
    let id = id(&saved(&store(&subject, OLD), "ann").await);
    let (deleted, done) =
        with_something_between(&subject, async |live| live.delete(&id).await.unwrap()).await;
    assert!(deleted);
    assert_eq!(done.seen(), 0);
    let new = store(&subject, NEW);
    assert!(new.load(&id).await.unwrap().is_none());
    assert_eq!(new.count().await.unwrap(), 0);
    let found = new.find("user", "ann", None, 10).await.unwrap();
    assert!(found.sessions.is_empty());
}

async fn a_session_that_got_a_new_id_meanwhile_is_dead_under_the_old_one(subject: Subject) {
    let old_id = id(&saved(&store(&subject, OLD), "ann").await);
    let (new_id, done) = with_something_between(&subject, async |live| {
        let mut session = live.load(&old_id).await.unwrap().unwrap();
        live.rotate(&mut session).await.unwrap();
        id(&session)
    })
    .await;
    assert_eq!(done.rekeyed, 0);
    let new = store(&subject, NEW);
    assert!(new.load(&old_id).await.unwrap_err().is_gone());
    assert!(new.load(&new_id).await.unwrap().is_some());
}

async fn a_deadline_that_was_moved_meanwhile_stays_moved(subject: Subject) {
    let id = id(&saved(&store(&subject, OLD), "ann").await);
    let (deadline, done) = with_something_between(&subject, async |live| {
        let deadline = subject.now() + Duration::from_secs(1_800);
        assert!(live.touch_until(&id, deadline).await.unwrap());
        live.inspect(&id).await.unwrap().unwrap().expires_at()
    })
    .await;
    assert_eq!(done.rekeyed, 1);
    let session = store(&subject, NEW).inspect(&id).await.unwrap().unwrap();
    assert!(deadline.is_some());
    assert_eq!(session.expires_at(), deadline);
}

async fn a_live_save_of_what_was_read_before_the_walk_is_not_refused(subject: Subject) {
    let session_id = id(&saved(&store(&subject, OLD), "ann").await);
    let live = store(&subject, BOTH);
    let mut read_before = live.load(&session_id).await.unwrap().unwrap();
    assert_eq!(rekeyed(&live).await.rekeyed, 1);
    read_before.insert("cart", &["tea"]).unwrap();
    live.save(&mut read_before).await.unwrap();
    let session = store(&subject, NEW)
        .load(&session_id)
        .await
        .unwrap()
        .unwrap();
    assert!(session.contains_key("cart") && session.contains_key("user"));
}

async fn what_cannot_be_read_is_counted_and_stays_as_it_is(subject: Subject) {
    let lost = id(&saved(&store(&subject, &["lost"]), "ann").await);
    let kept = id(&saved(&store(&subject, OLD), "bob").await);
    let both = store(&subject, BOTH);
    let done = rekeyed(&both).await;
    assert_eq!((done.rekeyed, done.corrupt, done.seen()), (1, 1, 2));
    let first = done.first_corrupt.unwrap();
    assert!(first.message().contains("`lost`"), "{first}");
    assert_eq!(
        key_ids(&subject, &both, &[lost.clone(), kept]).await,
        ["lost", "new"]
    );
    assert!(
        store(&subject, &["lost"])
            .load(&lost)
            .await
            .unwrap()
            .is_some()
    );
}

async fn plain_sessions_are_encrypted_while_they_are_accepted(subject: Subject) {
    let plain = Store::builder()
        .clock(Time(subject.clone()))
        .step::<KeyMapper>(rrss::key_mapper::Options {
            template: format!("{}{{id}}", subject.prefix()).parse().unwrap(),
            ..Default::default()
        })
        .step::<JsonCodec>(Default::default())
        .backend("backend", subject.clone())
        .build()
        .unwrap();
    let id = id(&saved(&plain, "ann").await);
    let new = store(&subject, NEW);
    assert_eq!(new.load(&id).await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(rekeyed(&new).await.corrupt, 1);

    let until = subject.now() + Duration::from_secs(3600);
    let accepting = Options {
        accept_plaintext_until: Some(until.into()),
        ..support::options(NEW)
    };
    let accepting = steps(&subject, accepting).backend("backend", subject.clone());
    let accepting = accepting.build().unwrap();
    assert!(accepting.load(&id).await.unwrap().is_some());
    assert_eq!(rekeyed(&accepting).await.rekeyed, 1);
    let session = new.inspect(&id).await.unwrap().unwrap();
    assert_eq!(
        session.get::<String>("user").unwrap().as_deref(),
        Some("ann")
    );
    assert_eq!(session.expires_at(), None);
}

/// Does with a session that ends soon what must be done before its deadline, and answers that deadline and what came of it.
///
/// Where the deadline passed meanwhile it is done again, with more time, so nothing in it may assert that it has not.
/// `both` reads what was stored, and tells then of what came too late.
async fn before_it_ends<T>(
    subject: &Subject,
    both: &Store,
    act: impl AsyncFn(Session) -> T,
) -> (Timestamp, T) {
    let mut span = Duration::from_secs(1);
    for _ in 0..7 {
        let deadline = subject.now() + span;
        let mut session = Session::new();
        session.insert("user", "ann").unwrap();
        session.set_expires_at(deadline);
        let outcome = act(session).await;
        if subject.now() < deadline {
            return (deadline, outcome);
        }
        subject.pass(deadline).await;
        both.on_expired(async |_| Ok::<(), rrss::Error>(()))
            .unwrap();
        both.sweep().await.unwrap();
        span *= 2;
    }
    panic!("this machine is too slow to do a few operations within {span:?}");
}

async fn what_expires_is_told_without_the_old_key(subject: Subject) {
    let (old, both) = (store(&subject, OLD), store(&subject, BOTH));
    let (deadline, done) = before_it_ends(&subject, &both, async |mut session| {
        old.save(&mut session).await.unwrap();
        rekeyed(&both).await
    })
    .await;
    assert_eq!((done.rekeyed, done.notes_left), (1, 0));

    let told = Arc::new(Mutex::new(Vec::new()));
    let new = store(&subject, NEW);
    new.on_expired({
        let told = Arc::clone(&told);
        move |expired| {
            told.lock()
                .unwrap()
                .push(expired.get::<String>("user").unwrap());
            async { Ok::<(), rrss::Error>(()) }
        }
    })
    .unwrap();
    subject.pass(deadline).await;
    new.sweep().await.unwrap();
    assert_eq!(*told.lock().unwrap(), [Some("ann".to_owned())]);
}

/// Storage keys tell no ids then, and the walk goes by them.
async fn sessions_whose_ids_are_hashed_are_rekeyed_found_and_told_as_well(subject: Subject) {
    let hashed = |keys: &[&str]| {
        let steps = steps_with(&subject, support::options(keys), Hash::Sha256);
        steps.backend("backend", subject.clone()).build().unwrap()
    };
    let [old, both, new] = [OLD, BOTH, NEW].map(hashed);
    let (deadline, (session, done, live, found)) =
        before_it_ends(&subject, &both, async |mut session| {
            old.save(&mut session).await.unwrap();
            let done = rekeyed(&both).await;
            let live = new.inspect(&id(&session)).await.unwrap().is_some();
            let found = new.find("user", "ann", None, 10).await.unwrap();
            (session, done, live, found.sessions.len())
        })
        .await;
    assert_eq!((done.rekeyed, done.notes_left), (1, 0));
    assert_eq!((live, found), (true, 1));

    let told = Arc::new(Mutex::new(Vec::new()));
    new.on_expired({
        let told = Arc::clone(&told);
        move |expired| {
            told.lock().unwrap().push(expired.handle());
            async { Ok::<(), rrss::Error>(()) }
        }
    })
    .unwrap();
    subject.pass(deadline).await;
    new.sweep().await.unwrap();
    assert_eq!(*told.lock().unwrap(), [rrss::Handle::of(&id(&session))]);
}

/// Writers that never stop, one that logs out, and walks one after the other.
async fn nothing_is_lost_and_nothing_comes_back_beside_many_writers(subject: Subject) {
    const SESSIONS: usize = 24;
    let old = store(&subject, OLD);
    let mut ids = Vec::new();
    for _ in 0..SESSIONS {
        ids.push(id(&saved(&old, "ann").await));
    }
    let (live, deleted) = ids.split_at(SESSIONS / 2);
    let (stop, written) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let started = Arc::new(tokio::sync::Barrier::new(4));
    let mut writers = Vec::new();
    for writer in 0..3 {
        let (stop, written, started) = (
            Arc::clone(&stop),
            Arc::clone(&written),
            Arc::clone(&started),
        );
        let (store, ids) = (store(&subject, BOTH), live.to_vec());
        writers.push(tokio::spawn(async move {
            let field = format!("writer{writer}");
            started.wait().await;
            for round in 1_u64.. {
                for id in &ids {
                    let mut session = store.load(id).await.unwrap().unwrap();
                    session.insert(&field, &round).unwrap();
                    store.save(&mut session).await.unwrap();
                }
                written.fetch_add(1, Ordering::Relaxed);
                if stop.load(Ordering::Acquire) {
                    return (field, round);
                }
            }
            unreachable!("the rounds do not end")
        }));
    }
    started.wait().await;
    let both = store(&subject, BOTH);
    let ending = tokio::spawn({
        let (store, ids) = (store(&subject, BOTH), deleted.to_vec());
        async move {
            for id in ids {
                assert!(store.delete(&id).await.unwrap());
            }
        }
    });
    loop {
        let done = rekeyed(&both).await;
        assert_eq!((done.corrupt, done.changed), (0, 0));
        if done.rekeyed == 0 && written.load(Ordering::Relaxed) > 3 && ending.is_finished() {
            break;
        }
    }
    ending.await.unwrap();
    stop.store(true, Ordering::Release);
    let mut rounds = Vec::new();
    for writer in writers {
        rounds.push(writer.await.unwrap());
    }
    let new = store(&subject, NEW);
    assert_eq!(rekeyed(&new).await.current, live.len() as u64);
    for id in live {
        let session = new.load(id).await.unwrap().unwrap();
        for (field, round) in &rounds {
            assert_eq!(session.get::<u64>(field).unwrap(), Some(*round), "{field}");
        }
    }
    for id in deleted {
        assert!(new.load(id).await.unwrap().is_none());
    }
}

fn memory() -> Subject {
    Subject::new(Memory::default())
}

fn embedded() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let options = rrss::embedded::Options {
        path: folder.path().join("sessions"),
        ..Default::default()
    };
    Subject::of_step::<Embedded>(options).keeping(folder)
}

fn redis(flavor: Flavor) -> Subject {
    static SERVERS: [OnceLock<RedisServer>; 2] = [const { OnceLock::new() }; 2];
    let server = SERVERS[flavor as usize].get_or_init(|| RedisServer::start(flavor));
    let options = rrss::redis::Options {
        url: Some(server.url().parse().unwrap()),
        timeout: Duration::from_secs(60).into(),
        connect_timeout: Duration::from_secs(60).into(),
        ..Default::default()
    };
    Subject::of_step::<Redis>(options).real_time()
}

macro_rules! on_all {
    ($($test:ident,)+) => {
        on_all!(memory: crate::memory(); $($test,)+);
        on_all!(embedded: crate::embedded(); $($test,)+);
        on_all!(redis: crate::redis(rrss_test_servers::Flavor::Redis); $($test,)+);
        on_all!(valkey: crate::redis(rrss_test_servers::Flavor::Valkey); $($test,)+);
    };
    ($of:ident: $subject:expr; $($test:ident,)+) => {
        mod $of {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test($subject).await;
                }
            )+
        }
    };
}

on_all! {
    everything_is_under_the_first_key_and_nothing_else_has_changed,
    an_update_between_reading_and_writing_is_not_lost,
    an_update_under_the_old_key_meanwhile_is_rekeyed_as_well,
    a_session_that_was_deleted_meanwhile_stays_gone,
    a_session_that_got_a_new_id_meanwhile_is_dead_under_the_old_one,
    a_deadline_that_was_moved_meanwhile_stays_moved,
    a_live_save_of_what_was_read_before_the_walk_is_not_refused,
    what_cannot_be_read_is_counted_and_stays_as_it_is,
    plain_sessions_are_encrypted_while_they_are_accepted,
    what_expires_is_told_without_the_old_key,
    sessions_whose_ids_are_hashed_are_rekeyed_found_and_told_as_well,
    nothing_is_lost_and_nothing_comes_back_beside_many_writers,
}

#[test]
fn a_pipeline_without_the_step_is_refused() {
    let plain = "step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'memory' }]";
    let store = Store::from_toml(plain).unwrap();
    let error = Rekey::new(store.pipeline().clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
