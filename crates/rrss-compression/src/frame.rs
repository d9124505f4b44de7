//! What zstd and lz4 frames have in common: how they are told apart, and how they fail.

use std::borrow::Cow;
use std::cell::RefCell;
use std::error::Error as StdError;
use std::num::NonZeroU32;

use bytes::Bytes;
use rrss_core::{Error, ErrorKind, Result};

use crate::options::Algorithm;
use crate::{lz4, zstd};

/// Larger buffers are given back to the allocator after use.
const KEPT_BYTES: usize = 256 * 1024;

thread_local! {
    /// How long the result of compression is shows only at its end: it grows here, and is copied out once.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The algorithm whose frame begins here, by its magic number.
pub(crate) fn algorithm_of(bytes: &[u8]) -> Option<Algorithm> {
    if bytes.starts_with(&zstd::MAGIC) {
        Some(Algorithm::Zstd)
    } else if bytes.starts_with(&lz4::MAGIC) {
        Some(Algorithm::Lz4)
    } else {
        None
    }
}

/// The bytes that `write` puts into an empty buffer; one allocation, of their exact length.
pub(crate) fn collect(write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<Bytes> {
    let mut scratch = SCRATCH.take();
    scratch.clear();
    let written = write(&mut scratch);
    let bytes = Bytes::copy_from_slice(&scratch);
    if scratch.capacity() <= KEPT_BYTES {
        SCRATCH.set(scratch);
    }
    written.map(|()| bytes)
}

/// How long a frame says that its content is, as far as it is within `max_bytes`. Nothing is allocated before this.
pub(crate) fn bounded(claimed: u64, max_bytes: usize) -> Result<usize> {
    match usize::try_from(claimed) {
        Ok(length) if length <= max_bytes => Ok(length),
        _ => Err(beyond(max_bytes)),
    }
}

pub(crate) fn beyond(max_bytes: usize) -> Error {
    corrupt(format!(
        "the stored session stands for more bytes than `max_bytes` allows ({max_bytes}); if it is one of yours, raise \
         `max_bytes` to read it"
    ))
}

/// A frame that no compressor has written like this: cut short, overwritten, or with something behind it.
pub(crate) fn damaged(format: &str, reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    corrupt(format!(
        "the stored session is a damaged {format} frame; it stays as it is, delete it if nothing can restore it"
    ))
    .with_source(reason)
}

/// A frame that only a dictionary reads which the step has not.
pub(crate) fn unknown_dictionary(id: NonZeroU32) -> Error {
    corrupt(format!(
        "the stored session was compressed with the dictionary of id {id}, which is not configured; add its file to \
         the list `dictionary` of the `compression` step, behind the one that compresses"
    ))
}

fn corrupt(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Corrupt, message)
}
