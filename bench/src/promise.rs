//! What the project promises, held against what was measured. A promise that is not kept is said, and fails nothing.

use std::fmt;

use serde::Serialize;

use crate::report::Compare;

/// What the project promises, and what was measured.
#[derive(Debug, Serialize)]
pub struct Promise {
    pub what: String,
    pub compare: Compare,
    pub limit: f64,
    pub measured: f64,
    /// Of what the two are numbers: `×` where they are ratios.
    pub unit: &'static str,
}

/// The unit of a ratio.
pub const RATIO: &str = "×";

impl Promise {
    pub fn is_kept(&self) -> bool {
        match self.compare {
            Compare::Time | Compare::Allocations | Compare::Memory => self.measured < self.limit,
            Compare::Rate => self.measured >= self.limit,
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = match self.compare {
            Compare::Time | Compare::Allocations | Compare::Memory => "less than",
            Compare::Rate => "at least",
        };
        let verdict = if self.is_kept() { "kept" } else { "NOT KEPT" };
        let Self {
            what,
            limit,
            measured,
            unit,
            ..
        } = self;
        let digits = if *unit == RATIO { 2 } else { 0 };
        write!(
            f,
            "{verdict}: {what}: {bound} {limit} {unit}, measured {measured:.digits$} {unit}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_of_less_is_not_kept_by_as_much_and_one_of_at_least_is() {
        let promise = |compare, measured| Promise {
            what: String::new(),
            compare,
            limit: 0.5,
            measured,
            unit: RATIO,
        };
        assert!(promise(Compare::Time, 0.49).is_kept());
        assert!(!promise(Compare::Time, 0.5).is_kept());
        assert!(promise(Compare::Rate, 0.5).is_kept());
        assert!(!promise(Compare::Rate, 0.49).is_kept());
        assert!(!promise(Compare::Rate, f64::NAN).is_kept());
    }
}
