//! Putting back what was in quarantine.

use rrss::core::Action;
use rrss::{ErrorKind, OnCorrupt, Session};
use rrss_testkit::{Call, Side};

use crate::support::{
    BROKEN, HOUR, Shared, World, deadline, entry, id, login, names, overwrite, past_the_steps, raw,
};

/// A session in quarantine: how it was broken, and what it was before.
async fn in_quarantine(world: &World, bytes: &[u8]) -> Session {
    let session = login(&world.store, "ann").await;
    overwrite(&world.store, id(&session), bytes).await;
    assert!(world.store.load(id(&session)).await.unwrap().is_none());
    session
}

#[tokio::test]
async fn the_bytes_are_back_with_the_deadline_that_they_had() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = in_quarantine(&world, BROKEN).await;
    let quarantine = world.store.quarantine().unwrap();
    let restored = quarantine
        .restore(&entry(&world.store).await.name())
        .await
        .unwrap();
    assert_eq!(restored.unreadable.unwrap().kind(), ErrorKind::Corrupt);
    assert_eq!(raw(&world.store, id(&session)).await.unwrap(), BROKEN);
    assert_eq!(
        deadline(&world.store, id(&session)).await,
        session.expires_at()
    );
    assert!(names(&world.store).await.is_empty());
    // The next request moves it aside again.
    assert!(world.store.load(id(&session)).await.unwrap().is_none());
    assert_eq!(names(&world.store).await.len(), 1);
}

#[tokio::test]
async fn a_session_that_can_be_read_by_now_lives_and_is_found_again() {
    let strict = rrss::json_codec::Options {
        max_bytes: 20,
        ..Default::default()
    };
    let backend = std::sync::Arc::new(rrss::Memory::default());
    let of = |options: rrss::json_codec::Options| {
        rrss::Store::builder()
            .step::<rrss::KeyMapper>(Default::default())
            .step::<rrss::Expiry>(Default::default())
            .step::<rrss::Index>(rrss::index::Options::of(["user"]))
            .step::<rrss::JsonCodec>(options)
            .on_corrupt(OnCorrupt::Quarantine)
            .backend("memory", Shared(backend.clone()))
            .build()
            .unwrap()
    };
    let (good, mistaken) = (of(Default::default()), of(strict));
    let session = login(&good, "ann").await;
    let written = raw(&good, id(&session)).await.unwrap();
    assert!(mistaken.load(id(&session)).await.unwrap().is_none());
    assert!(good.load(id(&session)).await.unwrap().is_none());
    assert!(
        good.find("user", "ann", None, 10)
            .await
            .unwrap()
            .sessions
            .is_empty()
    );

    let name = entry(&good).await.name();
    let restored = good.quarantine().unwrap().restore(&name).await.unwrap();
    assert!(restored.unreadable.is_none());
    assert_eq!(raw(&good, id(&session)).await.unwrap(), written);
    let loaded = good.load(id(&session)).await.unwrap().unwrap();
    assert_eq!(loaded.get::<String>("user").unwrap().unwrap(), "ann");
    assert_eq!(deadline(&good, id(&session)).await, session.expires_at());
    assert_eq!(
        good.find("user", "ann", None, 10)
            .await
            .unwrap()
            .sessions
            .len(),
        1
    );
    assert!(names(&good).await.is_empty());
}

#[tokio::test]
async fn it_takes_the_place_of_nothing() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = in_quarantine(&world, BROKEN).await;
    let mut new = login(&world.store, "bob").await;
    world
        .store
        .rotate_to(&mut new, id(&session).clone())
        .await
        .unwrap();
    let name = entry(&world.store).await.name();
    let error = world
        .store
        .quarantine()
        .unwrap()
        .restore(&name)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let there = world.store.load(id(&session)).await.unwrap().unwrap();
    assert_eq!(there.get::<String>("user").unwrap().unwrap(), "bob");
    assert_eq!(entry(&world.store).await.bytes(), BROKEN);
}

#[tokio::test]
async fn a_session_whose_deadline_has_passed_stays_ended() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = in_quarantine(&world, BROKEN).await;
    world.clock.advance(HOUR);
    let name = entry(&world.store).await.name();
    let error = world
        .store
        .quarantine()
        .unwrap()
        .restore(&name)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert_eq!(raw(&world.store, id(&session)).await, None);
    assert_eq!(
        names(&world.store).await.len(),
        1,
        "it can still be looked at"
    );
}

#[tokio::test]
async fn an_entry_is_put_back_once() {
    let world = World::new(OnCorrupt::Quarantine);
    in_quarantine(&world, BROKEN).await;
    let name = entry(&world.store).await.name();
    let quarantine = world.store.quarantine().unwrap();
    quarantine.restore(&name).await.unwrap();
    assert_eq!(
        quarantine.restore(&name).await.unwrap_err().kind(),
        ErrorKind::Gone
    );
}

#[tokio::test]
async fn a_restore_that_was_cut_short_goes_on() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = in_quarantine(&world, BROKEN).await;
    let name = entry(&world.store).await.name();
    let quarantine = world.store.quarantine().unwrap();
    world
        .faults
        .fail(Call::Delete, 1, Side::Before, ErrorKind::Unavailable);
    let error = quarantine.restore(&name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(raw(&world.store, id(&session)).await.unwrap(), BROKEN);
    assert_eq!(names(&world.store).await, [name]);
    quarantine.restore(&name).await.unwrap();
    assert_eq!(raw(&world.store, id(&session)).await.unwrap(), BROKEN);
    assert!(names(&world.store).await.is_empty());
}

#[tokio::test]
async fn a_session_created_in_the_moment_of_the_restore_survives() {
    let world = World::new(OnCorrupt::Quarantine);
    let session = in_quarantine(&world, BROKEN).await;
    let name = entry(&world.store).await.name();
    let held = world.gate.hold(Call::Create, Side::Before);
    let restore = tokio::spawn({
        let store = world.store.clone();
        async move { store.quarantine()?.restore(&name).await }
    });
    let held = held.arrived().await;
    let bytes = Some(bytes::Bytes::from_static(b"{\"new\":1}"));
    past_the_steps(&world.store, Action::Create, id(&session), bytes).await;
    held.release();
    assert_eq!(
        restore.await.unwrap().unwrap_err().kind(),
        ErrorKind::Conflict
    );
    let there = world.store.load(id(&session)).await.unwrap().unwrap();
    assert!(there.contains_key("new"));
    assert_eq!(names(&world.store).await.len(), 1);
}
