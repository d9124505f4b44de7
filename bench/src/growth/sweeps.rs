//! What a sweep takes for each session that it removes.

use std::rc::Rc;
use std::time::Duration;

use rrss::{Clock as _, ManualClock, Store, Timestamp};
use tokio::runtime::Runtime;

use super::full::{self, Full};
use super::rounds;
use crate::corpus::Size;
use crate::measure::{Batch, Contender, Schedule};
use crate::peer::Result;
use crate::report::Group;

const FULL: Schedule = Schedule::new(5, Duration::from_millis(100));
const QUICK: Schedule = Schedule::new(3, Duration::from_millis(20));

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub fn run(
    title: &str,
    stores: &[Full],
    clocks: &[ManualClock],
    runtime: &Rc<Runtime>,
    size: Size,
    quick: bool,
) -> Result<Group> {
    let mut contenders = Vec::new();
    for (each, clock) in stores.iter().zip(clocks) {
        let sweep = Sweep {
            store: each.peer.0.clone(),
            clock: clock.clone(),
            begin: clock.now(),
            runtime: Rc::clone(runtime),
            size,
            seed: 0,
        };
        contenders.push(Contender::new(each.name, sweep));
    }
    let title = format!("{title}, sweep, for each expired session");
    let schedule = if quick { QUICK } else { FULL };
    Ok(rounds::compare(title, contenders, schedule))
}

struct Sweep {
    store: Store,
    clock: ManualClock,
    /// When the sessions that stay were stored; they last a week.
    begin: Timestamp,
    runtime: Rc<Runtime>,
    size: Size,
    seed: u64,
}

impl Batch for Sweep {
    /// Stores as many sessions as though it were six days ago, and lets two days pass since.
    fn prepare(&mut self, operations: u64) {
        self.seed += 1;
        let before = self.begin.as_millis() - (6 * DAY).as_millis() as u64;
        self.clock.set(Timestamp::from_millis(before));
        full::create(
            &self.store,
            &self.runtime,
            self.size,
            1_000_000 + self.seed,
            operations as usize,
        )
        .expect("the disk is well");
        self.clock.set(self.begin + 2 * DAY);
    }

    fn run(&mut self, operations: u64) {
        let mut swept = 0;
        while swept < operations {
            let removed = self.runtime.block_on(self.store.sweep());
            let removed = removed.expect("the disk is well");
            assert_ne!(removed, 0, "all that have expired are swept");
            swept += removed;
        }
        assert_eq!(swept, operations, "and no others");
    }
}
