//! What is held against what was promised, when all operations have answered.

mod errors;
mod fields;
mod found;
mod limits;
mod lives;
mod one_id;

use crate::history::Record;
use crate::model::Model;
use crate::setup::{Backend, Setup};
use crate::violation::{Promise, Violation};

/// Every promise that the operations show not to have been kept.
pub(crate) fn all(backend: Backend, setup: &Setup, records: &[Record]) -> Vec<Violation> {
    let model = Model::of(backend, setup, records);
    let mut violations = Vec::new();
    let mut seen = |promise: Promise, record: &Record, what: String| {
        let seen = format!("{what}\n          {record}");
        violations.push(Violation { promise, seen });
    };
    for check in [
        lives::check,
        errors::check,
        one_id::check,
        found::check,
        fields::check,
        limits::check,
    ] {
        check(&model, &mut seen);
    }
    violations
}

/// Reports what `record` shows.
type Report<'a> = &'a mut dyn FnMut(Promise, &Record, String);
