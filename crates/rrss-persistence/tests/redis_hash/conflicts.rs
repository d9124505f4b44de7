//! What others changed meanwhile.

use std::sync::{Arc, Mutex};

use rrss::{Saved, Session, Store};
use rrss_core::{Action, Backend, ErrorKind, Written};
use rrss_test_servers::RedisServer;
use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::support::*;

on_both_servers![
    saves_of_different_fields_both_survive_without_a_second_try,
    of_two_saves_of_one_field_the_later_counts,
    what_was_written_with_the_value_it_had_goes_along_with_what_changed,
    fields_that_stand_together_are_saved_together,
    a_field_that_nobody_else_may_change_is_not_stored_where_somebody_has,
    a_counter_that_many_increment_at_once_counts_each,
    a_store_that_rejects_refuses_the_later_save,
    a_save_that_was_rejected_is_done_after_a_load,
    a_deadline_of_its_own_is_not_taken_back_by_who_did_not_know_it,
    a_rotation_takes_along_what_was_saved_meanwhile,
    of_many_saves_and_rotations_at_once_nothing_is_lost_and_nothing_stays,
    of_two_rotations_one_wins_and_no_copy_stays,
    what_was_loaded_is_told_from_everything_else,
    what_was_written_is_told_as_if_it_had_been_loaded,
    a_form_of_another_backend_matches_nothing,
];

async fn saved(store: &Store, fields: &[(&str, &str)]) -> Session {
    let mut saved = session(fields);
    store.save(&mut saved).await.unwrap();
    saved
}

async fn copies(store: &Store) -> (Session, Session) {
    let saved = saved(store, &[("user", r#""ann""#), ("visits", "1")]).await;
    (loaded(store, &saved).await, loaded(store, &saved).await)
}

async fn saves_of_different_fields_both_survive_without_a_second_try(server: RedisServer) {
    for options in [
        "",
        "[store]\nconflict = \"last-write\"",
        "compat = \"rrss-0.2\"",
    ] {
        let store = store(&server, options);
        let (mut one, mut other) = copies(&store).await;
        one.insert("theme", "dark").unwrap();
        one.remove("visits");
        other.insert("cart", &["tea"]).unwrap();
        assert_eq!(store.save(&mut one).await.unwrap(), Saved::Replaced);
        server.reset_counts();
        assert_eq!(store.save(&mut other).await.unwrap(), Saved::Replaced);
        assert_eq!(server.command_counts().get("evalsha"), Some(&1));
        assert_eq!(
            fields(&loaded(&store, &one).await),
            json!({ "user": "ann", "theme": "dark", "cart": ["tea"] })
        );
    }
}

async fn what_was_written_with_the_value_it_had_goes_along_with_what_changed(server: RedisServer) {
    for options in ["", "compat = \"rrss-0.2\""] {
        let store = store(&server, options);
        let (mut one, mut other) = copies(&store).await;
        one.insert("visits", &2).unwrap();
        one.insert("role", "admin").unwrap();
        other.insert("visits", &1).unwrap();
        other.remove("role");
        other.remove("$rrss");
        store.save(&mut one).await.unwrap();
        assert_eq!(store.save(&mut other).await.unwrap(), Saved::Unchanged);
        other.insert("user", "carl").unwrap();
        store.save(&mut other).await.unwrap();
        let stored = loaded(&store, &one).await;
        assert_eq!(fields(&stored), json!({ "user": "carl", "visits": 1 }));
        assert_eq!(stored.written_at().is_some(), options.is_empty());
    }
}

async fn fields_that_stand_together_are_saved_together(server: RedisServer) {
    let store = store(
        &server,
        "[store]\ntogether = [[\"user\", \"visits\", \"role\"]]",
    );
    let (mut one, mut other) = copies(&store).await;
    one.insert("user", "root").unwrap();
    one.insert("role", "admin").unwrap();
    one.insert("theme", "dark").unwrap();
    other.insert("visits", &2).unwrap();
    store.save(&mut one).await.unwrap();
    store.save(&mut other).await.unwrap();
    assert_eq!(
        fields(&loaded(&store, &one).await),
        json!({ "user": "ann", "visits": 2, "theme": "dark" })
    );

    // A counter is not increased over a change of another field of its group.
    let (mut one, mut other) = copies(&store).await;
    one.insert("user", "bob").unwrap();
    store.save(&mut one).await.unwrap();
    let more = |visits: Option<u32>| visits.unwrap_or(0) + 1;
    store
        .update_field(&mut other, "visits", more)
        .await
        .unwrap();
    assert_eq!(
        fields(&loaded(&store, &one).await),
        json!({ "user": "bob", "visits": 2 })
    );
}

async fn of_two_saves_of_one_field_the_later_counts(server: RedisServer) {
    let store = store(&server, "");
    let (mut one, mut other) = copies(&store).await;
    one.insert("user", "bob").unwrap();
    one.insert("visits", &2).unwrap();
    other.insert("user", "eve").unwrap();
    other.remove("visits");
    store.save(&mut one).await.unwrap();
    store.save(&mut other).await.unwrap();
    assert_eq!(
        fields(&loaded(&store, &one).await),
        json!({ "user": "eve" })
    );
}

async fn a_field_that_nobody_else_may_change_is_not_stored_where_somebody_has(server: RedisServer) {
    for options in ["", "[store]\nconflict = \"last-write\""] {
        let store = store(&server, options);
        for (field, theirs) in [("visits", Some(5)), ("visits", None), ("seat", Some(7))] {
            let (mut one, mut other) = copies(&store).await;
            one.insert_if_unchanged(field, &2).unwrap();
            match theirs {
                Some(value) => other.insert(field, &value).unwrap(),
                None => assert!(other.remove(field)),
            }
            store.save(&mut other).await.unwrap();
            let error = store.save(&mut one).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert_eq!(fields(&loaded(&store, &one).await), fields(&other));
        }
        let (mut one, mut other) = copies(&store).await;
        one.insert_if_unchanged("visits", &2).unwrap();
        one.insert_if_unchanged("seat", "12A").unwrap();
        other.insert("theme", "dark").unwrap();
        store.save(&mut other).await.unwrap();
        store.save(&mut one).await.unwrap();
        assert_eq!(
            fields(&loaded(&store, &one).await),
            json!({ "user": "ann", "visits": 2, "seat": "12A", "theme": "dark" })
        );
    }
}

async fn a_counter_that_many_increment_at_once_counts_each(server: RedisServer) {
    const TASKS: usize = 8;
    let store = store(&server, "");
    let counted = saved(&store, &[("visits", "0")]).await;
    let start = Arc::new(Barrier::new(TASKS));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (store, start, counted) = (store.clone(), start.clone(), counted.clone());
            tokio::spawn(async move {
                let mut session = loaded(&store, &counted).await;
                start.wait().await;
                for _ in 0..5 {
                    let more = |visits: Option<u64>| visits.unwrap() + 1;
                    store
                        .update_field(&mut session, "visits", more)
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let counted = loaded(&store, &counted).await;
    assert_eq!(counted.get::<usize>("visits").unwrap(), Some(5 * TASKS));
}

async fn a_store_that_rejects_refuses_the_later_save(server: RedisServer) {
    let store = store(&server, "[store]\nconflict = \"reject\"");
    let (mut one, mut other) = copies(&store).await;
    one.insert("theme", "dark").unwrap();
    other.insert("cart", &1).unwrap();
    store.save(&mut one).await.unwrap();
    let error = store.save(&mut other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(fields(&loaded(&store, &one).await), fields(&one));

    one.insert("theme", "light").unwrap();
    store.save(&mut one).await.unwrap();
    assert_eq!(fields(&loaded(&store, &one).await), fields(&one));
}

async fn a_save_that_was_rejected_is_done_after_a_load(server: RedisServer) {
    let store = store(&server, "[store]\nconflict = \"reject\"");
    let (mut one, other) = copies(&store).await;
    one.remove("visits");
    store.save(&mut one).await.unwrap();
    let mut again = loaded(&store, &other).await;
    again.insert("cart", &1).unwrap();
    store.save(&mut again).await.unwrap();
    assert_eq!(
        fields(&loaded(&store, &one).await),
        json!({ "user": "ann", "cart": 1 })
    );
}

async fn a_deadline_of_its_own_is_not_taken_back_by_who_did_not_know_it(server: RedisServer) {
    let store = store(&server, "");
    let (mut one, mut other) = copies(&store).await;
    let until = now() + GENEROUS.get();
    one.set_expires_at(until);
    store.save(&mut one).await.unwrap();
    other.insert("cart", &1).unwrap();
    store.save(&mut other).await.unwrap();
    let stored = store.inspect(one.id().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.own_deadline(), Some(until));
    assert_eq!(stored.expires_at(), Some(until));
    assert_eq!(stored.get::<u8>("cart").unwrap(), Some(1));

    other.clear_expires_at();
    store.save(&mut other).await.unwrap();
    assert_eq!(loaded(&store, &one).await.own_deadline(), None);
}

async fn a_rotation_takes_along_what_was_saved_meanwhile(server: RedisServer) {
    for options in ["", "compat = \"rrss-0.2\""] {
        let store = store(&server, options);
        let (mut one, mut other) = copies(&store).await;
        other.insert("cart", &["tea"]).unwrap();
        other.remove("visits");
        store.save(&mut other).await.unwrap();
        one.insert("theme", "dark").unwrap();
        assert_eq!(store.rotate(&mut one).await.unwrap(), Saved::Merged);
        let expected = json!({ "user": "ann", "cart": ["tea"], "theme": "dark" });
        assert_eq!(fields(&loaded(&store, &one).await), expected);
        assert!(store.load(other.id().unwrap()).await.unwrap().is_none());
        other.insert("late", &1).unwrap();
        assert_eq!(
            store.save(&mut other).await.unwrap_err().kind(),
            ErrorKind::Gone
        );

        // After a save that met another, what is known of the session is out of date.
        let (mut one, mut other) = copies(&store).await;
        other.insert("cart", &1).unwrap();
        store.save(&mut other).await.unwrap();
        one.insert("theme", "dark").unwrap();
        store.save(&mut one).await.unwrap();
        store.rotate(&mut one).await.unwrap();
        assert_eq!(
            fields(&loaded(&store, &one).await),
            json!({ "user": "ann", "visits": 1, "cart": 1, "theme": "dark" })
        );
    }
}

async fn of_many_saves_and_rotations_at_once_nothing_is_lost_and_nothing_stays(
    server: RedisServer,
) {
    const TASKS: usize = 8;
    const SAVES: usize = 20;
    for options in ["", "compat = \"rrss-0.2\""] {
        let store = store(&server, options);
        let first = saved(&store, &[("user", r#""ann""#)]).await;
        let current = Arc::new(Mutex::new(first.id().unwrap().clone()));
        let start = Arc::new(Barrier::new(TASKS + 1));
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let (store, start, current) = (store.clone(), start.clone(), current.clone());
            tasks.spawn(async move {
                start.wait().await;
                for save in 0..SAVES {
                    loop {
                        let id = current.lock().unwrap().clone();
                        let Some(mut session) = store.load(&id).await.unwrap() else {
                            continue;
                        };
                        session.insert(&format!("{task}-{save}"), &save).unwrap();
                        match store.save(&mut session).await {
                            Ok(_) => break,
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Gone),
                        }
                    }
                }
            });
        }
        start.wait().await;
        for _ in 0..SAVES {
            let id = current.lock().unwrap().clone();
            let mut session = store.load(&id).await.unwrap().unwrap();
            store.rotate(&mut session).await.unwrap();
            *current.lock().unwrap() = session.id().unwrap().clone();
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        let last = current.lock().unwrap().clone();
        let session = store.load(&last).await.unwrap().unwrap();
        assert_eq!(session.len(), 1 + TASKS * SAVES);
        assert_eq!(store.count().await.unwrap(), 1);
        store.delete(&last).await.unwrap();
    }
    assert_eq!(server.command(&["DBSIZE"]), "0");
}

async fn of_two_rotations_one_wins_and_no_copy_stays(server: RedisServer) {
    let store = store(&server, "");
    let (mut one, mut other) = copies(&store).await;
    let (first, second) = tokio::join!(store.rotate(&mut one), store.rotate(&mut other));
    let mut kinds = [first, second].map(|rotated| rotated.err().map(|error| error.kind()));
    kinds.sort_by_key(Option::is_some);
    assert_eq!(kinds, [None, Some(ErrorKind::Gone)]);
    assert_eq!(store.count().await.unwrap(), 1);
}

async fn what_was_loaded_is_told_from_everything_else(server: RedisServer) {
    let redis = connect(&server);
    let set = |entries: &[&str]| {
        server.command(&["DEL", KEY]);
        server.command(&[&["HSET", KEY], entries].concat());
    };
    set(&["a", "1", "b", "dark", "$rrss", r#"{"written":5}"#]);
    let read_then = read(&redis, KEY, now()).await.unwrap();
    let delete_of_it = unchanged(delete(KEY), read_then.stored().unwrap());
    let mut changed = read_then.clone();
    changed.insert("c", &3).unwrap();
    let update_of_it = unchanged(
        update(KEY, changed, in_an_hour()),
        read_then.stored().unwrap(),
    );
    for others in [
        &["a", "1", "b", "light"][..],
        &["a", "1"],
        &["a", "1", "b", "dark", "c", ""],
        &["a", "1", "c", "dark"],
        &["a", "1", "b", "dark", "$rrss", r#"{"written":5,"until":9}"#],
        &["$rrss", r#"{"written":5}"#],
    ] {
        set(others);
        let before = entries(&server, KEY);
        for op in [&update_of_it, &delete_of_it] {
            let written = match op.action() {
                Action::Delete => redis.delete(op).await,
                _ => redis.write(op).await,
            };
            assert_eq!(written.unwrap(), Written::Changed, "{others:?}");
        }
        assert_eq!(entries(&server, KEY), before);
    }
    // In another order, and with other times of writing, it is the same.
    set(&[
        "$rrss",
        r#"{"created":1,"written":7}"#,
        "b",
        "dark",
        "a",
        "1",
    ]);
    assert_eq!(redis.write(&update_of_it).await.unwrap(), Written::Done);
    assert_eq!(stored_fields(&server, KEY), ["a=1", "b=dark", "c=3"]);
    set(&["b", "dark", "a", "1"]);
    assert_eq!(redis.delete(&delete_of_it).await.unwrap(), Written::Done);
    assert_eq!(redis.delete(&delete_of_it).await.unwrap(), Written::Gone);
    assert_eq!(redis.write(&update_of_it).await.unwrap(), Written::Gone);
    assert_eq!(server.command(&["DBSIZE"]), "0");
}

async fn what_was_written_is_told_as_if_it_had_been_loaded(server: RedisServer) {
    let redis = connect(&server);
    let mut written = session(&[
        ("text", r#""da\u0072k""#),
        ("looks", r#""42""#),
        ("list", "[1, 2]"),
        ("", "null"),
    ]);
    written.set_expires_at(now() + GENEROUS.get());
    let form = redis.stored_form(&written).unwrap();
    let op = op(Action::Create, KEY, now()).with_session(written);
    redis.write(&op).await.unwrap();
    let delete_of_it = unchanged(delete(KEY), &form);
    assert_eq!(redis.delete(&delete_of_it).await.unwrap(), Written::Done);
}

async fn a_form_of_another_backend_matches_nothing(server: RedisServer) {
    let redis = connect(&server);
    server.command(&["HSET", KEY, "a", "1"]);
    let form = bytes::Bytes::from_static(br#"{"a":1}"#).into();
    let delete_of_it = unchanged(delete(KEY), &form);
    assert_eq!(redis.delete(&delete_of_it).await.unwrap(), Written::Changed);
    assert_eq!(entries(&server, KEY), ["a=1"]);
}
