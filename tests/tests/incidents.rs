//! What has gone wrong in session stores before: a test for each published incident, named after its CVE.
//!
//! SECURITY.md lists the requirements of OWASP ASVS, and the tests that hold them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use axum::routing::get;
use rrss::{Clock, ErrorKind, ManualClock, Session, SessionId, Store, SystemClock};
use rrss_axum::SessionLayer;
use rrss_test_servers::{Flavor, RedisServer};
use tower::ServiceExt;

const MEMORY: &str = "{ type = 'memory' }";

fn store(steps: &str) -> Store {
    Store::from_toml(&format!("step = [{{ type = 'key-mapper' }}, {steps}]")).unwrap()
}

fn in_memory() -> Store {
    store(&format!("{{ type = 'json-codec' }}, {MEMORY}"))
}

fn embedded(folder: &Path, above: &str) -> Store {
    let path = folder.join("sessions");
    store(&format!(
        "{{ type = 'json-codec' }}, {above} {{ type = 'embedded', path = '{}' }}",
        path.display()
    ))
}

async fn saved(store: &Store) -> SessionId {
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    store.save(&mut session).await.unwrap();
    session.id().unwrap().clone()
}

async fn has(store: &Store, id: &SessionId) -> bool {
    store.load(id).await.unwrap().is_some()
}

/// An application whose pages say who is signed in.
fn application(store: Store) -> Router {
    type Answer = rrss_axum::Result<String>;
    let user = async |session: rrss_axum::Session| -> Answer {
        Ok(session.get::<String>("user").await?.unwrap_or_default())
    };
    let login = async |session: rrss_axum::Session| -> Answer {
        session.insert("user", "ann").await?;
        session.rotate().await?;
        Ok(String::new())
    };
    Router::new()
        .route("/", get(user))
        .route("/login", get(login))
        .layer(SessionLayer::new(store))
}

async fn page(application: &Router, path: &str, cookie: Option<&str>) -> (HeaderMap, String) {
    let mut request = Request::get(path);
    if let Some(value) = cookie {
        request = request.header(header::COOKIE, format!("__Host-session={value}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = application.clone().oneshot(request).await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    let (head, body) = response.into_parts();
    let body = to_bytes(body, 1000).await.unwrap();
    (head.headers, String::from_utf8(body.to_vec()).unwrap())
}

/// The id that a response gives to the browser.
fn given(headers: &HeaderMap) -> Option<&str> {
    let cookie = headers.get(header::SET_COOKIE)?.to_str().unwrap();
    let (_, value) = cookie.split(';').next()?.split_once('=')?;
    (!value.is_empty()).then_some(value)
}

/// tower-sessions: a request that was under way at logout stored the session again.
#[tokio::test]
async fn cve_2025_46336_a_save_does_not_bring_an_ended_session_back() {
    let store = in_memory();
    let id = saved(&store).await;
    let mut under_way = store.load(&id).await.unwrap().unwrap();
    under_way.insert("cart", &[1]).unwrap();
    assert!(store.delete(&id).await.unwrap());
    let error = store.save(&mut under_way).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert!(!has(&store, &id).await);
}

/// What did not decrypt was taken for plaintext.
#[tokio::test]
async fn cve_2026_39324_what_does_not_decrypt_is_not_taken_for_plaintext() {
    let folder = tempfile::tempdir().unwrap();
    let plain = embedded(folder.path(), "");
    let id = saved(&plain).await;
    plain.shutdown(Duration::from_secs(60)).await.unwrap();
    drop(plain);
    let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let encryption =
        format!("{{ type = 'encryption', keys = [{{ id = '2026-11', key = '{key}' }}] }},");
    let store = embedded(folder.path(), &encryption);
    let error = store.load(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let other = saved(&store).await;
    assert!(has(&store, &other).await, "what it stored itself is read");
}

/// Rack: sessions were looked up by the id itself, so what the backend stored, or how long it searched, gave ids away.
#[tokio::test]
async fn cve_2019_16782_what_the_backend_holds_opens_no_session() {
    let server = RedisServer::start(Flavor::Redis);
    let store = Store::from_toml(&format!(
        "step = [{{ type = 'key-mapper', hash = 'sha256' }}, {{ type = 'json-codec' }},\n\
         {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}]",
        server.url()
    ))
    .unwrap();
    let id = saved(&store).await;
    assert!(has(&store, &id).await);
    let keys = server.command(&["KEYS", "*"]);
    assert!(!keys.contains(id.as_str()));
    let key = keys.trim();
    let digest = key.rsplit(':').next().unwrap();
    for stolen in [key, digest] {
        assert!(!has(&store, &SessionId::from(stolen)).await, "{stolen}");
    }
}

/// Django: an empty id, or one of blanks, was a session like any other, shared by all who sent it.
#[tokio::test]
async fn cve_2015_3982_an_empty_id_is_nobodys_session() {
    let store = in_memory();
    let application = application(store.clone());
    for empty in ["", " ", "\t", "%20", "\"\"", "null", "undefined"] {
        assert_eq!(page(&application, "/", Some(empty)).await.1, "");
        let id = SessionId::from(empty);
        assert!(!has(&store, &id).await);
        assert!(!store.touch(&id).await.unwrap());
        let (headers, _) = page(&application, "/login", Some(empty)).await;
        assert_ne!(given(&headers).unwrap(), empty);
    }
}

/// Django: every request of a stranger stored an empty session, until the store was full.
#[tokio::test]
async fn cve_2015_5143_and_cve_2015_5963_strangers_store_nothing() {
    let store = in_memory();
    let application = application(store.clone());
    for number in 0..100 {
        let forged = format!("0f8fad5b-d9cb-469f-a165-{number:012}");
        for cookie in [None, Some(forged.as_str())] {
            let (headers, _) = page(&application, "/", cookie).await;
            assert_eq!(given(&headers), None);
        }
    }
    assert_eq!(store.count().await.unwrap(), 0);
    let mut emptied = Session::new();
    emptied.insert("cart", &[1]).unwrap();
    emptied.clear();
    store.save(&mut emptied).await.unwrap();
    assert_eq!(store.count().await.unwrap(), 0);
}

/// Django: ids reached the keys that others had in the same cache.
#[tokio::test]
async fn cve_2011_4136_an_id_does_not_reach_foreign_keys() {
    let server = RedisServer::start(Flavor::Redis);
    let foreign = ["cache:config", "sessions:", "sessions:cache:config"];
    for key in foreign {
        server.command(&["SET", key, "{\"user\":\"root\"}"]);
    }
    for template in ["{id}", "sessions:{id}"] {
        let store = Store::from_toml(&format!(
            "step = [{{ type = 'key-mapper', template = '{template}' }}, {{ type = 'json-codec' }},\n\
             {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}]",
            server.url()
        ))
        .unwrap();
        for id in ["cache:config", "", "sessions:cache:config", "*"] {
            let id = SessionId::from(id);
            assert!(!has(&store, &id).await);
            assert!(!store.delete(&id).await.unwrap());
        }
    }
    for key in foreign {
        assert!(server.command(&["GET", key]).contains("root"), "{key}");
    }
}

/// PAN-OS: the id was a path, and a request wrote a file of its choice.
#[tokio::test]
async fn cve_2024_3400_an_id_is_no_path() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside");
    fs::write(&outside, "{\"user\":\"root\"}").unwrap();
    let store = embedded(folder.path(), "");
    let absolute = outside.to_string_lossy();
    for id in [
        "../outside",
        "..\\outside",
        &absolute,
        "../../../../etc/passwd",
        "a\0b",
    ] {
        let id = SessionId::from(id);
        assert!(!has(&store, &id).await);
        let mut session = Session::with_id(id);
        session.insert("user", "mallory").unwrap();
        assert!(
            store.save(&mut session).await.is_err() || session.id().unwrap().as_str().len() == 36
        );
    }
    assert_eq!(fs::read_to_string(&outside).unwrap(), "{\"user\":\"root\"}");
    let names = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["outside", "sessions"]);
}

/// Tomcat: a stored session named the classes that were made of it.
#[tokio::test]
async fn cve_2020_9484_a_stored_session_is_data_whatever_it_names() {
    let text = r#"{"@class":"java.lang.Runtime","__proto__":{"admin":true},"$type":"Process","!!python/object":"os"}"#;
    let (session, _) = Session::from_json(text.into(), None).unwrap();
    let store = in_memory();
    let mut stored = Session::new();
    stored.copy_fields_of(&session);
    store.save(&mut stored).await.unwrap();
    let loaded = store.load(stored.id().unwrap()).await.unwrap().unwrap();
    let fields: Vec<_> = loaded.iter_raw().collect();
    assert_eq!(fields, session.iter_raw().collect::<Vec<_>>());
    assert_eq!(loaded.get::<bool>("admin").unwrap(), None);
}

/// Passport: who planted an id before a login knew the id after it.
#[tokio::test]
async fn cve_2022_25896_an_id_that_was_planted_is_worthless_after_a_login() {
    let store = in_memory();
    let application = application(store.clone());
    let known = saved(&store).await;
    for planted in [known.as_str(), "0f8fad5b-d9cb-469f-a165-70867728950e"] {
        let (headers, _) = page(&application, "/login", Some(planted)).await;
        let id = given(&headers).unwrap();
        assert_ne!(id, planted);
        assert_eq!(page(&application, "/", Some(id)).await.1, "ann");
        assert_eq!(page(&application, "/", Some(planted)).await.1, "");
    }
}

/// Spring Session: ids were written to the log.
#[test]
fn cve_2023_20866_no_id_is_in_a_log_line_or_in_debug() {
    let log = rrss_testkit::Log::listen();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let id = runtime.unwrap().block_on(async {
        let store = in_memory();
        let id = saved(&store).await;
        let session = store.load(&id).await.unwrap().unwrap();
        tracing::info!(?session, ?id, "the application shows what it has");
        store.delete(&id).await.unwrap();
        id
    });
    let lines = log.text();
    assert!(lines.contains("the application shows what it has"));
    assert!(!lines.contains(id.as_str()));
}

/// Jetty: a listener that failed kept the session alive.
#[tokio::test]
async fn cve_2021_34428_a_listener_that_fails_keeps_no_session_alive() {
    let clock = ManualClock::at(SystemClock.now());
    let store = Store::builder()
        .step::<rrss::KeyMapper>(Default::default())
        .step::<rrss::Expiry>(Default::default())
        .step::<rrss::Index>(rrss::index::Options {
            keep_expired: Some(Duration::from_secs(30 * 86_400).into()),
            ..rrss::index::Options::of(["user"])
        })
        .step::<rrss::JsonCodec>(Default::default())
        .step::<rrss::Memory>(Default::default())
        .clock(clock.clone())
        .build()
        .unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    store
        .on_expired(move |_| {
            let number = count.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(number % 2 == 1, "a listener that panics");
                Err::<(), _>("a listener that fails")
            }
        })
        .unwrap();
    let ids = [saved(&store).await, saved(&store).await];
    clock.advance(Duration::from_secs(20 * 86_400));
    store.sweep().await.unwrap();
    assert_eq!(told.load(Ordering::SeqCst), 2);
    for id in &ids {
        assert!(!has(&store, id).await);
    }
    assert_eq!(store.count().await.unwrap(), 0);
}

/// Flask: a cache in between gave one visitor's page, and cookie, to others.
#[tokio::test]
async fn cve_2023_30861_a_page_that_depends_on_the_session_varies_by_cookie() {
    let application = application(in_memory());
    for path in ["/", "/login"] {
        let (headers, _) = page(&application, path, None).await;
        assert_eq!(headers[header::VARY], "Cookie", "{path}");
    }
}
