//! How often the step asks for memory. Counted per thread, so tests beside each other do not disturb.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use bytes::Bytes;
use rrss_compression::{Compression, Options};
use rrss_core::{Action, Answer, Operation, Outcome, Payload, Timestamp, Transform};
use support::{ALGORITHMS, options, session, store};

fn found(bytes: Bytes) -> Answer {
    let mut answer = Answer::new(Outcome::Found);
    answer.payload = Payload::Bytes(bytes);
    answer
}

#[test]
fn reading_a_session_allocates_its_bytes_and_nothing_else() {
    for algorithm in ALGORITHMS {
        for length in [300, 1_000, 20_000, 200_000] {
            let text = session(length);
            let stored = store(options(algorithm), text.clone()).unwrap();
            let compression = Compression::new(options(algorithm)).unwrap();
            let op = Operation::new(Action::Load, Timestamp::from_millis(0));
            compression.after(&op, &mut found(stored.clone())).unwrap();

            let mut answer = found(stored);
            let seen = allocation_counter::measure(|| {
                compression.after(&op, &mut answer).unwrap();
            });
            assert_eq!(seen.count_total, 1, "{algorithm:?}, {length} bytes");
            assert_eq!(seen.bytes_total, text.len() as u64);
        }
    }
}

#[test]
fn storing_a_session_allocates_its_compressed_bytes_and_nothing_else() {
    for algorithm in ALGORITHMS {
        let compression = Compression::new(options(algorithm)).unwrap();
        let text = Bytes::from(session(1_000));
        let mut op = Operation::new(Action::Update, Timestamp::from_millis(0));
        op.payload = Payload::Bytes(text.clone());
        compression.before(&mut op.clone()).unwrap();

        let seen = allocation_counter::measure(|| {
            compression.before(&mut op).unwrap();
        });
        assert_eq!(seen.count_total, 1, "{algorithm:?}");
        assert_eq!(seen.bytes_total, op.bytes().unwrap().len() as u64);
    }
}

#[test]
fn plain_bytes_pass_without_an_allocation() {
    let compression = Compression::new(Options::default()).unwrap();
    let op = Operation::new(Action::Load, Timestamp::from_millis(0));
    let mut answer = found(Bytes::from_static(b"{\"a\":1}"));
    let seen = allocation_counter::measure(|| {
        compression.after(&op, &mut answer).unwrap();
    });
    assert_eq!(seen.count_total, 0);
}

#[test]
fn a_bomb_is_refused_without_memory_for_it() {
    for algorithm in ALGORITHMS {
        let bomb = store(options(algorithm), vec![0; 10_000_000]).unwrap();
        let compression = Compression::new(Options {
            max_bytes: 1_000_000,
            ..Options::default()
        })
        .unwrap();
        let op = Operation::new(Action::Load, Timestamp::from_millis(0));
        let mut answer = found(bomb);
        let seen = allocation_counter::measure(|| {
            compression.after(&op, &mut answer).unwrap_err();
        });
        assert!(
            seen.bytes_max < 2_000,
            "{algorithm:?}: {} bytes",
            seen.bytes_max
        );
    }
}

#[test]
fn a_dictionary_that_suits_costs_no_allocation_more_and_a_second_attempt_costs_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.dict");
    let samples: Vec<Vec<u8>> = (200..1_200).map(session).collect();
    std::fs::write(&path, zstd::dict::from_samples(&samples, 8_192).unwrap()).unwrap();
    let compression = Compression::new(Options {
        dictionary: vec![path],
        ..Options::default()
    })
    .unwrap();

    let text = Bytes::from(session(1_000));
    let mut op = Operation::new(Action::Update, Timestamp::from_millis(0));
    op.payload = Payload::Bytes(text.clone());
    compression.before(&mut op.clone()).unwrap();
    let seen = allocation_counter::measure(|| compression.before(&mut op).unwrap());
    assert_eq!(seen.count_total, 1);
    assert!(op.bytes().unwrap().len() < text.len() / 3);

    let mut answer = found(op.bytes().unwrap().clone());
    compression.after(&op, &mut answer.clone()).unwrap();
    let seen = allocation_counter::measure(|| compression.after(&op, &mut answer).unwrap());
    assert_eq!(seen.count_total, 1);
    assert_eq!(answer.take_bytes().unwrap(), text);

    let mut long = Operation::new(Action::Update, Timestamp::from_millis(0));
    long.payload = Payload::Bytes(session(4_000).into());
    compression.before(&mut long.clone()).unwrap();
    let seen = allocation_counter::measure(|| compression.before(&mut long).unwrap());
    assert_eq!(seen.count_total, 2);
}
