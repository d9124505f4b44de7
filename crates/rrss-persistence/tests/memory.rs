//! What the `memory` backend promises.
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod promises;

use std::num::NonZeroUsize;

use promises::{create, load, put, stored, sweep, touch, until, update};
use rrss_core::{Backend, BuildContext, Cursor, Deadline, ErrorKind, Registry, Step, Written};
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
    assert!(memory.touch(&touch("s:1", 50, until(300))).await.unwrap());
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
