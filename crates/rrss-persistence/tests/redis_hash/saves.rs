//! What a save sends and leaves.

use rrss::Saved;
use rrss_core::{Action, Backend, Deadline, Error, ErrorKind, Written};
use rrss_test_servers::RedisServer;
use serde_json::json;

use super::support::*;

on_both_servers![
    a_save_writes_and_removes_the_fields_that_changed_and_no_others,
    each_operation_is_one_round_trip,
    a_save_of_a_deleted_session_creates_nothing,
    of_two_creates_of_one_key_one_is_done,
    a_session_knows_when_it_was_created_and_written,
    a_session_without_fields_stays_until_it_is_deleted,
    a_save_that_replaces_every_field_keeps_the_deadline,
    a_server_that_has_forgotten_the_script_is_told_it_again,
];

async fn a_save_writes_and_removes_the_fields_that_changed_and_no_others(server: RedisServer) {
    let store = store(&server, "");
    let mut saved = session(&[("a", "1"), ("b", "2"), ("c", "3")]);
    store.save(&mut saved).await.unwrap();
    let key = key_of(&saved);

    // Changed behind our back: a save that wrote all fields would take these back.
    server.command(&["HSET", &key, "a", "10", "new", "x"]);
    server.command(&["HDEL", &key, "c"]);
    saved.insert("b", &20).unwrap();
    assert_eq!(store.save(&mut saved).await.unwrap(), Saved::Replaced);
    assert_eq!(stored_fields(&server, &key), ["a=10", "b=20", "new=x"]);

    saved.remove("b");
    saved.insert("d", &4).unwrap();
    store.save(&mut saved).await.unwrap();
    assert_eq!(stored_fields(&server, &key), ["a=10", "d=4", "new=x"]);
}

async fn each_operation_is_one_round_trip(server: RedisServer) {
    let store = store(&server, "");
    let mut saved = session(&[("a", "1")]);
    store.save(&mut saved).await.unwrap();
    server.reset_counts();
    let mut read = loaded(&store, &saved).await;
    read.insert("b", "x").unwrap();
    store.save(&mut read).await.unwrap();
    let mut other = session(&[("a", "1")]);
    store.save(&mut other).await.unwrap();
    assert!(store.delete(other.id().unwrap()).await.unwrap());
    let mut counts = server.command_counts();
    // What the script calls is counted beside it.
    let of_scripts = ["type", "hget", "hset", "persist", "pexpireat"];
    counts.retain(|name, _| !of_scripts.contains(&name.as_str()));
    let expected = [("evalsha", 2), ("hscan", 1), ("unlink", 1)];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(counts, expected.into());
}

async fn a_save_of_a_deleted_session_creates_nothing(server: RedisServer) {
    for options in [
        "",
        "compat = \"rrss-0.2\"",
        "[store]\nconflict = \"reject\"",
    ] {
        let store = store(&server, options);
        let mut saved = session(&[("a", "1")]);
        store.save(&mut saved).await.unwrap();
        let mut late = loaded(&store, &saved).await;
        server.command(&["DEL", &key_of(&saved)]);
        late.insert("b", &2).unwrap();
        late.remove("a");
        let error: Error = store.save(&mut late).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Gone);
        assert!(store.load(saved.id().unwrap()).await.unwrap().is_none());
        assert_eq!(server.command(&["DBSIZE"]), "0");
    }
}

async fn of_two_creates_of_one_key_one_is_done(server: RedisServer) {
    let redis = connect(&server);
    let one = create(KEY, session(&[("a", "1")]), in_an_hour());
    let other = create(KEY, session(&[("b", "2")]), Deadline::Never);
    let (one, other) = tokio::join!(redis.write(&one), redis.write(&other));
    let mut written = [one.unwrap(), other.unwrap()];
    written.sort_by_key(|written| *written == Written::Taken);
    assert_eq!(written, [Written::Done, Written::Taken]);
    assert_eq!(stored_fields(&server, KEY).len(), 1);
}

async fn a_session_knows_when_it_was_created_and_written(server: RedisServer) {
    let redis = connect(&server);
    let mut first = op(Action::Create, KEY, at(1_000))
        .with_session(session(&[("a", "1")]).with_created_at(Some(at(1_000))));
    first.deadline = Deadline::Never;
    assert_eq!(redis.write(&first).await.unwrap(), Written::Done);
    assert_eq!(
        entries(&server, KEY),
        [r#"$rrss={"created":1000,"written":1000}"#, "a=1"]
    );
    let mut changed = read(&redis, KEY, at(2_000)).await.unwrap();
    assert_eq!(changed.created_at(), Some(at(1_000)));
    assert_eq!(fields(&changed), json!({ "a": 1 }));

    // One that does not know takes nothing away from those who do.
    changed = changed.with_created_at(None);
    changed.insert("a", &2).unwrap();
    changed.set_expires_at(now() + GENEROUS.get());
    let until = changed.own_deadline().unwrap();
    let second = op(Action::Update, KEY, at(2_000)).with_session(changed);
    assert_eq!(redis.write(&second).await.unwrap(), Written::Done);
    let again = read(&redis, KEY, at(3_000)).await.unwrap();
    assert_eq!(
        (again.created_at(), again.written_at(), again.own_deadline()),
        (Some(at(1_000)), Some(at(2_000)), Some(until))
    );
    assert_eq!(again.expires_at(), Some(until));
}

async fn a_session_without_fields_stays_until_it_is_deleted(server: RedisServer) {
    let store = store(&server, "");
    let mut saved = session(&[("a", "1")]);
    store.save(&mut saved).await.unwrap();
    saved.clear();
    store.save(&mut saved).await.unwrap();
    let mut read = loaded(&store, &saved).await;
    assert!(read.is_empty() && read.created_at().is_some());
    read.insert("b", &2).unwrap();
    store.save(&mut read).await.unwrap();
    assert!(store.delete(saved.id().unwrap()).await.unwrap());
    assert!(store.load(saved.id().unwrap()).await.unwrap().is_none());
}

async fn a_save_that_replaces_every_field_keeps_the_deadline(server: RedisServer) {
    let redis = connect(&server);
    let hour = in_an_hour();
    redis
        .write(&create(KEY, session(&[("a", "1")]), hour))
        .await
        .unwrap();
    let mut changed = read(&redis, KEY, now()).await.unwrap();
    changed.clear();
    changed.insert("b", &2).unwrap();
    redis
        .write(&update(KEY, changed, Deadline::Keep))
        .await
        .unwrap();
    let kept = read(&redis, KEY, now()).await.unwrap();
    assert_eq!(fields(&kept), json!({ "b": 2 }));
    assert_eq!(kept.expires_at(), hour.instant());
}

async fn a_server_that_has_forgotten_the_script_is_told_it_again(server: RedisServer) {
    let redis = connect(&server);
    for key in ["sessions:1", "sessions:2"] {
        server.command(&["SCRIPT", "FLUSH"]);
        let write = create(key, session(&[("a", "1")]), in_an_hour());
        assert_eq!(redis.write(&write).await.unwrap(), Written::Done);
        assert_eq!(stored_fields(&server, key), ["a=1"]);
    }
}
