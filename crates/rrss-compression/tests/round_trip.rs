//! What is stored comes back as it was, whatever was configured when.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use proptest::prelude::*;
use rrss_compression::{Algorithm, Compression, Options};
use rrss_core::{
    Action, Answer, ErrorKind, Operation, Outcome, Payload, Session, Timestamp, Transform,
};
use support::{ALGORITHMS, noise, options, read, session, store};

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const LZ4: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

fn magic(algorithm: Algorithm) -> [u8; 4] {
    match algorithm {
        Algorithm::Zstd => ZSTD,
        _ => LZ4,
    }
}

/// Bytes as codecs make them, and bytes that look like a frame.
fn arbitrary_bytes() -> impl Strategy<Value = Vec<u8>> {
    let repetitive = ("[a-c]{1,6}", 1..400_usize).prop_map(|(part, n)| part.repeat(n).into_bytes());
    let any_bytes = prop::collection::vec(any::<u8>(), 0..2_000);
    let framed = (prop_oneof![Just(ZSTD), Just(LZ4)], any_bytes.clone())
        .prop_map(|(magic, rest)| [&magic[..], &rest].concat());
    prop_oneof![repetitive, any_bytes, framed]
}

proptest! {
    #[test]
    fn any_bytes_come_back(bytes in arbitrary_bytes(), min_bytes in 0..600_usize, lz4 in any::<bool>()) {
        let algorithm = if lz4 { Algorithm::Lz4 } else { Algorithm::Zstd };
        let options = Options { min_bytes, ..options(algorithm) };
        let stored = store(options.clone(), bytes.clone()).unwrap();
        prop_assert_eq!(read(options, stored).unwrap(), bytes);
    }

    #[test]
    fn other_programs_read_our_lz4_frames(bytes in arbitrary_bytes()) {
        let stored = store(options(Algorithm::Lz4), bytes.clone()).unwrap();
        if stored.starts_with(&LZ4) {
            let mut content = Vec::new();
            lz4_flex::frame::FrameDecoder::new(&*stored).read_to_end(&mut content).unwrap();
            prop_assert_eq!(content, bytes);
        }
    }

    #[test]
    fn lz4_frames_of_other_programs_are_read(
        bytes in arbitrary_bytes(),
        repeat in 1..80_usize,
        linked in any::<bool>(),
        block_checksums in any::<bool>(),
        content_checksum in any::<bool>(),
        sized in any::<bool>(),
    ) {
        use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};
        let bytes = bytes.repeat(repeat);
        let info = FrameInfo::new()
            .block_mode(if linked { BlockMode::Linked } else { BlockMode::Independent })
            .block_checksums(block_checksums)
            .content_checksum(content_checksum)
            .content_size(sized.then_some(bytes.len() as u64));
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(&bytes).unwrap();
        let frame = encoder.finish().unwrap();
        prop_assert_eq!(read(Options::default(), frame).unwrap(), bytes);
    }
}

#[test]
fn a_session_is_stored_in_fewer_bytes_as_a_frame() {
    for algorithm in ALGORITHMS {
        let stored = store(options(algorithm), session(1_000)).unwrap();
        assert!(stored.starts_with(&magic(algorithm)));
        assert!(stored.len() < 700, "{algorithm:?}: {}", stored.len());
    }
}

#[test]
fn sessions_of_many_blocks_come_back() {
    for algorithm in ALGORITHMS {
        for bytes in [session(100_000), session(300_000), session(9_000_000)] {
            let stored = store(options(algorithm), bytes.clone()).unwrap();
            assert!(stored.starts_with(&magic(algorithm)));
            assert_eq!(read(options(algorithm), stored).unwrap(), bytes);
        }
        // The first blocks shrink, the last do not.
        let bytes = [session(5_000_000), noise(4_500_000)].concat();
        let stored = store(options(algorithm), bytes.clone()).unwrap();
        assert_eq!(read(options(algorithm), stored).unwrap(), bytes);
    }
}

#[test]
fn what_would_not_be_smaller_is_stored_as_it_is() {
    for algorithm in ALGORITHMS {
        for bytes in [
            Vec::new(),
            b"{}".to_vec(),
            noise(1),
            noise(300),
            noise(100_000),
        ] {
            assert_eq!(store(options(algorithm), bytes.clone()).unwrap(), bytes);
        }
    }
}

#[test]
fn sessions_below_min_bytes_are_stored_as_they_are() {
    let text = "a".repeat(256);
    for algorithm in ALGORITHMS {
        let options = Options {
            algorithm,
            ..Options::default()
        };
        assert_eq!(
            store(options.clone(), text[..255].to_owned()).unwrap(),
            text[..255]
        );
        assert!(
            store(options, text.clone())
                .unwrap()
                .starts_with(&magic(algorithm))
        );
    }
}

#[test]
fn bytes_that_look_like_a_frame_come_back_too() {
    for algorithm in ALGORITHMS {
        for begin in [ZSTD, LZ4] {
            for bytes in [begin.to_vec(), [&begin[..], &noise(600)].concat()] {
                let options = Options {
                    algorithm,
                    ..Options::default()
                };
                let stored = store(options.clone(), bytes.clone()).unwrap();
                assert_ne!(stored, bytes);
                assert_eq!(read(options, stored).unwrap(), bytes);
            }
        }
    }
}

#[test]
fn what_was_stored_under_other_options_is_read() {
    let text = Bytes::from(session(1_000));
    let mut stored = vec![text.clone()];
    for algorithm in ALGORITHMS {
        stored.push(store(options(algorithm), text.clone()).unwrap());
    }
    for level in [1, 3, 19] {
        let options = Options {
            level: Some(level),
            ..Options::default()
        };
        stored.push(store(options, text.clone()).unwrap());
    }
    for algorithm in ALGORITHMS {
        for stored in &stored {
            assert_eq!(read(options(algorithm), stored.clone()).unwrap(), text);
        }
    }
}

#[test]
fn levels_taken_in_turn_give_each_its_own_result() {
    let text = session(20_000);
    let at = |level| {
        let options = Options {
            level: Some(level),
            ..Options::default()
        };
        store(options, text.clone()).unwrap()
    };
    let (low, high) = (at(1), at(19));
    assert!(high.len() < low.len());
    assert_eq!((at(1), at(19), at(1)), (low.clone(), high, low));
}

#[test]
fn lz4_blocks_that_refer_to_the_blocks_before_them_are_read() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let bytes = noise(40_000).repeat(6);
    for sized in [false, true] {
        let info = FrameInfo::new()
            .block_mode(BlockMode::Linked)
            .block_size(BlockSize::Max64KB)
            .content_size(sized.then_some(bytes.len() as u64));
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(&bytes).unwrap();
        let frame = encoder.finish().unwrap();
        assert!(frame.len() < bytes.len() / 2, "{}", frame.len());
        assert_eq!(read(Options::default(), frame).unwrap(), bytes);
    }
}

#[test]
fn zstd_frames_that_do_not_tell_their_length_are_read() {
    for length in [0, 1, 1_000, 16 * 1024, 16 * 1024 + 1, 1_000_000] {
        let bytes = session(length);
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.write_all(&bytes).unwrap();
        let frame = encoder.finish().unwrap();
        let told = zstd::zstd_safe::get_frame_content_size(&frame);
        assert!(matches!(told, Ok(None)), "{told:?}");
        assert_eq!(read(Options::default(), frame).unwrap(), bytes);
    }
}

#[test]
fn an_empty_frame_is_read_as_nothing() {
    let zstd = zstd::bulk::compress(b"", 1).unwrap();
    let lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new())
        .finish()
        .unwrap();
    for frame in [zstd, lz4] {
        assert_eq!(read(Options::default(), frame).unwrap(), b""[..]);
    }
}

#[test]
fn a_session_that_is_too_large_is_not_stored_and_limit_and_size_are_told() {
    for algorithm in ALGORITHMS {
        let options = Options {
            max_bytes: 1_000,
            ..options(algorithm)
        };
        let stored = store(options.clone(), vec![b'a'; 1_000]).unwrap();
        assert_eq!(read(options.clone(), stored).unwrap(), vec![b'a'; 1_000]);

        let error = store(options, vec![b'a'; 1_001]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains("1001 bytes"), "{error}");
        assert!(
            error.to_string().contains("`max_bytes` allows 1000"),
            "{error}"
        );
    }
}

#[test]
fn other_operations_and_answers_pass_untouched() {
    let compression = Compression::new(options(Algorithm::Zstd)).unwrap();
    let mut op = Operation::new(Action::Load, Timestamp::from_millis(0));
    compression.before(&mut op).unwrap();
    assert!(matches!(op.payload, Payload::None));

    let mut op =
        Operation::new(Action::Update, Timestamp::from_millis(0)).with_session(Session::new());
    compression.before(&mut op).unwrap();
    assert!(op.session().is_some());

    for outcome in [Outcome::Missing, Outcome::Done, Outcome::Count(1)] {
        let mut answer = Answer::new(outcome.clone());
        compression.after(&op, &mut answer).unwrap();
        assert_eq!(answer.outcome, outcome);
        assert!(matches!(answer.payload, Payload::None));
    }
}
