//! pavex's own sessions, from the cookie that came to the cookie that goes out.

use std::collections::{BTreeSet, HashMap};

use pavex::cookie::ResponseCookie;
use pavex_session::{IncomingSession, Session, SessionConfig, SessionId, SessionStore};
use rrss::{
    ErrorKind, Expiry, JsonCodec, KeyMapper, ManualClock, Memory, Store, Timestamp, expiry,
};
use rrss_pavex_session::RrssStore;
use serde_json::Value;

use crate::stores::{HOUR, in_memory};

/// The session that a browser comes back with.
fn returned(cookie: &ResponseCookie<'_>) -> (SessionId, IncomingSession) {
    let mut parts: HashMap<String, Value> = serde_json::from_str(cookie.value()).unwrap();
    let id: SessionId = serde_json::from_value(parts.remove("0").unwrap()).unwrap();
    let client = parts.remove("1").map(serde_json::from_value);
    let client = client.transpose().unwrap().unwrap_or_default();
    (id, IncomingSession::from_parts(id, client))
}

fn incoming(id: SessionId) -> IncomingSession {
    IncomingSession::from_parts(id, HashMap::new())
}

/// A browser with a session that says who it is.
async fn signed_in(store: &SessionStore, config: &SessionConfig) -> SessionId {
    let mut session = Session::new(store, config, None);
    session.insert("user", "ann").await.unwrap();
    returned(&session.finalize().await.unwrap().unwrap()).0
}

async fn user(store: &SessionStore, config: &SessionConfig, id: SessionId) -> Option<String> {
    let session = Session::new(store, config, Some(incoming(id)));
    session.get("user").await.unwrap()
}

#[tokio::test]
async fn values_are_there_at_the_next_request() {
    let (backend, ..) = in_memory();
    let (store, config) = (SessionStore::from(backend), SessionConfig::default());
    let id = signed_in(&store, &config).await;
    assert_eq!(user(&store, &config, id).await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_session_with_values_of_the_client_alone_is_kept() {
    let (backend, ..) = in_memory();
    let (store, config) = (SessionStore::from(backend), SessionConfig::default());
    let mut session = Session::new(&store, &config, None);
    session.client_mut().insert("theme", "dark").unwrap();
    let cookie = session.finalize().await.unwrap().unwrap();

    let mut session = Session::new(&store, &config, Some(returned(&cookie).1));
    assert!(session.is_empty().await.unwrap());
    assert!(!session.is_invalidated());
    let theme: Option<String> = session.client().get("theme").unwrap();
    assert_eq!(theme.as_deref(), Some("dark"));
    session.insert("user", "ann").await.unwrap();
    let (id, _) = returned(&session.finalize().await.unwrap().unwrap());
    assert_eq!(user(&store, &config, id).await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_new_id_ends_the_old_one_with_and_without_changes() {
    let (backend, ..) = in_memory();
    let sessions = backend.store().clone();
    let (store, config) = (SessionStore::from(backend), SessionConfig::default());
    for is_changed in [false, true] {
        let old = signed_in(&store, &config).await;
        let mut session = Session::new(&store, &config, Some(incoming(old)));
        session.cycle_id();
        if is_changed {
            session.insert("user", "bob").await.unwrap();
        }
        let (new, _) = returned(&session.finalize().await.unwrap().unwrap());
        assert!(new != old);
        let expected = if is_changed { "bob" } else { "ann" };
        assert_eq!(user(&store, &config, new).await.as_deref(), Some(expected));
        assert_eq!(user(&store, &config, old).await, None);
    }
    assert_eq!(sessions.count().await.unwrap(), 2);
}

#[tokio::test]
async fn an_invalidated_session_is_gone_and_its_cookie_removed() {
    let (backend, ..) = in_memory();
    let sessions = backend.store().clone();
    let (store, config) = (SessionStore::from(backend), SessionConfig::default());
    let id = signed_in(&store, &config).await;
    for _ in 0..2 {
        let mut session = Session::new(&store, &config, Some(incoming(id)));
        session.invalidate();
        let cookie = session.finalize().await.unwrap().unwrap();
        assert_eq!(cookie.value(), "");
    }
    assert_eq!(sessions.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_late_change_does_not_bring_back_an_ended_session() {
    let (backend, ..) = in_memory();
    let sessions = backend.store().clone();
    let (store, config) = (SessionStore::from(backend), SessionConfig::default());
    let id = signed_in(&store, &config).await;

    let mut late = Session::new(&store, &config, Some(incoming(id)));
    late.insert("cart", "tea").await.unwrap();
    let mut ending = Session::new(&store, &config, Some(incoming(id)));
    ending.invalidate();
    ending.finalize().await.unwrap();

    assert!(late.finalize().await.is_err());
    assert_eq!(sessions.count().await.unwrap(), 0);
    assert_eq!(user(&store, &config, id).await, None);
}

#[tokio::test]
async fn reading_gives_a_session_its_time_anew_once_a_fifth_of_it_is_spent() {
    let (backend, _, clock) = in_memory();
    let (store, config) = (SessionStore::from(backend), SessionConfig::default());
    let id = signed_in(&store, &config).await;
    for _ in 0..3 {
        clock.advance(config.state.ttl * 2 / 3);
        let mut session = Session::new(&store, &config, Some(incoming(id)));
        let seen: Option<String> = session.get("user").await.unwrap();
        assert_eq!(seen.as_deref(), Some("ann"));
        session.finalize().await.unwrap();
    }
    clock.advance(config.state.ttl);
    assert_eq!(user(&store, &config, id).await, None);
}

#[tokio::test]
async fn reading_writes_no_oftener_where_a_longest_life_bounds_the_session() {
    let clock = ManualClock::at(Timestamp::from_millis(1_800_000_000_000));
    let config = SessionConfig::default();
    let day = config.state.ttl;
    let bounded = expiry::Options {
        duration: day.into(),
        absolute: Some((day + HOUR).into()),
        ..Default::default()
    };
    let sessions = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(bounded)
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
        .clock(clock.clone())
        .build()
        .unwrap();
    let store = SessionStore::from(RrssStore::new(sessions.clone()));
    let id = signed_in(&store, &config).await;
    let stored = id.inner().to_string().into();
    let mut writes = BTreeSet::new();
    for _ in 0..20 {
        clock.advance(HOUR);
        let mut session = Session::new(&store, &config, Some(incoming(id)));
        let seen: Option<String> = session.get("user").await.unwrap();
        assert_eq!(seen.as_deref(), Some("ann"));
        session.finalize().await.unwrap();
        let kept = sessions.inspect(&stored).await.unwrap().unwrap();
        writes.insert(kept.written_at());
    }
    // Once for each fifth of a day that is spent, and the first of all.
    assert_eq!(writes.len(), 5, "{writes:?}");
    clock.advance(HOUR * 5);
    assert_eq!(user(&store, &config, id).await, None);
}

#[tokio::test]
async fn an_outage_fails_a_request_and_leaves_its_session_as_it_was() {
    let (backend, faults, _) = in_memory();
    let (store, config) = (SessionStore::from(backend), SessionConfig::default());
    let id = signed_in(&store, &config).await;
    faults.fail_all(ErrorKind::Timeout);
    let mut session = Session::new(&store, &config, Some(incoming(id)));
    assert!(session.get::<String>("user").await.is_err());
    session.cycle_id();
    assert!(session.finalize().await.is_err());
    faults.heal();
    assert_eq!(user(&store, &config, id).await.as_deref(), Some("ann"));
}
