//! The notes of expired sessions: where they are, what becomes of one whose write was refused, and that a note is never missing.

use std::time::Duration;

use rrss_core::{
    Action, Backend, Deadline, ErrorKind, ExpiredNote, Guard, KeySpace, NoteChange, Operation,
    StorageKey, Timestamp, Written,
};
use rrss_persistence::redis::Redis;
use rrss_test_servers::RedisServer;

use super::support::*;

on_both_servers![
    a_note_and_a_deadline_are_in_one_of_16_parts,
    the_keys_end_when_the_last_note_may_be_dropped,
    without_a_note_no_key_and_no_command_is_for_one,
    late_writes_of_a_deleted_session_leave_no_note,
    late_writes_of_an_expired_session_leave_its_deadline,
    a_refused_write_with_a_later_deadline_does_not_make_it_be_told_later,
    a_refused_end_of_a_session_that_lives_leaves_its_note,
    a_session_that_was_stored_before_notes_were_kept_gets_one_by_any_write,
    a_write_that_keeps_deadline_and_note_is_one_round_trip,
    a_session_that_lives_longer_than_is_known_is_looked_for_again_then,
    what_was_taken_from_a_key_that_is_used_again_is_not_forgotten,
    two_clients_never_take_the_same,
    stores_of_other_templates_take_their_own,
    a_foreign_string_in_place_of_the_notes_is_corrupt,
];

const LONG: Duration = Duration::from_secs(3_600);

fn noted(mut op: Operation, note: &str) -> Operation {
    op.index.note = NoteChange::Keep {
        note: note.to_owned().into(),
        after: LONG,
    };
    op
}

/// A delete by who knows of notes.
fn end(key: &str) -> Operation {
    let mut op = delete(key);
    op.index.note = NoteChange::Remove;
    op
}

fn guarded(mut op: Operation, loaded: &'static [u8]) -> Operation {
    op.guard = Guard::Unchanged(bytes::Bytes::from_static(loaded).into());
    op
}

async fn done(redis: &Redis, op: &Operation) {
    assert_eq!(redis.write(op).await.unwrap(), Written::Done);
}

async fn take(redis: &Redis, limit: usize) -> Vec<ExpiredNote> {
    let op = op(Action::Count, "");
    redis.take_expired(&op, limit, LONG, LONG).await.unwrap()
}

fn keys(notes: &[ExpiredNote]) -> Vec<&str> {
    notes.iter().map(|note| note.key.as_str()).collect()
}

async fn forget(redis: &Redis, keys: &[&str]) -> u64 {
    let keys: Vec<_> = keys
        .iter()
        .map(|key| StorageKey::from((*key).to_owned()))
        .collect();
    redis
        .forget_expired(&op(Action::Count, ""), &keys)
        .await
        .unwrap()
}

fn left(server: &RedisServer) -> Vec<String> {
    server.scan("sessions:index:expired:*")
}

/// A new session that is to be told of.
async fn kept(redis: &Redis, key: &str, deadline: Timestamp, note: &str) {
    done(
        redis,
        &noted(create(key, b"1", Deadline::At(deadline)), note),
    )
    .await;
}

/// The score of the session, wherever it is.
fn score(server: &RedisServer, key: &str) -> Option<f64> {
    let parts = left(server).into_iter().filter(|part| part.ends_with('}'));
    let mut scores = parts.filter_map(|part| server.command(&["ZSCORE", &part, key]).parse().ok());
    scores.next()
}

async fn a_note_and_a_deadline_are_in_one_of_16_parts(server: RedisServer) {
    let redis = connect(&server);
    assert!(redis.keeps_expired());
    let deadline = in_an_hour();
    let at = deadline.instant().unwrap();
    for n in 0..200 {
        let key = format!("sessions:{n}");
        done(&redis, &noted(create(&key, b"1", deadline), "{}")).await;
    }
    assert_eq!(left(&server).len(), 32);
    let mut sizes: Vec<u32> = Vec::new();
    for part in left(&server).iter().filter(|key| key.ends_with('}')) {
        sizes.push(server.command(&["ZCARD", part]).parse().unwrap());
        let notes = format!("{part}:notes");
        assert_eq!(
            server.command(&["HLEN", &notes]),
            sizes[sizes.len() - 1].to_string()
        );
    }
    assert_eq!(sizes.iter().sum::<u32>(), 200);
    let whole = at.as_millis() as f64;
    assert!((0..200).all(|n| score(&server, &format!("sessions:{n}")) == Some(whole)));
}

async fn the_keys_end_when_the_last_note_may_be_dropped(server: RedisServer) {
    let redis = connect(&server);
    let hour = in_an_hour().instant().unwrap();
    let second = Duration::from_secs(1);
    for (deadline, ends) in [
        (hour, hour + LONG),
        (hour + second, hour + second + LONG),
        (
            Timestamp::from_millis(hour.as_millis() - 5_000),
            hour + second + LONG,
        ),
    ] {
        let op = touch_or_create(&server, Deadline::At(deadline));
        match op.action() {
            Action::Touch => assert_eq!(redis.touch(&op).await.unwrap(), Written::Done),
            _ => done(&redis, &op).await,
        }
        let keys = left(&server);
        assert_eq!(keys.len(), 2);
        for key in keys {
            assert_eq!(
                server.command(&["PEXPIRETIME", &key]),
                ends.as_millis().to_string()
            );
        }
    }
}

fn touch_or_create(server: &RedisServer, deadline: Deadline) -> Operation {
    match server.command(&["EXISTS", "sessions:1"]).as_str() {
        "0" => noted(create("sessions:1", b"1", deadline), "{}"),
        _ => noted(touch("sessions:1", deadline), "{}"),
    }
}

async fn without_a_note_no_key_and_no_command_is_for_one(server: RedisServer) {
    let redis = connect(&server);
    redis.ping().await.unwrap();
    server.reset_counts();
    done(&redis, &create("sessions:1", b"1", in_an_hour())).await;
    done(&redis, &update("sessions:1", b"2", in_an_hour())).await;
    assert_eq!(
        redis
            .touch(&touch("sessions:1", in_an_hour()))
            .await
            .unwrap(),
        Written::Done
    );
    assert_eq!(server.scan("*"), ["sessions:1"]);
    assert_eq!(
        redis.delete(&delete("sessions:1")).await.unwrap(),
        Written::Done
    );
    let expected = [("set", 2), ("pexpireat", 1), ("unlink", 1)];
    let mut counts = server.command_counts();
    counts.remove("scan");
    assert_eq!(
        counts,
        expected
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );
}

/// Two requests that began before the session was deleted, whichever of them ends first.
async fn late_writes_of_a_deleted_session_leave_no_note(server: RedisServer) {
    let redis = connect(&server);
    let (key, deadline) = ("sessions:1", in_an_hour());
    for writes in [
        [update(key, b"2", deadline), update(key, b"3", in_an_hour())],
        [
            guarded(update(key, b"2", deadline), b"1"),
            guarded(update(key, b"3", in_an_hour()), b"1"),
        ],
        [touch(key, deadline), touch(key, in_an_hour())],
        [
            update(key, b"2", Deadline::Keep),
            update(key, b"2", Deadline::Never),
        ],
        [
            update(key, b"2", Deadline::At(Timestamp::from_millis(1))),
            guarded(update(key, b"2", Deadline::At(now())), b"1"),
        ],
    ] {
        done(&redis, &noted(create(key, b"1", deadline), "first")).await;
        assert_eq!(redis.delete(&end(key)).await.unwrap(), Written::Done);
        assert_eq!(left(&server), [""; 0]);
        let [one, other] = writes.map(|op| noted(op, "late"));
        let (one, other) = tokio::join!(late(&redis, &one), late(&redis, &other));
        assert!(!one && !other);
        assert_eq!(left(&server), [""; 0]);
    }
}

/// Whether it was done.
async fn late(redis: &Redis, op: &Operation) -> bool {
    match op.action() {
        Action::Touch => redis.touch(op).await.unwrap() == Written::Done,
        _ => redis.write(op).await.unwrap() == Written::Done,
    }
}

async fn late_writes_of_an_expired_session_leave_its_deadline(server: RedisServer) {
    let redis = connect(&server);
    let (deadline, ()) = soon(&server, async |deadline| {
        for n in 0..5 {
            kept(&redis, &format!("sessions:{n}"), deadline, "kept").await;
        }
    })
    .await;
    pass(deadline).await;
    for op in [
        update("sessions:0", b"2", in_an_hour()),
        guarded(update("sessions:1", b"2", in_an_hour()), b"1"),
        touch("sessions:2", in_an_hour()),
        update("sessions:3", b"2", Deadline::Keep),
    ] {
        let (one, other) = (noted(op.clone(), "kept"), noted(op, "kept"));
        let (one, other) = tokio::join!(late(&redis, &one), late(&redis, &other));
        assert!(!one && !other);
    }
    assert_eq!(
        redis.delete(&end("sessions:4")).await.unwrap(),
        Written::Gone
    );
    let taken = take(&redis, 10).await;
    assert_eq!(
        taken.len(),
        5,
        "{:?}, left {:?}",
        keys(&taken),
        left(&server)
    );
    assert!(taken.iter().all(|note| note.deadline == deadline));
    assert!(taken.iter().all(|note| note.note == "kept"));
    // What was taken stays so, whoever comes late, also with a deadline before the end of the lease.
    for late in [in_an_hour(), Deadline::At(now() + LONG / 2)] {
        let op = noted(update("sessions:0", b"2", late), "kept");
        assert_eq!(redis.write(&op).await.unwrap(), Written::Gone);
    }
    assert_eq!(
        redis.delete(&end("sessions:0")).await.unwrap(),
        Written::Gone
    );
    assert_eq!(take(&redis, 10).await, []);
    let all = [
        "sessions:0",
        "sessions:1",
        "sessions:2",
        "sessions:3",
        "sessions:4",
    ];
    assert_eq!(forget(&redis, &all).await, 5);
    assert_eq!(left(&server), [""; 0]);
}

async fn a_refused_write_with_a_later_deadline_does_not_make_it_be_told_later(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    let (deadline, refused) = soon(&server, async |deadline| {
        kept(&redis, key, deadline, "kept").await;
        let mut refused = Vec::new();
        for op in [
            guarded(update(key, b"2", in_an_hour()), b"0"),
            create(key, b"2", in_an_hour()),
        ] {
            let written = redis.write(&noted(op, "kept")).await.unwrap();
            refused.push((written, score(&server, key)));
        }
        refused
    })
    .await;
    let known = Some(deadline.as_millis() as f64);
    let expected = [Written::Changed, Written::Taken].map(|written| (written, known));
    assert_eq!(refused, expected);
    pass(deadline).await;
    let taken = take(&redis, 10).await;
    assert_eq!(keys(&taken), [key]);
    assert_eq!(taken[0].deadline, deadline);
}

async fn a_refused_end_of_a_session_that_lives_leaves_its_note(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    let (deadline, (refused, taken)) = soon(&server, async |deadline| {
        kept(&redis, key, deadline, "kept").await;
        // A look in the very millisecond of a deadline does not see it yet.
        let past = Timestamp::from_millis(now().as_millis() - 1000);
        let refused = guarded(update(key, b"2", Deadline::At(past)), b"0");
        let refused = [
            redis.write(&noted(refused, "kept")).await.unwrap(),
            redis.delete(&guarded(end(key), b"0")).await.unwrap(),
        ];
        (refused, take(&redis, 10).await)
    })
    .await;
    assert_eq!(refused, [Written::Changed; 2]);
    assert_eq!(keys(&taken), [""; 0]);
    pass(deadline).await;
    let taken = take(&redis, 10).await;
    assert_eq!((keys(&taken), taken[0].deadline), (vec![key], deadline));
}

async fn a_session_that_was_stored_before_notes_were_kept_gets_one_by_any_write(
    server: RedisServer,
) {
    let redis = connect(&server);
    let (deadline, (written, early)) = soon(&server, async |deadline| {
        let at = Deadline::At(deadline);
        let mut written = Vec::new();
        for op in [
            update("sessions:0", b"2", at),
            guarded(update("sessions:1", b"2", at), b"1"),
            touch("sessions:2", at),
            update("sessions:3", b"2", Deadline::Keep),
            guarded(update("sessions:4", b"2", Deadline::Keep), b"1"),
        ] {
            let key = op.key().unwrap().as_str().to_owned();
            done(&redis, &create(&key, b"1", at)).await;
            let is_done = late(&redis, &noted(op, &key)).await;
            written.push((key, is_done));
        }
        (written, take(&redis, 10).await)
    })
    .await;
    let expected: Vec<_> = (0..5).map(|n| format!("sessions:{n}")).collect();
    let all_done: Vec<_> = expected.iter().map(|key| (key.clone(), true)).collect();
    assert_eq!(written, all_done);
    assert_eq!(early, []);
    pass(deadline).await;
    let mut taken = take(&redis, 10).await;
    taken.sort_by(|one, other| one.key.cmp(&other.key));
    assert_eq!(keys(&taken), expected);
    for note in taken {
        assert_eq!(
            (note.deadline, &*note.note),
            (deadline, note.key.as_bytes())
        );
    }
}

async fn a_write_that_keeps_deadline_and_note_is_one_round_trip(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    done(&redis, &noted(create(key, b"1", in_an_hour()), "first")).await;
    server.reset_counts();
    done(&redis, &noted(update(key, b"2", Deadline::Keep), "last")).await;
    let expected = [
        ("evalsha", 1),
        ("exists", 1),
        ("zadd", 1),
        ("hset", 1),
        ("set", 1),
        ("pexpiretime", 3),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(server.command_counts(), expected.into());
    let [notes] = &left(&server)
        .into_iter()
        .filter(|key| key.ends_with(":notes"))
        .collect::<Vec<_>>()[..]
    else {
        panic!("there is one");
    };
    assert_eq!(server.command(&["HGET", notes, key]), "last");
}

/// Renewed by a process that keeps no notes, or by hand.
async fn a_session_that_lives_longer_than_is_known_is_looked_for_again_then(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    let (later, (touched, taken, known)) = soon(&server, async |later| {
        // Between now and then: where creating it takes longer, it takes too long for the touch as well.
        let early = Timestamp::from_millis(u64::midpoint(now().as_millis(), later.as_millis()));
        kept(&redis, key, early, "kept").await;
        let touched = redis.touch(&touch(key, Deadline::At(later))).await.unwrap();
        let touched = touched == Written::Done;
        if !touched {
            pass(later).await;
        }
        pass(early).await;
        (touched, take(&redis, 10).await, score(&server, key))
    })
    .await;
    assert!(touched);
    assert_eq!(keys(&taken), [""; 0]);
    assert_eq!(known, Some(later.as_millis() as f64));
    pass(later).await;
    let taken = take(&redis, 10).await;
    assert_eq!((keys(&taken), taken[0].deadline), (vec![key], later));
}

async fn what_was_taken_from_a_key_that_is_used_again_is_not_forgotten(server: RedisServer) {
    let redis = connect(&server);
    let key = "sessions:1";
    let (deadline, (first, forgotten)) = soon(&server, async |deadline| {
        kept(&redis, key, in_an_hour().instant().unwrap(), "first").await;
        let past = Deadline::At(Timestamp::from_millis(now().as_millis() - 1000));
        assert_eq!(
            redis
                .touch(&noted(touch(key, past), "first"))
                .await
                .unwrap(),
            Written::Done
        );
        let first = take(&redis, 10).await;
        kept(&redis, key, deadline, "second").await;
        (first, forget(&redis, &[key]).await)
    })
    .await;
    assert_eq!((keys(&first), forgotten), (vec![key], 0));
    pass(deadline).await;
    let taken = take(&redis, 10).await;
    assert_eq!(
        (taken.len(), &*taken[0].note, taken[0].deadline),
        (1, &b"second"[..], deadline)
    );
}

/// The sessions are stored with time to spare and then ended all together: how long storing takes is no matter.
async fn two_clients_never_take_the_same(server: RedisServer) {
    let redis = connect(&server);
    let names: Vec<String> = (0..300).map(|n| format!("sessions:{n}")).collect();
    for key in &names {
        kept(&redis, key, in_an_hour().instant().unwrap(), "{}").await;
    }
    let past = Timestamp::from_millis(now().as_millis() - 1000);
    for key in &names {
        let end = noted(touch(key, Deadline::At(past)), "{}");
        assert_eq!(redis.touch(&end).await.unwrap(), Written::Done);
    }
    let clients = [connect(&server), connect(&server), connect(&server)];
    let all = clients.iter().map(|redis| async move {
        let mut all = Vec::new();
        loop {
            let taken = take(redis, 7).await;
            if taken.is_empty() {
                return all;
            }
            assert!(taken.len() <= 7);
            all.extend(taken);
        }
    });
    let mut all = futures_util::future::join_all(all).await.concat();
    let number = all.len();
    all.sort_by(|one, other| one.key.cmp(&other.key));
    all.dedup_by(|one, other| one.key == other.key);
    assert_eq!((number, all.len()), (300, 300));
}

async fn stores_of_other_templates_take_their_own(server: RedisServer) {
    let redis = connect(&server);
    let spaces = [
        KeySpace::new("sessions:", "").with_middle_of(1),
        KeySpace::new("sessions:", ":data").with_middle_of(1),
        KeySpace::new("shop:", "").with_middle_of(1),
    ];
    let names = ["sessions:1", "sessions:1:data", "shop:1"];
    let (deadline, ()) = soon(&server, async |deadline| {
        for (space, key) in spaces.iter().zip(names) {
            let mut op = noted(create(key, b"1", Deadline::At(deadline)), key);
            op.key_space = Some(space.clone());
            done(&redis, &op).await;
        }
    })
    .await;
    pass(deadline).await;
    for (space, key) in spaces.into_iter().zip(names) {
        let mut op = op(Action::Count, "");
        op.key_space = Some(space);
        let taken = redis.take_expired(&op, 10, LONG, LONG).await.unwrap();
        assert_eq!(keys(&taken), [key]);
        let forgotten = redis.forget_expired(&op, &[taken[0].key.clone()]).await;
        assert_eq!(forgotten.unwrap(), 1);
    }
    assert_eq!(server.scan("*"), [""; 0]);
}

async fn a_foreign_string_in_place_of_the_notes_is_corrupt(server: RedisServer) {
    let redis = connect(&server);
    let op_of = || noted(create("sessions:1", b"1", in_an_hour()), "{}");
    done(&redis, &op_of()).await;
    let keys: [String; 2] = left(&server).try_into().unwrap();
    server.command(&["FLUSHALL"]);
    for key in &keys {
        server.command(&["SET", key, "foreign"]);
        assert_eq!(
            redis.write(&op_of()).await.unwrap_err().kind(),
            ErrorKind::Corrupt
        );
        assert_eq!(server.command(&["GET", key]), "foreign");
        server.command(&["FLUSHALL"]);
    }
    server.command(&["SET", &keys[0], "foreign"]);
    let take = redis
        .take_expired(&op(Action::Count, ""), 10, LONG, LONG)
        .await;
    assert_eq!(take.unwrap_err().kind(), ErrorKind::Corrupt);
}
