//! What others do to a session is seen here, on a real server that tells of it: by two stores, as two processes have them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::{Duration, Instant};

use rrss::core::Clock;
use rrss::{
    ErrorKind, Expiry, KeyMapper, ManualClock, Redis, Session, Store, StoreBuilder, SystemClock,
};
use rrss_cache::{Cache, OnUntracked, Options};
use rrss_test_servers::{Flavor, RedisServer, Relay};
use rrss_testkit::Log;

use crate::support::{GENEROUS, HOUR, SHORT, SOON, on_redis, steps, until};

#[macro_use]
mod support;

on_both![
    what_others_do_is_seen_when_the_server_has_told,
    a_session_of_fields_is_seen_as_well,
    a_flush_leaves_nothing,
    a_session_that_the_server_lets_expire_is_gone,
    loads_of_an_unchanged_session_send_nothing,
    nothing_is_answered_from_here_once_the_connection_is_lost,
    a_server_that_is_gone_is_an_error_and_no_session_of_before,
    on_a_silent_network_no_session_is_older_than_max_age,
    a_server_that_tracks_few_keys_tells_of_those_that_it_forgets,
    a_reader_never_sees_a_session_go_back,
];

fn options(max_age: Duration) -> Options {
    Options {
        max_age: max_age.into(),
        ..Options::default()
    }
}

fn to(url: &str) -> rrss::redis::Options {
    rrss::redis::Options {
        url: Some(url.parse().unwrap()),
        timeout: GENEROUS.into(),
        connect_timeout: GENEROUS.into(),
        ..Default::default()
    }
}

/// A process with a cache whose sessions grow as old as they like, unless a change is told.
fn cached(url: &str) -> Store {
    over(steps(), url, options(HOUR))
}

fn over(steps: StoreBuilder, url: &str, cache: Options) -> Store {
    on_redis(steps.step::<Cache>(cache), to(url))
}

/// Another process, without a cache.
fn plain(url: &str) -> Store {
    on_redis(steps(), to(url))
}

async fn saved(store: &Store) -> Session {
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    session.insert("count", &0).unwrap();
    store.save(&mut session).await.unwrap();
    session
}

fn count(session: &Session) -> u64 {
    session.get("count").unwrap().unwrap()
}

async fn what_others_do_is_seen_when_the_server_has_told(flavor: Flavor) {
    let server = RedisServer::start(flavor);
    let (here, there) = (cached(&server.url()), plain(&server.url()));
    see_what_others_do(&here, &there).await;
    let id = saved(&there).await.id().unwrap().clone();
    here.load(&id).await.unwrap().unwrap();
    assert_eq!(there.revoke("user", &"ann").await.unwrap(), 1);
    until("a revoke", &here, &id, |seen| seen.is_none()).await;
}

async fn see_what_others_do(here: &Store, there: &Store) {
    let mut session = saved(there).await;
    let id = session.id().unwrap().clone();
    until("a new session", here, &id, |seen| seen.is_some()).await;

    session.insert("count", &1).unwrap();
    there.save(&mut session).await.unwrap();
    let is_one = |seen: Option<&Session>| count(seen.unwrap()) == 1;
    until("a save", here, &id, is_one).await;

    let sooner = SystemClock.now() + Duration::from_secs(60);
    assert!(there.touch_until(&id, sooner).await.unwrap());
    let is_sooner = |seen: Option<&Session>| seen.unwrap().expires_at() == Some(sooner);
    until("a touch", here, &id, is_sooner).await;

    there.rotate(&mut session).await.unwrap();
    until("a rotation", here, &id, |seen| seen.is_none()).await;
    let id = session.id().unwrap().clone();
    until("its new id", here, &id, |seen| seen.is_some()).await;

    assert!(there.delete(&id).await.unwrap());
    until("a delete", here, &id, |seen| seen.is_none()).await;
}

async fn a_session_of_fields_is_seen_as_well(flavor: Flavor) {
    let server = RedisServer::start(flavor);
    let store = |cache: Option<Options>| {
        let mut steps = Store::builder()
            .step::<KeyMapper>(Default::default())
            .step::<Expiry>(Default::default());
        if let Some(cache) = cache {
            steps = steps.step::<Cache>(cache);
        }
        let redis = rrss::redis::Options {
            layout: rrss::redis::Layout::Hash,
            ..to(&server.url())
        };
        steps.step::<Redis>(redis).build().unwrap()
    };
    let (here, there) = (store(Some(options(HOUR))), store(None));
    see_what_others_do(&here, &there).await;
    let id = saved(&there).await.id().unwrap().clone();
    here.load(&id).await.unwrap().unwrap();
    server.reset_counts();
    here.load(&id).await.unwrap().unwrap();
    assert_eq!(server.command_counts().get("hscan"), None);
}

async fn a_flush_leaves_nothing(flavor: Flavor) {
    let server = RedisServer::start(flavor);
    let store = cached(&server.url());
    let id = saved(&store).await.id().unwrap().clone();
    store.load(&id).await.unwrap().unwrap();
    server.command(&["FLUSHALL"]);
    until("a flush", &store, &id, |seen| seen.is_none()).await;
}

/// By a deadline that another program has set, and this process does not know of.
async fn a_session_that_the_server_lets_expire_is_gone(flavor: Flavor) {
    let server = RedisServer::start(flavor);
    let store = cached(&server.url());
    let id = saved(&store).await.id().unwrap().clone();
    store.load(&id).await.unwrap().unwrap();
    let key = format!("sessions:{}", id.as_str());
    assert_eq!(server.command(&["PEXPIRE", &key, "50"]), "1");
    until("an end", &store, &id, |seen| seen.is_none()).await;
}

async fn loads_of_an_unchanged_session_send_nothing(flavor: Flavor) {
    let server = RedisServer::start(flavor);
    let store = cached(&server.url());
    let ids =
        [saved(&store).await, saved(&store).await].map(|session| session.id().unwrap().clone());
    server.reset_counts();
    for _ in 0..100 {
        for id in &ids {
            store.load(id).await.unwrap().unwrap();
        }
    }
    let counts = server.command_counts();
    assert_eq!(counts.get("get"), Some(&2), "{counts:?}");
    assert_eq!(counts.get("pexpiretime"), Some(&2), "{counts:?}");
    assert_eq!(counts.get("client|tracking"), Some(&1), "{counts:?}");
}

async fn nothing_is_answered_from_here_once_the_connection_is_lost(flavor: Flavor) {
    let server = RedisServer::start(flavor);
    let (here, there) = (cached(&server.url()), plain(&server.url()));
    let mut session = saved(&there).await;
    let id = session.id().unwrap().clone();
    for round in 1..=20 {
        here.load(&id).await.unwrap().unwrap();
        server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
        session.insert("count", &round).unwrap();
        // The first write over a connection that was killed may be lost.
        while there.save(&mut session).await.is_err() {}
        let is_new = |seen: Option<&Session>| count(seen.unwrap()) == round;
        until("what was saved after the loss", &here, &id, is_new).await;
    }
}

async fn a_server_that_is_gone_is_an_error_and_no_session_of_before(flavor: Flavor) {
    let mut server = RedisServer::start(flavor);
    let store = cached(&server.url());
    let id = saved(&store).await.id().unwrap().clone();
    store.load(&id).await.unwrap().unwrap();
    server.kill();
    let begun = Instant::now();
    let error = loop {
        match store.load(&id).await {
            Ok(_) => assert!(begun.elapsed() < SOON, "the loss was not noticed"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

/// Nothing arrives and nothing breaks: that what is kept may be out of date, its age alone says.
async fn on_a_silent_network_no_session_is_older_than_max_age(flavor: Flavor) {
    let server = RedisServer::start(flavor);
    // The store goes by its own clock, which the test moves, where the server does not say its time.
    server.command(&["ACL", "SETUSER", "default", "-time"]);
    let relay = Relay::to(server.port());
    let clock = ManualClock::at(SystemClock.now());
    let max_age = Duration::from_secs(10);
    let steps_here = steps().clock(clock.clone());
    let limited = rrss::redis::Options {
        timeout: SHORT.into(),
        connect_timeout: SHORT.into(),
        ..to(&relay.url())
    };
    let here = on_redis(steps_here.step::<Cache>(options(max_age)), limited);
    let there = plain(&server.url());
    let id = saved(&there).await.id().unwrap().clone();
    here.load(&id).await.unwrap().unwrap();

    relay.fall_silent();
    assert!(there.delete(&id).await.unwrap());
    clock.advance(max_age - Duration::from_millis(1));
    assert!(here.load(&id).await.unwrap().is_some(), "it cannot know");
    clock.advance(Duration::from_millis(1));
    assert_eq!(here.load(&id).await.unwrap_err().kind(), ErrorKind::Timeout);
    relay.speak();
    let begun = Instant::now();
    loop {
        match here.load(&id).await {
            Ok(None) => return,
            Ok(Some(_)) => panic!("it is as old as it may be"),
            Err(error) => assert!(error.is_temporary() && begun.elapsed() < SOON, "{error}"),
        }
    }
}

async fn a_server_that_tracks_few_keys_tells_of_those_that_it_forgets(flavor: Flavor) {
    let server = RedisServer::builder(flavor)
        .arg("--tracking-table-max-keys", "4")
        .start();
    let (here, there) = (cached(&server.url()), plain(&server.url()));
    let mut sessions = Vec::new();
    for _ in 0..64 {
        sessions.push(saved(&there).await);
    }
    for session in &sessions {
        here.load(session.id().unwrap()).await.unwrap().unwrap();
    }
    for session in &mut sessions {
        session.insert("count", &1).unwrap();
        there.save(session).await.unwrap();
    }
    for session in &sessions {
        let is_one = |seen: Option<&Session>| count(seen.unwrap()) == 1;
        until("a save", &here, session.id().unwrap(), is_one).await;
    }
}

/// One process counts up while another reads at the same time, through one cache.
async fn a_reader_never_sees_a_session_go_back(flavor: Flavor) {
    const LAST: u64 = 2_000;
    let server = RedisServer::start(flavor);
    let (here, there) = (cached(&server.url()), plain(&server.url()));
    let mut session = saved(&there).await;
    let id = session.id().unwrap().clone();
    let readers = [(); 4].map(|()| {
        let (here, id) = (here.clone(), id.clone());
        tokio::spawn(async move {
            let (mut seen, mut loads) = (0, 0_u64);
            while seen < LAST {
                let now = count(&here.load(&id).await.unwrap().unwrap());
                assert!(now >= seen, "{now} after {seen}");
                (seen, loads) = (now, loads + 1);
                tokio::task::yield_now().await;
            }
            loads
        })
    });
    for number in 1..=LAST {
        session.insert("count", &number).unwrap();
        there.save(&mut session).await.unwrap();
    }
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

/// A user who may do all but be told of changes.
fn server_that_refuses() -> (RedisServer, String) {
    let server = RedisServer::start(Flavor::Redis);
    let user = [
        "ACL",
        "SETUSER",
        "app",
        "on",
        ">pw",
        "~*",
        "+@all",
        "-client|tracking",
        // So the store goes by its own clock, which a test moves.
        "-time",
    ];
    assert_eq!(server.command(&user), "OK");
    let url = format!("redis://app:pw@127.0.0.1:{}", server.port());
    (server, url)
}

#[tokio::test]
async fn where_the_server_refuses_to_tell_every_load_asks_and_that_is_said_once() {
    let (server, url) = server_that_refuses();
    let log = Log::listen();
    let store = cached(&url);
    let id = saved(&store).await.id().unwrap().clone();
    server.reset_counts();
    for _ in 0..5 {
        store.load(&id).await.unwrap().unwrap();
    }
    assert_eq!(server.command_counts().get("get"), Some(&5));
    assert_eq!(
        log.text().matches("CLIENT TRACKING").count(),
        1,
        "{}",
        log.text()
    );
    assert_eq!(log.lines(tracing::Level::WARN), 1, "{}", log.text());
    assert!(!log.text().contains(id.as_str()) && !log.text().contains("pw"));
    assert!(store.delete(&id).await.unwrap());
    assert!(store.load(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn where_the_server_refuses_to_tell_sessions_are_kept_only_if_the_file_says_so() {
    let (server, url) = server_that_refuses();
    let clock = ManualClock::at(SystemClock.now());
    let cache = Options {
        on_untracked: OnUntracked::MaxAge,
        ..options(Duration::from_secs(10))
    };
    let here = over(steps().clock(clock.clone()), &url, cache);
    let there = plain(&server.url());
    let id = saved(&there).await.id().unwrap().clone();
    here.load(&id).await.unwrap().unwrap();
    there.delete(&id).await.unwrap();
    server.reset_counts();
    assert!(here.load(&id).await.unwrap().is_some());
    assert_eq!(server.command_counts().get("get"), None);
    clock.advance(Duration::from_secs(10));
    assert!(here.load(&id).await.unwrap().is_none());
}
