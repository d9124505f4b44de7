//! What a run has found, for people and for programs.

use serde::Serialize;

use crate::machine::Machine;
use crate::measure::Samples;
use crate::promise::Promise;

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
    /// Whom more ratios are against.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<&'static str>,
    pub rows: Vec<Row>,
    /// The picture that it is drawn in, with others.
    #[serde(skip)]
    pub picture: Option<String>,
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
    /// Bytes of memory: fewer are better.
    Memory,
}

/// One contender's figures for one operation.
#[derive(Debug, Default, Serialize)]
pub struct Row {
    pub name: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocations: Option<f64>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub wire: Option<Wire>,
    /// Bytes of memory, of one session or of the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<f64>,
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
    /// The times that half, 99 % and 99.9 % of the operations stayed below, where each was timed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_nanoseconds: Option<[f64; 3]>,
}

/// What one operation sends to a server, and gets back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Wire {
    /// How often the sender waits for an answer.
    pub round_trips: f64,
    /// How many commands the server counts.
    pub commands: f64,
    pub bytes_sent: f64,
    pub bytes_received: f64,
}

impl Times {
    pub fn new(samples: &Samples) -> Self {
        Self {
            nanoseconds: samples.median(),
            quartiles: samples.quartiles(),
            per_second: 1e9 / samples.median(),
            cpu_nanoseconds: None,
            latency_nanoseconds: None,
        }
    }

    /// The same with what many tasks at once are told apart by.
    pub fn of_many(samples: &Samples) -> Self {
        let latency = |part| samples.latency(part);
        Self {
            cpu_nanoseconds: Some(samples.cpu()),
            latency_nanoseconds: latency(0.5)
                .zip(latency(0.99))
                .zip(latency(0.999))
                .map(|((half, most), nearly_all)| [half, most, nearly_all]),
            ..Self::new(samples)
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

    /// A row of what goes over a network.
    pub fn wired(name: &'static str, wire: Wire) -> Self {
        Self {
            name,
            wire: Some(wire),
            ..Self::default()
        }
    }

    /// A row of memory; its ratio is told by the [`Group`].
    pub fn of_memory(name: &'static str, bytes: f64) -> Self {
        Self {
            name,
            memory_bytes: Some(bytes),
            ..Self::default()
        }
    }

    /// The number that is compared.
    pub fn figure(&self, compare: Compare) -> f64 {
        let times = self.times.as_ref();
        let figure = match compare {
            Compare::Time => times.map(|times| times.nanoseconds),
            Compare::Rate => times.map(|times| times.per_second),
            Compare::Allocations => self.allocations,
            Compare::Memory => self.memory_bytes,
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
            also: Vec::new(),
            rows,
            picture: None,
        }
    }

    /// The same group, drawn in this picture.
    pub fn in_picture(mut self, name: impl Into<String>) -> Self {
        self.picture = Some(name.into());
        self
    }

    /// The same group with ratios against these contenders too, as far as they are in it.
    pub fn also_against(mut self, names: &[&'static str]) -> Self {
        let names = names.iter().filter(|name| self.row(name).is_some());
        self.also = names.copied().collect();
        self
    }

    /// The ratio of the contender called `name`.
    pub fn ratio(&self, name: &str) -> f64 {
        self.row(name).map_or(f64::NAN, |row| row.ratio)
    }

    /// The ratio of the contender called `name` against another one than the baseline.
    pub fn ratio_against(&self, name: &str, other: &str) -> f64 {
        self.ratio(name) / self.ratio(other)
    }

    /// The same ratio of their processor time.
    pub fn cpu_ratio(&self, name: &str, other: &str) -> f64 {
        let cpu = |name| {
            let times = self.row(name)?.times.as_ref()?;
            times.cpu_nanoseconds
        };
        cpu(name).unwrap_or(f64::NAN) / cpu(other).unwrap_or(f64::NAN)
    }

    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
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
}
