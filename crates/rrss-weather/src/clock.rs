//! The clock of each store, and the server's.

use std::time::{Duration, Instant};

use rrss::{Clock, ManualClock, SystemClock, Timestamp};

/// A clock that is wrong by an offset, and drifts.
#[derive(Debug)]
pub(crate) struct WrongClock {
    offset: i64,
    drift: i64,
    began: Instant,
}

impl WrongClock {
    pub(crate) fn new((offset, drift): (i64, i64)) -> Self {
        Self {
            offset,
            drift,
            began: Instant::now(),
        }
    }
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let wrong = self.offset + passed.saturating_mul(self.drift) / 1_000_000;
        let right = SystemClock.now().as_millis();
        Timestamp::from_millis(right.saturating_add_signed(wrong))
    }
}

/// The time by which sessions expire: the machine's for servers, which all run on it; else one that runs move.
#[derive(Debug, Clone)]
pub(crate) enum Time {
    Real,
    Manual(ManualClock),
}

impl Time {
    pub(crate) fn now(&self) -> u64 {
        match self {
            Self::Real => SystemClock.now(),
            Self::Manual(clock) => clock.now(),
        }
        .as_millis()
    }

    pub(crate) async fn pass(&self, time: Duration) {
        match self {
            Self::Real => tokio::time::sleep(time).await,
            Self::Manual(clock) => clock.advance(time),
        }
    }
}
