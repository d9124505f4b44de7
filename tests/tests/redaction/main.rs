//! No session id, no value of a field and no password is in a log line, in an error or in `Debug`.
//!
//! Everything is logged at `TRACE`, the crates below rrss included, into memory.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod shapes;
#[path = "../watch/mod.rs"]
mod watch;

use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use axum::routing::get;
use rrss::{ErrorKind, Session, SessionId, Store};
use rrss_axum::{OnCorrupt, SessionLayer};
use rrss_loader::Loader;
use rrss_test_servers::{Blackhole, Flavor, RedisServer, refused_port};
use tower::ServiceExt;

use crate::watch::{OTHER_VALUE, PASSWORD, VALUE, WRONG_PASSWORD, Watch};

fn text(last: &str) -> String {
    format!(
        "step = [
            {{ type = 'key-mapper' }},
            {{ type = 'expiry', resolution = '10ms' }},
            {{ type = 'json-codec', max_bytes = 2000 }},
            {{ type = 'compression', min_bytes = 0 }},
            {last},
        ]"
    )
}

/// With limits that a busy machine does not reach.
fn redis(url: &str) -> String {
    redis_within("60s", url)
}

fn redis_within(limit: &str, url: &str) -> String {
    text(&format!(
        "{{ type = 'redis', url = '{url}', timeout = '{limit}', connect_timeout = '{limit}' }}"
    ))
}

/// Every operation, and every error that needs no broken backend.
async fn use_all(store: &Store, watch: &mut Watch) -> SessionId {
    let mut session = Session::new();
    session.insert("pin", VALUE).unwrap();
    store.save(&mut session).await.unwrap();
    let first = session.id().unwrap().clone();
    watch.hide(&first);
    watch.see_debug(&first);

    session.insert("pin", OTHER_VALUE).unwrap();
    session.insert("more", VALUE).unwrap();
    watch.see_debug(&session);
    store.save(&mut session).await.unwrap();
    let mut stale = store.load(&first).await.unwrap().unwrap();
    watch.see_debug(&stale);
    assert!(store.touch(&first).await.unwrap());
    store.rotate(&mut session).await.unwrap();
    let id = session.id().unwrap().clone();
    watch.hide(&id);
    watch.see_debug(&store.list(None, 10).await.unwrap());
    store.count().await.unwrap();
    store.sweep().await.unwrap();
    watch.see_debug(store);
    watch.see_debug(store.pipeline());

    watch.see_error(&session.get::<u32>("pin").unwrap_err(), ErrorKind::Value);
    let no_json = format!("{VALUE}\"");
    watch.see_error(
        &session.insert_raw("pin", &no_json).unwrap_err(),
        ErrorKind::Value,
    );
    stale.insert("pin", "late").unwrap();
    watch.see_error(&store.save(&mut stale).await.unwrap_err(), ErrorKind::Gone);
    watch.see_error(
        &store.rotate(&mut stale).await.unwrap_err(),
        ErrorKind::Gone,
    );

    let mut twin = Session::with_id(id.clone());
    twin.insert("pin", VALUE).unwrap();
    watch.see_error(
        &store.save(&mut twin).await.unwrap_err(),
        ErrorKind::Conflict,
    );
    let mut large = Session::new();
    large.insert("pin", &VALUE.repeat(1000)).unwrap();
    watch.see_error(
        &store.save(&mut large).await.unwrap_err(),
        ErrorKind::TooLarge,
    );

    let malformed = SessionId::from(format!("{}-{VALUE}", id.as_str()));
    assert!(store.load(&malformed).await.unwrap().is_none());
    let mut foreign = Session::with_id(malformed);
    foreign.insert("pin", VALUE).unwrap();
    watch.see_error(
        &store.save(&mut foreign).await.unwrap_err(),
        ErrorKind::Value,
    );
    id
}

#[tokio::test]
async fn nothing_is_shown_of_sessions_in_memory_and_on_disk() {
    let mut watch = Watch::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rrss.toml");
    for backend in ["memory", "embedded"] {
        std::fs::write(&file, text(&format!("{{ type = '{backend}' }}"))).unwrap();
        let store = Store::from_file(&file).unwrap();
        let id = use_all(&store, &mut watch).await;
        store.touch_until(&id, store.now()).await.unwrap();
        store.shutdown(Duration::from_secs(60)).await.unwrap();
    }
    watch.ends("TRACE fjall::");
}

#[tokio::test]
async fn nothing_is_shown_of_sessions_in_redis() {
    let mut watch = Watch::start();
    for flavor in Flavor::ALL {
        let server = RedisServer::builder(flavor).password(PASSWORD).start();
        let store = Store::from_toml(&redis(&server.url())).unwrap();
        let id = use_all(&store, &mut watch).await;
        let key = format!("sessions:{}", id.as_str());
        for bytes in [
            VALUE.to_owned(),
            format!("{{\"pin\":\"{VALUE}"),
            format!("[\"{VALUE}\"]"),
        ] {
            server.command(&["SET", &key, &bytes]);
            watch.see_error(&store.load(&id).await.unwrap_err(), ErrorKind::Corrupt);
        }
        server.command(&["UNLINK", &key]);
        server.command(&["HSET", &key, "pin", VALUE]);
        watch.see_error(&store.load(&id).await.unwrap_err(), ErrorKind::Corrupt);
        store.shutdown(Duration::from_secs(60)).await.unwrap();
    }
    watch.ends("Redis at 127.0.0.1");
}

/// The key of the tests' `encryption` steps: 32 bytes in base64.
const KEY: &str = "BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSY=";

/// All steps that have more to say of a session: an index, a cache where there can be one, encryption, a quarantine.
fn with_all_steps(backend: &str, cache: &str) -> String {
    format!(
        "store = {{ name = 'shop', on_corrupt = 'quarantine' }}
        step = [
            {{ type = 'key-mapper' }},
            {{ type = 'expiry', resolution = '10ms' }},
            {{ type = 'index', fields = ['user'], max_per_value = 3, keep_expired = '1d' }},
            {cache}
            {{ type = 'json-codec' }},
            {{ type = 'compression', min_bytes = 0 }},
            {{ type = 'encryption', keys = [{{ id = '1', key = '{KEY}' }}] }},
            {backend},
        ]"
    )
}

async fn new_session(store: &Store, watch: &mut Watch) -> Session {
    let mut session = Session::new();
    session.insert("user", VALUE).unwrap();
    session.insert("pin", OTHER_VALUE).unwrap();
    store.create(&mut session).await.unwrap();
    watch.hide(session.id().unwrap());
    session
}

/// Every operation by the value of a field, those of two requests at once, and of sessions that expire.
async fn use_index(store: &Store, watch: &mut Watch) {
    let (told, mut expired) = tokio::sync::mpsc::unbounded_channel();
    store
        .on_expired(move |session| {
            let sent = told.send(format!("{session:?}"));
            async move { sent }
        })
        .unwrap();

    let mut session = new_session(store, watch).await;
    let id = session.id().unwrap().clone();
    let mut copy = store.load(&id).await.unwrap().unwrap();
    session.insert("more", VALUE).unwrap();
    copy.insert("other", OTHER_VALUE).unwrap();
    watch.see_debug(&store.save(&mut session).await.unwrap());
    watch.see_debug(&store.save(&mut copy).await.unwrap());
    let longer = |said: Option<String>| said.unwrap_or_default() + VALUE;
    store
        .update_field(&mut session, "more", longer)
        .await
        .unwrap();
    watch.see_debug(&store.inspect(&id).await.unwrap());
    watch.see_debug(&store.overwrite(&mut session).await.unwrap());
    store.rotate(&mut session).await.unwrap();
    watch.hide(session.id().unwrap());

    for _ in 0..3 {
        new_session(store, watch).await;
    }
    let found = store.find("user", VALUE, None, 10).await.unwrap();
    assert_eq!(found.sessions.len(), 3);
    watch.see_debug(&found);
    let handle = found.sessions[0].handle();
    watch.see(&format!("{handle} {handle:?}"));
    assert!(store.revoke_one("user", VALUE, handle).await.unwrap());
    let kept = new_session(store, watch).await;
    let kept = kept.id().unwrap();
    assert!(store.revoke_others("user", VALUE, kept).await.unwrap() > 0);
    watch.see_error(
        &store.find("pin", VALUE, None, 1).await.unwrap_err(),
        ErrorKind::Unsupported,
    );
    assert_eq!(store.revoke("user", VALUE).await.unwrap(), 1);

    let last = new_session(store, watch).await;
    let soon = store.now() + Duration::from_millis(1);
    store.touch_until(last.id().unwrap(), soon).await.unwrap();
    let told = loop {
        store.sweep().await.unwrap();
        if let Ok(told) = expired.try_recv() {
            break told;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    watch.see(&told);
    store.shutdown(Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn nothing_is_shown_by_the_steps_that_know_more() {
    let mut watch = Watch::start();
    watch.hide_text(KEY);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rrss.toml");
    let servers = Flavor::ALL.map(|flavor| RedisServer::builder(flavor).password(PASSWORD).start());
    let cache = "{ type = 'cache' },";
    let redis = |server: &RedisServer| {
        format!(
            "{{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}",
            server.url()
        )
    };
    for (backend, cache) in [
        ("{ type = 'memory' }".to_owned(), ""),
        ("{ type = 'embedded' }".to_owned(), ""),
        (redis(&servers[0]), ""),
        (redis(&servers[1]), cache),
    ] {
        std::fs::write(&file, with_all_steps(&backend, cache)).unwrap();
        let store = Store::from_file(&file).unwrap();
        watch.see_debug(&store);
        watch.see_debug(store.pipeline());
        use_index(&store, &mut watch).await;
    }
    watch.ends("SessionInfo");
}

/// What cannot be read is moved aside: its name, its key and its bytes are of a session.
#[tokio::test]
async fn nothing_is_shown_of_what_is_in_quarantine() {
    let mut watch = Watch::start();
    watch.hide_text(KEY);
    let server = RedisServer::builder(Flavor::Redis)
        .password(PASSWORD)
        .start();
    let backend = format!(
        "{{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}",
        server.url()
    );
    let store = Store::from_toml(&with_all_steps(&backend, "")).unwrap();
    let session = new_session(&store, &mut watch).await;
    let id = session.id().unwrap();
    server.command(&["SET", &format!("sessions:{}", id.as_str()), VALUE]);
    watch.see_debug(&store.load(id).await);
    let quarantine = store.quarantine().unwrap();
    watch.see_debug(&quarantine);
    let page = quarantine.names(None, 10).await.unwrap();
    watch.see_debug(&page);
    assert_eq!(page.names.len(), 1);
    let name = page.names[0];
    watch.see(&format!("{name} {name:?}"));
    watch.see_debug(&quarantine.get(&name).await.unwrap().unwrap());
    watch.see_debug(&quarantine.restore(&name).await);
    watch.ends("quarantine");
}

/// A panic prints what it is given: of what an application would give it, nothing is said.
#[test]
fn nothing_is_shown_by_a_panic() {
    let mut watch = Watch::start();
    let id = SessionId::from("2b5e7f30-9c41-4f6a-8d27-6a1b0c9d8e7f");
    watch.hide(&id);
    let mut session = Session::with_id(id.clone());
    session.insert("pin", VALUE).unwrap();
    let wrong = session.get::<u32>("pin");
    for panics in [
        std::panic::catch_unwind(|| panic!("{id:?}"))
            .map(drop)
            .unwrap_err(),
        std::panic::catch_unwind(|| assert_eq!(id, SessionId::from("another"))).unwrap_err(),
        std::panic::catch_unwind(|| panic!("{session:?}"))
            .map(drop)
            .unwrap_err(),
        std::panic::catch_unwind(AssertUnwindSafe(|| wrong.unwrap()))
            .map(drop)
            .unwrap_err(),
    ] {
        watch.see(panics.downcast_ref::<String>().unwrap());
    }
    watch.ends("called `Result::unwrap()`");
}

#[tokio::test]
async fn nothing_is_shown_of_a_redis_that_fails() {
    let mut watch = Watch::start();
    let id = SessionId::from("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60");
    watch.hide(&id);
    let mut server = RedisServer::builder(Flavor::Redis)
        .password(PASSWORD)
        .start();
    let silent = Blackhole::start();
    let with_password = |port: u16| format!("redis://:{WRONG_PASSWORD}@127.0.0.1:{port}");
    let without = format!("redis://127.0.0.1:{}", server.port());
    for (config, kind) in [
        (redis(&with_password(server.port())), ErrorKind::Unavailable),
        (redis(&without), ErrorKind::Unavailable),
        (
            redis(&with_password(refused_port())),
            ErrorKind::Unavailable,
        ),
        (
            redis_within("300ms", &with_password(silent.port())),
            ErrorKind::Timeout,
        ),
    ] {
        let store = Store::from_toml(&config).unwrap();
        watch.see_error(&store.load(&id).await.unwrap_err(), kind);
        watch.see_error(&store.ping().await.unwrap_err(), kind);
        let mut session = Session::with_id(id.clone());
        session.insert("pin", VALUE).unwrap();
        watch.see_error(&store.save(&mut session).await.unwrap_err(), kind);
    }

    let store = Store::from_toml(&redis(&server.url())).unwrap();
    store.ping().await.unwrap();
    server.stop();
    watch.see_error(
        &store.delete(&id).await.unwrap_err(),
        ErrorKind::Unavailable,
    );
    watch.see_error(&store.touch(&id).await.unwrap_err(), ErrorKind::Unavailable);
    watch.ends("127.0.0.1");
}

#[tokio::test]
async fn nothing_is_shown_of_the_session_of_a_request() {
    let mut watch = Watch::start();
    let server = RedisServer::start(Flavor::Redis);
    let store = Store::from_toml(&redis(&server.url())).unwrap();
    let id = use_all(&store, &mut watch).await;
    server.command(&["SET", &format!("sessions:{}", id.as_str()), VALUE]);
    let seen = watch.shown.clone();
    let handler = async move |session: rrss_axum::Session| -> rrss_axum::Result<()> {
        write!(seen.clone(), "{session:?}").unwrap();
        session.get::<String>("pin").await?;
        Ok(())
    };
    for (policy, status) in [(OnCorrupt::StartAfresh, 200), (OnCorrupt::Fail, 500)] {
        let layer = SessionLayer::new(store.clone()).on_corrupt(policy);
        let site: Router = Router::new().route("/", get(handler.clone())).layer(layer);
        let request = Request::get("/")
            .header(header::COOKIE, format!("__Host-session={}", id.as_str()))
            .body(Body::empty())
            .unwrap();
        let response = site.oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
        watch.see_debug(response.headers());
        let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
        watch.see(std::str::from_utf8(&body).unwrap());
    }
    watch.ends("the session of a request failed");
}

#[test]
fn nothing_is_shown_of_the_secrets_of_a_file() {
    let watch = Watch::start();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), format!("{PASSWORD}\n")).unwrap();
    let load = |last: &str| load(folder.path(), &text(last));
    for last in [
        format!("{{ type = 'redis', password = '{PASSWORD}' }}"),
        format!("{{ type = 'redis', url = 'redis://me:{PASSWORD}@localhost' }}"),
        "{ type = 'redis', password = { file = 'secret' } }".to_owned(),
        "{ type = 'redis', password = { env = 'SECRET' } }".to_owned(),
    ] {
        let plan = load(&last).unwrap_or_else(|report| panic!("{last} is refused: {report}"));
        watch.see(&plan.explain());
        watch.see_debug(&plan);
        for step in plan.steps() {
            watch.see(&step.options().to_string());
        }
    }
    for last in [
        format!("{{ type = 'redis', password = '{PASSWORD}', speed = 1 }}"),
        format!("{{ type = 'redis', url = 'redis://me:{PASSWORD}@localhost', host = 'here' }}"),
        format!("{{ type = 'redis', url = 'redis://me:{PASSWORD}@localhost:0x' }}"),
        "{ type = 'redis', password = { file = 'secret' }, port = 'x' }".to_owned(),
        "{ type = 'redis', url = { env = 'SECRET' } }".to_owned(),
    ] {
        // What only building finds is as good as what reading finds.
        let report = load(&last).and_then(|plan| plan.build().map(drop));
        let report = report.expect_err(&last);
        watch.see(&report.to_string());
        watch.see_debug(&report);
    }
    watch.ends("redacted");
}

fn load(folder: &Path, text: &str) -> Result<rrss_loader::Plan, rrss_loader::Report> {
    let file = folder.join("rrss.toml");
    std::fs::write(&file, text).unwrap();
    Loader::new(rrss::Registry::linked())
        .with_env(|name| (name == "SECRET").then(|| PASSWORD.to_owned()))
        .read_file(&file)
}
