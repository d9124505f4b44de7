//! How large a hash may be, and what a hash costs that is larger.

use rrss_core::{Action, Backend, ErrorKind, Session};
use rrss_persistence::redis::{Hashes, Options};
use rrss_test_servers::RedisServer;

use super::support::*;

on_both_servers![
    as_many_fields_as_there_may_be_are_saved_and_read_and_one_more_is_neither,
    a_session_that_is_too_large_is_neither_saved_nor_read,
    of_a_hash_of_a_million_entries_a_load_asks_for_no_more_than_there_may_be,
    a_hash_that_was_large_and_shrank_during_a_snapshot_is_read_whole,
];

async fn as_many_fields_as_there_may_be_are_saved_and_read_and_one_more_is_neither(
    server: RedisServer,
) {
    // Small hashes are kept in another way than large ones.
    for most in [1, 100, 1_000] {
        let store = store(&server, &format!("max_fields = {most}"));
        let mut saved = Session::new();
        for n in 0..most {
            saved.insert(&format!("field{n}"), &n).unwrap();
        }
        store.save(&mut saved).await.unwrap();
        let mut read = loaded(&store, &saved).await;
        assert_eq!(fields(&read), fields(&saved));

        read.insert("more", &1).unwrap();
        let mut new = Session::new();
        new.copy_fields_of(&read);
        for session in [&mut read, &mut new] {
            let error = store.save(session).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge);
            let told = format!("has {} fields, and `max_fields` allows {most}", most + 1);
            assert!(error.to_string().contains(&told), "{error}");
        }
        server.command(&["HSET", &key_of(&saved), "more", "1"]);
        let error = store.load(saved.id().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let told = format!("more fields than `max_fields` allows ({most})");
        assert!(error.to_string().contains(&told), "{error}");
        assert_eq!(server.command(&["HGET", &key_of(&saved), "more"]), "1");
    }
}

async fn a_session_that_is_too_large_is_neither_saved_nor_read(server: RedisServer) {
    let store = store(&server, "max_bytes = 100");
    let mut saved = session(&[("a", "1")]);
    saved.insert("text", &"x".repeat(92)).unwrap();
    store.save(&mut saved).await.unwrap();
    assert_eq!(fields(&loaded(&store, &saved).await), fields(&saved));

    saved.insert("a", &10).unwrap();
    let error = store.save(&mut saved).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let told = "101 bytes, and `max_bytes` allows 100";
    assert!(error.to_string().contains(told), "{error}");

    server.command(&["HSET", &key_of(&saved), "text", &"hunter2".repeat(100)]);
    let error = store.load(saved.id().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let text = error.to_string();
    assert!(text.contains("`max_bytes` allows 100"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

async fn of_a_hash_of_a_million_entries_a_load_asks_for_no_more_than_there_may_be(
    server: RedisServer,
) {
    let redis = connect(&server);
    server.command(&["EVAL", FILL, "1", KEY, "0", "1000000"]);
    let before = sent(&server);
    let error = redis.load(&op(Action::Load, KEY, now())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(
        error.to_string().contains("`max_fields` allows (1000)"),
        "{error}"
    );
    let told = sent(&server) - before;
    assert!(told < 100_000, "{told} bytes");
}

/// While a child writes a snapshot a server leaves tables as they are, so a scan of as many places as would be enough for a
/// table of any other kind ends before the last entry.
async fn a_hash_that_was_large_and_shrank_during_a_snapshot_is_read_whole(server: RedisServer) {
    let redis = Hashes::new(Options {
        max_fields: Some(10.try_into().unwrap()),
        ..generous(&server.url())
    })
    .unwrap();
    server.command(&["EVAL", FILL, "1", KEY, "0", "100000"]);
    // Half an hour for each key: a snapshot that goes on to the end of the test.
    server.command(&["CONFIG", "SET", "rdb-key-save-delay", "2000000000"]);
    server.command(&["BGSAVE"]);
    let emptied = "for n = 5, 100000 do redis.call('HDEL', KEYS[1], 'f' .. n) end";
    server.command(&["EVAL", emptied, "1", KEY]);
    assert!(
        server
            .command(&["INFO", "persistence"])
            .contains("rdb_bgsave_in_progress:1")
    );
    let first = server.command(&["HSCAN", KEY, "0", "COUNT", "12"]);
    assert_ne!(
        first.lines().next(),
        Some("0"),
        "the table was made smaller"
    );

    for wants_deadline in [false, true] {
        let mut load = op(Action::Load, KEY, now());
        load.wants_deadline = wants_deadline;
        let record = redis.load(&load).await.unwrap().unwrap();
        let found = fields(record.payload.session().unwrap());
        let expected = serde_json::json!({ "f1": "v1", "f2": "v2", "f3": "v3", "f4": "v4" });
        assert_eq!(found, expected);
    }
}

const FILL: &str =
    "for n = ARGV[1] + 1, ARGV[2] do redis.call('HSET', KEYS[1], 'f' .. n, 'v' .. n) end";

/// How many bytes the server has sent so far.
fn sent(server: &RedisServer) -> u64 {
    let stats = server.command(&["INFO", "stats"]);
    let line = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_net_output_bytes:"));
    line.unwrap().trim().parse().unwrap()
}
