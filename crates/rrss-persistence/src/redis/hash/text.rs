//! The text that a field's value is stored as, and the value that a text is read as. It is sessions that know JSON.

use std::borrow::Cow;

use rrss_core::{Error, ErrorKind, Result, Session};

/// Who reads the texts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// This rrss alone: a string that looks like another value is stored in quotes, and comes back as a string.
    Rrss,
    /// A program that takes every text as it is, too: such a string comes back as that value.
    Others,
}

/// What is stored of a value: of a JSON string its text, of every other value its JSON.
///
/// # Errors
///
/// [`ErrorKind::Value`] where the value is a string that is no Unicode text: half of a surrogate pair.
pub(super) fn stored<'a>(name: &str, raw: &'a str, readers: Readers) -> Result<Cow<'a, str>> {
    let text = text_of(name, raw)?;
    let is_string = raw.starts_with('"');
    if is_string && readers == Readers::Rrss && looks_like_another(&text) {
        let mut quoted = Vec::with_capacity(text.len() + 2);
        put_string(&mut quoted, &text);
        return String::from_utf8(quoted)
            .map(Cow::Owned)
            .map_err(|_| not_text(name));
    }
    Ok(text)
}

fn text_of<'a>(name: &str, raw: &'a str) -> Result<Cow<'a, str>> {
    let Some(quoted) = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) else {
        return Ok(Cow::Borrowed(raw));
    };
    if !quoted.contains('\\') {
        return Ok(Cow::Borrowed(quoted));
    }
    string(raw).map(Cow::Owned).ok_or_else(|| not_text(name))
}

fn not_text(name: &str) -> Error {
    Error::new(
        ErrorKind::Value,
        format!("the text of the field `{name}` is not Unicode, and cannot be stored as text"),
    )
}

/// What a JSON string says.
fn string(raw: &str) -> Option<String> {
    let mut session = Session::new();
    session.insert_raw("", raw).ok()?;
    session.get("").ok()?
}

/// Whether a text, stored as it is, would be read as something else.
fn looks_like_another(text: &str) -> bool {
    is_value(text) || is_quoted(text)
}

/// Whether a text is what [`stored`] makes of a string that looks like another value.
fn is_quoted(text: &str) -> bool {
    if text.len() < 3 || !text.starts_with('"') {
        return false;
    }
    let Some(inner) = string(text).filter(|inner| looks_like_another(inner)) else {
        return false;
    };
    let mut quoted = Vec::with_capacity(text.len());
    put_string(&mut quoted, &inner);
    quoted == text.as_bytes()
}

/// Appends the JSON that a stored text is read as: itself where it is one value other than a string, with nothing
/// around it, or a string that was put in quotes; else a string of it.
pub(super) fn put_read(json: &mut Vec<u8>, text: &str, readers: Readers) {
    if is_value(text) || (readers == Readers::Rrss && is_quoted(text)) {
        json.extend_from_slice(text.as_bytes());
    } else {
        put_string(json, text);
    }
}

/// Appends a JSON string.
pub(super) fn put_string(json: &mut Vec<u8>, text: &str) {
    let is_plain = |byte| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
        return;
    }
    let mut session = Session::new();
    // It fails for what does not serialise, and every text does.
    if session.insert("", text).is_ok() {
        json.extend_from_slice(session.get_raw("").unwrap_or_default().as_bytes());
    }
}

fn is_value(text: &str) -> bool {
    let may_be = matches!(
        text.bytes().next(),
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'[' | b'{')
    );
    // What is more than one value, or has white space around it, is longer than the value that is found.
    may_be
        && Session::from_json(format!("{{\"\":{text}}}").into(), None)
            .is_ok_and(|(session, _)| session.get_raw("").map(str::len) == Some(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_by(text: &str, readers: Readers) -> String {
        let mut json = Vec::new();
        put_read(&mut json, text, readers);
        String::from_utf8(json).unwrap()
    }

    fn read(text: &str) -> String {
        read_by(text, Readers::Rrss)
    }

    fn stored<'a>(name: &str, raw: &'a str) -> Result<Cow<'a, str>> {
        super::stored(name, raw, Readers::Rrss)
    }

    #[test]
    fn a_string_that_looks_like_another_value_comes_back_as_a_string() {
        for text in [
            "42",
            "-1e5",
            "true",
            "null",
            "[1]",
            "{}",
            "\"42\"",
            "\"\\\"42\\\"\"",
            "\"[\\\"a\\\"]\"",
        ] {
            let raw = serde_json::to_string(text).unwrap();
            let kept = stored("field", &raw).unwrap();
            assert_eq!(kept, raw, "it is stored in quotes");
            assert_eq!(read(&kept), raw);
            let shared = super::stored("field", &raw, Readers::Others).unwrap();
            assert_eq!(shared, text);
        }
        assert_eq!(read_by("\"42\"", Readers::Others), r#""\"42\"""#);
        // Not as it is put in quotes here, so it must stay as it is.
        assert_eq!(read(r#""\u0034""#), r#""\"\\u0034\"""#);
    }

    #[test]
    fn a_text_is_stored_as_it_is_and_other_values_as_json() {
        for (raw, expected) in [
            (r#""dark""#, "dark"),
            (r#""""#, ""),
            (r#""say \"hi\"\n☃ \u2603""#, "say \"hi\"\n☃ ☃"),
            (r#""42""#, r#""42""#),
            (r#""\"dark\"""#, "\"dark\""),
            ("42", "42"),
            ("1.10", "1.10"),
            ("true", "true"),
            ("null", "null"),
            (r#"["a", 1]"#, r#"["a", 1]"#),
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
        ] {
            assert_eq!(stored("field", raw).unwrap(), expected, "{raw}");
        }
    }

    #[test]
    fn a_text_that_is_one_json_value_and_no_string_reads_as_that_and_every_other_as_text() {
        for value in [
            "42",
            "-0",
            "1.10",
            "1e999",
            "true",
            "false",
            "null",
            "[]",
            "[1, 2]",
            "{}",
            r#"{"a":"b"}"#,
        ] {
            assert_eq!(read(value), value);
        }
        for text in [
            "",
            "dark",
            "nothing",
            "truely",
            "True",
            "nil",
            "NaN",
            "01",
            "+1",
            "1.",
            ".5",
            "0x1F",
            " 42",
            "42 ",
            "42\n",
            "1 2",
            "[1 2 3]",
            "[1,]",
            "{a:1}",
            "\"dark\"",
            "[",
            "-",
            ":dark",
            "2026-11-22",
            "1}",
            "1,\"\":1",
            "1,\"a\":1",
            "{}}",
            "\u{feff}1",
        ] {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(read(text), json);
        }
    }

    #[test]
    fn every_text_is_stored_again_as_it_was_read() {
        for text in [
            "",
            "dark",
            "42",
            "\"q\"",
            "\"42\"",
            "\"\\u0034\"",
            "\"\\\"42\\\"\"",
            "[1, 2]",
            " 1",
            "\u{0}\u{7f}\u{2028}\\n",
        ] {
            assert_eq!(stored("field", &read(text)).unwrap(), text);
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_refused_without_showing_the_value() {
        let error = stored("pin", r#""hunter2\ud800""#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(error.to_string().contains("`pin`"));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
