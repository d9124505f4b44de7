//! What lies in the quarantine, and for how long.

use std::time::Duration;

use rrss::core::Action;
use rrss::{ErrorKind, OnCorrupt, Session};

use crate::support::{
    BROKEN, DAY, HOUR, Shared, World, entry, get, id, login, names, overwrite, past_the_steps, raw,
};

/// The same session with the same bytes again, as a backup brings it back.
async fn again(world: &World, session: &Session, bytes: &[u8]) {
    let bytes = Some(bytes.to_vec().into());
    past_the_steps(&world.store, Action::Create, id(session), bytes).await;
    assert!(world.store.load(id(session)).await.unwrap().is_none());
}

#[tokio::test]
async fn the_same_bytes_are_one_entry_and_other_bytes_another() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = world.broken().await;
    world.store.load(id(&session)).await.unwrap();
    again(&world, &session, BROKEN).await;
    assert_eq!(names(&world.store).await.len(), 1);
    again(&world, &session, b"other").await;
    let names = names(&world.store).await;
    assert_eq!(names.len(), 2);
    let quarantine = world.store.quarantine().unwrap();
    let mut found = Vec::new();
    for name in &names {
        found.push(get(&quarantine, name).await.bytes().clone());
    }
    found.sort();
    assert_eq!(
        found,
        [b"other", BROKEN],
        "neither took the place of the other"
    );
}

#[tokio::test]
async fn the_same_bytes_of_two_sessions_are_two_entries() {
    let world = World::new(OnCorrupt::Quarantine);
    for _ in 0..2 {
        let session = world.broken().await;
        world.store.load(id(&session)).await.unwrap();
    }
    assert_eq!(names(&world.store).await.len(), 2);
}

#[tokio::test]
async fn an_entry_is_no_session_to_anybody() {
    let world = World::new(OnCorrupt::Quarantine);
    let other = login(&world.store, "bob").await;
    for _ in 0..5 {
        let session = world.broken().await;
        world.store.load(id(&session)).await.unwrap();
    }
    assert_eq!(names(&world.store).await.len(), 5);
    assert_eq!(world.store.count().await.unwrap(), 1);
    let listing = world.store.list(None, 100).await.unwrap();
    assert_eq!(listing.ids, [id(&other).clone()]);
    let found = world
        .store
        .find("user", "ann-ann-ann", None, 10)
        .await
        .unwrap();
    assert!(found.sessions.is_empty());
    world.clock.advance(2 * HOUR);
    assert_eq!(world.store.sweep().await.unwrap(), 1, "the other session");
    assert_eq!(names(&world.store).await.len(), 5);
}

#[tokio::test]
async fn an_entry_ends_when_its_time_is_over() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = world.broken().await;
    world.store.load(id(&session)).await.unwrap();
    let entry = entry(&world.store).await;
    let quarantine = world.store.quarantine().unwrap();
    assert_eq!(entry.expires_at().unwrap(), world.store.now() + 30 * DAY);
    world.clock.advance(30 * DAY - Duration::from_millis(1));
    assert!(quarantine.get(&entry.name()).await.unwrap().is_some());
    world.clock.advance(Duration::from_millis(1));
    assert!(quarantine.get(&entry.name()).await.unwrap().is_none());
    assert!(names(&world.store).await.is_empty());
}

#[tokio::test]
async fn bytes_that_come_again_are_kept_as_long_as_if_they_had_come_now() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = world.broken().await;
    world.store.load(id(&session)).await.unwrap();
    world.clock.advance(29 * DAY);
    again(&world, &session, BROKEN).await;
    let entry = entry(&world.store).await;
    assert_eq!(entry.expires_at().unwrap(), world.store.now() + 30 * DAY);
}

#[tokio::test]
async fn the_quarantine_of_another_store_with_the_same_prefix_is_not_shown() {
    let backend = std::sync::Arc::new(rrss::Memory::default());
    let of = |template: &str| {
        rrss::Store::builder()
            .step::<rrss::KeyMapper>(rrss::key_mapper::Options {
                template: template.parse().unwrap(),
                ..Default::default()
            })
            .step::<rrss::JsonCodec>(Default::default())
            .on_corrupt(OnCorrupt::Quarantine)
            .backend("memory", Shared(backend.clone()))
            .build()
            .unwrap()
    };
    let (mine, theirs) = (of("s:{id}"), of("s:{id}:data"));
    let session = login(&mine, "ann").await;
    overwrite(&mine, id(&session), BROKEN).await;
    mine.load(id(&session)).await.unwrap();
    let name = entry(&mine).await.name();
    assert!(
        theirs
            .quarantine()
            .unwrap()
            .get(&name)
            .await
            .unwrap()
            .is_none()
    );
    let error = theirs
        .quarantine()
        .unwrap()
        .restore(&name)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
}

#[tokio::test]
async fn what_somebody_else_put_there_is_corrupt_and_not_shown() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = world.broken().await;
    world.store.load(id(&session)).await.unwrap();
    let name = entry(&world.store).await.name();
    let mut op = rrss::Operation::new(Action::Update, world.store.now());
    op.key = Some(format!("sessions:quarantine:{name}").into());
    op.payload = rrss::core::Payload::Bytes(BROKEN.to_vec().into());
    world.store.pipeline().run_on_backend(&op).await.unwrap();
    let quarantine = world.store.quarantine().unwrap();
    let error = quarantine.get(&name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(
        quarantine.restore(&name).await.unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    assert_eq!(raw(&world.store, id(&session)).await, None);
}
