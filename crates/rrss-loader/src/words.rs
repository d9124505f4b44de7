//! What serde says of a value, in the words of a report.

use toml::de::DeValue;

use crate::allowed::Place;
use crate::document::kind;
use crate::suggest::{closest, list, quote};

/// What is wrong with a value, to be put behind the name of its option.
pub(crate) struct Words {
    /// A clause such as "must be text, not a number", or a sentence of its own.
    pub(crate) wrong: Wrong,
    pub(crate) hint: Option<String>,
}

pub(crate) enum Wrong {
    /// It goes on from the name of the option: "must be text".
    Clause(String),
    /// It stands for itself, behind a colon. It may quote the value.
    Sentence(String),
}

/// Says what `message`, of a deserialiser, means for `value`. Nothing of a hidden value is quoted, but a
/// [`Wrong::Sentence`], which is the type's own, may still do so.
pub(crate) fn words(
    message: &str,
    value: &DeValue<'_>,
    place: Option<&Place<'_>>,
    hidden: bool,
) -> Words {
    let choices = place.map(Place::choices).unwrap_or_default();
    let wrong_type = message.starts_with("invalid type: ") || message == "wanted string or table";
    let expected = ["invalid type: ", "invalid value: ", "invalid length "]
        .iter()
        .any(|start| message.starts_with(start))
        .then(|| message.rsplit_once(", expected "))
        .flatten();
    let must = expected.map(|(_, expected)| expectation(expected));
    let is_number = must.as_ref().is_some_and(|must| must.contains("number"));
    let not = match value {
        _ if hidden && !wrong_type => String::new(),
        // What comes from elsewhere is text in any case.
        DeValue::String(_) if hidden => String::new(),
        DeValue::Boolean(value) if !hidden => format!(", not `{value}`"),
        DeValue::Integer(number) if is_number && !hidden => format!(", not {number}"),
        DeValue::Float(number) if is_number && !hidden => format!(", not {}", number.as_str()),
        DeValue::String(text) if !wrong_type => format!(", not {}", quote(text)),
        other => format!(", not {}", kind(other)),
    };
    if message.starts_with("unknown variant ") {
        let must = format!("must be {}", list(choices.iter().copied(), "or"));
        return match value {
            DeValue::String(text) if !hidden && !choices.is_empty() => Words {
                wrong: Wrong::Clause(format!("cannot be {}", quote(text))),
                hint: Some(match closest(text, choices.iter().copied()) {
                    Some(meant) => format!("did you mean {}?", quote(meant)),
                    None => format!("it can be {}", list(choices, "or")),
                }),
            },
            _ if choices.is_empty() => sentence(message),
            _ => clause(must),
        };
    }
    if wrong_type && !choices.is_empty() {
        return clause(format!("must be {}{not}", list(choices, "or")));
    }
    if message == "integer number overflowed" {
        return clause("is too large a number".to_owned());
    }
    let Some(must) = must else {
        return sentence(message);
    };
    Words {
        hint: unquoted(&must, value).filter(|_| wrong_type && !hidden),
        wrong: Wrong::Clause(format!("must be {must}{not}")),
    }
}

fn clause(text: String) -> Words {
    Words {
        wrong: Wrong::Clause(text),
        hint: None,
    }
}

fn sentence(text: &str) -> Words {
    Words {
        wrong: Wrong::Sentence(text.to_owned()),
        hint: None,
    }
}

/// A number or a truth value that was put into quotes.
fn unquoted(must: &str, value: &DeValue<'_>) -> Option<String> {
    let text = value.as_str()?;
    let fits = match must {
        "`true` or `false`" => text.parse::<bool>().is_ok(),
        "a number" => text.parse::<f64>().is_ok_and(f64::is_finite),
        _ if must.starts_with("a whole number") => text.parse::<i64>().is_ok(),
        _ => false,
    };
    fits.then(|| format!("write it without quotes: {text}"))
}

/// What a type of serde's expects, in plain words.
fn expectation(expected: &str) -> String {
    let words = match expected {
        "a string" | "a borrowed string" | "string" | "str" => "text",
        "path string" | "a borrowed path" => "a path in quotes",
        "a character" => "one character in quotes",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "a map" => "a table",
        "f32" | "f64" => "a number",
        "i64" | "isize" | "i128" => "a whole number",
        "u64" | "usize" | "u128" => "a whole number of 0 or more",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        _ if expected.starts_with("struct ") => "a table",
        _ => return nonzero(expected).unwrap_or_else(|| expected.to_owned()),
    };
    words.to_owned()
}

fn nonzero(expected: &str) -> Option<String> {
    let number = expectation(expected.strip_prefix("a nonzero ")?);
    Some(number.replace("of 0", "of 1").replace("from 0", "from 1"))
}
