//! What is to be said of `on_corrupt` in `[store]`.

use rrss_core::{Data, OnCorrupt};

use crate::check::CheckedStep;
use crate::report::Problem;
use crate::settings::StoreSettings;
use crate::source::Span;

/// Why the policy cannot be carried out with these steps.
pub(crate) fn misfit(
    settings: &StoreSettings,
    given: &[(String, Span)],
    steps: &[CheckedStep],
) -> Option<Problem> {
    if settings.on_corrupt == OnCorrupt::Error {
        return None;
    }
    let fields = steps.iter().find(|step| {
        let shape = step.configured.as_ref().map(|step| step.shape());
        shape.is_some_and(|shape| shape.is_backend() && shape.takes() == Some(Data::Session))
    })?;
    let problem = Problem::error(&format!(
        "`on_corrupt` of `[store]` is about stored bytes, but `{}` keeps the fields of sessions one by one",
        fields.name
    ));
    let problem = match place(given) {
        Some(span) => problem.at(span).with_other(Some(fields.span.clone())),
        None => problem.at(fields.span.clone()),
    };
    Some(problem.with_hint(
        "leave it out, or let the backend keep bytes, with a codec such as `json-codec` above it",
    ))
}

/// What is questionable about it.
pub(crate) fn warning(settings: &StoreSettings, given: &[(String, Span)]) -> Option<Problem> {
    if settings.on_corrupt != OnCorrupt::Discard {
        return None;
    }
    let problem = Problem::warning(
        "`on_corrupt = \"discard\"` deletes what cannot be read: with a key or a dictionary missing from this file, or a \
         lower limit, that is every session that needs it",
    )
    .with_hint("write `on_corrupt = \"quarantine\"`, from where sessions can be put back");
    Some(match place(given) {
        Some(span) => problem.at(span),
        None => problem,
    })
}

fn place(given: &[(String, Span)]) -> Option<Span> {
    let given = given.iter().find(|(name, _)| name == "on_corrupt");
    given.map(|(_, span)| span.clone())
}
