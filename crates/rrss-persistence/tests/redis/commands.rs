//! Which commands an operation costs, and what it leaves on the server.

use std::collections::BTreeMap;

use rrss_core::{Backend, Deadline, Timestamp, Written};
use rrss_test_servers::RedisServer;

use super::support::*;

on_both_servers![
    every_operation_is_one_round_trip_of_these_commands,
    a_session_is_a_string_under_its_key_with_the_deadline_as_its_expiry,
    the_deadline_on_the_server_is_the_one_that_was_said,
    a_deadline_at_the_end_of_time_is_kept,
    a_deadline_that_passed_on_the_way_removes_too,
    every_byte_is_kept,
    loading_says_nothing_about_the_deadline_and_leaves_it,
];

/// What the server counted for one operation. `ping` first, so that connecting is not counted.
macro_rules! commands_of {
    ($server:ident, $redis:ident, $operation:expr) => {{
        $redis.ping().await.unwrap();
        $server.reset_counts();
        let answer = $operation.await.unwrap();
        let counts: Vec<(String, u64)> = $server.command_counts().into_iter().collect();
        (answer, counts)
    }};
}

fn counts(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .collect()
}

async fn every_operation_is_one_round_trip_of_these_commands(server: RedisServer) {
    let redis = &connect(&server);
    let key = "sessions:1";
    let past = Deadline::At(Timestamp::from_millis(1));

    for (deadline, commands) in [
        (in_an_hour(), [("set", 1)]),
        (Deadline::Never, [("set", 1)]),
        (Deadline::Keep, [("set", 1)]),
        (past, [("exists", 1)]),
    ] {
        let op = create(key, b"{}", deadline);
        let (written, counted) = commands_of!(server, redis, redis.write(&op));
        assert_eq!((written, counted), (Written::Done, counts(&commands)));
        server.command(&["UNLINK", key]);
    }

    server.command(&["SET", key, "{}"]);
    for (deadline, commands) in [
        (in_an_hour(), [("set", 1)]),
        (Deadline::Keep, [("set", 1)]),
        (Deadline::Never, [("set", 1)]),
        (past, [("unlink", 1)]),
    ] {
        let op = update(key, b"{}", deadline);
        let (written, counted) = commands_of!(server, redis, redis.write(&op));
        assert_eq!((written, counted), (Written::Done, counts(&commands)));
    }

    server.command(&["SET", key, "{}"]);
    let (loaded, counted) = commands_of!(server, redis, stored(redis, key));
    assert_eq!(loaded.as_deref(), Some(&b"{}"[..]));
    assert_eq!(counted, counts(&[("get", 1)]));

    for (deadline, commands) in [
        (in_an_hour(), &[("pexpireat", 1)][..]),
        (Deadline::Keep, &[("exists", 1)]),
        (Deadline::Never, &[("persist", 1), ("exists", 1)]),
        (past, &[("unlink", 1)]),
    ] {
        let op = touch(key, deadline);
        let (there, counted) = commands_of!(server, redis, redis.touch(&op));
        assert_eq!(
            (there, counted),
            (Written::Done, counts(commands)),
            "{deadline:?}"
        );
    }

    server.command(&["SET", key, "{}"]);
    let (page, counted) = commands_of!(server, redis, redis.list(&load(key), None, 100));
    assert_eq!((page.keys.len(), counted), (1, counts(&[("scan", 1)])));
    let (count, counted) = commands_of!(server, redis, redis.count(&load(key)));
    assert_eq!((count, counted), (1, counts(&[("scan", 1)])));
    let (there, counted) = commands_of!(server, redis, redis.delete(&delete(key)));
    assert_eq!((there, counted), (Written::Done, counts(&[("unlink", 1)])));
    let (swept, counted) = commands_of!(server, redis, redis.sweep(&load(key), 100));
    assert_eq!((swept, counted), (0, counts(&[])));
    let ((), counted) = commands_of!(server, redis, redis.ping());
    assert_eq!(counted, counts(&[("ping", 1)]));
    assert!(!redis.needs_sweep());
}

async fn a_session_is_a_string_under_its_key_with_the_deadline_as_its_expiry(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
    redis
        .write(&create(key, b"{}", in_an_hour()))
        .await
        .unwrap();
    assert_eq!(server.scan("*"), [key]);
    assert_eq!(server.command(&["TYPE", key]), "string");
    let left: u64 = server.command(&["PTTL", key]).parse().unwrap();
    assert!((1..=3_600_000).contains(&left), "{left}");
}

async fn the_deadline_on_the_server_is_the_one_that_was_said(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    let on_server = || server.command(&["PEXPIRETIME", key]);
    let hour = in_an_hour().instant().unwrap().as_millis();
    let at = |millis| Deadline::At(Timestamp::from_millis(millis));

    redis.write(&create(key, b"1", at(hour))).await.unwrap();
    assert_eq!(on_server(), hour.to_string());
    redis.write(&update(key, b"2", at(hour + 1))).await.unwrap();
    assert_eq!(on_server(), (hour + 1).to_string());
    redis
        .write(&update(key, b"3", Deadline::Keep))
        .await
        .unwrap();
    assert_eq!(on_server(), (hour + 1).to_string());
    redis.touch(&touch(key, Deadline::Keep)).await.unwrap();
    assert_eq!(on_server(), (hour + 1).to_string());
    redis.touch(&touch(key, at(hour - 1))).await.unwrap();
    assert_eq!(on_server(), (hour - 1).to_string());
    redis
        .write(&update(key, b"4", Deadline::Never))
        .await
        .unwrap();
    assert_eq!(on_server(), "-1");
    redis.touch(&touch(key, at(hour))).await.unwrap();
    assert_eq!(on_server(), hour.to_string());
    redis.touch(&touch(key, Deadline::Never)).await.unwrap();
    assert_eq!(on_server(), "-1");
    assert_eq!(
        redis.touch(&touch(key, Deadline::Never)).await.unwrap(),
        Written::Done
    );
    assert_eq!(server.command(&["GET", key]), "4");
}

async fn a_deadline_at_the_end_of_time_is_kept(server: RedisServer) {
    let redis = connect(&server);
    let end = Deadline::At(Timestamp::from_millis(u64::MAX));
    let key = "sessions:1";
    for op in [create(key, b"1", end), update(key, b"2", end)] {
        assert_eq!(redis.write(&op).await.unwrap(), Written::Done);
        assert_eq!(server.command(&["PEXPIRETIME", key]), i64::MAX.to_string());
    }
    assert_eq!(redis.touch(&touch(key, end)).await.unwrap(), Written::Done);
    assert_eq!(stored(&redis, key).await.unwrap().unwrap(), "2");
}

/// The operation believed it to be in the future; the server's clock decides.
async fn a_deadline_that_passed_on_the_way_removes_too(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    let passed = Deadline::At(Timestamp::from_millis(1_000));
    let long_ago = |mut op: rrss_core::Operation| {
        let mut then = rrss_core::Operation::new(op.action().clone(), Timestamp::from_millis(1));
        then.key = op.key.take();
        then.payload = op.payload;
        then.deadline = op.deadline;
        then
    };

    let born_dead = long_ago(create(key, b"1", passed));
    assert_eq!(redis.write(&born_dead).await.unwrap(), Written::Done);
    assert_eq!(server.command(&["EXISTS", key]), "0");

    server.command(&["SET", key, "live"]);
    assert_eq!(redis.write(&born_dead).await.unwrap(), Written::Taken);
    assert_eq!(server.command(&["GET", key]), "live");
    let last = long_ago(update(key, b"2", passed));
    assert_eq!(redis.write(&last).await.unwrap(), Written::Done);
    assert_eq!(server.command(&["EXISTS", key]), "0");
    assert_eq!(redis.write(&last).await.unwrap(), Written::Gone);

    server.command(&["SET", key, "live"]);
    assert_eq!(
        redis.touch(&long_ago(touch(key, passed))).await.unwrap(),
        Written::Done
    );
    assert_eq!(server.command(&["EXISTS", key]), "0");
}

async fn every_byte_is_kept(server: RedisServer) {
    let redis = connect(&server);
    let every: Vec<u8> = (0..=u8::MAX).cycle().take(1_000_000).collect();
    for (key, bytes) in [
        ("sessions:empty", &b""[..]),
        ("sessions:lines", b"$5\r\nhello\r\n+OK\r\n"),
        ("sessions:every", &every),
        ("sessions:\u{2603}\r\n\0 *", "\u{1f980}".as_bytes()),
    ] {
        redis
            .write(&create(key, bytes, in_an_hour()))
            .await
            .unwrap();
        assert_eq!(stored(&redis, key).await.unwrap().unwrap(), bytes);
        assert_eq!(server.bytes(&["GET", key]).unwrap(), bytes);
    }
}

async fn loading_says_nothing_about_the_deadline_and_leaves_it(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    redis
        .write(&create(key, b"{}", in_an_hour()))
        .await
        .unwrap();
    let before = server.command(&["PEXPIRETIME", key]);
    let record = redis.load(&load(key)).await.unwrap().unwrap();
    assert_eq!(record.expires_at, None);
    assert_eq!(server.command(&["PEXPIRETIME", key]), before);
}
