//! Text that is not TOML: what the parser says, in fewer and plainer words.

use toml::de::Error;

use crate::report::{Problem, Problems};
use crate::source::Span;
use crate::suggest::quote;

/// Text with more errors than these is something else altogether.
const REPORTED: usize = 10;

/// Reports errors of syntax and gives their places, in order.
///
/// One slip makes the parser stumble several times. So a line has one report; and none follows a bracket that is
/// not closed, in which the parser takes everything for a list.
pub(crate) fn report(
    text: &str,
    errors: &[Error],
    secrets: &[Span],
    problems: &mut Problems,
) -> Vec<Span> {
    let mut errors: Vec<(Span, &str)> = errors
        .iter()
        .map(|error| (error.span().unwrap_or(0..0), error.message()))
        .collect();
    errors.sort_by_key(|(span, _)| span.start);
    if !errors.is_empty() && text.trim_start().starts_with('{') {
        let at = text.len() - text.trim_start().len();
        problems.add(|| {
            Problem::error("this looks like JSON; a configuration is TOML")
                .at(at..at + 1)
                .with_hint("`rrss init` writes a file that works")
        });
        return std::iter::once(0..text.len()).collect();
    }
    let one_table = |span: &Span| text.get(span.clone()) == Some("step");
    let has_one_table = errors
        .iter()
        .any(|(span, message)| *message == TWICE && one_table(span));
    let mut reported: Vec<Span> = Vec::new();
    for (span, message) in errors {
        let on_same_line = reported.last().is_some_and(|last| {
            let between = text.get(last.start..span.start);
            !between.is_some_and(|between| between.contains('\n'))
        });
        // What stands in a second `[step]` is a repetition of what stands in the first.
        let repeats = has_one_table && message == TWICE && !one_table(&span);
        if on_same_line || repeats {
            continue;
        }
        let is_secret = secrets.iter().any(|secret| secret.contains(&span.start));
        problems.add(|| problem(text, span.clone(), message, is_secret));
        let in_brackets = message.contains("array element") || message.contains("unclosed");
        reported.push(span);
        if in_brackets || reported.len() == REPORTED {
            break;
        }
    }
    reported
}

const TWICE: &str = "duplicate key";

fn problem(text: &str, span: Span, message: &str, is_secret: bool) -> Problem {
    let at = text.get(span.clone()).unwrap_or_default();
    let (message, hint) = match message {
        TWICE if at == "step" => (
            "`step` is one table, but given twice".to_owned(),
            "write each step as `[[step]]`, with two brackets".to_owned(),
        ),
        TWICE => (
            format!("{} is given twice", quote(at)),
            "remove one of the two".to_owned(),
        ),
        _ if message.starts_with("string values must be quoted") => (
            "text must stand in quotes".to_owned(),
            match is_secret {
                true => String::new(),
                false => format!("write \"{at}\""),
            },
        ),
        _ if message.contains("string, expected `\"`")
            || message.contains("string, expected `'`") =>
        {
            ("text without a closing quote".to_owned(), String::new())
        }
        _ if message.starts_with("key with no value") => {
            (message.to_owned(), "write name = value".to_owned())
        }
        _ if message.contains("recurs") => (
            "lists and tables stand in each other too deep".to_owned(),
            String::new(),
        ),
        _ => (message.to_owned(), String::new()),
    };
    let problem = Problem::error(&message).at(span);
    match hint.as_str() {
        "" => problem,
        hint => problem.with_hint(hint),
    }
}
