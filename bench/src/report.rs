//! What a run has found, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::machine::Machine;
use crate::measure::Samples;

/// Everything that a run has found. This is what `--json` writes.
#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    /// When the run began, in UTC (RFC 3339).
    pub date: String,
    pub command: String,
    /// Whether it was a short run, whose figures are rough.
    pub quick: bool,
    pub groups: Vec<Group>,
    pub promises: Vec<Promise>,
}

/// What one bench has found.
pub type Findings = (Vec<Group>, Vec<Promise>);

impl Report {
    pub fn add(&mut self, (groups, promises): Findings) {
        self.groups.extend(groups);
        self.promises.extend(promises);
    }
}

/// Contenders that did the same work in the same rounds.
#[derive(Debug, Serialize)]
pub struct Group {
    pub title: String,
    pub compare: Compare,
    /// Whom the ratios are against.
    pub baseline: &'static str,
    pub rows: Vec<Row>,
}

/// What a ratio is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compare {
    /// Time for one operation: less is better.
    Time,
    /// Operations in a second: more is better.
    Rate,
    /// Heap allocations of one operation: fewer are better.
    Allocations,
}

/// One contender's figures for one operation.
#[derive(Debug, Default, Serialize)]
pub struct Row {
    pub name: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocations: Option<f64>,
    /// The ratio against the baseline.
    pub ratio: f64,
}

/// How long an operation took.
#[derive(Debug, Serialize)]
pub struct Times {
    /// The median time, in nanoseconds.
    pub nanoseconds: f64,
    /// The quartiles of the time.
    pub quartiles: (f64, f64),
    pub per_second: f64,
    /// Processor time on all threads, where more than one works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_nanoseconds: Option<f64>,
}

impl Times {
    pub fn new(samples: &Samples) -> Self {
        Self {
            nanoseconds: samples.median(),
            quartiles: samples.quartiles(),
            per_second: 1e9 / samples.median(),
            cpu_nanoseconds: None,
        }
    }
}

impl Row {
    /// A row of times; its ratio is told by the [`Group`].
    pub fn timed(name: &'static str, times: Times) -> Self {
        Self {
            name,
            times: Some(times),
            ..Self::default()
        }
    }

    /// A row of allocations; its ratio is told by the [`Group`].
    pub fn counted(name: &'static str, allocations: f64) -> Self {
        Self {
            name,
            allocations: Some(allocations),
            ..Self::default()
        }
    }

    fn figure(&self, compare: Compare) -> f64 {
        let times = self.times.as_ref();
        let figure = match compare {
            Compare::Time => times.map(|times| times.nanoseconds),
            Compare::Rate => times.map(|times| times.per_second),
            Compare::Allocations => self.allocations,
        };
        figure.unwrap_or(f64::NAN)
    }
}

impl Group {
    /// The rows of one group, with the ratios of the medians against that of `baseline`.
    pub fn new(
        title: String,
        compare: Compare,
        baseline: &'static str,
        mut rows: Vec<Row>,
    ) -> Self {
        let base = rows
            .iter()
            .find(|row| row.name == baseline)
            .map_or(f64::NAN, |row| row.figure(compare));
        for row in &mut rows {
            row.ratio = row.figure(compare) / base;
        }
        Self {
            title,
            compare,
            baseline,
            rows,
        }
    }

    /// The ratio of the contender called `name`.
    pub fn ratio(&self, name: &str) -> f64 {
        self.rows
            .iter()
            .find(|row| row.name == name)
            .map_or(f64::NAN, |row| row.ratio)
    }
}

/// A ratio that the project promises, and the one that was measured.
#[derive(Debug, Serialize)]
pub struct Promise {
    pub what: String,
    pub compare: Compare,
    pub limit: f64,
    pub measured: f64,
}

impl Promise {
    pub fn is_kept(&self) -> bool {
        match self.compare {
            Compare::Time | Compare::Allocations => self.measured < self.limit,
            Compare::Rate => self.measured >= self.limit,
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = match self.compare {
            Compare::Time | Compare::Allocations => "less than",
            Compare::Rate => "at least",
        };
        let verdict = if self.is_kept() { "kept" } else { "NOT KEPT" };
        let Self {
            what,
            limit,
            measured,
            ..
        } = self;
        write!(
            f,
            "{verdict}: {what}: {bound} {limit} ×, measured {measured:.2} ×"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, nanoseconds: f64) -> Row {
        let times = Times {
            nanoseconds,
            per_second: 1e9 / nanoseconds,
            ..Times::new(&Samples::default())
        };
        Row::timed(name, times)
    }

    #[test]
    fn a_ratio_below_one_is_less_time_fewer_operations_or_fewer_allocations() {
        let rows = || vec![row("ours", 10.0), row("theirs", 40.0)];
        let time = Group::new(String::new(), Compare::Time, "theirs", rows());
        assert_eq!((time.ratio("ours"), time.ratio("theirs")), (0.25, 1.0));
        let rate = Group::new(String::new(), Compare::Rate, "theirs", rows());
        assert_eq!((rate.ratio("ours"), rate.ratio("theirs")), (4.0, 1.0));
        assert!(rate.ratio("nobody").is_nan());
        let rows = vec![Row::counted("ours", 5.0), Row::counted("theirs", 50.0)];
        let counts = Group::new(String::new(), Compare::Allocations, "theirs", rows);
        assert_eq!(counts.ratio("ours"), 0.1);
    }

    #[test]
    fn a_promise_of_less_is_not_kept_by_as_much_and_one_of_at_least_is() {
        let promise = |compare, measured| Promise {
            what: String::new(),
            compare,
            limit: 0.5,
            measured,
        };
        assert!(promise(Compare::Time, 0.49).is_kept());
        assert!(!promise(Compare::Time, 0.5).is_kept());
        assert!(promise(Compare::Rate, 0.5).is_kept());
        assert!(!promise(Compare::Rate, 0.49).is_kept());
        assert!(!promise(Compare::Rate, f64::NAN).is_kept());
    }
}
