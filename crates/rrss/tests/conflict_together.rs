//! What a caller wrote is kept when changes are merged, and fields that stand or fall together are merged as one.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod world;

use rrss::{Conflict, ErrorKind, JsonCodec, KeyMapper, Memory, Saved, Session, Store};
use serde_json::{Value, json};
use world::{World, fields, id};

fn together() -> Store {
    Store::builder()
        .together(["user", "role"])
        .together(["amount", "currency"])
        .step::<KeyMapper>(Default::default())
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
        .build()
        .unwrap()
}

async fn two_copies(store: &Store, fields: Value) -> (Session, Session) {
    let mut session = Session::new();
    for (name, value) in fields.as_object().unwrap() {
        session.insert(name, value).unwrap();
    }
    store.save(&mut session).await.unwrap();
    let other = store.load(&id(&session)).await.unwrap().unwrap();
    (session, other)
}

#[tokio::test]
async fn a_field_written_with_the_value_it_had_is_a_write_when_changes_are_merged() {
    let world = World::new(Conflict::Merge);
    let stored = json!({ "user": "ann", "role": "user" });
    let (mut one, mut other) = world.two_copies(stored).await;
    one.insert("user", "root").unwrap();
    one.insert("role", "admin").unwrap();
    other.insert("user", "carl").unwrap();
    other.insert("role", "user").unwrap();
    world.store.save(&mut one).await.unwrap();
    assert_eq!(world.store.save(&mut other).await.unwrap(), Saved::Merged);
    let carl = json!({ "user": "carl", "role": "user" });
    assert_eq!(fields(&other), carl);
    assert_eq!(fields(&world.loaded(&one).await), carl);
}

#[tokio::test]
async fn removing_what_is_not_there_is_a_write_when_changes_are_merged() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world.two_copies(json!({ "user": "ann" })).await;
    one.insert("user", "root").unwrap();
    one.insert("role", "admin").unwrap();
    other.insert("user", "carl").unwrap();
    assert!(!other.remove("role"));
    world.store.save(&mut one).await.unwrap();
    world.store.save(&mut other).await.unwrap();
    assert_eq!(fields(&world.loaded(&one).await), json!({ "user": "carl" }));
}

#[tokio::test]
async fn a_write_of_an_equal_value_alone_is_no_reason_to_save() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world.two_copies(json!({ "role": "user" })).await;
    other.insert("role", "user").unwrap();
    other.insert_if_unchanged("role", "user").unwrap();
    other.remove("missing");
    world.counts.reset();
    assert!(!other.is_modified());
    assert_eq!(
        world.store.save(&mut other).await.unwrap(),
        Saved::Unchanged
    );
    assert_eq!(world.counts.total(), 0);

    one.insert("role", "admin").unwrap();
    world.store.save(&mut one).await.unwrap();
    other.insert("theme", "dark").unwrap();
    let error = world.store.save(&mut other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "it was not saved before");
}

#[tokio::test]
async fn a_save_ends_what_was_written_before_it() {
    let world = World::new(Conflict::Merge);
    let stored = json!({ "user": "ann", "role": "user" });
    let (mut one, mut other) = world.two_copies(stored).await;
    other.insert("role", "user").unwrap();
    other.insert("theme", "dark").unwrap();
    world.store.save(&mut other).await.unwrap();
    one.insert("role", "admin").unwrap();
    world.store.save(&mut one).await.unwrap();
    other.insert("theme", "light").unwrap();
    world.store.save(&mut other).await.unwrap();
    assert_eq!(
        fields(&other),
        json!({ "user": "ann", "role": "admin", "theme": "light" })
    );
}

#[tokio::test]
async fn a_rotation_keeps_what_was_written_with_the_value_it_had() {
    let world = World::new(Conflict::Merge);
    let stored = json!({ "user": "ann", "role": "user" });
    let (mut one, mut other) = world.two_copies(stored).await;
    one.insert("role", "admin").unwrap();
    world.store.save(&mut one).await.unwrap();
    other.insert("user", "carl").unwrap();
    other.insert("role", "user").unwrap();
    assert_eq!(world.store.rotate(&mut other).await.unwrap(), Saved::Merged);
    let carl = json!({ "user": "carl", "role": "user" });
    assert_eq!(fields(&world.loaded(&other).await), carl);
}

#[tokio::test]
async fn of_two_changes_to_fields_that_stand_together_the_later_wins_whole() {
    let store = together();
    let stored = json!({ "user": "ann", "role": "user", "theme": "dark" });
    let (mut one, mut other) = two_copies(&store, stored).await;
    one.insert("user", "root").unwrap();
    one.insert("role", "admin").unwrap();
    one.insert("theme", "light").unwrap();
    other.insert("user", "carl").unwrap();
    store.save(&mut one).await.unwrap();
    assert_eq!(store.save(&mut other).await.unwrap(), Saved::Merged);
    let merged = json!({ "user": "carl", "role": "user", "theme": "light" });
    assert_eq!(fields(&other), merged);

    // A field that is not there stands with the others too.
    let (mut one, mut other) = two_copies(&store, json!({ "user": "ann" })).await;
    one.insert("role", "admin").unwrap();
    other.insert("user", "carl").unwrap();
    store.save(&mut one).await.unwrap();
    store.save(&mut other).await.unwrap();
    assert_eq!(fields(&other), json!({ "user": "carl" }));
}

#[tokio::test]
async fn a_group_that_was_not_written_is_left_as_the_other_request_has_it() {
    let store = together();
    let stored = json!({ "user": "ann", "role": "user", "amount": 1, "currency": "EUR" });
    let (mut one, mut other) = two_copies(&store, stored).await;
    one.insert("role", "admin").unwrap();
    one.insert("currency", "USD").unwrap();
    other.insert("amount", &2).unwrap();
    store.save(&mut one).await.unwrap();
    store.save(&mut other).await.unwrap();
    assert_eq!(
        fields(&other),
        json!({ "user": "ann", "role": "admin", "amount": 2, "currency": "EUR" })
    );
}

#[tokio::test]
async fn an_update_of_a_field_is_run_again_where_another_of_its_group_was_changed() {
    let store = together();
    let stored = json!({ "amount": 1, "currency": "EUR" });
    let (mut one, mut other) = two_copies(&store, stored).await;
    one.insert("currency", "USD").unwrap();
    store.save(&mut one).await.unwrap();
    let mut runs = 0;
    let more = |amount: Option<u32>| {
        runs += 1;
        amount.unwrap_or(0) + 1
    };
    let amount = store.update_field(&mut other, "amount", more).await;
    assert_eq!((amount.unwrap(), runs), (2, 2));
    let stored = store.load(&id(&one)).await.unwrap().unwrap();
    assert_eq!(fields(&stored), json!({ "amount": 2, "currency": "USD" }));
}

#[tokio::test]
async fn a_rotation_takes_over_a_group_whole_or_not_at_all() {
    let store = together();
    let stored = json!({ "user": "ann", "role": "user" });
    let (mut one, mut other) = two_copies(&store, stored).await;
    one.insert("role", "admin").unwrap();
    store.save(&mut one).await.unwrap();
    other.insert("user", "carl").unwrap();
    assert_eq!(store.rotate(&mut other).await.unwrap(), Saved::Merged);
    let stored = store.load(&id(&other)).await.unwrap().unwrap();
    assert_eq!(fields(&stored), json!({ "user": "carl", "role": "user" }));
}

#[test]
fn groups_that_cannot_be_are_refused_when_the_store_is_built() {
    for group in [vec!["user"], vec![], vec!["user", ""], vec!["user", "user"]] {
        let error = Store::builder()
            .together(group)
            .step::<KeyMapper>(Default::default())
            .step::<JsonCodec>(Default::default())
            .step::<Memory>(Default::default())
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("`together`"), "{error}");
    }
}
