//! The index: which entries an operation puts and removes, what they cost, and that a live session always has its own.

use std::collections::{BTreeMap, BTreeSet};

use rrss_core::{
    Action, Backend, Cursor, Deadline, ErrorKind, Guard, IndexKey, KeySpace, Operation, Timestamp,
    Written,
};
use rrss_persistence::redis::Redis;
use rrss_test_servers::RedisServer;

use super::support::*;

on_both_servers![
    entries_travel_with_the_write_and_cost_these_commands,
    an_entry_of_a_value_that_changed_is_removed_with_the_write,
    a_load_that_wants_the_deadline_gets_it,
    a_set_lives_as_long_as_the_last_of_its_members,
    a_session_without_a_deadline_is_in_a_set_without_one,
    a_deadline_that_comes_nearer_moves_no_entry,
    a_write_that_keeps_the_deadline_puts_an_entry_for_as_long,
    a_session_that_gets_a_deadline_moves_to_the_set_of_those_that_end,
    a_write_of_a_session_that_is_gone_leaves_no_entry,
    a_refused_write_takes_no_entry_of_the_session_that_is_there,
    a_touch_of_no_session_leaves_no_entry,
    a_touch_moves_the_entry_with_the_deadline,
    whatever_ends_a_session_removes_its_entries,
    a_guarded_delete_that_is_refused_leaves_the_entries,
    when_all_sessions_have_expired_nothing_is_left,
    the_first_write_that_compares_makes_its_entries,
    pages_name_every_session_of_the_value_once,
    sessions_of_one_deadline_are_told_apart_between_pages,
    a_session_that_moves_between_pages_is_not_missed,
    what_is_past_its_deadline_is_not_found_and_goes_an_hour_later,
    a_session_that_is_about_to_be_created_keeps_its_entry,
    stores_of_other_templates_do_not_meet,
    entries_are_neither_listed_nor_counted,
    no_key_shows_a_value,
    a_foreign_string_in_place_of_a_set_is_corrupt,
    a_cursor_of_another_backend_is_not_one_to_find_on_from,
];

fn user(name: &str) -> IndexKey {
    IndexKey::of("user", &format!("{name:?}")).unwrap().unwrap()
}

/// The key of the set of the sessions of `name` that end.
fn ending(name: &str) -> String {
    let space = KeySpace::new("sessions:", "");
    user(name).storage_key(&space).as_str().to_owned()
}

/// The key of the set of those that do not.
fn endless(name: &str) -> String {
    ending(name) + ":forever"
}

/// The same operation, putting entries of users and removing others.
fn putting(mut op: Operation, put: &[&str], removed: &[&str]) -> Operation {
    op.index.put = put.iter().map(|name| user(name)).collect();
    op.index.removed = removed.iter().map(|name| user(name)).collect();
    op
}

fn members(server: &RedisServer, set: &str) -> Vec<String> {
    let members = server.command(&["ZRANGE", set, "0", "-1"]);
    members.lines().map(str::to_owned).collect()
}

fn score(server: &RedisServer, set: &str, key: &str) -> u64 {
    let score: f64 = server.command(&["ZSCORE", set, key]).parse().unwrap();
    score as u64
}

fn at(millis: u64) -> Deadline {
    Deadline::At(Timestamp::from_millis(millis))
}

fn hour() -> u64 {
    in_an_hour().instant().unwrap().as_millis()
}

async fn done(redis: &Redis, op: Operation) {
    assert_eq!(redis.write(&op).await.unwrap(), Written::Done);
}

/// Every page of the sessions of `name`.
async fn pages(redis: &Redis, name: &str, limit: usize) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), None::<Cursor>);
    loop {
        let (page, next) = page(redis, name, cursor.as_ref(), limit).await;
        pages.push(page);
        cursor = next;
        if cursor.is_none() {
            return pages;
        }
    }
}

async fn page(
    redis: &Redis,
    name: &str,
    cursor: Option<&Cursor>,
    limit: usize,
) -> (Vec<String>, Option<Cursor>) {
    let found = redis.find(&find(name), &user(name), cursor, limit).await;
    let page = found.unwrap();
    let keys = page.keys.iter().map(|key| key.as_str().to_owned());
    (keys.collect(), page.next)
}

fn find(name: &str) -> Operation {
    let entry = user(name);
    let action = Action::Find {
        entry,
        cursor: None,
        limit: 10,
    };
    op(action, "")
}

async fn found(redis: &Redis, name: &str) -> Vec<String> {
    pages(redis, name, 100).await.concat()
}

/// The commands that the server counted.
fn counted(server: &RedisServer) -> BTreeMap<String, u64> {
    server.command_counts()
}

fn counts<const N: usize>(expected: [(&str, u64); N]) -> BTreeMap<String, u64> {
    expected
        .map(|(name, count)| (name.to_owned(), count))
        .into()
}

/// What was counted, without what depends on whether the server knew the script, and on whether a set must last longer.
fn steady(server: &RedisServer) -> BTreeMap<String, u64> {
    let mut counted = counted(server);
    counted.remove("eval");
    counted.remove("pexpireat");
    counted
}

/// One script that stores the session and one entry of it that ends, and `more`.
fn one_script<const N: usize>(more: [(&str, u64); N]) -> BTreeMap<String, u64> {
    let mut all = counts([
        ("evalsha", 1),
        ("exists", 1),
        ("zadd", 1),
        ("zrem", 1),
        ("zremrangebyscore", 1),
        ("pexpiretime", 1),
    ]);
    for (name, calls) in more {
        *all.entry(name.to_owned()).or_default() += calls;
    }
    all
}

async fn entries_travel_with_the_write_and_cost_these_commands(server: RedisServer) {
    let redis = connect(&server);
    assert!(redis.keeps_index());
    let key = "sessions:1";
    redis.ping().await.unwrap();
    for (op, expected) in [
        (create(key, b"1", in_an_hour()), one_script([("set", 1)])),
        (update(key, b"2", in_an_hour()), one_script([("set", 1)])),
    ] {
        server.reset_counts();
        done(&redis, putting(op, &["ann"], &[])).await;
        assert_eq!(steady(&server), expected);
    }

    for (deadline, expected) in [
        (in_an_hour(), one_script([])),
        (Deadline::Keep, one_script([("pexpiretime", 1)])),
    ] {
        server.reset_counts();
        let op = putting(touch(key, deadline), &["ann"], &[]);
        assert_eq!(redis.touch(&op).await.unwrap(), Written::Done);
        assert_eq!(steady(&server), expected);
    }

    server.reset_counts();
    assert_eq!(found(&redis, "ann").await, [key]);
    assert_eq!(
        counted(&server),
        counts([("zrange", 2), ("zremrangebyscore", 1)])
    );

    server.reset_counts();
    let op = putting(delete(key), &[], &["ann"]);
    assert_eq!(redis.delete(&op).await.unwrap(), Written::Done);
    let expected = [("evalsha", 1), ("exists", 1), ("unlink", 1), ("zrem", 2)];
    assert_eq!(counted(&server), counts(expected));
    assert_eq!(server.scan("*"), Vec::<String>::new());

    let endless = [("evalsha", 1), ("exists", 1), ("zadd", 1), ("zrem", 1)];
    let asks = [("pexpiretime", 1)];
    for (op, expected) in [
        (
            create(key, b"1", Deadline::Keep),
            [&endless[..], &asks, &[("set", 1)]].concat(),
        ),
        (
            update(key, b"2", Deadline::Keep),
            [&endless[..], &asks, &[("set", 1)]].concat(),
        ),
        (
            update(key, b"3", Deadline::Never),
            [&endless[..], &[("set", 1)]].concat(),
        ),
    ] {
        server.reset_counts();
        done(&redis, putting(op, &["ann"], &[])).await;
        let expected = expected
            .into_iter()
            .map(|(name, calls)| (name.to_owned(), calls));
        assert_eq!(steady(&server), expected.collect());
    }
    server.reset_counts();
    let op = putting(touch(key, Deadline::Never), &["ann"], &[]);
    assert_eq!(redis.touch(&op).await.unwrap(), Written::Done);
    let expected = [
        ("evalsha", 1),
        ("exists", 1),
        ("zadd", 1),
        ("zrem", 1),
        ("persist", 1),
    ];
    assert_eq!(counted(&server), counts(expected));
}

async fn an_entry_of_a_value_that_changed_is_removed_with_the_write(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    let op = create(key, b"1", in_an_hour());
    done(&redis, putting(op, &["ann"], &[])).await;
    server.reset_counts();
    let op = update(key, b"2", in_an_hour());
    done(&redis, putting(op, &["eve"], &["ann"])).await;
    assert_eq!(steady(&server), one_script([("set", 1), ("zrem", 2)]));
    assert_eq!(found(&redis, "ann").await, Vec::<String>::new());
    assert_eq!(found(&redis, "eve").await, [key]);
    assert_eq!(server.scan("*").len(), 2);

    server.reset_counts();
    let op = update(key, b"3", in_an_hour());
    done(&redis, putting(op, &[], &["eve", "nobody"])).await;
    let expected = [("evalsha", 1), ("exists", 1), ("set", 1), ("zrem", 4)];
    assert_eq!(steady(&server), counts(expected));
    assert_eq!(server.scan("*"), [key]);
}

async fn a_load_that_wants_the_deadline_gets_it(server: RedisServer) {
    let redis = connect(&server);
    let hour = hour();
    let mut wants = load("sessions:1");
    wants.wants_deadline = true;
    assert!(redis.load(&wants).await.unwrap().is_none());

    for (deadline, expected) in [
        (at(hour), Some(Timestamp::from_millis(hour))),
        (Deadline::Never, None),
    ] {
        server.command(&["UNLINK", "sessions:1"]);
        done(&redis, create("sessions:1", b"{}", deadline)).await;
        server.reset_counts();
        let record = redis.load(&wants).await.unwrap().unwrap();
        assert_eq!(record.expires_at, expected);
        assert_eq!(record.payload.bytes().unwrap(), "{}");
        assert_eq!(counted(&server), counts([("get", 1), ("pexpiretime", 1)]));
    }
    server.command(&["HSET", "sessions:2", "visits", "1"]);
    wants.key = load("sessions:2").key;
    let error = redis.load(&wants).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

async fn a_set_lives_as_long_as_the_last_of_its_members(server: RedisServer) {
    let redis = connect(&server);
    let hour = hour();
    for (key, deadline, lives_until) in [
        ("sessions:1", hour, hour),
        ("sessions:2", hour + 5_000, hour + 5_000),
        ("sessions:3", hour - 5_000, hour + 5_000),
    ] {
        done(
            &redis,
            putting(create(key, b"1", at(deadline)), &["ann"], &[]),
        )
        .await;
        let set = ending("ann");
        assert_eq!(
            server.command(&["PEXPIRETIME", &set]),
            lives_until.to_string()
        );
        assert_eq!(score(&server, &set, key), deadline);
    }
    assert_eq!(members(&server, &endless("ann")), Vec::<String>::new());
}

async fn a_session_without_a_deadline_is_in_a_set_without_one(server: RedisServer) {
    let redis = connect(&server);
    let op = create("sessions:1", b"1", Deadline::Keep);
    done(&redis, putting(op, &["ann"], &[])).await;
    let op = create("sessions:2", b"1", in_an_hour());
    done(&redis, putting(op, &["ann"], &[])).await;
    assert_eq!(members(&server, &endless("ann")), ["sessions:1"]);
    assert_eq!(server.command(&["PTTL", &endless("ann")]), "-1");
    assert_eq!(members(&server, &ending("ann")), ["sessions:2"]);
    assert_eq!(found(&redis, "ann").await, ["sessions:1", "sessions:2"]);
}

/// The write may still be refused, and then the session lives on.
async fn a_deadline_that_comes_nearer_moves_no_entry(server: RedisServer) {
    let redis = connect(&server);
    let (key, hour) = ("sessions:1", hour());
    done(&redis, putting(create(key, b"1", at(hour)), &["ann"], &[])).await;
    let mut refused = update(key, b"2", at(hour - 5_000));
    refused.guard = Guard::Unchanged(bytes::Bytes::from_static(b"other").into());
    let refused = putting(refused, &["ann"], &[]);
    assert_eq!(redis.write(&refused).await.unwrap(), Written::Changed);
    let nearer = putting(touch(key, at(hour - 5_000)), &["ann"], &[]);
    assert_eq!(redis.touch(&nearer).await.unwrap(), Written::Done);
    let set = ending("ann");
    assert_eq!(score(&server, &set, key), hour);
    assert_eq!(server.command(&["PEXPIRETIME", &set]), hour.to_string());
}

async fn a_write_that_keeps_the_deadline_puts_an_entry_for_as_long(server: RedisServer) {
    let redis = connect(&server);
    let (key, hour) = ("sessions:1", hour());
    done(&redis, create(key, b"1", at(hour))).await;
    let op = update(key, b"2", Deadline::Keep);
    done(&redis, putting(op, &["ann"], &[])).await;
    assert_eq!(score(&server, &ending("ann"), key), hour);
    assert_eq!(server.command(&["EXISTS", &endless("ann")]), "0");
    assert_eq!(server.command(&["PEXPIRETIME", key]), hour.to_string());

    done(&redis, create("sessions:2", b"1", Deadline::Never)).await;
    let op = update("sessions:2", b"2", Deadline::Keep);
    done(&redis, putting(op, &["eve"], &[])).await;
    assert_eq!(members(&server, &endless("eve")), ["sessions:2"]);
    assert_eq!(server.command(&["EXISTS", &ending("eve")]), "0");
}

async fn a_session_that_gets_a_deadline_moves_to_the_set_of_those_that_end(server: RedisServer) {
    let redis = connect(&server);
    for (name, op) in [
        ("ann", update("sessions:1", b"2", in_an_hour())),
        ("eve", touch("sessions:2", in_an_hour())),
    ] {
        let key = op.key().unwrap().as_str().to_owned();
        let first = create(&key, b"1", Deadline::Keep);
        done(&redis, putting(first, &[name], &[])).await;
        let op = putting(op, &[name], &[]);
        match op.action() {
            Action::Touch => assert_eq!(redis.touch(&op).await.unwrap(), Written::Done),
            _ => done(&redis, op).await,
        }
        assert_eq!(members(&server, &ending(name)), [key.as_str()]);
        assert_eq!(server.command(&["EXISTS", &endless(name)]), "0");

        let back = putting(touch(&key, Deadline::Never), &[name], &[]);
        assert_eq!(redis.touch(&back).await.unwrap(), Written::Done);
        assert_eq!(members(&server, &endless(name)), [key.as_str()]);
        assert_eq!(found(&redis, name).await, [key]);
    }
}

async fn a_write_of_a_session_that_is_gone_leaves_no_entry(server: RedisServer) {
    let redis = connect(&server);
    for deadline in [in_an_hour(), Deadline::Keep, Deadline::Never] {
        let op = putting(update("sessions:1", b"1", deadline), &["ann"], &["eve"]);
        assert_eq!(redis.write(&op).await.unwrap(), Written::Gone);
        assert_eq!(server.scan("*"), Vec::<String>::new(), "{deadline:?}");
    }
    // Where the server cannot tell that it is gone, an entry that would have no end goes all the same.
    let mut op = update("sessions:1", b"1", Deadline::Keep);
    op.guard = Guard::Unchanged(bytes::Bytes::from_static(b"0").into());
    redis.write(&putting(op, &["ann"], &[])).await.unwrap();
    assert_eq!(server.scan("*"), Vec::<String>::new());
}

async fn a_refused_write_takes_no_entry_of_the_session_that_is_there(server: RedisServer) {
    let redis = connect(&server);
    for (key, deadline) in [
        ("sessions:1", in_an_hour()),
        ("sessions:2", Deadline::Keep),
        ("sessions:3", Deadline::Never),
    ] {
        done(&redis, putting(create(key, b"1", deadline), &["ann"], &[])).await;
        let mut op = update(key, b"2", deadline);
        op.guard = Guard::Unchanged(bytes::Bytes::from_static(b"0").into());
        for op in [
            putting(op.clone(), &["ann"], &[]),
            putting(op, &["eve"], &["ann"]),
        ] {
            assert_eq!(redis.write(&op).await.unwrap(), Written::Changed);
            assert!(found(&redis, "ann").await.contains(&key.to_owned()));
        }
        let taken = putting(create(key, b"3", deadline), &["ann"], &[]);
        assert_eq!(redis.write(&taken).await.unwrap(), Written::Taken);
        assert!(found(&redis, "ann").await.contains(&key.to_owned()));
        // What was put without end, and is not needed, is taken back.
        assert_eq!(server.command(&["EXISTS", &endless("eve")]), "0");
    }
}

async fn a_touch_of_no_session_leaves_no_entry(server: RedisServer) {
    let redis = connect(&server);
    let past = at(1);
    for deadline in [in_an_hour(), Deadline::Keep, Deadline::Never, past] {
        let op = putting(touch("sessions:1", deadline), &["ann"], &[]);
        assert_eq!(redis.touch(&op).await.unwrap(), Written::Gone);
        assert_eq!(server.scan("*"), Vec::<String>::new(), "{deadline:?}");
    }
}

async fn a_touch_moves_the_entry_with_the_deadline(server: RedisServer) {
    let redis = connect(&server);
    let (key, hour) = ("sessions:1", hour());
    done(&redis, putting(create(key, b"1", at(hour)), &["ann"], &[])).await;
    let op = putting(touch(key, at(hour + 5_000)), &["ann"], &[]);
    assert_eq!(redis.touch(&op).await.unwrap(), Written::Done);
    let set = ending("ann");
    assert_eq!(score(&server, &set, key), hour + 5_000);
    let lives_until = server.command(&["PEXPIRETIME", &set]);
    assert_eq!(lives_until, (hour + 5_000).to_string());
}

async fn whatever_ends_a_session_removes_its_entries(server: RedisServer) {
    let redis = connect(&server);
    let (key, past) = ("sessions:1", at(1));
    let loaded = || Guard::Unchanged(bytes::Bytes::from_static(b"1").into());
    let mut guarded_delete = delete(key);
    guarded_delete.guard = loaded();
    let mut guarded_update = update(key, b"2", past);
    guarded_update.guard = loaded();
    for deadline in [in_an_hour(), Deadline::Keep] {
        for op in [
            putting(delete(key), &[], &["ann", "eve"]),
            putting(guarded_delete.clone(), &[], &["ann", "eve"]),
            putting(update(key, b"2", past), &["ann"], &["eve"]),
            putting(guarded_update.clone(), &["ann"], &["eve"]),
            putting(touch(key, past), &["ann", "eve"], &[]),
        ] {
            let first = create(key, b"1", deadline);
            done(&redis, putting(first, &["ann", "eve"], &[])).await;
            match op.action() {
                Action::Delete => {
                    assert_eq!(redis.delete(&op).await.unwrap(), Written::Done);
                }
                Action::Touch => assert_eq!(redis.touch(&op).await.unwrap(), Written::Done),
                _ => done(&redis, op).await,
            }
            assert_eq!(server.scan("*"), Vec::<String>::new());
        }
    }
    done(&redis, putting(create(key, b"1", past), &["ann"], &[])).await;
    assert_eq!(server.scan("*"), Vec::<String>::new());
}

async fn a_guarded_delete_that_is_refused_leaves_the_entries(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    let op = create(key, b"1", in_an_hour());
    done(&redis, putting(op, &["ann"], &[])).await;
    let mut op = delete(key);
    op.guard = Guard::Unchanged(bytes::Bytes::from_static(b"0").into());
    let op = putting(op, &[], &["ann"]);
    assert_eq!(redis.delete(&op).await.unwrap(), Written::Changed);
    assert_eq!(found(&redis, "ann").await, [key]);
}

/// Every key ends by itself, and no later than the session that ends last.
async fn when_all_sessions_have_expired_nothing_is_left(server: RedisServer) {
    let redis = connect(&server);
    let hour = hour();
    for n in 0..20 {
        let op = create(&format!("sessions:{n}"), b"1", at(hour + n));
        let own = format!("user {n}");
        done(&redis, putting(op, &["ann", &own], &[])).await;
    }
    // Each is changed by a way of its own before it ends.
    let op = putting(
        update("sessions:0", b"2", Deadline::Keep),
        &["ann", "new"],
        &["user 0"],
    );
    done(&redis, op).await;
    for deadline in [Deadline::Never, at(hour + 19)] {
        let op = putting(touch("sessions:1", deadline), &["ann", "user 1"], &[]);
        assert_eq!(redis.touch(&op).await.unwrap(), Written::Done);
    }
    let op = putting(delete("sessions:2"), &[], &["ann", "user 2"]);
    assert_eq!(redis.delete(&op).await.unwrap(), Written::Done);
    let keys = server.scan("*");
    assert!(keys.len() > 19, "{keys:?}");
    for key in keys {
        let ends: i64 = server.command(&["PEXPIRETIME", &key]).parse().unwrap();
        let ends = u64::try_from(ends).expect("it has a deadline");
        assert!((hour..=hour + 19).contains(&ends), "{key} ends at {ends}");
    }
}

/// Neither `SET … IFEQ` nor the script is known to every server, and the entries are put once.
async fn the_first_write_that_compares_makes_its_entries(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    done(&redis, create(key, b"1", in_an_hour())).await;
    let mut op = update(key, b"2", Deadline::Keep);
    op.guard = Guard::Unchanged(bytes::Bytes::from_static(b"1").into());
    server.reset_counts();
    done(&redis, putting(op, &["ann"], &[])).await;
    assert_eq!(stored(&redis, key).await.unwrap().unwrap(), "2");
    assert_eq!(found(&redis, "ann").await, [key]);
    // Until the deadline that the session keeps.
    assert_eq!(counted(&server)["zadd"], 1);
}

async fn pages_name_every_session_of_the_value_once(server: RedisServer) {
    let redis = connect(&server);
    let mut all = BTreeSet::new();
    for n in 0..32 {
        let deadline = match n % 3 {
            0 => Deadline::Keep,
            _ => at(hour() + n),
        };
        let key = format!("sessions:{n}");
        done(&redis, putting(create(&key, b"1", deadline), &["ann"], &[])).await;
        all.insert(key);
    }
    for limit in [0, 1, 5, 11, 31, 32, 33, 5_000] {
        let pages = pages(&redis, "ann", limit).await;
        assert!(pages.iter().all(|page| page.len() <= limit.max(1)));
        let named: Vec<_> = pages.concat();
        assert_eq!(named.len(), all.len(), "{limit}");
        assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), all, "{limit}");
    }
    server.reset_counts();
    let count = pages(&redis, "ann", 5).await.len() as u64;
    let counts = counted(&server);
    assert!(counts["zrange"] <= 2 * count && counts["zremrangebyscore"] == 1);
    assert_eq!(found(&redis, "eve").await, Vec::<String>::new());
}

async fn sessions_of_one_deadline_are_told_apart_between_pages(server: RedisServer) {
    let redis = connect(&server);
    let hour = hour();
    let mut all = BTreeSet::new();
    for n in 0..12 {
        let key = format!("sessions:{n}");
        done(&redis, putting(create(&key, b"1", at(hour)), &["ann"], &[])).await;
        all.insert(key);
    }
    for limit in [1, 5] {
        let named = pages(&redis, "ann", limit).await.concat();
        assert_eq!(named.len(), all.len());
        assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), all);
    }
    // One that goes between two pages takes no other with it.
    let (first, next) = page(&redis, "ann", None, 5).await;
    for key in &first[..3] {
        redis
            .delete(&putting(delete(key), &[], &["ann"]))
            .await
            .unwrap();
    }
    let (mut named, mut cursor) = (first, next);
    while let Some(place) = cursor {
        let (more, next) = page(&redis, "ann", Some(&place), 5).await;
        named.extend(more);
        cursor = next;
    }
    assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), all);
}

async fn a_session_that_moves_between_pages_is_not_missed(server: RedisServer) {
    let redis = connect(&server);
    let hour = hour();
    for n in 0..6 {
        let deadline = if n < 3 { Deadline::Keep } else { at(hour + n) };
        let op = create(&format!("sessions:{n}"), b"1", deadline);
        done(&redis, putting(op, &["ann"], &[])).await;
    }
    let (mut named, mut cursor) = page(&redis, "ann", None, 1).await;
    // Those behind it gain a deadline, lose it, or get another.
    for (n, deadline) in [
        (1, at(hour + 1)),
        (2, at(hour + 9)),
        (3, Deadline::Never),
        (4, at(hour + 8)),
    ] {
        let op = touch(&format!("sessions:{n}"), deadline);
        assert_eq!(
            redis.touch(&putting(op, &["ann"], &[])).await.unwrap(),
            Written::Done
        );
    }
    while let Some(place) = cursor {
        let (more, next) = page(&redis, "ann", Some(&place), 1).await;
        named.extend(more);
        cursor = next;
    }
    let named: BTreeSet<_> = named.into_iter().collect();
    let all = (0..6).map(|n| format!("sessions:{n}"));
    assert_eq!(named, all.collect());
}

async fn what_is_past_its_deadline_is_not_found_and_goes_an_hour_later(server: RedisServer) {
    let redis = connect(&server);
    let hour = hour();
    for (key, deadline) in [("sessions:1", hour), ("sessions:2", hour + 5_000_000)] {
        let op = create(key, b"1", at(deadline));
        done(&redis, putting(op, &["ann"], &[])).await;
    }
    let find_at = async |millis| {
        let entry = user("ann");
        let mut op = Operation::new(find("ann").action().clone(), Timestamp::from_millis(millis));
        op.key_space = Some(KeySpace::new("sessions:", ""));
        let page = redis.find(&op, &entry, None, 10).await.unwrap();
        page.keys.len()
    };
    assert_eq!(find_at(hour - 1).await, 2);
    assert_eq!(find_at(hour).await, 1);
    assert_eq!(members(&server, &ending("ann")).len(), 2);
    assert_eq!(find_at(hour + 3_600_000).await, 1);
    assert_eq!(members(&server, &ending("ann")).len(), 2);
    assert_eq!(find_at(hour + 3_600_002).await, 1);
    assert_eq!(members(&server, &ending("ann")), ["sessions:2"]);
}

async fn a_session_that_is_about_to_be_created_keeps_its_entry(server: RedisServer) {
    let redis = connect(&server);
    let until = (hour() + 1).to_string();
    server.command(&["ZADD", &ending("ann"), &until, "sessions:1"]);
    server.command(&["ZADD", &endless("ann"), "1", "sessions:2"]);
    for _ in 0..2 {
        assert_eq!(found(&redis, "ann").await, ["sessions:2", "sessions:1"]);
    }
}

async fn stores_of_other_templates_do_not_meet(server: RedisServer) {
    let redis = connect(&server);
    let spaces = [
        KeySpace::new("sessions:", "").with_middle_of(1),
        KeySpace::new("sessions:", ":data").with_middle_of(1),
        KeySpace::new("shop:", ""),
    ];
    let keys = ["sessions:1", "sessions:1:data", "shop:1"];
    for (space, key) in spaces.iter().zip(keys) {
        let mut op = putting(create(key, b"1", in_an_hour()), &["ann"], &[]);
        op.key_space = Some(space.clone());
        done(&redis, op).await;
    }
    for (space, key) in spaces.iter().zip(keys) {
        let mut op = find("ann");
        op.key_space = Some(space.clone());
        let page = redis.find(&op, &user("ann"), None, 10).await.unwrap();
        let named: Vec<_> = page
            .keys
            .iter()
            .map(rrss_core::StorageKey::as_str)
            .collect();
        assert_eq!(named, [key]);
    }
}

async fn entries_are_neither_listed_nor_counted(server: RedisServer) {
    let redis = connect(&server);
    for (key, deadline) in [
        ("sessions:1", in_an_hour()),
        ("sessions:2", Deadline::Never),
    ] {
        let op = create(key, b"1", deadline);
        done(&redis, putting(op, &["ann", "eve"], &[])).await;
    }
    assert_eq!(redis.count(&load("")).await.unwrap(), 2);
    let page = redis.list(&load(""), None, 100).await.unwrap();
    assert_eq!(page.keys.len(), 2);
}

async fn no_key_shows_a_value(server: RedisServer) {
    let redis = connect(&server);
    for (key, deadline) in [
        ("sessions:1", in_an_hour()),
        ("sessions:2", Deadline::Never),
    ] {
        let op = create(key, b"1", deadline);
        done(&redis, putting(op, &["hunter2"], &[])).await;
    }
    let keys = server.scan("*");
    assert_eq!(keys.len(), 4);
    for key in keys {
        assert!(!key.contains("hunter2"), "{key}");
        assert!(key.starts_with("sessions:"), "{key}");
    }
}

async fn a_foreign_string_in_place_of_a_set_is_corrupt(server: RedisServer) {
    let redis = connect(&server);
    server.command(&["SET", &ending("ann"), "foreign"]);
    let op = putting(create("sessions:1", b"1", in_an_hour()), &["ann"], &[]);
    let error = redis.write(&op).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let finding = redis.find(&find("ann"), &user("ann"), None, 10).await;
    assert_eq!(finding.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(server.command(&["GET", &ending("ann")]), "foreign");
}

async fn a_cursor_of_another_backend_is_not_one_to_find_on_from(server: RedisServer) {
    let redis = connect(&server);
    for foreign in [
        &b""[..],
        b"7",
        b"sessions:1",
        b"e1234567",
        b"eeeeeeeeeeeeeeeeee",
    ] {
        let cursor = Cursor::from(foreign.to_vec());
        let (op, entry) = (find("ann"), user("ann"));
        let finding = redis.find(&op, &entry, Some(&cursor), 10);
        assert_eq!(finding.await.unwrap_err().kind(), ErrorKind::Value);
    }
}
