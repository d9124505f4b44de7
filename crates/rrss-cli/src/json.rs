//! JSON text in other white space: numbers, escapes and the order of names stay as they are stored.

use std::fmt::Write as _;

/// How JSON text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// On one line, without white space: for programs.
    Compact,
    /// On several lines, indented by two spaces a level: for a terminal.
    ///
    /// Control characters from U+007F to U+009F, which JSON lets stand and a terminal may obey, are escaped.
    Pretty,
}

/// The same JSON, laid out. `json` must be valid; what is not comes out garbled.
pub(crate) fn lay_out(json: &str, layout: Layout) -> String {
    let pretty = layout == Layout::Pretty;
    let mut text = String::with_capacity(json.len());
    let mut depth = 0_usize;
    let mut opened = false;
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            match c {
                '\u{7f}'..='\u{9f}' if pretty => drop(write!(text, "\\u{:04x}", u32::from(c))),
                _ => text.push(c),
            }
            continue;
        }
        if c.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(c, '}' | ']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        // An empty object or array stays on its line.
        if pretty && opened != closes {
            break_line(&mut text, depth);
        }
        opened = matches!(c, '{' | '[');
        in_string = c == '"';
        text.push(c);
        match c {
            '{' | '[' => depth += 1,
            ',' if pretty => break_line(&mut text, depth),
            ':' if pretty => text.push(' '),
            _ => {}
        }
    }
    text
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#" { "b" : [ 1.10 , 1e400, "a , b: {\"c\\" ] ,
        "a":{ }, "c":[], "d":{"e":null} } "#;

    #[test]
    fn compact_is_one_line_with_every_value_as_it_was() {
        assert_eq!(
            lay_out(JSON, Layout::Compact),
            r#"{"b":[1.10,1e400,"a , b: {\"c\\"],"a":{},"c":[],"d":{"e":null}}"#
        );
    }

    #[test]
    fn pretty_has_one_value_a_line() {
        let expected = r#"{
  "b": [
    1.10,
    1e400,
    "a , b: {\"c\\"
  ],
  "a": {},
  "c": [],
  "d": {
    "e": null
  }
}"#;
        assert_eq!(lay_out(JSON, Layout::Pretty), expected);
        assert_eq!(lay_out("\"text\"", Layout::Pretty), "\"text\"");
    }

    #[test]
    fn a_terminal_gets_no_control_characters() {
        assert_eq!(lay_out("\"\u{9b}31m\"", Layout::Pretty), r#""\u009b31m""#);
        assert_eq!(lay_out("\"\u{9b}31m\"", Layout::Compact), "\"\u{9b}31m\"");
    }
}
