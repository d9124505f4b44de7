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
}

/// One contender's figures for one operation.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: &'static str,
    /// The median time, in nanoseconds.
    pub nanoseconds: f64,
    /// The quartiles of the time.
    pub quartiles: (f64, f64),
    pub per_second: f64,
    /// Processor time on all threads, where more than one works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_nanoseconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocations: Option<f64>,
    /// The ratio of the medians, against the baseline's.
    pub ratio: f64,
}

impl Row {
    /// The figures without a ratio yet: [`Group::new`] knows the others.
    pub fn new(name: &'static str, samples: &Samples) -> Self {
        Self {
            name,
            nanoseconds: samples.median(),
            quartiles: samples.quartiles(),
            per_second: 1e9 / samples.median(),
            cpu_nanoseconds: None,
            allocations: None,
            ratio: f64::NAN,
        }
    }
}

impl Group {
    /// The rows of one group, with the ratios of the medians against those of `baseline`.
    pub fn new(
        title: String,
        compare: Compare,
        baseline: &'static str,
        mut rows: Vec<Row>,
    ) -> Self {
        let base = rows
            .iter()
            .find(|row| row.name == baseline)
            .map_or(f64::NAN, |row| row.nanoseconds);
        for row in &mut rows {
            row.ratio = match compare {
                Compare::Time => row.nanoseconds / base,
                Compare::Rate => base / row.nanoseconds,
            };
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
            Compare::Time => self.measured < self.limit,
            Compare::Rate => self.measured >= self.limit,
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = match self.compare {
            Compare::Time => "less than",
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
        Row {
            nanoseconds,
            ..Row::new(name, &Samples::default())
        }
    }

    #[test]
    fn a_ratio_below_one_is_less_time_or_fewer_operations() {
        let rows = || vec![row("ours", 10.0), row("theirs", 40.0)];
        let time = Group::new(String::new(), Compare::Time, "theirs", rows());
        assert_eq!((time.ratio("ours"), time.ratio("theirs")), (0.25, 1.0));
        let rate = Group::new(String::new(), Compare::Rate, "theirs", rows());
        assert_eq!((rate.ratio("ours"), rate.ratio("theirs")), (4.0, 1.0));
        assert!(rate.ratio("nobody").is_nan());
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
