//! Stores in memory, with what a test needs to see or to break.

use rrss::core::Backend;
use rrss::key_mapper::{self, IdFormat};
use rrss::{Clock, ManualClock, Memory, Store, StoreBuilder, SystemClock};
use rrss_testkit::{Counts, Faults, Gate};

pub(crate) fn in_memory() -> Store {
    over(Memory::default())
}

/// One whose calls of the backend are counted.
pub(crate) fn counted(ids: IdFormat) -> (Store, Counts) {
    let counts = Counts::new();
    let builder = steps(Store::builder(), ids).backend("memory", counts.before(Memory::default()));
    (builder.build().unwrap(), counts)
}

/// One whose backend fails when the test says so.
pub(crate) fn failing() -> (Store, Faults) {
    let faults = Faults::new();
    (over(faults.before(Memory::default())), faults)
}

/// One whose calls of the backend the test can hold.
pub(crate) fn gated() -> (Store, Gate) {
    let gate = Gate::new();
    (over(gate.before(Memory::default())), gate)
}

/// One whose clock goes only when the test moves it.
pub(crate) fn with_clock() -> (Store, ManualClock) {
    let clock = ManualClock::at(SystemClock.now());
    let builder = Store::builder().clock(clock.clone());
    let builder = steps(builder, IdFormat::Uuid).backend("memory", Memory::default());
    (builder.build().unwrap(), clock)
}

pub(crate) fn with_ids(ids: IdFormat) -> Store {
    let builder = steps(Store::builder(), ids).backend("memory", Memory::default());
    builder.build().unwrap()
}

fn over(backend: impl Backend) -> Store {
    let builder = steps(Store::builder(), IdFormat::Uuid).backend("memory", backend);
    builder.build().unwrap()
}

pub(crate) fn steps(builder: StoreBuilder, ids: IdFormat) -> StoreBuilder {
    builder
        .step::<rrss::KeyMapper>(key_mapper::Options {
            id: ids,
            ..Default::default()
        })
        .step::<rrss::Expiry>(Default::default())
        .step::<rrss::JsonCodec>(Default::default())
}
