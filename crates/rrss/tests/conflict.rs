//! What becomes of the changes of requests that use one session at the same time, in saves.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rrss::{Conflict, ErrorKind, Saved, Session};
use rrss_testkit::{Call, Side};
use serde_json::json;
use tokio::sync::Barrier;
use world::{HOUR, MINUTE, World, fields, id};

const ALL: [Conflict; 3] = [Conflict::Merge, Conflict::Reject, Conflict::LastWrite];

fn one_more(count: Option<u32>) -> u32 {
    count.unwrap_or(0) + 1
}

#[tokio::test]
async fn two_copies_that_write_different_fields_both_survive() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world.two_copies(json!({ "theme": "dark", "old": 1 })).await;
    one.insert("theme", "light").unwrap();
    one.remove("old");
    other.insert("cart", &["tea"]).unwrap();
    assert_eq!(world.store.save(&mut one).await.unwrap(), Saved::Replaced);
    assert_eq!(world.store.save(&mut other).await.unwrap(), Saved::Merged);
    let both = json!({ "theme": "light", "cart": ["tea"] });
    assert_eq!(fields(&other), both);
    assert_eq!(fields(&world.loaded(&one).await), both);
    assert!(!other.is_modified());
}

#[tokio::test]
async fn of_one_field_the_later_save_wins_and_a_removal_is_a_value_too() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world.two_copies(json!({ "a": 1, "b": 1, "c": 1 })).await;
    one.insert("a", &2).unwrap();
    one.remove("b");
    one.insert("c", &2).unwrap();
    other.insert("a", &3).unwrap();
    other.insert("b", &3).unwrap();
    other.remove("c");
    world.store.save(&mut one).await.unwrap();
    world.store.save(&mut other).await.unwrap();
    assert_eq!(fields(&world.loaded(&one).await), json!({ "a": 3, "b": 3 }));
}

#[tokio::test]
async fn a_save_that_nobody_interfered_with_is_one_operation_under_every_policy() {
    for conflict in ALL {
        let world = World::new(conflict);
        let mut session = world.saved(json!({ "a": 1 })).await;
        world.counts.reset();
        session.insert_if_unchanged("a", &2).unwrap();
        world.store.save(&mut session).await.unwrap();
        assert_eq!(
            (world.counts.of(Call::Update), world.counts.total()),
            (1, 1)
        );
        assert_eq!(
            world.store.save(&mut session).await.unwrap(),
            Saved::Unchanged
        );
        assert_eq!(world.counts.total(), 1);
    }
}

#[tokio::test]
async fn a_field_inserted_if_unchanged_is_refused_where_others_changed_it_under_every_policy() {
    for conflict in ALL {
        // Changed, removed, or set to the very same value: in each case another request did it.
        for theirs in [json!("12B"), json!(null), json!("12A")] {
            let world = World::new(conflict);
            let (mut one, mut other) = world.two_copies(json!({ "seat": "none" })).await;
            if theirs.is_null() {
                one.remove("seat");
            } else {
                one.insert("seat", &theirs).unwrap();
            }
            world.store.save(&mut one).await.unwrap();

            other.insert_if_unchanged("seat", "12A").unwrap();
            other.insert("theme", "dark").unwrap();
            let error = world.store.save(&mut other).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict, "{conflict:?} {theirs}");
            assert_eq!(fields(&world.loaded(&one).await), fields(&one));
            assert_eq!(fields(&other), json!({ "seat": "12A", "theme": "dark" }));
            assert!(other.is_modified(), "it is left as it was");
        }
    }
}

#[tokio::test]
async fn a_field_inserted_if_unchanged_is_stored_where_others_changed_only_other_fields() {
    for conflict in [Conflict::Merge, Conflict::LastWrite] {
        let world = World::new(conflict);
        let (mut one, mut other) = world.two_copies(json!({ "seat": "none" })).await;
        one.insert("cart", "tea").unwrap();
        world.store.save(&mut one).await.unwrap();
        other.insert_if_unchanged("seat", "12A").unwrap();
        assert_eq!(world.store.save(&mut other).await.unwrap(), Saved::Merged);
        assert_eq!(
            fields(&world.loaded(&one).await),
            json!({ "seat": "12A", "cart": "tea" }),
            "{conflict:?}"
        );
    }
}

#[tokio::test]
async fn the_condition_ends_with_the_save() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world.two_copies(json!({ "seat": "none" })).await;
    one.insert_if_unchanged("seat", "12A").unwrap();
    world.store.save(&mut one).await.unwrap();
    let mut third = world.loaded(&one).await;
    third.insert("seat", "12B").unwrap();
    world.store.save(&mut third).await.unwrap();
    one.insert("theme", "dark").unwrap();
    assert_eq!(world.store.save(&mut one).await.unwrap(), Saved::Merged);
    other.insert("seat", "12C").unwrap();
    assert_eq!(world.store.save(&mut other).await.unwrap(), Saved::Merged);
    assert_eq!(
        fields(&world.loaded(&one).await),
        json!({ "seat": "12C", "theme": "dark" })
    );
}

#[tokio::test]
async fn a_new_session_takes_a_field_inserted_if_unchanged_as_any_other() {
    let world = World::new(Conflict::Merge);
    let mut session = Session::new();
    session.insert_if_unchanged("seat", "12A").unwrap();
    assert_eq!(
        world.store.save(&mut session).await.unwrap(),
        Saved::Created
    );
    assert_eq!(
        fields(&world.loaded(&session).await),
        json!({ "seat": "12A" })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_increments_at_once_each_counts_under_every_policy() {
    const TASKS: u32 = 8;
    const TIMES: u32 = 50;
    for conflict in ALL {
        let world = World::new(conflict);
        let session = world.saved(json!({ "count": 0, "other": "kept" })).await;
        let start = Arc::new(Barrier::new(TASKS as usize));
        let runs = Arc::new(AtomicU32::new(0));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (store, start, runs) = (world.store.clone(), start.clone(), runs.clone());
                let id = id(&session);
                tokio::spawn(async move {
                    let mut copy = store.load(&id).await.unwrap().unwrap();
                    let mut seen = Vec::new();
                    for _ in 0..TIMES {
                        start.wait().await;
                        let count = store.update_field(&mut copy, "count", |count| {
                            runs.fetch_add(1, Ordering::Relaxed);
                            one_more(count)
                        });
                        let count = count.await.unwrap();
                        assert_eq!(copy.get::<u32>("count").unwrap(), Some(count));
                        assert!(!copy.is_modified());
                        seen.push(count);
                    }
                    seen
                })
            })
            .collect();
        let mut seen = Vec::new();
        for task in tasks {
            seen.extend(task.await.unwrap());
        }
        seen.sort_unstable();
        let each = (1..=TASKS * TIMES).collect::<Vec<_>>();
        assert_eq!(seen, each, "{conflict:?}: each has a count of its own");
        assert_eq!(
            fields(&world.loaded(&session).await),
            json!({ "count": TASKS * TIMES, "other": "kept" })
        );
        assert!(runs.load(Ordering::Relaxed) >= TASKS * TIMES);
    }
}

#[tokio::test]
async fn an_update_of_a_field_is_run_again_on_the_value_that_others_have_stored() {
    for conflict in ALL {
        let world = World::new(conflict);
        let (mut one, mut other) = world.two_copies(json!({ "count": 10 })).await;
        one.insert("count", &20).unwrap();
        world.store.save(&mut one).await.unwrap();
        let mut given = Vec::new();
        let count = world
            .store
            .update_field(&mut other, "count", |count: Option<u32>| {
                given.extend(count);
                one_more(count)
            })
            .await
            .unwrap();
        assert_eq!((count, given), (21, vec![10, 20]), "{conflict:?}");
    }
}

#[tokio::test]
async fn an_update_of_a_field_saves_the_other_changes_too() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world.two_copies(json!({ "count": 1 })).await;
    one.insert("count", &2).unwrap();
    one.insert("cart", "tea").unwrap();
    world.store.save(&mut one).await.unwrap();
    other.insert("theme", "dark").unwrap();
    let count = world
        .store
        .update_field(&mut other, "count", one_more)
        .await
        .unwrap();
    assert_eq!(count, 3);
    assert_eq!(
        fields(&world.loaded(&one).await),
        json!({ "count": 3, "cart": "tea", "theme": "dark" })
    );
}

#[tokio::test]
async fn where_conflicts_are_rejected_an_update_of_a_field_does_not_carry_other_changes_over() {
    let world = World::new(Conflict::Reject);
    let (mut one, mut other) = world.two_copies(json!({ "count": 1 })).await;
    other.insert("theme", "dark").unwrap();
    let count = world.store.update_field(&mut other, "count", one_more);
    assert_eq!(count.await.unwrap(), 2, "nobody interfered");

    one.insert("cart", "tea").unwrap();
    let error = world
        .store
        .update_field(&mut one, "count", one_more)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(fields(&one), json!({ "count": 1, "cart": "tea" }));
    assert!(one.is_modified());
    assert_eq!(
        fields(&world.loaded(&other).await),
        json!({ "count": 2, "theme": "dark" })
    );
}

#[tokio::test]
async fn an_update_of_a_field_of_another_type_or_of_a_session_that_is_gone_changes_nothing() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world.two_copies(json!({ "count": "many" })).await;
    let error = world.store.update_field(&mut one, "count", one_more).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Value);
    assert!(!one.is_modified());

    world.store.delete(&id(&one)).await.unwrap();
    let more = |text: Option<String>| text.unwrap_or_default() + "!";
    let error = world.store.update_field(&mut other, "count", more).await;
    assert!(error.unwrap_err().is_gone());
    assert_eq!(fields(&other), json!({ "count": "many" }));
    assert_eq!(world.store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_merge_that_grows_too_large_is_refused_and_nothing_is_lost() {
    let world = World::with_max_bytes(200);
    let (mut one, mut other) = world.two_copies(json!({ "a": 1 })).await;
    one.insert("one", &"x".repeat(60)).unwrap();
    other.insert("other", &"y".repeat(60)).unwrap();
    world.store.save(&mut one).await.unwrap();
    let error = world.store.save(&mut other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(fields(&world.loaded(&one).await), fields(&one));
    assert_eq!(
        fields(&other),
        json!({ "a": 1, "other": "y".repeat(60) }),
        "its change is still there, to be made smaller"
    );
    other.insert("other", "y").unwrap();
    assert_eq!(world.store.save(&mut other).await.unwrap(), Saved::Merged);
    assert_eq!(world.loaded(&one).await.len(), 3);
}

#[tokio::test]
async fn a_save_whose_answer_was_lost_is_not_made_twice() {
    let world = World::new(Conflict::Merge);
    let mut session = world.saved(json!({ "count": 1 })).await;
    session.insert("count", &2).unwrap();
    world
        .faults
        .fail(Call::Update, 1, Side::After, ErrorKind::Timeout);
    let error = world.store.save(&mut session).await.unwrap_err();
    assert!(error.is_temporary() && session.is_modified());

    world.counts.reset();
    assert_eq!(world.store.save(&mut session).await.unwrap(), Saved::Merged);
    assert_eq!(
        world.counts.of(Call::Update),
        1,
        "refused, and not repeated"
    );
    assert!(!session.is_modified());
    assert_eq!(fields(&world.loaded(&session).await), json!({ "count": 2 }));
}

#[tokio::test]
async fn a_session_deleted_between_a_conflict_and_the_reload_is_gone() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world.two_copies(json!({ "a": 1 })).await;
    one.insert("a", &2).unwrap();
    world.store.save(&mut one).await.unwrap();
    let held = world.gate.hold(Call::Load, Side::Before);
    let saving = tokio::spawn({
        let store = world.store.clone();
        async move {
            other.insert("b", &1).unwrap();
            store.save(&mut other).await
        }
    });
    let held = held.arrived().await;
    world.store.delete(&id(&one)).await.unwrap();
    held.release();
    assert!(saving.await.unwrap().unwrap_err().is_gone());
    assert_eq!(world.store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_deadline_of_its_own_is_merged_as_a_field_is() {
    let world = World::new(Conflict::Merge);
    let (mut one, mut other) = world.two_copies(json!({ "a": 1 })).await;
    let month = world.now() + HOUR * 24 * 30;
    one.set_expires_at(month);
    other.insert("b", &2).unwrap();
    world.store.save(&mut one).await.unwrap();
    assert_eq!(world.store.save(&mut other).await.unwrap(), Saved::Merged);
    assert_eq!(other.own_deadline(), Some(month));
    assert_eq!(other.expires_at(), Some(month));

    // A copy of before that chooses another one: the later save wins.
    let (mut one, mut other) = (world.loaded(&one).await, world.loaded(&one).await);
    one.set_expires_at(world.now() + MINUTE);
    other.set_expires_at(month + HOUR);
    world.store.save(&mut one).await.unwrap();
    world.store.save(&mut other).await.unwrap();
    let loaded = world.loaded(&one).await;
    assert_eq!(loaded.own_deadline(), Some(month + HOUR));
    assert_eq!(loaded.expires_at(), Some(month + HOUR));
    assert_eq!(fields(&loaded), json!({ "a": 1, "b": 2 }));
}

/// All load the same session first, so all but one must try again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_saves_of_one_session_at_once_all_are_stored() {
    let world = World::new(Conflict::Merge);
    let session = world.saved(json!({ "n": 0 })).await;
    let all_loaded = std::sync::Arc::new(tokio::sync::Barrier::new(200));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (store, mut copy) = (world.store.clone(), world.loaded(&session).await);
        let all_loaded = std::sync::Arc::clone(&all_loaded);
        tasks.spawn(async move {
            copy.insert(&format!("field-{number}"), &number).unwrap();
            all_loaded.wait().await;
            store.save(&mut copy).await
        });
    }
    for saved in tasks.join_all().await {
        saved.unwrap();
    }
    assert_eq!(world.loaded(&session).await.len(), 201);
    // One load and one save for each that lost, and for each the save that did: no herd tries again together.
    assert!(world.counts.of(Call::Load) <= 201 + 200 + 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_increments_of_one_counter_at_once_each_counts() {
    let world = World::new(Conflict::Merge);
    let session = world.saved(json!({ "n": 0 })).await;
    let all_loaded = std::sync::Arc::new(tokio::sync::Barrier::new(200));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (store, mut copy) = (world.store.clone(), world.loaded(&session).await);
        let all_loaded = std::sync::Arc::clone(&all_loaded);
        tasks.spawn(async move {
            all_loaded.wait().await;
            let add = |n: Option<u64>| n.unwrap_or_default() + 1;
            store.update_field(&mut copy, "n", add).await
        });
    }
    for counted in tasks.join_all().await {
        counted.unwrap();
    }
    let stored = world.loaded(&session).await;
    assert_eq!(stored.get::<u64>("n").unwrap(), Some(200));
}
