//! The sorted set `sessions:all`: when sessions end that two programs share.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rrss_core::{Action, Backend, Deadline, ErrorKind, Operation, Session, Timestamp, Written};
use rrss_persistence::redis::{Compat, Hashes, Options};
use rrss_test_servers::RedisServer;
use serde_json::json;

use super::support::*;

on_both_servers![
    a_deadline_is_kept_as_the_time_of_the_write_that_it_follows_from,
    an_ended_session_is_none_before_it_is_swept,
    an_ended_session_makes_room_for_another,
    a_touch_and_a_save_that_keep_the_deadline_keep_the_time,
    a_sweep_removes_what_has_ended_and_nothing_else,
    a_sweep_in_batches_removes_up_to_its_limit,
    a_sweep_leaves_what_was_renewed_meanwhile,
    a_sweep_leaves_what_is_no_session,
    a_string_that_the_set_says_has_ended_is_not_overwritten,
    the_set_may_hold_any_time,
    an_emptied_session_ends,
    the_note_of_an_earlier_layout_goes_with_the_first_save,
    a_store_sweeps_by_itself,
];

const DAY: u64 = 86_400_000;
const ALL: &str = "sessions:all";

/// Sessions end a day after their last write.
fn shared(server: &RedisServer) -> Hashes {
    Hashes::new(Options {
        compat: Some(Compat::Rrss02),
        compat_duration: Some(Duration::from_millis(DAY).into()),
        ..generous(&server.url())
    })
    .unwrap()
}

fn op_at(action: Action, now: u64, session: Session, deadline: Deadline) -> Operation {
    let mut op = op(action, KEY, at(now)).with_session(session);
    op.deadline = deadline;
    op
}

fn one() -> Session {
    session(&[("a", "1")])
}

fn until(millis: u64) -> Deadline {
    Deadline::At(at(millis))
}

fn score(server: &RedisServer) -> String {
    server.command(&["ZSCORE", ALL, KEY])
}

async fn a_deadline_is_kept_as_the_time_of_the_write_that_it_follows_from(server: RedisServer) {
    let redis = shared(&server);
    let now = 10 * DAY;
    let create = op_at(Action::Create, now, one(), until(11 * DAY));
    assert_eq!(redis.write(&create).await.unwrap(), Written::Done);
    assert_eq!(
        score(&server),
        now.to_string(),
        "a week from now, written now"
    );
    assert_eq!(entries(&server, KEY), ["a=1"]);
    assert_eq!(server.command(&["PTTL", KEY]), "-1");
    for (deadline, expected) in [
        (until(11 * DAY - 5), (10 * DAY - 5).to_string()),
        (until(20 * DAY), (19 * DAY).to_string()),
        (Deadline::Never, "(nil)".to_owned()),
        (Deadline::Keep, "(nil)".to_owned()),
        (until(12 * DAY), (11 * DAY).to_string()),
        (Deadline::Keep, (11 * DAY).to_string()),
    ] {
        let update = op_at(Action::Update, now, one(), deadline);
        assert_eq!(redis.write(&update).await.unwrap(), Written::Done);
        assert_eq!(score(&server), expected, "{deadline:?}");
        let read = read(&redis, KEY, at(now)).await.unwrap();
        match deadline {
            Deadline::Keep => {}
            deadline => assert_eq!(read.expires_at(), deadline.instant()),
        }
    }
    let end = op_at(Action::Update, now, one(), until(now));
    assert_eq!(redis.write(&end).await.unwrap(), Written::Done);
    assert_eq!(server.command(&["DBSIZE"]), "0");
}

async fn an_ended_session_is_none_before_it_is_swept(server: RedisServer) {
    let redis = shared(&server);
    let put = || {
        server.command(&["HSET", KEY, "a", "1"]);
        server.command(&["ZADD", ALL, "1000", KEY]);
    };
    put();
    let (alive, ended) = (at(DAY + 999), at(DAY + 1_000));
    assert!(read(&redis, KEY, alive).await.is_some());
    assert!(read(&redis, KEY, ended).await.is_none());
    let within = |now| op(Action::Count, "", now);
    for (now, expected) in [(alive, 1), (ended, 0)] {
        assert_eq!(redis.count(&within(now)).await.unwrap(), expected);
        let page = redis.list(&within(now), None, 10).await.unwrap();
        assert_eq!(page.keys.len() as u64, expected);
    }
    for action in [Action::Update, Action::Touch, Action::Delete] {
        put();
        let late = op_at(action.clone(), DAY + 1_000, one(), until(9 * DAY));
        let written = match action {
            Action::Touch => {
                assert_eq!(redis.touch(&late).await.unwrap(), Written::Gone);
                Written::Gone
            }
            Action::Delete => redis.delete(&late).await.unwrap(),
            _ => redis.write(&late).await.unwrap(),
        };
        assert_eq!(written, Written::Gone, "{action:?}");
        assert!(read(&redis, KEY, ended).await.is_none());
    }
}

async fn an_ended_session_makes_room_for_another(server: RedisServer) {
    let redis = shared(&server);
    server.command(&["HSET", KEY, "old", "1"]);
    server.command(&["ZADD", ALL, "1000", KEY]);
    let early = op_at(Action::Create, DAY + 999, one(), until(9 * DAY));
    assert_eq!(redis.write(&early).await.unwrap(), Written::Taken);
    let late = op_at(Action::Create, DAY + 1_000, one(), Deadline::Keep);
    assert_eq!(redis.write(&late).await.unwrap(), Written::Done);
    assert_eq!(entries(&server, KEY), ["a=1"]);
    assert_eq!(
        score(&server),
        "(nil)",
        "a new session without a deadline has none"
    );

    server.command(&["DEL", KEY]);
    server.command(&["ZADD", ALL, "5000", KEY]);
    let new = op_at(Action::Create, 6_000, one(), Deadline::Keep);
    assert_eq!(redis.write(&new).await.unwrap(), Written::Done);
    assert_eq!(score(&server), "(nil)", "what was left of another is gone");
}

async fn a_touch_and_a_save_that_keep_the_deadline_keep_the_time(server: RedisServer) {
    let redis = shared(&server);
    server.command(&["HSET", KEY, "a", "1"]);
    server.command(&["ZADD", ALL, "1000", KEY]);
    let touch = |deadline| {
        let mut op = op(Action::Touch, KEY, at(2_000));
        op.deadline = deadline;
        op
    };
    for (deadline, expected) in [
        (Deadline::Keep, "1000"),
        (until(DAY + 3_000), "3000"),
        (Deadline::Never, "(nil)"),
        (Deadline::Keep, "(nil)"),
        (until(DAY + 4_000), "4000"),
    ] {
        assert_eq!(redis.touch(&touch(deadline)).await.unwrap(), Written::Done);
        assert_eq!(score(&server), expected);
        assert_eq!(entries(&server, KEY), ["a=1"]);
    }
    let save = op_at(
        Action::Update,
        2_000,
        session(&[("b", "2")]),
        Deadline::Keep,
    );
    redis.write(&save).await.unwrap();
    assert_eq!(score(&server), "4000");
    assert_eq!(
        redis.touch(&touch(until(2_000))).await.unwrap(),
        Written::Done
    );
    assert_eq!(
        redis.touch(&touch(until(9 * DAY))).await.unwrap(),
        Written::Gone
    );
    assert_eq!(server.command(&["DBSIZE"]), "0");
}

fn fill(server: &RedisServer, count: u64) {
    for n in 0..count {
        let key = format!("sessions:{n:03}");
        server.command(&["HSET", &key, "a", "1"]);
        server.command(&["ZADD", ALL, &n.to_string(), &key]);
    }
}

async fn sweep(redis: &Hashes, now: u64, limit: usize) -> u64 {
    let op = Operation::new(Action::Sweep { limit }, at(now));
    redis.sweep(&op, limit).await.unwrap()
}

async fn a_sweep_removes_what_has_ended_and_nothing_else(server: RedisServer) {
    let redis = shared(&server);
    assert!(redis.needs_sweep());
    assert_eq!(sweep(&redis, 9 * DAY, 10).await, 0);
    fill(&server, 10);
    server.command(&["HSET", "sessions:endless", "a", "1"]);
    server.command(&["ZADD", ALL, "4", "sessions:empty-one"]);
    assert_eq!(
        sweep(&redis, DAY + 4, 100).await,
        6,
        "five, and one that is not there"
    );
    assert_eq!(sweep(&redis, DAY + 4, 100).await, 0);
    let left = server.command(&["ZRANGE", ALL, "0", "-1"]);
    let expected: Vec<_> = (5..10).map(|n| format!("sessions:{n:03}")).collect();
    assert_eq!(left.lines().collect::<Vec<_>>(), expected);
    let mut keys = expected;
    keys.extend([ALL.to_owned(), "sessions:endless".to_owned()]);
    assert_eq!(server.scan("*"), keys);
}

async fn a_sweep_in_batches_removes_up_to_its_limit(server: RedisServer) {
    let redis = shared(&server);
    fill(&server, 350);
    assert_eq!(sweep(&redis, DAY + 1_000, 0).await, 0);
    for expected in [120, 120, 110, 0] {
        assert_eq!(sweep(&redis, DAY + 1_000, 120).await, expected);
    }
    assert_eq!(server.command(&["DBSIZE"]), "0");
}

/// The sweep asks what has ended, and then has it removed: here one is renewed in between.
async fn a_sweep_leaves_what_was_renewed_meanwhile(server: RedisServer) {
    fill(&server, 3);
    let renewed = "sessions:001";
    let server = Arc::new(server);
    let (url, way) = before_each_script(&server, move |server| {
        server.command(&["ZADD", ALL, "5000", renewed]);
    });
    let redis = Hashes::new(Options {
        compat: Some(Compat::Rrss02),
        compat_duration: Some(Duration::from_millis(DAY).into()),
        ..generous(&url)
    })
    .unwrap();
    assert_eq!(sweep(&redis, DAY + 4_999, 1_000).await, 2);
    assert_eq!(server.scan("*"), [renewed, ALL]);
    assert_eq!(entries(&server, renewed), ["a=1"]);
    // It shares the server, which must be stopped before the test ends.
    drop(redis);
    tokio::task::spawn_blocking(|| way.join().unwrap())
        .await
        .unwrap();
}

/// The URL of a way to `server` on which `act` is done before a script passes.
fn before_each_script(
    server: &Arc<RedisServer>,
    act: impl Fn(&RedisServer) + Send + 'static,
) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let server = Arc::clone(server);
    let way = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut upstream = TcpStream::connect((server.host(), server.port())).unwrap();
        let (mut replies, mut back) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut replies, &mut back));
        let mut buffer = [0; 65_536];
        while let Ok(count @ 1..) = client.read(&mut buffer) {
            let sent = &buffer[..count];
            if sent.windows(7).any(|part| part == b"EVALSHA") {
                act(&server);
            }
            if upstream.write_all(sent).is_err() {
                break;
            }
        }
    });
    (url, way)
}

async fn a_sweep_leaves_what_is_no_session(server: RedisServer) {
    let redis = shared(&server);
    server.command(&["SET", "sessions:string", "hunter2"]);
    server.command(&["RPUSH", "carts:list", "tea"]);
    server.command(&[
        &b"ZADD"[..],
        ALL.as_bytes(),
        b"1",
        b"sessions:string",
        b"1",
        b"carts:list",
        b"1",
        b"\xff",
    ]);
    server.command(&["ZADD", ALL, "1", ALL]);
    assert_eq!(sweep(&redis, 9 * DAY, 100).await, 4);
    assert_eq!(server.scan("*"), ["carts:list", "sessions:string"]);
}

async fn a_string_that_the_set_says_has_ended_is_not_overwritten(server: RedisServer) {
    let redis = shared(&server);
    server.command(&["SET", KEY, "hunter2"]);
    server.command(&["ZADD", ALL, "1", KEY]);
    let update = op_at(Action::Update, 9 * DAY, one(), until(10 * DAY));
    let error = redis.write(&update).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let error = redis
        .touch(&op_at(Action::Touch, 9 * DAY, one(), until(10 * DAY)))
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Corrupt);
    let create = op_at(Action::Create, 9 * DAY, one(), until(10 * DAY));
    assert_eq!(redis.write(&create).await.unwrap(), Written::Taken);
    assert_eq!(server.command(&["GET", KEY]), "hunter2");
}

async fn the_set_may_hold_any_time(server: RedisServer) {
    let redis = shared(&server);
    server.command(&["HSET", KEY, "a", "1"]);
    for (score, ends) in [
        ("1.795369546477E12", Some(1_795_369_546_477 + DAY)),
        ("1000.5", Some(1_001 + DAY)),
        ("inf", Some(u64::MAX)),
        ("-5", Some(DAY)),
        ("9007199254740993", Some(9_007_199_254_740_992 + DAY)),
    ] {
        server.command(&["ZADD", ALL, score, KEY]);
        let session = read(&redis, KEY, at(0)).await.unwrap();
        assert_eq!(
            session.expires_at().map(Timestamp::as_millis),
            ends,
            "{score}"
        );
    }
    server.command(&["ZADD", ALL, "-inf", KEY]);
    assert!(read(&redis, KEY, at(0)).await.is_none());
    assert_eq!(sweep(&redis, 0, 10).await, 1);
    assert_eq!(server.command(&["DBSIZE"]), "0");
}

async fn an_emptied_session_ends(server: RedisServer) {
    let redis = shared(&server);
    let create = op_at(Action::Create, 10 * DAY, one(), until(11 * DAY));
    redis.write(&create).await.unwrap();
    let mut emptied = read(&redis, KEY, at(10 * DAY)).await.unwrap();
    emptied.clear();
    let empty = op_at(Action::Update, 10 * DAY, emptied.clone(), until(11 * DAY));
    assert_eq!(redis.write(&empty).await.unwrap(), Written::Done);
    assert_eq!(server.command(&["DBSIZE"]), "0");
    emptied.insert("b", &2).unwrap();
    let late = op_at(Action::Update, 10 * DAY, emptied, until(11 * DAY));
    assert_eq!(redis.write(&late).await.unwrap(), Written::Gone);
    assert_eq!(server.command(&["DBSIZE"]), "0");

    redis.write(&create).await.unwrap();
    let mut emptied = read(&redis, KEY, at(10 * DAY)).await.unwrap();
    emptied.clear();
    let empty = op_at(Action::Update, 10 * DAY, emptied, Deadline::Keep);
    assert_eq!(redis.write(&empty).await.unwrap(), Written::Done);
    assert_eq!(server.command(&["DBSIZE"]), "0");

    let nothing = op_at(Action::Create, 10 * DAY, Session::new(), until(11 * DAY));
    let refused = redis.write(&nothing).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Value);
    assert_eq!(server.command(&["DBSIZE"]), "0");
}

async fn the_note_of_an_earlier_layout_goes_with_the_first_save(server: RedisServer) {
    let plain = connect(&server);
    plain
        .write(&create(KEY, one(), in_an_hour()))
        .await
        .unwrap();
    let redis = shared(&server);
    let mut read_then = read(&redis, KEY, now()).await.unwrap();
    assert_eq!(fields(&read_then), json!({ "a": 1 }));
    assert!(read_then.written_at().is_some());
    read_then.insert("b", "x").unwrap();
    let form = read_then.stored().unwrap().clone();
    let save = unchanged(update(KEY, read_then, in_an_hour()), &form);
    assert_eq!(redis.write(&save).await.unwrap(), Written::Done);
    assert_eq!(entries(&server, KEY), ["a=1", "b=x"]);
    assert_eq!(
        server.command(&["PTTL", KEY]),
        "-1",
        "the set sees to it now"
    );
    assert!(score(&server).parse::<u64>().is_ok());
}

async fn a_store_sweeps_by_itself(server: RedisServer) {
    let store = store(&server, "compat = \"rrss-0.2\"\n");
    fill(&server, 10);
    assert_eq!(store.sweep().await.unwrap(), 10);
    assert_eq!(server.command(&["DBSIZE"]), "0");
}
