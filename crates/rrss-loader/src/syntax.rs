//! Text that is not TOML: what the parser says, in fewer and plainer words.

use toml::de::Error;

use crate::report::{Problem, Problems};
use crate::source::Span;
use crate::suggest::quote;

/// Reports errors of syntax and gives their places, in order. One slip makes the parser stumble several times;
/// one report a line is enough.
pub(crate) fn report(text: &str, errors: &[Error], problems: &mut Problems) -> Vec<Span> {
    let mut errors: Vec<(Span, &str)> = errors
        .iter()
        .map(|error| (error.span().unwrap_or(0..0), error.message()))
        .collect();
    errors.sort_by_key(|(span, _)| span.start);
    let mut reported: Vec<Span> = Vec::new();
    let mut in_brackets = false;
    for (span, message) in errors {
        let on_same_line = reported.last().is_some_and(|last| {
            !text
                .get(last.start..span.start)
                .is_some_and(|between| between.contains('\n'))
        });
        let follows = in_brackets && is_in_brackets(message);
        in_brackets = is_in_brackets(message);
        if on_same_line || follows {
            continue;
        }
        problems.add(|| problem(text, span.clone(), message));
        reported.push(span);
    }
    reported
}

fn is_in_brackets(message: &str) -> bool {
    message.contains("array") || message.contains("inline table")
}

fn problem(text: &str, span: Span, message: &str) -> Problem {
    let at = text.get(span.clone()).unwrap_or_default();
    if message == "duplicate key" {
        let twice = Problem::error(&format!("{} is given twice", quote(at)));
        return match at {
            "step" => twice.with_hint("write each step as `[[step]]`, with two brackets"),
            _ => twice.with_hint("remove one of the two"),
        }
        .at(span);
    }
    let problem = Problem::error(message).at(span);
    if message.starts_with("string values must be quoted") {
        return problem.with_hint(format!("write \"{at}\""));
    }
    if message.contains("key with no value") {
        return problem.with_hint("write name = value");
    }
    problem
}
