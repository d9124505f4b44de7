//! Bytes through the step, there and back.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use bytes::Bytes;
use rrss_core::{
    Action, Answer, Operation, Outcome, Payload, Result, StorageKey, Timestamp, Transform,
};
use rrss_encryption::{Encryption, Key, KeyOption, Options};

/// A key that is the same in every test and every process: 32 times this byte.
pub(crate) fn key(byte: u8) -> Key {
    key_text(byte).parse().unwrap()
}

pub(crate) fn key_text(byte: u8) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode([byte; 32])
}

/// Keys by their ids, each of 32 times the first byte of its id.
pub(crate) fn options(ids: &[&str]) -> Options {
    Options::new(
        ids.iter()
            .map(|id| KeyOption::new(id.parse().unwrap(), key(id.as_bytes()[0]))),
    )
}

pub(crate) fn step(ids: &[&str]) -> Encryption {
    Encryption::new(&options(ids), "shop").unwrap()
}

fn op(action: Action, at: Timestamp, key: &str) -> Operation {
    let mut op = Operation::new(action, at);
    op.key = Some(StorageKey::from(key.to_owned()));
    op
}

pub(crate) fn update(key: &str, bytes: impl Into<Bytes>) -> Operation {
    let mut op = op(Action::Update, Timestamp::from_millis(0), key);
    op.payload = Payload::Bytes(bytes.into());
    op
}

pub(crate) fn load(key: &str) -> Operation {
    op(Action::Load, Timestamp::from_millis(0), key)
}

/// What is stored for `bytes` under `key`.
pub(crate) fn store(step: &Encryption, key: &str, bytes: impl Into<Bytes>) -> Bytes {
    let mut op = update(key, bytes);
    step.before(&mut op).unwrap();
    op.bytes().unwrap().clone()
}

/// What is read where `bytes` are stored under `key`.
pub(crate) fn read(step: &Encryption, key: &str, bytes: impl Into<Bytes>) -> Result<Bytes> {
    read_at(step, Timestamp::from_millis(0), key, bytes)
}

pub(crate) fn read_at(
    step: &Encryption,
    now: Timestamp,
    key: &str,
    bytes: impl Into<Bytes>,
) -> Result<Bytes> {
    let mut answer = found(bytes.into());
    step.after(&op(Action::Load, now, key), &mut answer)?;
    Ok(answer.take_bytes().expect("bytes stay bytes"))
}

pub(crate) fn found(bytes: Bytes) -> Answer {
    let mut answer = Answer::new(Outcome::Found);
    answer.payload = Payload::Bytes(bytes);
    answer
}
