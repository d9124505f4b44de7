//! Listing and counting by `SCAN`.

use std::collections::BTreeSet;
use std::time::Duration;

use rrss_core::{Backend, Cursor, ErrorKind, Operation};
use rrss_persistence::redis::Redis;
use rrss_test_servers::{Flavor, RedisServer};

use super::support::*;

on_both_servers![
    a_thousand_keys_are_listed_over_pages,
    a_page_is_about_as_long_as_was_asked,
    foreign_keys_and_foreign_types_are_neither_listed_nor_counted,
    what_means_something_in_a_pattern_means_itself,
    a_cursor_of_another_backend_is_refused,
];

fn fill(server: &RedisServer, count: usize) -> BTreeSet<String> {
    let names: BTreeSet<String> = (0..count).map(|n| format!("sessions:{n}")).collect();
    let mut command = vec!["MSET".to_owned()];
    command.extend(names.iter().flat_map(|key| [key.clone(), "{}".to_owned()]));
    server.command(&command);
    names
}

/// The keys of each page.
async fn pages(redis: &Redis, op: &Operation, limit: usize) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), None::<Cursor>);
    loop {
        let page = redis.list(op, cursor.as_ref(), limit).await.unwrap();
        pages.push(
            page.keys
                .iter()
                .map(|key| key.as_str().to_owned())
                .collect(),
        );
        match page.next {
            Some(next) => cursor = Some(next),
            None => return pages,
        }
    }
}

async fn names(redis: &Redis, op: &Operation) -> BTreeSet<String> {
    pages(redis, op, 100).await.into_iter().flatten().collect()
}

async fn a_thousand_keys_are_listed_over_pages(server: RedisServer) {
    let redis = connect(&server);
    let all = fill(&server, 1_000);
    server.reset_counts();
    let pages = pages(&redis, &load(""), 100).await;
    let counts = server.command_counts();
    assert_eq!(counts["scan"], pages.len() as u64);
    assert!(!counts.contains_key("keys"));
    assert!(pages.len() > 5, "{} pages", pages.len());
    assert_eq!(pages.into_iter().flatten().collect::<BTreeSet<_>>(), all);

    server.reset_counts();
    assert_eq!(redis.count(&load("")).await.unwrap(), 1_000);
    let counts = server.command_counts();
    assert!(
        !counts.contains_key("keys") && counts["scan"] <= 2,
        "{counts:?}"
    );
}

/// However much is asked for, the server looks at no more than a thousand keys at once.
async fn a_page_is_about_as_long_as_was_asked(server: RedisServer) {
    let redis = connect(&server);
    let all = fill(&server, 5_000);
    for (limit, most) in [(0, 40), (1, 40), (10, 40), (100, 200), (usize::MAX, 2_000)] {
        let pages = pages(&redis, &load(""), limit).await;
        let longest = pages.iter().map(Vec::len).max().unwrap();
        assert!(longest <= most, "{longest} for {limit}");
        assert_eq!(pages.into_iter().flatten().collect::<BTreeSet<_>>(), all);
    }
    assert_eq!(redis.count(&load("")).await.unwrap(), 5_000);
}

async fn foreign_keys_and_foreign_types_are_neither_listed_nor_counted(server: RedisServer) {
    let redis = connect(&server);
    server.command(&["MSET", "sessions:1:data", "{}", "sessions:2:data", "{}"]);
    for foreign in [
        "sessions",
        "session:1:data",
        "xsessions:1:data",
        "sessions:1:datum",
    ] {
        server.command(&["SET", foreign, "{}"]);
    }
    server.command(&["HSET", "sessions:3:data", "visits", "1"]);
    server.command(&["ZADD", "sessions:all:data", "1", "sessions:1"]);
    server.command(&[&b"SET"[..], b"sessions:\xff:data", b"{}"]);
    let space = within("sessions:", ":data");
    let expected = ["sessions:1:data", "sessions:2:data"].map(str::to_owned);
    assert_eq!(names(&redis, &space).await, expected.into());
    assert_eq!(redis.count(&space).await.unwrap(), 2);
    assert_eq!(redis.count(&within("nothing:", "")).await.unwrap(), 0);
}

async fn what_means_something_in_a_pattern_means_itself(server: RedisServer) {
    let redis = connect(&server);
    for (space, own, foreign) in [
        (("s*:", ""), "s*:1", "sx:1"),
        (("s?:", ""), "s?:1", "sx:1"),
        (("s[ab]:", ""), "s[ab]:1", "sa:1"),
        (("s[^a]:", ""), "s[^a]:1", "sb:1"),
        (("s\\:", ""), "s\\:1", "s:1"),
        (("s:", "*"), "s:1*", "s:1x"),
        (("s:", "\\"), "s:1\\", "s:1"),
        (("{s}:", ""), "{s}:1", "{t}:1"),
    ] {
        server.command(&["FLUSHALL"]);
        server.command(&["MSET", own, "{}", foreign, "{}"]);
        let space = within(space.0, space.1);
        assert_eq!(names(&redis, &space).await, [own.to_owned()].into());
        assert_eq!(redis.count(&space).await.unwrap(), 1, "{own}");
    }
}

async fn a_cursor_of_another_backend_is_refused(server: RedisServer) {
    let redis = connect(&server);
    let cursor = Cursor::from(b"sessions:1".to_vec());
    let error = redis.list(&load(""), Some(&cursor), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
}

/// With the server's own expiry cycle turned off, the key is still in the database.
#[tokio::test]
async fn what_has_expired_and_was_not_removed_yet_is_neither_listed_nor_counted() {
    for flavor in Flavor::ALL {
        let server = RedisServer::builder(flavor)
            .arg("--enable-debug-command", "yes")
            .start();
        let redis = connect(&server);
        server.command(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        server.command(&["SET", "sessions:1", "{}"]);
        server.command(&["SET", "sessions:2", "{}", "PX", "1"]);
        server.command(&["SET", "sessions:3", "{}", "PX", "1"]);
        let begun = now();
        eventually(|| now() > begun + Duration::from_millis(2)).await;
        assert_eq!(server.command(&["DBSIZE"]), "3");
        assert_eq!(redis.count(&load("")).await.unwrap(), 1);
        assert_eq!(
            names(&redis, &load("")).await,
            ["sessions:1".to_owned()].into()
        );
        assert_eq!(stored(&redis, "sessions:2").await.unwrap(), None);
    }
}
