//! What the `memory` backend promises.
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod promises;

use std::num::NonZeroUsize;

use promises::{create, load, op, put, stored, sweep, touch, until, update};
use rrss_core::{
    Action, Backend, BuildContext, Cursor, Deadline, ErrorKind, Guard, IndexKey, KeySpace,
    Operation, Registry, Step, StoredForm, Written,
};
use rrss_persistence::memory::{Memory, Options};

promises!(in_memory);

fn in_memory() -> (Memory, ()) {
    (Memory::default(), ())
}

fn of_capacity(capacity: usize) -> Memory {
    Memory::new(Options {
        capacity: NonZeroUsize::new(capacity).unwrap(),
    })
}

#[tokio::test]
async fn a_full_store_refuses_a_new_session_and_says_what_to_do() {
    let memory = of_capacity(2);
    put(&memory, "s:1", until(100)).await;
    put(&memory, "s:2", Deadline::Never).await;

    let third = create("s:3", "{}", 99, until(200));
    let error = memory.write(&third).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.message().contains("raise `capacity`"), "{error}");
    assert!(stored(&memory, "s:3", 99).await.is_none());
    for key in ["s:1", "s:2"] {
        assert!(stored(&memory, key, 99).await.is_some(), "{key}");
    }
}

#[tokio::test]
async fn a_full_store_takes_updates_touches_and_what_ends_at_once() {
    let memory = of_capacity(1);
    put(&memory, "s:1", until(100)).await;
    let longer = update("s:1", "longer", 50, until(200));
    assert_eq!(memory.write(&longer).await.unwrap(), Written::Done);
    assert_eq!(
        memory.touch(&touch("s:1", 50, until(300))).await.unwrap(),
        Written::Done
    );
    let born_dead = create("s:2", "{}", 50, until(50));
    assert_eq!(memory.write(&born_dead).await.unwrap(), Written::Done);
    let taken = create("s:1", "{}", 50, until(300));
    assert_eq!(memory.write(&taken).await.unwrap(), Written::Taken);
    let gone = update("s:2", "{}", 50, until(300));
    assert_eq!(memory.write(&gone).await.unwrap(), Written::Gone);
}

#[tokio::test]
async fn a_full_store_makes_room_of_what_is_past_its_deadline() {
    let memory = of_capacity(2);
    put(&memory, "s:1", until(100)).await;
    put(&memory, "s:2", until(200)).await;
    let third = create("s:3", "{}", 100, until(200));
    assert_eq!(memory.write(&third).await.unwrap(), Written::Done);
    assert_eq!(memory.sweep(&sweep(100), 10).await.unwrap(), 0);
    assert_eq!(memory.count(&load("", 100)).await.unwrap(), 2);
}

#[tokio::test]
async fn an_expired_session_can_be_created_anew_in_a_full_store() {
    let memory = of_capacity(1);
    put(&memory, "s:1", until(100)).await;
    let anew = create("s:1", "anew", 100, until(200));
    assert_eq!(memory.write(&anew).await.unwrap(), Written::Done);
}

#[tokio::test]
async fn a_load_shares_the_stored_bytes() {
    let memory = Memory::default();
    put(&memory, "s:1", Deadline::Never).await;
    let (one, _) = stored(&memory, "s:1", 0).await.unwrap();
    let (two, _) = stored(&memory, "s:1", 0).await.unwrap();
    assert_eq!(one.as_ptr(), two.as_ptr());
}

#[tokio::test]
async fn a_cursor_of_another_backend_is_refused() {
    let cursor = Cursor::from(vec![0xff]);
    let error = Memory::default()
        .list(&load("", 0), Some(&cursor), 1)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
}

/// The entry of the value `user` in an indexed field.
fn entry(user: u32) -> IndexKey {
    IndexKey::of("user", &user.to_string()).unwrap().unwrap()
}

fn indexed<const N: usize>(mut op: Operation, users: [u32; N]) -> Operation {
    op.index.put = users.map(entry).into();
    op
}

async fn write(memory: &Memory, op: Operation) -> Written {
    memory.write(&op).await.unwrap()
}

/// All that is found of `user` at the instant `now`, by pages of two.
async fn found(memory: &Memory, user: u32, now: u64) -> Vec<String> {
    let (mut keys, mut cursor) = (Vec::new(), None::<Cursor>);
    loop {
        let op = load("", now);
        let page = memory.find(&op, &entry(user), cursor.as_ref(), 2).await;
        let page = page.unwrap();
        assert!(page.keys.len() <= 2);
        keys.extend(page.keys.iter().map(|key| key.as_str().to_owned()));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return keys,
        }
    }
}

#[tokio::test]
async fn a_session_is_found_by_the_entries_of_its_last_write_and_by_no_others() {
    let memory = Memory::default();
    assert!(memory.keeps_index() && Memory::shape(&Options::default()).is_backend());
    for key in ["s:1", "s:2", "s:3", "s:4", "s:5"] {
        let new = indexed(create(key, "{}", 0, Deadline::Never), [1, 2]);
        assert_eq!(write(&memory, new).await, Written::Done);
    }
    let all = ["s:1", "s:2", "s:3", "s:4", "s:5"];
    assert_eq!(found(&memory, 1, 0).await, all);
    assert_eq!(found(&memory, 3, 0).await, [""; 0]);

    let moved = indexed(update("s:2", "{}", 0, Deadline::Keep), [2, 3]);
    write(&memory, moved).await;
    let mut without = update("s:3", "{}", 0, Deadline::Keep);
    without.index.removed = vec![entry(1), entry(2)];
    write(&memory, without).await;
    assert_eq!(found(&memory, 1, 0).await, ["s:1", "s:4", "s:5"]);
    assert_eq!(found(&memory, 2, 0).await, ["s:1", "s:2", "s:4", "s:5"]);
    assert_eq!(found(&memory, 3, 0).await, ["s:2"]);
}

#[tokio::test]
async fn a_write_that_is_refused_changes_no_entry() {
    let memory = Memory::default();
    let new = indexed(create("s:1", "{}", 0, Deadline::Never), [1]);
    assert_eq!(write(&memory, new).await, Written::Done);

    let taken = indexed(create("s:1", "{}", 0, Deadline::Never), [2]);
    assert_eq!(write(&memory, taken).await, Written::Taken);
    let gone = indexed(update("s:2", "{}", 0, Deadline::Never), [2]);
    assert_eq!(write(&memory, gone).await, Written::Gone);
    let mut changed = indexed(update("s:1", "{}", 0, Deadline::Never), [2]);
    changed.index.removed = vec![entry(1)];
    changed.guard = Guard::Unchanged(StoredForm::from(bytes::Bytes::from_static(b"other")));
    assert_eq!(write(&memory, changed.clone()).await, Written::Changed);
    let mut delete = op(Action::Delete, "s:1", 0);
    delete.index.removed = vec![entry(1)];
    delete.guard = changed.guard;
    assert_eq!(memory.delete(&delete).await.unwrap(), Written::Changed);

    assert_eq!(found(&memory, 1, 0).await, ["s:1"]);
    assert_eq!(found(&memory, 2, 0).await, [""; 0]);
}

#[tokio::test]
async fn what_ends_is_not_found_and_leaves_no_entry_to_who_gets_its_key() {
    let memory = Memory::default();
    let keys = ["s:deleted", "s:ended", "s:expired", "s:swept", "s:touched"];
    for key in keys {
        write(&memory, indexed(create(key, "{}", 0, until(100)), [1])).await;
    }
    let delete = op(Action::Delete, "s:deleted", 0);
    assert_eq!(memory.delete(&delete).await.unwrap(), Written::Done);
    write(&memory, indexed(update("s:ended", "{}", 9, until(5)), [1])).await;
    let ended = indexed(touch("s:touched", 9, until(5)), [1]);
    assert_eq!(memory.touch(&ended).await.unwrap(), Written::Done);
    assert_eq!(found(&memory, 1, 99).await, ["s:expired", "s:swept"]);
    assert_eq!(found(&memory, 1, 100).await, [""; 0]);

    write(&memory, create("s:expired", "anew", 100, until(200))).await;
    assert_eq!(memory.sweep(&sweep(100), 10).await.unwrap(), 1);
    for key in keys {
        write(&memory, create(key, "anew", 100, until(200))).await;
    }
    assert_eq!(found(&memory, 1, 0).await, [""; 0]);
}

#[tokio::test]
async fn a_touch_and_a_write_that_says_nothing_of_the_index_keep_the_entries() {
    let memory = Memory::default();
    write(&memory, indexed(create("s:1", "{}", 0, until(100)), [1])).await;
    for longer in [
        indexed(touch("s:1", 50, until(200)), [1]),
        touch("s:1", 150, until(300)),
        touch("s:1", 250, Deadline::Keep),
    ] {
        assert_eq!(memory.touch(&longer).await.unwrap(), Written::Done);
    }
    assert_eq!(found(&memory, 1, 299).await, ["s:1"]);
    write(&memory, update("s:1", "longer", 250, Deadline::Keep)).await;
    assert_eq!(found(&memory, 1, 299).await, ["s:1"]);
    assert_eq!(found(&memory, 1, 300).await, [""; 0]);
}

#[tokio::test]
async fn only_keys_of_the_key_space_are_found() {
    let memory = Memory::default();
    for key in ["r:1", "s:1", "s:1:data", "t:1"] {
        let new = indexed(create(key, "{}", 0, Deadline::Never), [1]);
        write(&memory, new).await;
    }
    let mut find = load("", 0);
    find.key_space = Some(KeySpace::new("s:", ":data"));
    let page = memory.find(&find, &entry(1), None, 10).await.unwrap();
    assert_eq!(page.keys.len(), 1);
    assert_eq!(page.keys[0].as_str(), "s:1:data");

    find.key_space = None;
    let error = memory.find(&find, &entry(1), None, 10).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn an_operation_is_done_when_it_is_first_polled() {
    let memory = Memory::default();
    let op = create("s:1", "{}", 0, Deadline::Never);
    let mut write = std::pin::pin!(memory.write(&op));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(write.as_mut().poll(&mut context).is_ready());
}

#[tokio::test]
async fn debug_shows_no_session() {
    let memory = Memory::default();
    let op = create("s:secret-id", "hunter2", 0, Deadline::Never);
    memory.write(&op).await.unwrap();
    let debug = format!("{memory:?}");
    assert!(
        !debug.contains("secret-id") && !debug.contains("hunter2"),
        "{debug}"
    );
}

#[test]
fn the_options_are_checked_as_they_are_read() {
    let read = |json| serde_json::from_str::<Options>(json);
    assert_eq!(read("{}").unwrap().capacity.get(), 100_000);
    assert_eq!(read(r#"{"capacity": 7}"#).unwrap().capacity.get(), 7);
    for wrong in [
        r#"{"capacity": 0}"#,
        r#"{"capacity": -1}"#,
        r#"{"capacity": "7"}"#,
        r#"{"size": 7}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn it_is_registered_with_an_example_that_works() {
    let registry = Registry::linked();
    let step = registry.get("memory").unwrap();
    assert_eq!(
        step.summary(),
        "Keeps sessions in this process: for tests and development."
    );
    let mut example: toml::Table = toml::from_str(Memory::EXAMPLE).unwrap();
    let mut table = example["step"].as_array_mut().unwrap().remove(0);
    let name = table.as_table_mut().unwrap().remove("type").unwrap();
    assert_eq!(name.as_str(), Some("memory"));
    let options: Options = table.try_into().unwrap();
    assert!(Memory::shape(&options).is_backend());
    Memory::build(options, &BuildContext::default()).unwrap();
}
