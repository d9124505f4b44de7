//! Files, of which no more is read than is wanted.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Why a file was not read.
pub(crate) enum Unread {
    Missing,
    Directory,
    /// With its size, where that is known.
    TooLarge(Option<u64>),
    Failed(io::Error),
}

/// A whole file of at most so many bytes. No more than these is ever read.
pub(crate) fn read_up_to(path: &Path, largest: u64) -> Result<Vec<u8>, Unread> {
    let unread = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Unread::Missing,
        io::ErrorKind::IsADirectory => Unread::Directory,
        _ => Unread::Failed(error),
    };
    let file = File::open(path).map_err(unread)?;
    let metadata = file.metadata().map_err(unread)?;
    if metadata.is_dir() {
        return Err(Unread::Directory);
    }
    let mut bytes = Vec::new();
    file.take(largest + 1)
        .read_to_end(&mut bytes)
        .map_err(unread)?;
    if bytes.len() as u64 > largest {
        let size = metadata.is_file().then_some(metadata.len());
        return Err(Unread::TooLarge(size));
    }
    Ok(bytes)
}
