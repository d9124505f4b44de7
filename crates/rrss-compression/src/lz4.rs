//! LZ4 in its [frame format](https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), version 1.6.
//!
//! The blocks are `lz4_flex`'s work. Its frame reader is not used: it takes a frame that was cut between two blocks
//! for a whole one, and copies each block through two buffers of at least 64 KiB that it makes anew for each frame.

use std::cell::RefCell;

use bytes::Bytes;
use lz4_flex::block::{
    CompressTable, DecompressError, compress_into_with_table, decompress_into,
    decompress_into_with_dict, get_maximum_output_size,
};
use rrss_core::{Error, ErrorKind, Result};
use twox_hash::XxHash32;

use crate::frame;

/// What every frame begins with.
pub(crate) const MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();

const VERSION: u8 = 0b0100_0000;
const VERSION_MASK: u8 = 0b1100_0000;
const INDEPENDENT_BLOCKS: u8 = 0b0010_0000;
const BLOCK_CHECKSUMS: u8 = 0b0001_0000;
const CONTENT_SIZE: u8 = 0b0000_1000;
const CONTENT_CHECKSUM: u8 = 0b0000_0100;
const RESERVED: u8 = 0b0000_0010;
const DICTIONARY: u8 = 0b0000_0001;

/// In the size of a block: its bytes stand as they are.
const PLAIN: u32 = 0x8000_0000;
const END: u32 = 0;

/// How far back a linked block may refer.
const WINDOW: usize = 64 * 1024;
/// The sizes that blocks may have, by their code in the header.
const BLOCK_SIZES: [(u8, usize); 4] = [
    (4, 64 * 1024),
    (5, 256 * 1024),
    (6, 1024 * 1024),
    (7, 4 * 1024 * 1024),
];

thread_local! {
    static TABLE: RefCell<CompressTable> = RefCell::default();
}

/// One frame with the content `bytes`, its length and its checksum, in independent blocks.
pub(crate) fn compress(bytes: &[u8]) -> Result<Bytes> {
    let fits = BLOCK_SIZES.iter().find(|(_, size)| bytes.len() <= *size);
    let (code, block_size) = *fits.unwrap_or(&BLOCK_SIZES[3]);
    frame::collect(|frame| {
        frame.extend(MAGIC);
        frame.push(VERSION | INDEPENDENT_BLOCKS | CONTENT_SIZE | CONTENT_CHECKSUM);
        frame.push(code << 4);
        frame.extend((bytes.len() as u64).to_le_bytes());
        frame.push(header_checksum(&frame[MAGIC.len()..]));
        for block in bytes.chunks(block_size) {
            write_block(frame, block)?;
        }
        frame.extend(END.to_le_bytes());
        frame.extend(checksum(bytes).to_le_bytes());
        Ok(())
    })
}

fn write_block(frame: &mut Vec<u8>, block: &[u8]) -> Result<()> {
    let start = frame.len();
    let data = start + size_of::<u32>();
    frame.resize(data + get_maximum_output_size(block.len()), 0);
    let written = TABLE
        .with_borrow_mut(|table| compress_into_with_table(block, &mut frame[data..], table))
        .map_err(|error| {
            Error::new(ErrorKind::Value, "lz4 could not compress the session").with_source(error)
        })?;
    // Both lengths are those of a block, far below 2³¹.
    let size = if written < block.len() {
        frame.truncate(data + written);
        written as u32
    } else {
        frame.truncate(data);
        frame.extend_from_slice(block);
        block.len() as u32 | PLAIN
    };
    frame[start..data].copy_from_slice(&size.to_le_bytes());
    Ok(())
}

/// The content of the one frame that `bytes` are.
pub(crate) fn decompress(bytes: &[u8], max_bytes: usize) -> Result<Bytes> {
    let mut rest = Rest(bytes);
    let header = Header::read(&mut rest)?;
    let length = header
        .content_size
        .map(|claimed| frame::bounded(claimed, max_bytes))
        .transpose()?;

    let mut content = vec![0; length.unwrap_or_default()];
    let mut filled = 0;
    loop {
        let size = rest.u32()?;
        if size == END {
            break;
        }
        let block = rest.take((size & !PLAIN) as usize)?;
        if header.has(BLOCK_CHECKSUMS) && rest.u32()? != checksum(block) {
            return Err(damaged("the checksum of a block is wrong"));
        }
        if length.is_none() {
            content.resize(max_bytes.min(filled + header.block_size), 0);
        }
        filled += match header.read_block(block, size & PLAIN != 0, &mut content, filled) {
            Ok(written) => written,
            Err(Misfit::TooLong) if length.is_none() && content.len() == max_bytes => {
                return Err(frame::beyond(max_bytes));
            }
            Err(Misfit::TooLong) => return Err(damaged("a block has more content than it may")),
            Err(Misfit::Block(error)) => return Err(frame::damaged("lz4", error)),
        };
    }
    if length.is_some_and(|length| length != filled) {
        return Err(damaged("its content is shorter than it says"));
    }
    content.truncate(filled);
    if header.has(CONTENT_CHECKSUM) && rest.u32()? != checksum(&content) {
        return Err(damaged("the checksum of its content is wrong"));
    }
    if !rest.0.is_empty() {
        return Err(damaged("there are more bytes behind it"));
    }
    Ok(content.into())
}

/// What stands before the first block.
struct Header {
    flags: u8,
    block_size: usize,
    content_size: Option<u64>,
}

enum Misfit {
    TooLong,
    Block(DecompressError),
}

impl Header {
    fn read(rest: &mut Rest<'_>) -> Result<Self> {
        rest.take(MAGIC.len())?;
        let start = *rest;
        let [flags, sizes] = rest.array()?;
        if flags & VERSION_MASK != VERSION || flags & RESERVED != 0 || sizes & 0b1000_1111 != 0 {
            return Err(damaged("it is of a version that is not known"));
        }
        let block_size = BLOCK_SIZES.iter().find(|(code, _)| *code == sizes >> 4);
        let (_, block_size) = *block_size.ok_or_else(|| damaged("its block size is not known"))?;
        let content_size = if flags & CONTENT_SIZE != 0 {
            Some(u64::from_le_bytes(rest.array()?))
        } else {
            None
        };
        if flags & DICTIONARY != 0 {
            return Err(damaged("it needs a dictionary, which is not known"));
        }
        let described = &start.0[..start.0.len() - rest.0.len()];
        if rest.array()? != [header_checksum(described)] {
            return Err(damaged("the checksum of its header is wrong"));
        }
        Ok(Self {
            flags,
            block_size,
            content_size,
        })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Puts the content of a block behind the first `filled` bytes of `content`, and tells its length.
    fn read_block(
        &self,
        block: &[u8],
        is_plain: bool,
        content: &mut [u8],
        filled: usize,
    ) -> Result<usize, Misfit> {
        let (before, room) = content.split_at_mut(filled);
        let most = room.len().min(self.block_size);
        let room = &mut room[..most];
        if is_plain {
            let place = room.get_mut(..block.len()).ok_or(Misfit::TooLong)?;
            place.copy_from_slice(block);
            return Ok(block.len());
        }
        let written = if self.has(INDEPENDENT_BLOCKS) {
            decompress_into(block, room)
        } else {
            decompress_into_with_dict(block, room, &before[filled.saturating_sub(WINDOW)..])
        };
        written.map_err(|error| match error {
            DecompressError::OutputTooSmall { .. } => Misfit::TooLong,
            error => Misfit::Block(error),
        })
    }
}

/// What of a frame has not been read.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| damaged("it is cut short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    XxHash32::oneshot(0, bytes)
}

/// The second byte of the checksum.
fn header_checksum(described: &[u8]) -> u8 {
    checksum(described).to_le_bytes()[1]
}

fn damaged(reason: &'static str) -> Error {
    frame::damaged("lz4", reason)
}
