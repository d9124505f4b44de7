//! What the `embedded` backend promises of its index.
#![cfg(feature = "embedded")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use rrss_core::{
    Action, Backend, Cursor, Deadline, ErrorKind, Guard, IndexKey, KeySpace, Operation, Page,
    Payload, StorageKey, StoredForm, Timestamp, Written,
};
use rrss_persistence::embedded::{Embedded, Options};
use tempfile::TempDir;
use tokio::sync::Barrier;

const PREFIX: &str = "s:";

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn user(name: &str) -> IndexKey {
    IndexKey::of("user", &format!("{name:?}")).unwrap().unwrap()
}

fn users(names: &[&str]) -> Vec<IndexKey> {
    names.iter().map(|name| user(name)).collect()
}

fn op(action: Action, key: &str, now: u64) -> Operation {
    let mut op = Operation::new(action, at(now));
    op.key = Some(StorageKey::from(key.to_owned()));
    op.key_space = Some(KeySpace::new(PREFIX, ""));
    op
}

/// A write of a session until 100 that is found by these names, which are its bytes too.
fn put(action: Action, key: &str, names: &[&str]) -> Operation {
    let mut op = op(action, key, 0);
    op.payload = Payload::Bytes(Bytes::from(names.join(",")));
    op.deadline = Deadline::At(at(100));
    op.index.put = users(names);
    op
}

fn create(key: &str, names: &[&str]) -> Operation {
    put(Action::Create, key, names)
}

fn update(key: &str, names: &[&str]) -> Operation {
    put(Action::Update, key, names)
}

fn delete(key: &str) -> Operation {
    op(Action::Delete, key, 0)
}

fn touch(key: &str, deadline: u64) -> Operation {
    let mut op = op(Action::Touch, key, 0);
    op.deadline = Deadline::At(at(deadline));
    op
}

fn unchanged(bytes: &'static str) -> Guard {
    Guard::Unchanged(StoredForm::from(Bytes::from_static(bytes.as_bytes())))
}

async fn write(embedded: &Embedded, op: &Operation) {
    assert_eq!(embedded.write(op).await.unwrap(), Written::Done);
}

async fn sweep(embedded: &Embedded, now: u64) -> u64 {
    let op = Operation::new(Action::Sweep { limit: 100_000 }, at(now));
    embedded.sweep(&op, 100_000).await.unwrap()
}

async fn page(embedded: &Embedded, name: &str, cursor: Option<&Cursor>, limit: usize) -> Page {
    let op = op(Action::Count, "", 0);
    let page = embedded.find(&op, &user(name), cursor, limit).await;
    page.unwrap()
}

/// All keys that `op` finds for `name`, in pages of `limit`.
async fn found_by(embedded: &Embedded, op: &Operation, name: &str, limit: usize) -> Vec<String> {
    let (mut keys, mut cursor) = (Vec::new(), None);
    loop {
        let page = embedded.find(op, &user(name), cursor.as_ref(), limit).await;
        let page = page.unwrap();
        assert!(page.keys.len() <= limit);
        keys.extend(page.keys.iter().map(|key| key.as_str().to_owned()));
        cursor = page.next;
        if cursor.is_none() {
            return keys;
        }
    }
}

async fn found_at(embedded: &Embedded, name: &str, now: u64) -> Vec<String> {
    found_by(embedded, &op(Action::Count, "", now), name, 10_000).await
}

async fn found(embedded: &Embedded, name: &str) -> Vec<String> {
    found_at(embedded, name, 0).await
}

/// Runs `work` on the directory, which is closed when this answers.
fn on<T>(dir: &TempDir, work: impl AsyncFnOnce(&Embedded) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let embedded = Embedded::open(&Options::at(dir.path())).unwrap();
    let done = runtime.block_on(work(&embedded));
    // It waits for what was begun on the directory.
    drop(runtime);
    done
}

fn new_dir() -> TempDir {
    TempDir::new().unwrap()
}

fn all_of(database: &Database, keyspace: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let keyspace = database
        .keyspace(keyspace, KeyspaceCreateOptions::default)
        .unwrap();
    let all = keyspace.iter().map(|entry| entry.into_inner().unwrap());
    all.map(|(key, value)| (key.to_vec(), value.to_vec()))
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The entries of a closed directory and the sessions that have them, read past the backend. Both keyspaces hold the
/// same, and none of a session that is not there.
fn entries(dir: &Path) -> BTreeSet<(String, String)> {
    let database = Database::builder(dir).open().unwrap();
    let index: BTreeSet<(String, String)> = all_of(&database, "index")
        .into_iter()
        .map(|(key, value)| {
            assert!(value.is_empty());
            let mut parts = key.split(|byte| *byte == 0xff).map(text);
            let pair = (parts.next().unwrap(), parts.next().unwrap());
            assert_eq!(parts.next(), None);
            pair
        })
        .collect();
    let indexed: BTreeSet<(String, String)> = all_of(&database, "indexed")
        .into_iter()
        .flat_map(|(key, value)| {
            let entries: Vec<String> = value.split(|byte| *byte == 0xff).map(text).collect();
            assert!(entries.is_sorted_by(|a, b| a < b), "{entries:?}");
            entries.into_iter().map(move |entry| (entry, text(&key)))
        })
        .collect();
    assert_eq!(index, indexed);
    let sessions = all_of(&database, "sessions");
    for (_, key) in &index {
        assert!(sessions.contains_key(key.as_bytes()), "{key}");
    }
    index
}

/// As [`entries`], of the key space of `s:…`.
fn pairs(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    let space = KeySpace::new(PREFIX, "");
    pairs
        .iter()
        .map(|(name, key)| {
            let entry = user(name).storage_key(&space).as_str().to_owned();
            (entry, (*key).to_owned())
        })
        .collect()
}

fn as_stranger(dir: &Path, change: impl FnOnce(&Database)) {
    let database = Database::builder(dir).open().unwrap();
    change(&database);
    database.persist(PersistMode::SyncAll).unwrap();
}

fn keyspace(database: &Database, name: &str) -> fjall::Keyspace {
    database
        .keyspace(name, KeyspaceCreateOptions::default)
        .unwrap()
}

#[test]
fn sessions_are_found_by_what_they_were_put_under() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        assert!(embedded.keeps_index());
        assert!(found(embedded, "ann").await.is_empty());
        write(embedded, &create("s:1", &["ann"])).await;
        write(embedded, &create("s:2", &["ann", "bob", "ann"])).await;
        write(embedded, &create("s:3", &[])).await;
        assert_eq!(found(embedded, "ann").await, ["s:1", "s:2"]);
        assert_eq!(found(embedded, "bob").await, ["s:2"]);
        assert!(found(embedded, "an").await.is_empty());
    });
    let expected = [("ann", "s:1"), ("ann", "s:2"), ("bob", "s:2")];
    assert_eq!(entries(dir.path()), pairs(&expected));
}

#[test]
fn a_changed_value_moves_the_session_though_nobody_names_the_old_one() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        write(embedded, &create("s:1", &["ann", "bob"])).await;
        write(embedded, &update("s:1", &["bob", "cyd"])).await;
        assert!(found(embedded, "ann").await.is_empty());
        assert_eq!(found(embedded, "bob").await, ["s:1"]);
        assert_eq!(found(embedded, "cyd").await, ["s:1"]);
        write(embedded, &update("s:1", &["dan"])).await;
        let mut none = update("s:2", &[]);
        assert_eq!(embedded.write(&none).await.unwrap(), Written::Gone);
        write(embedded, &create("s:2", &["eve"])).await;
        none.index.removed = users(&["eve"]);
        write(embedded, &none).await;
        assert!(found(embedded, "eve").await.is_empty());
    });
    assert_eq!(entries(dir.path()), pairs(&[("dan", "s:1")]));
}

#[test]
fn what_is_put_and_removed_by_one_write_is_there() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        write(embedded, &create("s:1", &["ann"])).await;
        let mut again = update("s:1", &["ann", "bob"]);
        again.index.removed = users(&["ann", "bob", "cyd"]);
        write(embedded, &again).await;
    });
    let expected = [("ann", "s:1"), ("bob", "s:1")];
    assert_eq!(entries(dir.path()), pairs(&expected));
}

#[test]
fn a_refused_operation_leaves_the_index_as_it_was() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        write(embedded, &create("s:1", &["ann"])).await;
        let mut changed = update("s:1", &["bob"]);
        changed.guard = unchanged("something else");
        let mut delete = delete("s:1");
        delete.guard = unchanged("something else");
        for (answer, expected) in [
            (
                embedded.write(&create("s:1", &["bob"])).await,
                Written::Taken,
            ),
            (embedded.write(&changed).await, Written::Changed),
            (
                embedded.write(&update("s:2", &["bob"])).await,
                Written::Gone,
            ),
            (embedded.delete(&delete).await, Written::Changed),
        ] {
            assert_eq!(answer.unwrap(), expected);
        }
        assert_eq!(
            embedded.touch(&touch("s:2", 100)).await.unwrap(),
            Written::Gone
        );
    });
    assert_eq!(entries(dir.path()), pairs(&[("ann", "s:1")]));
}

#[test]
fn a_write_that_fails_leaves_no_entry_and_the_one_beside_it_is_done() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        let mut lost = create("s:1", &["ann"]);
        lost.key_space = None;
        let other = create("s:2", &["ann"]);
        let (lost, other) = tokio::join!(embedded.write(&lost), embedded.write(&other));
        assert_eq!(lost.unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(other.unwrap(), Written::Done);
        assert_eq!(
            embedded.touch(&touch("s:1", 100)).await.unwrap(),
            Written::Gone
        );

        let unnamed = Operation::new(Action::Count, at(0));
        let found = embedded.find(&unnamed, &user("ann"), None, 1).await;
        assert_eq!(found.unwrap_err().kind(), ErrorKind::Unsupported);
    });
    assert_eq!(entries(dir.path()), pairs(&[("ann", "s:2")]));
}

#[test]
fn the_end_of_a_session_is_the_end_of_its_entries() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        for key in ["s:1", "s:2", "s:3", "s:4", "s:5"] {
            write(embedded, &create(key, &["ann", key])).await;
        }
        let mut delete_2 = delete("s:2");
        delete_2.guard = unchanged("ann,s:2");
        let mut ended = update("s:3", &["ann"]);
        ended.deadline = Deadline::At(at(0));
        let deleted = [
            embedded.delete(&delete("s:1")).await,
            embedded.delete(&delete_2).await,
            embedded.write(&ended).await,
        ];
        for done in deleted {
            assert_eq!(done.unwrap(), Written::Done);
        }
        assert_eq!(
            embedded.touch(&touch("s:4", 0)).await.unwrap(),
            Written::Done
        );
        assert_eq!(found(embedded, "ann").await, ["s:5"]);
        // It has ended, and so it is gone; what is left of it goes too.
        let late = op(Action::Delete, "s:5", 100);
        assert_eq!(embedded.delete(&late).await.unwrap(), Written::Gone);
    });
    assert!(entries(dir.path()).is_empty());
}

#[test]
fn an_expired_session_is_not_found_and_leaves_nothing_to_its_successor() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        write(embedded, &create("s:1", &["ann"])).await;
        write(embedded, &create("s:2", &["ann"])).await;
        write(embedded, &create("s:3", &["ann"])).await;
        assert_eq!(
            embedded.touch(&touch("s:2", 200)).await.unwrap(),
            Written::Done
        );
        assert_eq!(found_at(embedded, "ann", 99).await.len(), 3);
        assert_eq!(found_at(embedded, "ann", 100).await, ["s:2"]);

        let mut next = op(Action::Create, "s:1", 100);
        next.payload = Payload::Bytes("{}".into());
        write(embedded, &next).await;
        assert_eq!(found_at(embedded, "ann", 100).await, ["s:2"]);
        let mut next = op(Action::Create, "s:3", 100);
        next.payload = Payload::Bytes("{}".into());
        next.index.put = users(&["bob"]);
        write(embedded, &next).await;
        assert_eq!(found_at(embedded, "bob", 100).await, ["s:3"]);
        assert_eq!(sweep(embedded, 1_000).await, 1);
    });
    assert_eq!(entries(dir.path()), pairs(&[("bob", "s:3")]));
}

#[test]
fn a_touch_and_a_write_that_says_nothing_of_the_index_leave_it_as_it_is() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        write(embedded, &create("s:1", &["ann"])).await;
        write(embedded, &update("s:1", &[])).await;
        let mut again = touch("s:1", 300);
        again.index.put = users(&["ann"]);
        assert_eq!(embedded.touch(&again).await.unwrap(), Written::Done);
        assert_eq!(
            embedded.touch(&touch("s:1", 400)).await.unwrap(),
            Written::Done
        );
        assert_eq!(found_at(embedded, "ann", 399).await, ["s:1"]);
        assert!(found_at(embedded, "ann", 400).await.is_empty());
    });
    assert_eq!(entries(dir.path()), pairs(&[("ann", "s:1")]));
}

#[test]
fn the_index_survives_reopening() {
    let dir = new_dir();
    for round in 0..4_usize {
        on(&dir, async |embedded| {
            assert_eq!(found(embedded, "ann").await.len(), round);
            write(embedded, &create(&format!("s:{round}"), &["ann"])).await;
        });
    }
    on(&dir, async |embedded| {
        assert_eq!(sweep(embedded, 100).await, 4);
        embedded.close().await.unwrap();
    });
    assert!(entries(dir.path()).is_empty());
}

#[test]
fn a_directory_from_before_the_index_opens_as_it_is() {
    let dir = new_dir();
    let record = [&100_u64.to_be_bytes()[..], b"ann"].concat();
    as_stranger(dir.path(), |database| {
        let format = 1_u32.to_be_bytes();
        keyspace(database, "meta").insert("format", format).unwrap();
        let sessions = keyspace(database, "sessions");
        sessions.insert("s:1", &record).unwrap();
        let due = [&100_u64.to_be_bytes()[..], b"s:1"].concat();
        keyspace(database, "deadlines").insert(due, b"").unwrap();
    });
    on(&dir, async |embedded| {
        assert!(found(embedded, "ann").await.is_empty());
        let load = op(Action::Load, "s:1", 0);
        assert!(embedded.load(&load).await.unwrap().is_some());
    });
    assert!(entries(dir.path()).is_empty());
    on(&dir, async |embedded| {
        write(embedded, &update("s:1", &["ann"])).await;
        assert_eq!(found(embedded, "ann").await, ["s:1"]);
    });
    let database = Database::builder(dir.path()).open().unwrap();
    assert_eq!(all_of(&database, "sessions")[&b"s:1"[..]], record);
    let format = &all_of(&database, "meta")[&b"format"[..]];
    assert_eq!(format, &1_u32.to_be_bytes());
}

/// Names the directory to a child process: this test, run a second time.
const CHILD: &str = "RRSS_TEST_EMBEDDED_INDEX_CHILD";

#[test]
fn after_a_killed_process_each_session_has_the_entries_of_its_bytes() {
    let test = "after_a_killed_process_each_session_has_the_entries_of_its_bytes";
    if let Some(dir) = std::env::var_os(CHILD) {
        let embedded = Embedded::open(&Options::at(dir)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(change_until_killed(&embedded));
    }
    let dir = new_dir();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.take(1_000).count(), 1_000);
    child.kill().unwrap();
    child.wait().unwrap();

    let sessions = {
        let database = Database::builder(dir.path()).open().unwrap();
        all_of(&database, "sessions")
    };
    let mut expected = BTreeSet::new();
    for (key, record) in &sessions {
        let (key, names) = (text(key), text(&record[8..]));
        for name in names.split(',') {
            expected.append(&mut pairs(&[(name, &key)]));
        }
    }
    assert!(expected.len() > 100, "{}", expected.len());
    assert_eq!(entries(dir.path()), expected);
    let swept = on(&dir, async |embedded| sweep(embedded, 100).await);
    assert_eq!(swept, u64::try_from(sessions.len()).unwrap());
    assert!(entries(dir.path()).is_empty());
}

async fn change_until_killed(embedded: &Embedded) -> ! {
    let mut out = std::io::stdout();
    for n in 0_u64.. {
        let key = format!("s:{n}");
        write(embedded, &create(&key, &["ann", &key])).await;
        if n % 2 == 0 {
            write(embedded, &update(&key, &["bob", &key])).await;
        }
        if n % 3 == 0 {
            let deleted = embedded.delete(&delete(&key)).await;
            assert_eq!(deleted.unwrap(), Written::Done);
        }
        out.write_all(b"\nchanged").unwrap();
    }
    unreachable!("there are more numbers than time");
}

#[test]
fn the_pages_of_a_find_name_every_live_session_of_the_value_once() {
    let dir = new_dir();
    let live: Vec<String> = (0..25).map(|n| format!("s:{n:02}")).collect();
    on(&dir, async |embedded| {
        for key in &live {
            write(embedded, &create(key, &["ann", "bob"])).await;
        }
        let mut ended = create("s:10:ended", &["ann"]);
        ended.deadline = Deadline::At(at(50));
        write(embedded, &ended).await;
        write(embedded, &create("s:bob", &["bob"])).await;
        let space = op(Action::Count, "", 50);
        for limit in [1, 2, 7, 25, 100] {
            let keys = found_by(embedded, &space, "ann", limit).await;
            assert_eq!(keys, live, "{limit}");
        }
        assert_eq!(page(embedded, "ann", None, 0).await.keys.len(), 1);
    });
}

#[test]
fn a_page_looks_at_so_many_entries_and_at_those_of_its_value_alone() {
    let mut names = ["ann", "bob", "cyd"];
    names.sort_by_key(|name| user(name));
    // As the index has them: what is between them has many entries on either side.
    let [before, between, after] = names;
    let dir = new_dir();
    on(&dir, async |embedded| {
        for n in 0..1_001 {
            write(embedded, &create(&format!("s:{n:04}"), &[before, after])).await;
        }
        let mut lasting = create("s:lasting", &names);
        lasting.deadline = Deadline::Never;
        write(embedded, &lasting).await;

        let (late, lasting) = (op(Action::Count, "", 100), [lasting.key.unwrap()]);
        for name in [before, after] {
            let name = user(name);
            let page = embedded.find(&late, &name, None, 10).await.unwrap();
            assert!(page.keys.is_empty());
            let page = embedded.find(&late, &name, page.next.as_ref(), 10).await;
            let page = page.unwrap();
            assert_eq!((page.keys.as_slice(), page.next), (&lasting[..], None));
        }
        let page = embedded.find(&late, &user(between), None, 1).await.unwrap();
        assert_eq!((page.keys.as_slice(), page.next), (&lasting[..], None));
    });
}

#[test]
fn a_cursor_from_elsewhere_leads_nowhere_else() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        write(embedded, &create("s:1", &["ann"])).await;
        write(embedded, &create("s:2", &["bob"])).await;
        for (cursor, expected) in [
            (Vec::new(), 1),
            (b"s:0".to_vec(), 1),
            (b"s:1".to_vec(), 0),
            (b"zzz".to_vec(), 0),
            (vec![0xff; 3], 1),
            (vec![b'z'; 70_000], 1),
        ] {
            let cursor = Cursor::from(cursor);
            let found = page(embedded, "ann", Some(&cursor), 10).await;
            assert_eq!(found.keys.len(), expected);
            assert!(found.keys.iter().all(|key| key.as_str() == "s:1"));
        }
    });
}

#[test]
fn key_spaces_of_one_directory_do_not_meet() {
    let dir = new_dir();
    let spaces = [
        (KeySpace::new("s:", "").with_middle_of(1), "s:1"),
        (KeySpace::new("s:", ":data"), "s:1:data"),
        (KeySpace::new("t:", ""), "t:1"),
        (KeySpace::new("", "").with_middle_of(2), "11"),
    ];
    on(&dir, async |embedded| {
        for (space, key) in &spaces {
            let mut create = create(key, &["ann"]);
            create.key_space = Some(space.clone());
            write(embedded, &create).await;
        }
        for (space, key) in &spaces {
            let mut find = op(Action::Count, "", 0);
            find.key_space = Some(space.clone());
            assert_eq!(found_by(embedded, &find, "ann", 10).await, [*key]);
        }
        for (space, key) in &spaces[..3] {
            assert_eq!(embedded.delete(&delete(key)).await.unwrap(), Written::Done);
            let mut find = op(Action::Count, "", 0);
            find.key_space = Some(space.clone());
            assert!(found_by(embedded, &find, "ann", 10).await.is_empty());
            find.key_space = Some(spaces[3].0.clone());
            assert_eq!(found_by(embedded, &find, "ann", 10).await, ["11"]);
        }
    });
    assert_eq!(entries(dir.path()).len(), 1);
}

#[test]
fn a_sweep_removes_the_entries_of_what_has_expired_and_no_others() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        for n in 0..1_000 {
            let mut create = create(&format!("s:{n}"), &["ann", "bob"]);
            if n % 10 != 0 {
                create.deadline = Deadline::At(at(200));
            }
            write(embedded, &create).await;
        }
        assert_eq!(sweep(embedded, 100).await, 100);
        assert_eq!(found_at(embedded, "ann", 100).await.len(), 900);
    });
    let left = entries(dir.path());
    assert_eq!(left.len(), 1_800);
    assert!(left.iter().all(|(_, key)| !key.ends_with('0')));
    on(&dir, async |embedded| {
        assert_eq!(sweep(embedded, 200).await, 900);
    });
    assert!(entries(dir.path()).is_empty());
}

#[test]
fn sessions_that_nobody_indexes_leave_the_index_empty() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        for n in 0..10 {
            let key = format!("s:{n}");
            write(embedded, &create(&key, &[])).await;
            write(embedded, &update(&key, &[])).await;
            assert_eq!(
                embedded.touch(&touch(&key, 150)).await.unwrap(),
                Written::Done
            );
        }
        let deleted = embedded.delete(&delete("s:0")).await;
        assert_eq!(deleted.unwrap(), Written::Done);
    });
    let database = Database::builder(dir.path()).open().unwrap();
    let records = all_of(&database, "sessions");
    assert_eq!(records.len(), 9);
    for record in records.values() {
        assert_eq!(record, &150_u64.to_be_bytes());
    }
    for name in ["index", "indexed"] {
        assert!(all_of(&database, name).is_empty(), "{name}");
    }
}

#[test]
fn a_session_that_cannot_be_read_is_found_and_deleting_it_clears_its_entries() {
    let dir = new_dir();
    on(&dir, async |embedded| {
        write(embedded, &create("s:1", &["ann"])).await;
        write(embedded, &create("s:2", &["ann"])).await;
    });
    as_stranger(dir.path(), |database| {
        keyspace(database, "sessions")
            .insert("s:1", b"hello")
            .unwrap();
    });
    on(&dir, async |embedded| {
        assert_eq!(found(embedded, "ann").await, ["s:1", "s:2"]);
        let refused = embedded.write(&update("s:1", &["bob"])).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Corrupt);
        assert!(found(embedded, "bob").await.is_empty());
        let deleted = embedded.delete(&delete("s:1")).await;
        assert_eq!(deleted.unwrap(), Written::Done);
    });
    assert_eq!(entries(dir.path()), pairs(&[("ann", "s:2")]));
}

#[test]
fn an_entry_that_the_engine_cannot_hold_is_too_large_and_nothing_is_written() {
    let dir = new_dir();
    // `s:index:user:`, the digest and the separator.
    let around = "s:index:user:".len() + 64 + 1;
    on(&dir, async |embedded| {
        let longest = format!("s:{}", "k".repeat(65_535 - around - 2));
        let longer = format!("{longest}k");
        write(embedded, &create(&longest, &["ann"])).await;
        let refused = embedded.write(&create(&longer, &["ann"])).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(found(embedded, "ann").await, [longest]);
        let deleted = embedded.delete(&delete(&longer)).await;
        assert_eq!(deleted.unwrap(), Written::Gone);

        let field = "f".repeat(70_000);
        let entry = IndexKey::of(field, "1").unwrap().unwrap();
        let mut create = create("s:1", &[]);
        create.index.put = vec![entry.clone()];
        let refused = embedded.write(&create).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::TooLarge);
        let found = embedded.find(&create, &entry, None, 10).await.unwrap();
        assert!(found.keys.is_empty());
    });
    assert_eq!(entries(dir.path()).len(), 1);
}

#[test]
fn of_changes_at_once_the_entries_are_those_of_what_is_stored() {
    const AT_ONCE: usize = 8;
    let dir = new_dir();
    for round in 0..20 {
        let key = format!("s:{round}");
        let names = on(&dir, async |embedded| {
            write(embedded, &create(&key, &["first"])).await;
            let barrier = Arc::new(Barrier::new(AT_ONCE));
            let changes = (0..AT_ONCE).map(|n| {
                let (barrier, key) = (Arc::clone(&barrier), &key);
                async move {
                    let op = update(key, &[&format!("user {n}"), "all"]);
                    barrier.wait().await;
                    write(embedded, &op).await;
                }
            });
            futures_join(changes).await;
            let load = op(Action::Load, &key, 0);
            let record = embedded.load(&load).await.unwrap().unwrap();
            text(record.payload.bytes().unwrap())
        });
        let names: Vec<(&str, &str)> = names.split(',').map(|name| (name, &*key)).collect();
        let of_key: BTreeSet<_> = entries(dir.path())
            .into_iter()
            .filter(|(_, of)| *of == key)
            .collect();
        assert_eq!(of_key, pairs(&names));
    }
}

/// Polls all of them at once until each is done.
async fn futures_join(futures: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}
