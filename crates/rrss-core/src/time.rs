//! Instants, and the clock that they come from.

use std::fmt;
use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An instant, in whole milliseconds since 1970-01-01T00:00:00Z: the unit of Redis' `PXAT`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rrss_core::Timestamp;
///
/// let noon = Timestamp::from_millis(1_795_348_800_000);
/// let later = noon + Duration::from_secs(1);
/// assert_eq!(later.as_millis(), 1_795_348_801_000);
/// assert_eq!(later.since(noon), Duration::from_secs(1));
/// assert_eq!(noon.since(later), Duration::ZERO);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// Clocks that differ by less are taken for one: a measurement across a network is no better.
const SAME: u64 = 1_000;

impl Timestamp {
    /// By how many milliseconds `self` is later than `other`, negative where it is earlier; 0 where they are within a second of
    /// each other.
    pub(crate) fn ahead_of(self, other: Self) -> i64 {
        let difference = self.as_millis().abs_diff(other.as_millis());
        let difference = i64::try_from(difference).unwrap_or(i64::MAX);
        match difference.unsigned_abs() < SAME {
            true => 0,
            false if self < other => -difference,
            false => difference,
        }
    }

    /// This instant, so many milliseconds later, or earlier where they are negative.
    pub(crate) fn shifted(self, millis: i64) -> Self {
        Self::from_millis(self.as_millis().saturating_add_signed(millis))
    }

    /// The instant `millis` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero where it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// Rounds parts of a millisecond up, so that a deadline is never earlier than was asked for; stops at the
    /// largest instant instead of overflowing.
    fn add(self, duration: Duration) -> Self {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        Self(
            self.0
                .saturating_add(u64::try_from(millis).unwrap_or(u64::MAX)),
        )
    }
}

impl From<SystemTime> for Timestamp {
    /// Instants before 1970 become 1970.
    fn from(time: SystemTime) -> Self {
        let millis = time
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        Self(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(timestamp.0)
    }
}

/// Where an operation's "now" comes from. Each operation reads it once.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

/// A clock that stands still until a test moves it. Clones share one instant.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rrss_core::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::at(Timestamp::from_millis(1_000));
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(clock.now(), Timestamp::from_millis(3_000));
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(std::sync::Arc<AtomicU64>);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self(std::sync::Arc::new(AtomicU64::new(start.as_millis())))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let now = self.now() + by;
        self.set(now);
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_millisecond_rounds_up() {
        let start = Timestamp::from_millis(10);
        assert_eq!((start + Duration::from_micros(1)).as_millis(), 11);
        assert_eq!((start + Duration::ZERO).as_millis(), 10);
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        let end = Timestamp::from_millis(u64::MAX) + Duration::MAX;
        assert_eq!(end.as_millis(), u64::MAX);
    }
}
