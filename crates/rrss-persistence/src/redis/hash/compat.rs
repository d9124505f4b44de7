//! The sorted set of the Clojure rrss: every session that ends, by the time of its last write.
//!
//! It ends a session a fixed time after that. So a deadline is kept there as the time of the write that it would follow
//! from, and both programs end the session at that deadline. Keys have no deadline in Redis itself: the Clojure rrss would
//! not move it with its writes.

use std::time::Duration;

use redis::{Cmd, Value};
use rrss_core::Timestamp;

use crate::redis::commands::Nonsense;
use crate::redis::script::{Code, Script};

/// The key of the set, which the Clojure rrss uses for sessions of whatever keys.
const KEY: &str = "sessions:all";

/// How many sessions a script removes at most: a fraction of a millisecond of the server's time.
pub(super) const AT_ONCE: usize = 100;

static SWEEP: Code = Code::new(include_str!("sweep.lua"));

/// The set, and how long sessions live.
#[derive(Debug, Clone, Copy)]
pub(super) struct All {
    duration: u64,
}

impl All {
    pub(super) fn new(duration: Duration) -> Self {
        // Rounds parts of a millisecond up.
        let duration = (Timestamp::from_millis(0) + duration).as_millis();
        Self { duration }
    }

    pub(super) fn key(&self) -> &'static [u8] {
        KEY.as_bytes()
    }

    /// Sessions that were last written then or before have ended at `now`.
    pub(super) fn horizon(&self, now: Timestamp) -> i64 {
        i64::try_from(i128::from(now.as_millis()) - i128::from(self.duration)).unwrap_or(i64::MIN)
    }

    /// When a session was last written that ends at `deadline`. The Clojure rrss looks for no time before 1970.
    pub(super) fn written_before(&self, deadline: Timestamp) -> u64 {
        deadline.as_millis().saturating_sub(self.duration)
    }

    /// When a session ends that was last written at `score`.
    pub(super) fn deadline(&self, score: f64) -> Timestamp {
        // A cast of a float stops at the ends of the integers.
        Timestamp::from_millis((score.ceil() as u64).saturating_add(self.duration))
    }

    /// Whether a session that was last written at `score` has ended at `now`.
    pub(super) fn is_past(&self, score: Option<f64>, now: Timestamp) -> bool {
        score.is_some_and(|score| score <= self.horizon(now) as f64)
    }

    /// [`ZSCORE`](https://redis.io/docs/latest/commands/zscore/).
    pub(super) fn score_of(&self, key: &str) -> Cmd {
        let mut command = Cmd::new();
        command.arg("ZSCORE").arg(KEY).arg(key);
        command
    }

    /// [`ZMSCORE`](https://redis.io/docs/latest/commands/zmscore/).
    pub(super) fn scores_of(&self, keys: &[String]) -> Cmd {
        let mut command = Cmd::new();
        command.arg("ZMSCORE").arg(KEY).arg(keys);
        command
    }

    /// The keys of sessions that have ended at `now`, those first that were written first.
    /// [`ZRANGEBYSCORE`](https://redis.io/docs/latest/commands/zrangebyscore/).
    pub(super) fn ended(&self, now: Timestamp, limit: usize) -> Cmd {
        let mut command = Cmd::new();
        command
            .arg("ZRANGEBYSCORE")
            .arg(KEY)
            .arg("-inf")
            .arg(self.horizon(now))
            .arg("LIMIT")
            .arg(0)
            .arg(limit);
        command
    }

    /// Removes those of the sessions `keys` that have still ended, and answers how many.
    pub(super) fn remove<'a>(&self, keys: &'a [Vec<u8>], now: Timestamp) -> Script<'a> {
        let keys = [KEY.as_bytes()]
            .into_iter()
            .chain(keys.iter().map(Vec::as_slice));
        let mut script = Script::new(&SWEEP, keys.collect());
        script.text(self.horizon(now).to_string());
        script
    }
}

/// A score; `None` where the session has none.
pub(super) fn score(reply: &Value) -> Result<Option<f64>, Nonsense> {
    match reply {
        Value::Double(score) => Ok(Some(*score)),
        Value::Nil => Ok(None),
        _ => Err(Nonsense),
    }
}

/// The reply to [`All::scores_of`].
pub(super) fn scores(reply: &Value) -> Result<Vec<Option<f64>>, Nonsense> {
    match reply {
        Value::Array(scores) => scores.iter().map(score).collect(),
        _ => Err(Nonsense),
    }
}

/// The reply to [`All::ended`].
pub(super) fn keys(reply: Value) -> Result<Vec<Vec<u8>>, Nonsense> {
    let Value::Array(keys) = reply else {
        return Err(Nonsense);
    };
    let keys = keys.into_iter().map(|key| match key {
        Value::BulkString(key) => Ok(key),
        _ => Err(Nonsense),
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_deadline_is_the_time_of_a_write_and_back() {
        let all = All::new(Duration::from_millis(100));
        for deadline in [100, 101, 1_795_369_546_477] {
            let written = all.written_before(at(deadline));
            assert_eq!(written, deadline - 100);
            assert_eq!(all.deadline(written as f64), at(deadline));
            assert!(!all.is_past(Some(written as f64), at(deadline - 1)));
            assert!(all.is_past(Some(written as f64), at(deadline)));
        }
        assert_eq!(all.written_before(at(99)), 0);
        assert_eq!(All::new(Duration::from_nanos(1)).horizon(at(5)), 4);
        assert!(!all.is_past(None, at(u64::MAX)));
    }

    #[test]
    fn scores_and_durations_without_an_end_do_not_overflow() {
        let long = All::new(Duration::MAX);
        assert_eq!(long.horizon(at(5)), i64::MIN);
        assert_eq!(long.deadline(5.0), at(u64::MAX));
        let all = All::new(Duration::from_millis(100));
        assert_eq!(all.deadline(f64::INFINITY), at(u64::MAX));
        assert!(!all.is_past(Some(f64::INFINITY), at(u64::MAX)));
        assert!(all.is_past(Some(f64::NEG_INFINITY), at(0)));
    }
}
