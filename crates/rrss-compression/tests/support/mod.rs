//! Bytes through the step, there and back.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use bytes::Bytes;
use rrss_compression::{Algorithm, Compression, Options};
use rrss_core::{Action, Answer, Operation, Outcome, Payload, Result, Timestamp, Transform};

pub(crate) const ALGORITHMS: [Algorithm; 2] = [Algorithm::Zstd, Algorithm::Lz4];

pub(crate) fn options(algorithm: Algorithm) -> Options {
    Options {
        algorithm,
        min_bytes: 0,
        ..Options::default()
    }
}

/// What is stored for `bytes`.
pub(crate) fn store(options: Options, bytes: impl Into<Bytes>) -> Result<Bytes> {
    let mut op = Operation::new(Action::Update, Timestamp::from_millis(0));
    op.payload = Payload::Bytes(bytes.into());
    Compression::new(options)?.before(&mut op)?;
    op.bytes().cloned()
}

/// What is read where `bytes` are stored.
pub(crate) fn read(options: Options, bytes: impl Into<Bytes>) -> Result<Bytes> {
    let mut answer = Answer::new(Outcome::Found);
    answer.payload = Payload::Bytes(bytes.into());
    let op = Operation::new(Action::Load, Timestamp::from_millis(0));
    Compression::new(options)?.after(&op, &mut answer)?;
    Ok(answer.take_bytes().expect("bytes stay bytes"))
}

/// The JSON text of a session, of about this many bytes.
pub(crate) fn session(bytes: usize) -> Vec<u8> {
    let mut text = String::from("{\"user_id\":42");
    for n in 0.. {
        if text.len() + 2 > bytes {
            break;
        }
        let field = format!(
            ",\"item_{n}\":{{\"sku\":\"{:x}\",\"count\":{}}}",
            n * 7919,
            n % 10
        );
        text += &field;
    }
    text.push('}');
    text.into_bytes()
}

/// Bytes that no algorithm makes smaller.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}
