//! Zstandard frames, [RFC 8878](https://www.rfc-editor.org/rfc/rfc8878).

use std::cell::RefCell;

use bytes::Bytes;
use rrss_core::{Error, ErrorKind, Result};
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall as TOO_SMALL;
use zstd::zstd_safe::{
    CCtx, CDict, CParameter, DCtx, DDict, ErrorCode, compress_bound, find_frame_compressed_size,
    get_dict_id_from_frame, get_error_name, get_frame_content_size, is_error_kind,
};

use crate::dictionary::Dictionaries;
use crate::frame;

/// What every frame begins with (section 3.1.1).
pub(crate) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Where a frame does not say how long its content is, room is made in steps, from this on.
const FIRST_ROOM: usize = 16 * 1024;

thread_local! {
    /// A context costs more to make than a session to compress.
    static COMPRESSOR: RefCell<Option<(i32, CCtx<'static>)>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<DCtx<'static>>> = const { RefCell::new(None) };
}

/// A dictionary that leaves at most one part in this many of a short session suits it. Any other session is compressed
/// without it too, since a dictionary of other sessions can do harm: the README has the numbers.
const SUITS: usize = 3;
const SHORT: usize = 2 * 1024;

/// One frame with the content `bytes`, its length and its checksum.
pub(crate) fn compress(
    bytes: &[u8],
    level: i32,
    dictionary: Option<&'static CDict<'static>>,
) -> Result<Bytes> {
    let compressed = compress_once(bytes, level, dictionary)?;
    let suits = bytes.len() <= SHORT && compressed.len() <= bytes.len() / SUITS;
    if dictionary.is_some() && !suits {
        let without = compress_once(bytes, level, None)?;
        if without.len() <= compressed.len() {
            return Ok(without);
        }
    }
    Ok(compressed)
}

fn compress_once(
    bytes: &[u8],
    level: i32,
    dictionary: Option<&'static CDict<'static>>,
) -> Result<Bytes> {
    let failed = |code: ErrorCode| {
        Error::new(ErrorKind::Value, "zstd could not compress the session")
            .with_source(get_error_name(code))
    };
    let mut context = match COMPRESSOR.take() {
        Some((made_for, context)) if made_for == level => context,
        _ => compressor(level).map_err(failed)?,
    };
    if let Some(dictionary) = dictionary {
        context.ref_cdict(dictionary).map_err(failed)?;
    }
    let compressed = frame::collect(|frame| {
        frame.reserve(compress_bound(bytes.len()));
        context.compress2(frame, bytes).map_err(failed)?;
        Ok(())
    })?;
    // Other steps use the context too, in this thread.
    if dictionary.is_some() {
        context.disable_dictionary().map_err(failed)?;
    }
    // A context in which a call failed is not kept.
    COMPRESSOR.set(Some((level, context)));
    Ok(compressed)
}

fn compressor(level: i32) -> Result<CCtx<'static>, ErrorCode> {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::CompressionLevel(level))?;
    context.set_parameter(CParameter::ContentSizeFlag(true))?;
    // Four bytes, without which some overwritten frames would read as another session.
    context.set_parameter(CParameter::ChecksumFlag(true))?;
    Ok(context)
}

/// The content of the one frame that `bytes` are.
pub(crate) fn decompress(
    bytes: &[u8],
    max_bytes: usize,
    dictionaries: &Dictionaries,
) -> Result<Bytes> {
    let claimed = get_frame_content_size(bytes).map_err(|_| damaged("its header is cut short"))?;
    let length = claimed
        .map(|claimed| frame::bounded(claimed, max_bytes))
        .transpose()?;
    match find_frame_compressed_size(bytes) {
        Ok(whole) if whole == bytes.len() => {}
        Ok(_) => return Err(damaged("there are more bytes behind it")),
        Err(code) => return Err(damaged(get_error_name(code))),
    }
    let dictionary = match get_dict_id_from_frame(bytes) {
        Some(id) => {
            let known = dictionaries.reading(id);
            Some(known.ok_or_else(|| frame::unknown_dictionary(id))?)
        }
        None => None,
    };

    let mut context = DECOMPRESSOR.take().unwrap_or_else(DCtx::create);
    let content = match length {
        Some(length) => decompress_exactly(&mut context, bytes, dictionary, length),
        None => decompress_within(&mut context, bytes, dictionary, max_bytes),
    };
    // Every call begins anew, whatever became of the last.
    DECOMPRESSOR.set(Some(context));
    content.map(Bytes::from)
}

fn decompress_exactly(
    context: &mut DCtx<'_>,
    bytes: &[u8],
    dictionary: Option<&DDict<'_>>,
    length: usize,
) -> Result<Vec<u8>> {
    let mut content = Vec::with_capacity(length);
    match decompress_into(context, &mut content, bytes, dictionary) {
        Ok(written) if written == length => Ok(content),
        Ok(_) => Err(damaged("its content is shorter than it says")),
        Err(code) => Err(damaged(get_error_name(code))),
    }
}

/// For frames that this step does not write: made by a program that did not know the length when it began.
fn decompress_within(
    context: &mut DCtx<'_>,
    bytes: &[u8],
    dictionary: Option<&DDict<'_>>,
    max_bytes: usize,
) -> Result<Vec<u8>> {
    let mut room = FIRST_ROOM.min(max_bytes);
    loop {
        let mut content = Vec::with_capacity(room);
        match decompress_into(context, &mut content, bytes, dictionary) {
            Ok(_) if content.len() > max_bytes => return Err(frame::beyond(max_bytes)),
            Ok(_) => return Ok(content),
            Err(code) if !is_error_kind(code, TOO_SMALL) => {
                return Err(damaged(get_error_name(code)));
            }
            Err(_) if room == max_bytes => return Err(frame::beyond(max_bytes)),
            Err(_) => room = room.saturating_mul(4).min(max_bytes),
        }
    }
}

fn decompress_into(
    context: &mut DCtx<'_>,
    content: &mut Vec<u8>,
    bytes: &[u8],
    dictionary: Option<&DDict<'_>>,
) -> Result<usize, ErrorCode> {
    match dictionary {
        Some(dictionary) => context.decompress_using_ddict(content, bytes, dictionary),
        None => context.decompress(content, bytes),
    }
}

fn damaged(reason: &'static str) -> Error {
    frame::damaged("zstd", reason)
}
