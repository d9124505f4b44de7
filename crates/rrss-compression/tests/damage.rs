//! Stored bytes that something has damaged, and stored bytes that are an attack.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use std::io::Write as _;

use bytes::Bytes;
use proptest::prelude::*;
use rrss_compression::{Algorithm, Options};
use rrss_core::{
    Action, Answer, Error, ErrorKind, Operation, Outcome, Payload, Result, Session, Timestamp,
    Transform,
};
use rrss_json_codec::JsonCodec;
use support::{ALGORITHMS, options, read, session, store};

/// Stored bytes through this step and the codec above it, as in a pipeline.
fn load(stored: impl Into<Bytes>) -> Result<Session> {
    let mut answer = Answer::new(Outcome::Found);
    answer.payload = Payload::Bytes(read(Options::default(), stored)?);
    let op = Operation::new(Action::Load, Timestamp::from_millis(0));
    JsonCodec::new(rrss_json_codec::Options::default())?.after(&op, &mut answer)?;
    Ok(answer.session().unwrap().clone())
}

#[track_caller]
fn assert_corrupt<T: std::fmt::Debug>(result: Result<T>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    error
}

fn zeros(length: usize, algorithm: Algorithm) -> Bytes {
    let options = Options {
        max_bytes: usize::MAX,
        ..options(algorithm)
    };
    store(options, vec![0; length]).unwrap()
}

/// The content `a` in one raw block; the header goes on with `more` (RFC 8878, section 3.1.1).
fn zstd_frame(descriptor: u8, more: &[u8]) -> Vec<u8> {
    [&[0x28, 0xb5, 0x2f, 0xfd, descriptor], more, b"\x09\0\0a"].concat()
}

/// The content `a` in one plain block; the header goes on with `more`.
fn lz4_frame(flags: u8, more: &[u8]) -> Vec<u8> {
    let header = [&[flags, 0x40], more].concat();
    let checksum = twox_hash::XxHash32::oneshot(0, &header).to_le_bytes()[1];
    let blocks = b"\x01\0\0\x80a\0\0\0\0";
    [&[0x04, 0x22, 0x4d, 0x18], &*header, &[checksum], blocks].concat()
}

#[test]
fn a_frame_cut_short_anywhere_is_corrupt() {
    for algorithm in ALGORITHMS {
        for text in [session(300), session(70_000)] {
            let stored = store(options(algorithm), text.clone()).unwrap();
            assert_eq!(read(Options::default(), stored.clone()).unwrap(), text);
            for at in 4..stored.len() {
                assert_corrupt(read(Options::default(), stored.slice(..at)));
            }
            // So little does not show that it was a frame; the codec refuses it.
            for at in 0..4 {
                assert_corrupt(load(stored.slice(..at)));
            }
        }
    }
}

#[test]
fn bytes_behind_a_frame_are_corrupt() {
    for algorithm in ALGORITHMS {
        let stored = store(options(algorithm), session(1_000)).unwrap();
        for more in [
            &b"\0"[..],
            b"{}",
            &stored.clone(),
            b"\x50\x2a\x4d\x18\0\0\0\0",
        ] {
            assert_corrupt(read(Options::default(), [&stored, more].concat()));
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_never_yields_another_session() {
    for algorithm in ALGORITHMS {
        let text = session(1_000);
        let stored = store(options(algorithm), text.clone()).unwrap();
        for at in 0..stored.len() {
            for bit in 0..8 {
                let mut bytes = stored.to_vec();
                bytes[at] ^= 1 << bit;
                if at < 4 {
                    assert_corrupt(load(bytes));
                } else if let Ok(content) = read(Options::default(), bytes) {
                    assert_eq!(content, text, "{algorithm:?}: bit {bit} of byte {at}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn overwritten_bytes_never_yield_another_session(
        lz4 in any::<bool>(),
        at in any::<prop::sample::Index>(),
        over in prop::collection::vec(any::<u8>(), 1..16),
    ) {
        let text = session(600);
        let stored = store(options(if lz4 { Algorithm::Lz4 } else { Algorithm::Zstd }), text.clone()).unwrap();
        let mut bytes = stored.to_vec();
        let at = at.index(bytes.len() - 4) + 4;
        for (byte, new) in bytes[at..].iter_mut().zip(over) {
            *byte = new;
        }
        match read(Options::default(), bytes) {
            Ok(content) => prop_assert_eq!(content, text),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
        }
    }

    #[test]
    fn bytes_behind_a_magic_number_are_corrupt_or_a_frame(
        lz4 in any::<bool>(),
        rest in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let magic = if lz4 { [0x04, 0x22, 0x4d, 0x18] } else { [0x28, 0xb5, 0x2f, 0xfd] };
        let options = Options { max_bytes: 4_096, ..Options::default() };
        match read(options, [&magic[..], &rest].concat()) {
            Ok(content) => prop_assert!(content.len() <= 4_096),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
        }
    }
}

#[test]
fn a_bomb_is_corrupt_and_the_option_is_told() {
    for algorithm in ALGORITHMS {
        let bomb = zeros(10_000_000, algorithm);
        assert!(bomb.len() < 50_000, "{algorithm:?}: {}", bomb.len());
        let options = Options {
            max_bytes: 1_000_000,
            ..Options::default()
        };
        let error = assert_corrupt(read(options, bomb));
        assert!(
            error.to_string().contains("`max_bytes` allows (1000000)"),
            "{error}"
        );
    }
}

#[test]
fn the_bound_is_exact() {
    for algorithm in ALGORITHMS {
        let within = |max_bytes| Options {
            max_bytes,
            ..Options::default()
        };
        let stored = zeros(100_000, algorithm);
        assert!(read(within(100_000), stored.clone()).is_ok());
        assert_corrupt(read(within(99_999), stored));
    }
}

#[test]
fn the_bound_holds_for_frames_that_do_not_tell_their_length() {
    let content = vec![0; 300_000];
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.write_all(&content).unwrap();
    let zstd = encoder.finish().unwrap();
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(&content).unwrap();
    let lz4 = encoder.finish().unwrap();
    for frame in [zstd, lz4] {
        for (max_bytes, fits) in [
            (1, false),
            (65_536, false),
            (299_999, false),
            (300_000, true),
        ] {
            let options = Options {
                max_bytes,
                ..Options::default()
            };
            match read(options, frame.clone()) {
                Ok(read) => assert!(fits && read == content),
                Err(error) => {
                    assert!(!fits);
                    assert_eq!(error.kind(), ErrorKind::Corrupt);
                    assert!(error.to_string().contains("`max_bytes`"), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_frame_that_claims_more_than_there_is_memory_is_corrupt() {
    // Zstandard: one segment with an eight-byte length (RFC 8878, section 3.1.1.1.1), then an empty last block.
    let mut zstd = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000];
    zstd.extend((u64::MAX - 3).to_le_bytes());
    zstd.extend([1, 0, 0]);
    let lz4 = {
        let info = lz4_flex::frame::FrameInfo::new().content_size(Some(u64::MAX));
        let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(b"a").unwrap();
        encoder.flush().unwrap();
        encoder.into_inner()
    };
    for frame in [zstd, lz4] {
        let error = assert_corrupt(read(Options::default(), frame));
        assert!(error.to_string().contains("`max_bytes`"), "{error}");
    }
}

#[test]
fn a_frame_that_needs_a_dictionary_is_corrupt() {
    // One segment of one byte: `a`, with and without the id of a dictionary (RFC 8878, section 3.1.1.1.3).
    let zstd = |descriptor: u8, id: &[u8]| {
        let parts: [&[u8]; 4] = [
            &[0x28, 0xb5, 0x2f, 0xfd, descriptor],
            id,
            &[1],
            b"\x09\0\0a",
        ];
        parts.concat()
    };
    assert_eq!(
        read(Options::default(), zstd(0b0010_0000, &[])).unwrap(),
        b"a"[..]
    );
    assert_corrupt(read(Options::default(), zstd(0b0010_0001, &[7])));

    assert_eq!(
        read(Options::default(), lz4_frame(0b0110_0000, &[])).unwrap(),
        b"a"[..]
    );
    let error = assert_corrupt(read(
        Options::default(),
        lz4_frame(0b0110_0001, &[7, 0, 0, 0]),
    ));
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.contains("dictionary"), "{reason}");
}

#[test]
fn a_frame_that_lies_about_its_length_is_corrupt() {
    for length in [0_u8, 1, 2, 200] {
        let zstd = zstd_frame(0b0010_0000, &[length]);
        let lz4 = lz4_frame(0b0110_1000, &u64::from(length).to_le_bytes());
        for frame in [zstd, lz4] {
            match length {
                1 => assert_eq!(read(Options::default(), frame).unwrap(), b"a"[..]),
                _ => drop(assert_corrupt(read(Options::default(), frame))),
            }
        }
    }
}

#[test]
fn an_lz4_frame_of_an_unknown_version_is_corrupt() {
    for flags in [0b0010_0000, 0b1010_0000, 0b0110_0010] {
        assert_corrupt(read(Options::default(), lz4_frame(flags, &[])));
    }
}

#[test]
fn the_checksums_of_lz4_blocks_are_held() {
    let info = lz4_flex::frame::FrameInfo::new().block_checksums(true);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(&session(600)).unwrap();
    let frame = encoder.finish().unwrap();
    assert!(read(Options::default(), frame.clone()).is_ok());
    // Behind the header and the size of the block.
    for at in 11..frame.len() - 4 {
        let mut bytes = frame.clone();
        bytes[at] ^= 0x20;
        assert_corrupt(read(Options::default(), bytes));
    }
}

#[test]
fn no_error_shows_what_is_stored() {
    for algorithm in ALGORITHMS {
        let text = "hunter2 ".repeat(100);
        let mut stored = store(options(algorithm), text).unwrap().to_vec();
        let last = stored.len() - 1;
        stored[last] ^= 1;
        let error = assert_corrupt(read(Options::default(), stored));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        assert!(std::error::Error::source(&error).is_some());
    }
}
