//! Steps that do not fit together, with their places.

use rrss_core::Shape;

use crate::check::CheckedStep;
use crate::fit::misfits;
use crate::report::{Problem, Problems};
use crate::source::Source;
use crate::suggest::clean_path;

/// So much of the path of a file goes into a sentence that names two places in it; the whole of it stands below.
const LONGEST_FILE: usize = 60;

/// Reports why steps cannot stand in their order.
pub(crate) fn report(steps: &[CheckedStep], source: &Source, problems: &mut Problems) {
    let shapes: Vec<(&str, Option<Shape>)> = steps
        .iter()
        .map(|step| {
            let shape = step
                .configured
                .as_ref()
                .map(|configured| configured.shape());
            (step.name.as_str(), shape)
        })
        .collect();
    for unfit in misfits(&shapes) {
        let misfit = &unfit.misfit;
        let other = misfit.other().map(|at| &steps[at]);
        let named = misfit.at().map(|at| &steps[at]).into_iter().chain(other);
        let named: Vec<&CheckedStep> = named.collect();
        if named.iter().any(|step| step.name.is_empty()) {
            continue;
        }
        let places = named.iter().map(|step| {
            let (line, _) = source.position(step.span.start);
            let file = clean_path(source.name(), LONGEST_FILE);
            (step.name.as_str(), format!(" ({file}:{line})"))
        });
        let message = with_places(&misfit.to_string(), places);
        problems.add(|| {
            let problem = Problem::error(&message)
                .at(steps[unfit.near].span.clone())
                .with_other(other.map(|other| other.span.clone()));
            match unfit.is_advice_sure {
                true => problem.with_hint(misfit.hint()),
                false => problem,
            }
        });
    }
}

/// A sentence with each name followed by its place, the first time that it is named after the one before.
fn with_places<'a>(sentence: &str, named: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut shown = String::new();
    let mut rest = sentence;
    for (name, place) in named {
        let name = format!("`{name}`");
        if let Some(at) = rest.find(&name) {
            let (before, after) = rest.split_at(at + name.len());
            shown.push_str(before);
            shown.push_str(&place);
            rest = after;
        }
    }
    shown + rest
}
