//! How often the step asks for memory. Counted per thread, so tests beside each other do not disturb.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss_core::{Action, Operation, Timestamp, Transform};
use rrss_key_mapper::{Hash, KeyMapper, Options};

fn allocations(op: &mut Operation) -> u64 {
    let mapper = KeyMapper::new(Options::default());
    allocation_counter::measure(|| mapper.before(op).unwrap()).count_total
}

#[test]
fn a_key_costs_one_allocation() {
    let id = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
    let mut op = Operation::new(Action::Load, Timestamp::from_millis(0)).with_id(id.into());
    assert_eq!(allocations(&mut op), 1);
    assert!(op.key.is_some());
}

#[test]
fn a_malformed_id_costs_none_however_long_it_is() {
    for id in [String::new(), "a".repeat(1024 * 1024)] {
        let mut op = Operation::new(Action::Load, Timestamp::from_millis(0)).with_id(id.into());
        assert_eq!(allocations(&mut op), 0);
    }
}

#[test]
fn a_new_uuid_and_its_key_cost_two() {
    let mut op = Operation::new(Action::Create, Timestamp::from_millis(0));
    assert_eq!(allocations(&mut op), 2);
}

#[test]
fn a_hashed_key_costs_no_more_than_one_of_the_id() {
    let mapper = KeyMapper::new(Options {
        hash: Hash::Sha256,
        ..Options::default()
    });
    let id = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
    let mut op = Operation::new(Action::Load, Timestamp::from_millis(0)).with_id(id.into());
    let counted = allocation_counter::measure(|| mapper.before(&mut op).unwrap());
    assert_eq!(counted.count_total, 1);
    assert!(op.key.is_some());
}
