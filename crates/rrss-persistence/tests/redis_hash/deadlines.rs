//! Until when sessions live, where Redis sees to it.

use std::time::Duration;

use rrss_core::{Backend, Deadline, Written};
use rrss_test_servers::RedisServer;

use super::support::*;

on_both_servers![
    every_write_and_touch_sets_the_deadline_that_it_says,
    a_deadline_that_is_past_ends_the_session_where_the_guard_holds,
    a_session_ends_at_its_deadline,
    a_load_tells_the_deadline_where_it_is_wanted,
    a_deadline_without_an_end_is_taken,
];

async fn every_write_and_touch_sets_the_deadline_that_it_says(server: RedisServer) {
    let redis = connect(&server);
    let deadline = || server.command(&["PEXPIRETIME", KEY]);
    let hour = in_an_hour();
    let millis = hour.instant().unwrap().as_millis().to_string();
    for (created, expected) in [
        (hour, &*millis),
        (Deadline::Keep, "-1"),
        (Deadline::Never, "-1"),
    ] {
        server.command(&["FLUSHALL"]);
        redis
            .write(&create(KEY, session(&[("a", "1")]), created))
            .await
            .unwrap();
        assert_eq!(deadline(), expected);
        for (next, expected) in [
            (Deadline::Keep, expected),
            (hour, &*millis),
            (Deadline::Keep, &*millis),
            (Deadline::Never, "-1"),
            (hour, &*millis),
        ] {
            let write = update(KEY, session(&[("a", "2")]), next);
            assert_eq!(redis.write(&write).await.unwrap(), Written::Done);
            assert_eq!(deadline(), expected, "{next:?}");
        }
        for (next, expected) in [
            (Deadline::Keep, &*millis),
            (Deadline::Never, "-1"),
            (hour, &*millis),
        ] {
            assert_eq!(redis.touch(&touch(KEY, next)).await.unwrap(), Written::Done);
            assert_eq!(deadline(), expected, "{next:?}");
        }
    }
    for next in [Deadline::Keep, Deadline::Never, hour] {
        assert_eq!(
            redis.touch(&touch("sessions:2", next)).await.unwrap(),
            Written::Gone
        );
    }
    assert_eq!(server.command(&["DBSIZE"]), "1");
}

async fn a_deadline_that_is_past_ends_the_session_where_the_guard_holds(server: RedisServer) {
    let redis = connect(&server);
    let past = Deadline::At(now());
    let one = || session(&[("a", "1")]);
    assert_eq!(
        redis.write(&create(KEY, one(), past)).await.unwrap(),
        Written::Done
    );
    assert_eq!(server.command(&["DBSIZE"]), "0");
    assert_eq!(
        redis.write(&update(KEY, one(), past)).await.unwrap(),
        Written::Gone
    );

    redis
        .write(&create(KEY, one(), in_an_hour()))
        .await
        .unwrap();
    assert_eq!(
        redis.write(&create(KEY, one(), past)).await.unwrap(),
        Written::Taken
    );
    let loaded = read(&redis, KEY, now()).await.unwrap();
    server.command(&["HSET", KEY, "a", "2"]);
    let stale = unchanged(update(KEY, loaded.clone(), past), loaded.stored().unwrap());
    assert_eq!(redis.write(&stale).await.unwrap(), Written::Changed);
    assert_eq!(stored_fields(&server, KEY), ["a=2"]);
    assert_eq!(
        redis.write(&update(KEY, one(), past)).await.unwrap(),
        Written::Done
    );
    assert_eq!(server.command(&["DBSIZE"]), "0");

    redis
        .write(&create(KEY, one(), in_an_hour()))
        .await
        .unwrap();
    assert_eq!(redis.touch(&touch(KEY, past)).await.unwrap(), Written::Done);
    assert_eq!(server.command(&["DBSIZE"]), "0");
}

/// Written too late on a slow machine, it ends all the same.
async fn a_session_ends_at_its_deadline(server: RedisServer) {
    let redis = connect(&server);
    let soon = now() + Duration::from_millis(50);
    redis
        .write(&create(KEY, session(&[("a", "1")]), Deadline::At(soon)))
        .await
        .unwrap();
    while now() <= soon {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(read(&redis, KEY, now()).await.is_none());
    let late = update(KEY, session(&[("b", "2")]), in_an_hour());
    assert_eq!(redis.write(&late).await.unwrap(), Written::Gone);
    assert_eq!(redis.delete(&delete(KEY)).await.unwrap(), Written::Gone);
    assert_eq!(server.command(&["EXISTS", KEY]), "0");
}

async fn a_load_tells_the_deadline_where_it_is_wanted(server: RedisServer) {
    let redis = connect(&server);
    let hour = in_an_hour();
    redis
        .write(&create(KEY, session(&[("a", "1")]), hour))
        .await
        .unwrap();
    let session = read(&redis, KEY, now()).await.unwrap();
    assert_eq!(session.expires_at(), hour.instant());
    let load = op(rrss_core::Action::Load, KEY, now());
    let record = redis.load(&load).await.unwrap().unwrap();
    assert_eq!(record.expires_at, None);
    assert!(read(&redis, "sessions:2", now()).await.is_none());
}

async fn a_deadline_without_an_end_is_taken(server: RedisServer) {
    let redis = connect(&server);
    let end = Deadline::At(at(u64::MAX));
    redis
        .write(&create(KEY, session(&[("a", "1")]), end))
        .await
        .unwrap();
    assert_eq!(redis.touch(&touch(KEY, end)).await.unwrap(), Written::Done);
    assert!(
        read(&redis, KEY, now())
            .await
            .unwrap()
            .expires_at()
            .is_some()
    );
}
