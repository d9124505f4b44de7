//! Training: which samples are enough, and that what is trained is a dictionary which helps.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;

use bytes::Bytes;
use rrss_compression::{Compression, Dictionary, Options, Sample};
use rrss_core::ErrorKind;

/// Another session of one shape for each number, of about 200 bytes.
fn shop(number: u64) -> Bytes {
    let random = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!(
        "{{\"user_id\":{},\"roles\":[\"customer\"],\"csrf_token\":\"{random:016x}\",\"locale\":\"en-GB\",\"cart\":[{{\
         \"sku\":\"{:08x}\",\"quantity\":{},\"added_at\":\"2026-0{}-11T09:00:00Z\"}}]}}",
        random % 1_000_000,
        random >> 40,
        number % 5,
        number % 9 + 1
    )
    .into()
}

/// Bytes that have nothing in common.
fn noise(number: u64) -> Bytes {
    let mut state = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..200).map(|_| next()).collect()
}

fn sample(count: u64) -> Sample {
    Sample::new((0..count).map(shop).collect()).unwrap()
}

fn options() -> Options {
    Options {
        min_bytes: 0,
        ..Options::default()
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: rrss_core::Result<T>, words: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    for word in words {
        assert!(error.message().contains(word), "{error}");
    }
}

#[test]
fn a_trained_dictionary_halves_sessions_that_it_was_not_trained_on() {
    let sample = sample(1_000);
    assert_eq!((sample.training(), sample.held_out()), (800, 200));
    let dictionary = sample.train(None).unwrap();
    let without = sample.measure(&Compression::new(options()).unwrap());
    let with = sample.measure(&Compression::with_dictionary(&options(), &dictionary).unwrap());
    let (without, with) = (without.unwrap(), with.unwrap());
    assert_eq!((with.sessions, with.larger), (200, 0));
    assert_eq!(with.plain_bytes, without.plain_bytes);
    assert!(
        with.stored_bytes * 2 < without.stored_bytes,
        "{with:?} {without:?}"
    );
    assert!(with.ratio() < 0.5 && with.mean() < 100.0);
}

#[test]
fn what_is_written_to_a_file_is_read_as_the_same_dictionary() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.dict");
    let sample = sample(1_000);
    let dictionary = sample.train(Some(4_096)).unwrap();
    assert!(dictionary.as_bytes().len() <= 4_096);
    fs::write(&path, dictionary.as_bytes()).unwrap();
    let file = Options {
        dictionary: vec![path.clone()],
        ..options()
    };
    assert_eq!(
        sample.measure(&Compression::new(file).unwrap()).unwrap(),
        sample
            .measure(&Compression::with_dictionary(&options(), &dictionary).unwrap())
            .unwrap()
    );
    let read = Dictionary::new(fs::read(path).unwrap().into()).unwrap();
    assert_eq!(read, dictionary);
    assert_eq!(read.id(), dictionary.id());
}

#[test]
fn the_same_sessions_in_any_order_give_the_same_dictionary() {
    let there = sample(500).train(None).unwrap();
    let back = Sample::new((0..500).rev().map(shop).collect()).unwrap();
    assert_eq!(back.train(None).unwrap(), there);
    assert_ne!(sample(501).train(None).unwrap(), there);
}

#[test]
fn too_few_sessions_are_refused_and_how_many_it_takes_is_said() {
    for count in [0, 1, 99] {
        let sample = Sample::new((0..count).map(shop).collect());
        refused(sample, &["100", &format!("here are {count}")]);
    }
    assert!(sample(100).train(None).is_ok());
}

#[test]
fn too_few_bytes_for_a_dictionary_are_refused_and_what_they_are_enough_for_is_said() {
    let sample = sample(200);
    let most = sample.training_bytes() / 10;
    refused(
        sample.train(Some(32 * 1024)),
        &["32768", &format!("at most {most} bytes")],
    );
    assert!(sample.train(Some(most)).is_ok());
    refused(sample.train(Some(1_023)), &["1023", "1024 or more"]);
    refused(sample.train(Some(0)), &["1024 or more"]);

    let short = Sample::new((0..200).map(|n| format!("{{\"n\":{n}}}").into()).collect()).unwrap();
    for size in [None, Some(1_024)] {
        refused(short.train(size), &["sample more sessions"]);
    }
    let empty = Sample::new(vec![Bytes::new(); 200]).unwrap();
    refused(empty.train(None), &["sample more sessions"]);
}

#[test]
fn a_dictionary_is_a_tenth_of_what_it_is_trained_on_unless_its_size_is_given() {
    let few = sample(200);
    let dictionary = few.train(None).unwrap();
    assert!(dictionary.as_bytes().len() <= few.training_bytes() / 10);
    let many = sample(3_000);
    let dictionary = many.train(None).unwrap();
    assert!(dictionary.as_bytes().len() <= 32 * 1024);
    assert!(dictionary.as_bytes().len() > few.training_bytes() / 10);
}

#[test]
fn sessions_that_are_all_alike_and_ones_that_have_nothing_in_common_make_none_larger() {
    let alike = Sample::new(vec![shop(7); 500]).unwrap();
    let noisy = Sample::new((0..500).map(noise).collect()).unwrap();
    for sample in [alike, noisy] {
        let dictionary = sample.train(None).unwrap();
        let step = Compression::with_dictionary(&options(), &dictionary).unwrap();
        assert_eq!(sample.measure(&step).unwrap().larger, 0);
    }
}

#[test]
fn bytes_that_are_no_dictionary_are_none() {
    for bytes in [
        &b""[..],
        b"{}",
        &[0x37, 0xa4, 0x30, 0xec],
        &[0x37, 0xa4, 0x30, 0xec, 0, 0, 0, 0],
    ] {
        refused(
            Dictionary::new(Bytes::copy_from_slice(bytes)),
            &["the dictionary "],
        );
    }
}

#[test]
fn nothing_of_a_session_is_in_debug() {
    let sample = Sample::new(
        (0..500)
            .map(|n| format!("{{\"secret\":\"hunter2 hunter2 hunter2\",\"number\":{n},\"at\":\"2026-11-23\"}}").into())
            .collect(),
    )
    .unwrap();
    let dictionary = sample.train(None).unwrap();
    let shown = format!("{sample:?} {dictionary:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(
        shown.contains("400") && shown.contains(&dictionary.id().to_string()),
        "{shown}"
    );
}
