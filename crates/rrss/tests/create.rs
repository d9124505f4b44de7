//! Sessions that are created without a field.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod world;

use rrss::{Conflict, ErrorKind, Saved, Session, SessionId, Store};
use rrss_test_servers::{Flavor, RedisServer};
use rrss_testkit::{Call, Side};

use crate::world::{HOUR, World};

/// A store with deadlines over this backend, with the codec that it needs.
fn store(backend: &str) -> Store {
    let text = format!(
        "step = [{{ type = 'key-mapper' }}, {{ type = 'expiry', duration = '1h' }}, {backend}]"
    );
    Store::from_toml(&text).unwrap()
}

/// Holds a store to all that may become of a session that has no fields yet.
async fn assert_lives_without_fields(store: &Store) {
    let mut session = Session::new();
    store.create(&mut session).await.unwrap();
    assert!(!session.is_new());
    let id = session.id().unwrap().clone();
    let stored = store.load(&id).await.unwrap().unwrap();
    assert!(stored.is_empty());
    assert_eq!(store.count().await.unwrap(), 1);
    assert!(store.touch(&id).await.unwrap());

    let (mut one, mut other) = (stored.clone(), stored);
    one.insert("cart", &["tea"]).unwrap();
    other.insert("user", "ann").unwrap();
    store.save(&mut one).await.unwrap();
    store.save(&mut other).await.unwrap();
    let both = store.load(&id).await.unwrap().unwrap();
    assert_eq!(both.keys().collect::<Vec<_>>(), ["cart", "user"]);
    assert!(store.delete(&id).await.unwrap());

    let mut session = Session::new();
    store.create(&mut session).await.unwrap();
    let old = session.id().unwrap().clone();
    store.rotate(&mut session).await.unwrap();
    let new = session.id().unwrap().clone();
    assert!(store.touch(&old).await.is_ok_and(|is_there| !is_there));
    assert!(store.load(&new).await.unwrap().unwrap().is_empty());
    assert!(store.delete(&new).await.unwrap());
    assert_eq!(store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_session_without_fields_lives_on_every_backend() {
    let folder = tempfile::tempdir().unwrap();
    let server = RedisServer::start(Flavor::Redis);
    let path = folder.path().join("sessions");
    for backend in [
        "{ type = 'json-codec' }, { type = 'memory' }".to_owned(),
        format!(
            "{{ type = 'json-codec' }}, {{ type = 'embedded', path = '{}' }}",
            path.display()
        ),
        format!(
            "{{ type = 'json-codec' }}, {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}",
            server.url()
        ),
        format!(
            "{{ type = 'redis', layout = 'hash', url = '{}', timeout = '60s', connect_timeout = '60s' }}",
            server.url()
        ),
    ] {
        assert_lives_without_fields(&store(&backend)).await;
    }
}

/// A store whose sessions are hashes of the original's layout, which have no entries but fields.
fn compatible(server: &RedisServer) -> Store {
    Store::from_toml(&format!(
        "step = [{{ type = 'key-mapper' }}, {{ type = 'expiry', duration = '7d' }},
                 {{ type = 'redis', layout = 'hash', compat = 'rrss-0.2', url = '{}', timeout = '60s', connect_timeout = '60s' }}]",
        server.url()
    ))
    .unwrap()
}

#[tokio::test]
async fn where_a_hash_has_no_entry_but_fields_it_is_refused_and_nothing_is_stored() {
    let server = RedisServer::start(Flavor::Redis);
    let store = compatible(&server);
    let mut session = Session::new();
    let refused = store.create(&mut session).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Value);
    assert!(session.is_new());
    assert_eq!(server.scan("*"), [""; 0]);
    session.insert("user", "ann").unwrap();
    store.create(&mut session).await.unwrap();
    assert!(store.load(session.id().unwrap()).await.unwrap().is_some());
}

#[tokio::test]
async fn where_a_hash_has_no_entry_but_fields_an_emptied_session_does_not_rotate_and_stays_as_it_was()
 {
    let server = RedisServer::start(Flavor::Redis);
    let store = compatible(&server);
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    store.save(&mut session).await.unwrap();
    let id = session.id().unwrap().clone();
    session.clear();
    let refused = store.rotate(&mut session).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Value);
    assert!(store.load(&id).await.unwrap().unwrap().contains_key("user"));
    assert_eq!(store.count().await.unwrap(), 1);
    store.save(&mut session).await.unwrap();
    assert!(store.load(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn it_costs_one_call_and_a_save_after_it_none() {
    let world = World::new(Conflict::Merge);
    let mut session = Session::new();
    world.store.create(&mut session).await.unwrap();
    assert_eq!(
        (world.counts.of(Call::Create), world.counts.total()),
        (1, 1)
    );
    let saved = world.store.save(&mut session).await.unwrap();
    assert_eq!(saved, Saved::Unchanged);
    assert_eq!(world.counts.total(), 1);
}

#[tokio::test]
async fn it_ends_at_its_deadline_as_every_other() {
    let world = World::new(Conflict::Merge);
    let mut session = Session::new();
    world.store.create(&mut session).await.unwrap();
    assert_eq!(session.expires_at(), Some(world.store.now() + HOUR));
    world.clock.advance(HOUR);
    let id = session.id().unwrap();
    assert!(world.store.load(id).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_stored_or_taken_is_not_created_again() {
    let world = World::new(Conflict::Merge);
    let mut session = Session::new();
    world.store.create(&mut session).await.unwrap();
    let again = world.store.create(&mut session).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    let mut other = Session::with_id(session.id().unwrap().clone());
    let taken = world.store.create(&mut other).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Conflict);
    assert_eq!(world.store.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_given_id_is_used() {
    let world = World::new(Conflict::Merge);
    let id = SessionId::from("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60");
    let mut session = Session::with_id(id.clone());
    world.store.create(&mut session).await.unwrap();
    assert!(world.store.load(&id).await.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn in_an_outage_it_stays_new_and_can_be_created_afterwards() {
    let world = World::new(Conflict::Merge);
    let mut session = Session::new();
    let kind = ErrorKind::Unavailable;
    world.faults.fail(Call::Create, 1, Side::Before, kind);
    let error = world.store.create(&mut session).await.unwrap_err();
    assert_eq!(error.kind(), kind);
    assert!(session.is_new() && session.id().is_none());
    world.store.create(&mut session).await.unwrap();
    assert_eq!(world.store.count().await.unwrap(), 1);
}
