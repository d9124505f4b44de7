//! Short forms of operations, with the answers that they must have.

use std::time::Duration;

use bytes::Bytes;
use rrss_core::{
    Action, Backend, Clock, Deadline, DurationOption, Guard, KeySpace, Operation, Payload, Result,
    StorageKey, SystemClock, Written,
};
use rrss_persistence::redis::Redis;

/// A limit that a busy machine does not reach.
pub(crate) const GENEROUS: DurationOption = DurationOption::new(Duration::from_secs(60));

pub(crate) fn in_an_hour() -> Deadline {
    Deadline::At(SystemClock.now() + Duration::from_secs(3600))
}

/// An operation on `key`, in the key space of what comes before the first `:` of it.
pub(crate) fn op(action: Action, key: &str) -> Operation {
    let mut op = Operation::new(action, SystemClock.now());
    op.key = Some(StorageKey::from(key.to_owned()));
    let space = key.split_once(':').map_or("", |(space, _)| space);
    op.key_space = Some(KeySpace::new(format!("{space}:"), ""));
    op
}

pub(crate) fn load(key: &str) -> Operation {
    op(Action::Load, key)
}

pub(crate) fn create(key: &str, bytes: &str) -> Operation {
    write(Action::Create, key, bytes, in_an_hour())
}

pub(crate) fn update(key: &str, bytes: &str) -> Operation {
    write(Action::Update, key, bytes, in_an_hour())
}

/// An update of what must still be `loaded`.
pub(crate) fn replace(key: &str, loaded: &str, bytes: &str) -> Operation {
    let mut op = update(key, bytes);
    op.guard = Guard::Unchanged(Bytes::copy_from_slice(loaded.as_bytes()).into());
    op
}

fn write(action: Action, key: &str, bytes: &str, deadline: Deadline) -> Operation {
    let mut op = op(action, key);
    op.payload = Payload::Bytes(Bytes::copy_from_slice(bytes.as_bytes()));
    op.deadline = deadline;
    op
}

pub(crate) fn touch(key: &str, deadline: Deadline) -> Operation {
    let mut op = op(Action::Touch, key);
    op.deadline = deadline;
    op
}

pub(crate) fn delete(key: &str) -> Operation {
    op(Action::Delete, key)
}

/// The text that is stored under `key`.
pub(crate) async fn stored(redis: &Redis, key: &str) -> Result<Option<String>> {
    let record = redis.load(&load(key)).await?;
    Ok(record.map(|record| match record.payload {
        Payload::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        _ => panic!("a backend answers bytes"),
    }))
}

/// Every kind of operation that one key has, each with the answer that it must have.
pub(crate) async fn whole_life(redis: &Redis, key: &str) {
    let done = |written: Result<Written>| assert_eq!(written.unwrap(), Written::Done, "{key}");
    assert_eq!(stored(redis, key).await.unwrap(), None);
    done(redis.write(&create(key, "1")).await);
    assert_eq!(
        redis.write(&create(key, "2")).await.unwrap(),
        Written::Taken
    );
    done(redis.write(&update(key, "2")).await);
    later_life(redis, key, "2").await;
}

/// The same, from where `text` is stored.
pub(crate) async fn later_life(redis: &Redis, key: &str, text: &str) {
    let done = |written: Result<Written>| assert_eq!(written.unwrap(), Written::Done, "{key}");
    assert_eq!(stored(redis, key).await.unwrap().as_deref(), Some(text));
    done(redis.write(&replace(key, text, "3")).await);
    let changed = redis.write(&replace(key, text, "4")).await.unwrap();
    assert_eq!(changed, Written::Changed);
    for deadline in [in_an_hour(), Deadline::Keep, Deadline::Never] {
        assert_eq!(
            redis.touch(&touch(key, deadline)).await.unwrap(),
            Written::Done,
            "{deadline:?}"
        );
    }
    assert_eq!(stored(redis, key).await.unwrap().as_deref(), Some("3"));
    done(redis.delete(&delete(key)).await);
    assert_eq!(redis.delete(&delete(key)).await.unwrap(), Written::Gone);
    assert_eq!(
        redis.touch(&touch(key, Deadline::Never)).await.unwrap(),
        Written::Gone
    );
    assert_eq!(redis.write(&update(key, "5")).await.unwrap(), Written::Gone);
    assert_eq!(stored(redis, key).await.unwrap(), None);
}
