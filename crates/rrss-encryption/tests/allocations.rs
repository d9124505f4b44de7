//! How often the step asks for memory. Counted per thread, so tests beside each other do not disturb.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use bytes::Bytes;
use rrss_core::Transform;
use support::{found, load, store, update};

const KEY: &str = "sessions:8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";

#[test]
fn encrypting_allocates_what_is_stored_and_nothing_else() {
    let step = support::step(&["new", "old"]);
    for length in [0, 100, 1_024, 200_000] {
        let mut op = update(KEY, vec![7; length]);
        step.before(&mut op.clone()).unwrap();
        let seen = allocation_counter::measure(|| step.before(&mut op).unwrap());
        assert_eq!(seen.count_total, 1, "{length} bytes");
        assert_eq!(seen.bytes_total, op.bytes().unwrap().len() as u64);
    }
}

#[test]
fn decrypting_allocates_the_session_and_nothing_else() {
    let step = support::step(&["2026-11"]);
    for length in [100, 1_024, 200_000] {
        let (op, mut answer) = (load(KEY), found(store(&step, KEY, vec![7; length])));
        step.after(&op, &mut answer.clone()).unwrap();
        let seen = allocation_counter::measure(|| step.after(&op, &mut answer).unwrap());
        assert_eq!(seen.count_total, 1, "{length} bytes");
        assert_eq!(seen.bytes_total, length as u64);
    }
}

#[test]
fn a_storage_key_of_any_length_costs_at_most_one_allocation_more() {
    let step = support::step(&["2026-11"]);
    let key = "k".repeat(10_000);
    let mut op = update(&key, vec![7; 1_024]);
    let seen = allocation_counter::measure(|| step.before(&mut op).unwrap());
    assert_eq!(seen.count_total, 2);
    let (op, mut answer) = (load(&key), found(op.bytes().unwrap().clone()));
    let seen = allocation_counter::measure(|| step.after(&op, &mut answer).unwrap());
    assert_eq!(seen.count_total, 2);
}

#[test]
fn what_is_not_encrypted_is_refused_without_memory_for_it() {
    let step = support::step(&["2026-11"]);
    let stranger = support::step(&["x"]);
    for bytes in [
        Bytes::from(vec![b'{'; 1_000_000]),
        store(&stranger, KEY, vec![7; 1_000_000]),
    ] {
        let (op, mut answer) = (load(KEY), found(bytes));
        let seen = allocation_counter::measure(|| {
            step.after(&op, &mut answer).unwrap_err();
        });
        assert!(seen.bytes_max < 2_000, "{} bytes", seen.bytes_max);
    }
}
