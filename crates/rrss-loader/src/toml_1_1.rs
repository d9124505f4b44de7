//! What only TOML 1.1 has: it is read, and editors that know TOML 1.0 mark it as an error.

use toml_parser::Source;
use toml_parser::lexer::{Token, TokenKind};

use crate::report::Problem;
use crate::source::Span;

/// A warning for each feature of [TOML 1.1](https://toml.io/en/v1.1.0) that a text uses, at its first place.
pub(crate) fn warnings(text: &str) -> Vec<Problem> {
    let mut found: Vec<(Feature, Span)> = Vec::new();
    for (feature, span) in features(text) {
        if !found.iter().any(|(known, _)| *known == feature) {
            found.push((feature, span));
        }
    }
    let warning = |(feature, span): (Feature, Span)| {
        let (what, hint) = feature.words();
        Problem::warning(&format!(
            "{what} is TOML 1.1, which rrss reads; editors and other tools that know TOML 1.0 mark it as an error"
        ))
        .at(span)
        .with_hint(hint)
    };
    found.into_iter().map(warning).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feature {
    Lines,
    Comma,
    Escape,
    Minutes,
}

impl Feature {
    /// What it is, and what to write in its place.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Lines => (
                "a table in braces on several lines",
                "write it on one line, or as a table with a head in brackets",
            ),
            Self::Comma => (
                "a comma behind the last entry of a table in braces",
                "remove it",
            ),
            Self::Escape => (
                "an escape such as `\\e` or `\\x1b`",
                "write `\\u` and four digits, such as `\\u001b`",
            ),
            Self::Minutes => (
                "a time without seconds",
                "write the seconds too: `07:32:00`",
            ),
        }
    }
}

fn features(text: &str) -> Vec<(Feature, Span)> {
    let source = Source::new(text);
    let mut found = Vec::new();
    let mut around = Vec::new();
    // The last comma with nothing but white space behind it.
    let mut comma: Option<Span> = None;
    let mut before = TokenKind::Newline;
    for token in source.lex() {
        let span = span_of(&token);
        let said = text.get(span.clone()).unwrap_or_default();
        let kind = token.kind();
        match kind {
            TokenKind::LeftCurlyBracket | TokenKind::LeftSquareBracket => around.push(kind),
            TokenKind::RightSquareBracket => drop(around.pop()),
            TokenKind::RightCurlyBracket => {
                if let Some(comma) = comma.take() {
                    found.push((Feature::Comma, comma));
                }
                around.pop();
            }
            TokenKind::Newline if around.last() == Some(&TokenKind::LeftCurlyBracket) => {
                found.push((Feature::Lines, span.clone()));
            }
            TokenKind::BasicString | TokenKind::MlBasicString if has_new_escape(said) => {
                found.push((Feature::Escape, span.clone()));
            }
            // What stands behind a dot are the fractions of a second, and an offset.
            TokenKind::Atom if before != TokenKind::Dot && has_no_seconds(said) => {
                found.push((Feature::Minutes, span.clone()));
            }
            _ => {}
        }
        before = kind;
        match kind {
            TokenKind::Comma => comma = Some(span),
            TokenKind::Whitespace | TokenKind::Newline | TokenKind::Comment => {}
            _ => comma = None,
        }
    }
    found
}

fn span_of(token: &Token) -> Span {
    let span = token.span();
    span.start()..span.end()
}

fn has_new_escape(string: &str) -> bool {
    let mut chars = string.chars();
    while let Some(char) = chars.next() {
        if char == '\\' && matches!(chars.next(), Some('e' | 'x')) {
            return true;
        }
    }
    false
}

/// Whether a date or time has hours and minutes alone.
fn has_no_seconds(atom: &str) -> bool {
    let is_value = atom.starts_with(|first: char| first.is_ascii_digit());
    let Some(colon) = atom.find(':').filter(|_| is_value) else {
        return false;
    };
    atom.as_bytes().get(colon + 3) != Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(text: &str, expected: &[Feature]) {
        toml::de::DeTable::parse(text).expect("it is TOML 1.1");
        let found: Vec<Feature> = features(text).into_iter().map(|(found, _)| found).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_toml_1_0_lacks_is_found() {
        found("a = {\n  b = 1 }\n", &[Feature::Lines]);
        found("a = { b = 1, }\n", &[Feature::Comma]);
        found(
            "a = [{ b = 1, # one\n}]\n",
            &[Feature::Lines, Feature::Comma],
        );
        found("a = \"\\e[0m\"\nb = \"\\x41\"\n", &[Feature::Escape; 2]);
        found("a = 07:32\nb = 1979-05-27T07:32Z\n", &[Feature::Minutes; 2]);
        found("a = 1979-05-27 07:32+01:00\n", &[Feature::Minutes]);
    }

    #[test]
    fn toml_1_0_is_left_alone() {
        found(
            "[a]\nb = [\n  1,\n]\n[[c]]\nd = { e = [\n  1,\n], f = {} }\n",
            &[],
        );
        found(
            "a = \"\\\\e \\u001b ,}\" # { \\e\nb = '\\x,'\nc = {}\n",
            &[],
        );
        found(
            "a = 07:32:00\nb = 1979-05-27T07:32:00.5-07:00\nc = 1979-05-27\n",
            &[],
        );
    }
}
