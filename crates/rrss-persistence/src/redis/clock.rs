//! The difference between the clock of a server and that of this process.
//!
//! The server decides by its own clock when what it keeps expires. The difference is measured when a connection opens and
//! from time to time after that, by [`TIME`](https://redis.io/docs/latest/commands/time/): the server has read its clock
//! at some moment between the command and the answer, so the middle is wrong by half of the round trip at most.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::{Cmd, RedisResult, Value};
use rrss_core::Timestamp;
use tokio::time::Instant;

use super::address::Address;

/// How far the clock of a server is ahead of the clock of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClockOffset {
    /// The time of the server minus our own, in milliseconds: negative where the server is behind.
    pub(super) ahead: i64,
    /// How much more or less it may be, in milliseconds: half of the round trip that measured it.
    pub(super) within: u64,
}

/// A larger difference is logged.
const TOLERATED: u64 = 5_000;

/// How long a measurement counts.
const COUNTS_FOR: Duration = Duration::from_secs(10 * 60);

/// How long a measurement has to be answered before another is made.
const PATIENCE: Duration = Duration::from_secs(60);

/// Our clock was set to another time where it and the monotonic clock have gone on by more than this unequally.
const UNNOTICED_STEP: Duration = Duration::from_secs(1);

/// What is known of the clock of one server.
#[derive(Default)]
pub(super) struct ServerClock(Mutex<Known>);

#[derive(Default)]
struct Known {
    offset: Option<ClockOffset>,
    /// When the last measurement was made; what was measured then counts while our clock goes on as usual.
    at: Option<Reading>,
    /// When to measure again; empty before the first time.
    next: Option<Instant>,
    is_refused: bool,
    /// Whether a difference was logged since the last connection opened.
    is_logged: bool,
}

/// Both of our clocks at one moment.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    wall: SystemTime,
    monotonic: Instant,
}

impl Reading {
    pub(super) fn now() -> Self {
        Self {
            wall: SystemTime::now(),
            monotonic: Instant::now(),
        }
    }
}

/// [`TIME`](https://redis.io/docs/latest/commands/time/).
pub(super) fn time() -> Cmd {
    let mut command = Cmd::with_capacity(1, 4);
    command.arg("TIME");
    command
}

impl ServerClock {
    /// What was measured last; `None` where the server has not said its time, or does not say it to this user.
    pub(super) fn offset(&self) -> Option<ClockOffset> {
        self.known().offset
    }

    /// Whether a new connection is to ask for the time. A server that has refused is not asked each time: an ACL logs it.
    pub(super) fn is_wanted_of_new_connections(&self) -> bool {
        let known = self.known();
        !known.is_refused || known.next.is_none_or(|next| next <= Instant::now())
    }

    /// Whether it is time to measure again. Who is answered yes is to do it, and nobody else for a while.
    pub(super) fn is_due(&self) -> bool {
        let now = Reading::now();
        let mut known = self.known();
        let is_over = known.next.is_some_and(|next| next <= now.monotonic);
        let is_set = known.offset.is_some()
            && known.at.is_some_and(|then| {
                let monotonic = now.monotonic.saturating_duration_since(then.monotonic);
                let wall = now.wall.duration_since(then.wall).unwrap_or_default();
                monotonic.abs_diff(wall) > UNNOTICED_STEP
            });
        if !is_over && !is_set {
            return false;
        }
        known.next = Some(now.monotonic + PATIENCE);
        known.at = Some(now);
        true
    }

    /// Takes in what the server at `address` answered to [`time`], which was sent at `sent`. A large difference is logged
    /// once for each connection.
    pub(super) fn learn(
        &self,
        address: &Address,
        sent: Reading,
        reply: RedisResult<Value>,
        is_new_connection: bool,
    ) {
        let answered = Reading::now();
        let round_trip = answered.monotonic.saturating_duration_since(sent.monotonic);
        let measured = reply.map(|reply| offset(&reply, answered.wall, round_trip));
        let mut known = self.known();
        known.next = Some(answered.monotonic + COUNTS_FOR);
        known.at = Some(answered);
        known.is_logged &= !is_new_connection;
        match measured {
            Ok(Some(offset)) => {
                known.is_refused = false;
                known.offset = Some(offset);
                if offset.is_large() && !std::mem::replace(&mut known.is_logged, true) {
                    offset.warn(address);
                }
            }
            Ok(None) => tracing::debug!(server = %address, "Redis does not say its time"),
            Err(refusal) if refusal.code().is_some() => {
                known.is_refused = true;
                known.offset = None;
                tracing::debug!(
                    server = %address,
                    refusal = refusal.code(),
                    "Redis does not say its time to this user; allow `TIME`"
                );
            }
            Err(_) => {}
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClockOffset {
    /// The present instant by the clock of the server.
    pub(super) fn now(self) -> Timestamp {
        let own = Timestamp::from(SystemTime::now()).as_millis();
        Timestamp::from_millis(own.saturating_add_signed(self.ahead))
    }

    /// Whether the clocks certainly differ by more than is tolerated.
    pub(super) fn is_large(self) -> bool {
        self.ahead.unsigned_abs().saturating_sub(self.within) > TOLERATED
    }

    /// Says what is wrong and what to do about it.
    fn warn(self, address: &Address) {
        let seconds = self.ahead.unsigned_abs() / 1000;
        let direction = if self.ahead > 0 { "ahead of" } else { "behind" };
        tracing::warn!(
            server = %address,
            offset_ms = self.ahead,
            "the clock of Redis is {seconds} s {direction} the clock of this machine, and sessions expire by the clock \
             of Redis; let NTP (chrony, for example) set the clocks of both machines"
        );
    }
}

/// The offset by a reply to [`time`]: the seconds, then the microseconds within the second.
fn offset(reply: &Value, answered: SystemTime, round_trip: Duration) -> Option<ClockOffset> {
    let Value::Array(parts) = reply else {
        return None;
    };
    let number = |part: &Value| match part {
        Value::BulkString(digits) => std::str::from_utf8(digits).ok()?.parse::<u64>().ok(),
        _ => None,
    };
    let [seconds, micros] = parts.as_slice() else {
        return None;
    };
    let server = i128::from(number(seconds)?) * 1_000_000 + i128::from(number(micros)?);
    let half = round_trip / 2;
    let ours = micros_since_1970(answered) - i128::try_from(half.as_micros()).ok()?;
    Some(ClockOffset {
        ahead: i64::try_from((server - ours).div_euclid(1_000)).ok()?,
        within: u64::try_from(half.as_micros().div_ceil(1_000)).ok()?,
    })
}

/// Negative before 1970, where a machine without a battery may be when it starts.
fn micros_since_1970(time: SystemTime) -> i128 {
    let micros = |duration: Duration| i128::try_from(duration.as_micros()).unwrap_or(i128::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => micros(after),
        Err(before) => -micros(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(seconds: u64, micros: u64) -> Value {
        let text = |number: u64| Value::BulkString(number.to_string().into_bytes());
        Value::Array(vec![text(seconds), text(micros)])
    }

    fn at(millis: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(millis)
    }

    #[test]
    fn the_server_has_read_its_clock_in_the_middle_of_the_round_trip() {
        for (seconds, micros, answered, round_trip, ahead, within) in [
            (1_000, 0, 1_000_000, 0, 0, 0),
            (1_000, 500_000, 1_000_000, 0, 500, 0),
            (1_000, 0, 1_000_050, 100, 0, 50),
            (1_600, 0, 1_000_050, 100, 600_000, 50),
            (400, 999_000, 1_000_001, 3, -599_001, 2),
        ] {
            let measured = offset(
                &said(seconds, micros),
                at(answered),
                Duration::from_millis(round_trip),
            );
            assert_eq!(measured, Some(ClockOffset { ahead, within }));
        }
    }

    #[test]
    fn a_reply_that_is_no_time_says_nothing() {
        let text = |text: &str| Value::BulkString(text.into());
        for reply in [
            Value::Okay,
            Value::Nil,
            Value::Array(vec![text("1")]),
            Value::Array(vec![text("1"), text("x")]),
            Value::Array(vec![Value::Int(1), Value::Int(2)]),
            said(u64::MAX, 0),
        ] {
            assert_eq!(offset(&reply, at(0), Duration::ZERO), None, "{reply:?}");
        }
    }

    #[test]
    fn a_difference_within_the_round_trip_is_not_large() {
        for (ahead, within, is_large) in [
            (5_000, 0, false),
            (5_001, 0, true),
            (-5_001, 0, true),
            (9_000, 4_000, false),
            (i64::MIN, 0, true),
        ] {
            assert_eq!(ClockOffset { ahead, within }.is_large(), is_large);
        }
    }

    fn address() -> Address {
        Address::Unix("/run/redis.sock".into())
    }

    /// A time that is an hour ahead of ours.
    fn an_hour_ahead() -> Value {
        let ours = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        said(ours.as_secs() + 3_600, 0)
    }

    #[tokio::test(start_paused = true)]
    async fn a_measurement_counts_for_ten_minutes_and_one_is_made_at_a_time() {
        let clock = ServerClock::default();
        assert!(!clock.is_due(), "the connection measures when it opens");
        assert_eq!(clock.offset(), None);
        clock.learn(&address(), Reading::now(), Ok(an_hour_ahead()), true);
        let offset = clock.offset().unwrap();
        assert!(
            (3_598_000..=3_600_000).contains(&offset.ahead),
            "{offset:?}"
        );
        assert!(!clock.is_due());
        tokio::time::advance(COUNTS_FOR).await;
        assert!(clock.is_due());
        assert!(!clock.is_due(), "it is being measured");
        assert_eq!(clock.offset(), Some(offset), "what was known still is");
        tokio::time::advance(PATIENCE).await;
        assert!(clock.is_due(), "nothing was answered");
    }

    /// The test's monotonic clock is set; to the code that looks as if the other one were.
    #[tokio::test(start_paused = true)]
    async fn it_is_measured_again_when_our_clock_was_set() {
        let clock = ServerClock::default();
        clock.learn(&address(), Reading::now(), Ok(an_hour_ahead()), true);
        assert!(!clock.is_due());
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(clock.is_due());
        assert!(!clock.is_due());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_refuses_is_not_asked_by_every_connection() {
        let clock = ServerClock::default();
        assert!(clock.is_wanted_of_new_connections());
        let refusal = redis::parse_redis_value(b"-NOPERM no permission to run 'time'\r\n")
            .and_then(Value::extract_error);
        clock.learn(&address(), Reading::now(), refusal, true);
        assert_eq!(clock.offset(), None);
        assert!(!clock.is_wanted_of_new_connections());
        tokio::time::advance(COUNTS_FOR).await;
        assert!(clock.is_wanted_of_new_connections());
        clock.learn(&address(), Reading::now(), Ok(an_hour_ahead()), true);
        assert!(clock.is_wanted_of_new_connections());
        assert!(clock.offset().is_some());
    }

    #[tokio::test]
    async fn a_large_difference_is_logged_once_for_each_connection() {
        let log = rrss_testkit::Log::listen();
        let clock = ServerClock::default();
        for (is_new, lines) in [(true, 1), (false, 1), (true, 2)] {
            clock.learn(&address(), Reading::now(), Ok(an_hour_ahead()), is_new);
            assert_eq!(log.lines(tracing::Level::WARN), lines);
        }
        let text = log.text();
        assert!(text.contains("ahead of") && text.contains("NTP"), "{text}");
    }
}
