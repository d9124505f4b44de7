//! The text that was read, and the places in it.

use std::ops::Range;

/// Text with a name, in which a span of bytes is a line and a column.
#[derive(Debug)]
pub(crate) struct Source {
    name: String,
    text: String,
    line_starts: Vec<usize>,
}

/// A span of bytes.
pub(crate) type Span = Range<usize>;

impl Source {
    /// A byte order mark is no part of the text.
    pub(crate) fn new(name: String, mut text: String) -> Self {
        if text.starts_with('\u{FEFF}') {
            text.drain(..'\u{FEFF}'.len_utf8());
        }
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = [0].into_iter().chain(ends).collect();
        Self {
            name,
            text,
            line_starts,
        }
    }

    /// What reports call it: a path as it was given, or `<text>`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The same source, with what lies in `secrets` made unreadable. All places stay where they are.
    pub(crate) fn masked(self, mut secrets: Vec<Span>) -> Self {
        secrets.append(&mut passwords(&self.text));
        secrets.sort_unstable_by_key(|span| span.start);
        let mut text = String::with_capacity(self.text.len());
        for secret in secrets {
            let from = text.len();
            let (start, end) = (self.floor(secret.start), self.floor(secret.end));
            if from < end {
                text.push_str(&self.text[from..start.max(from)]);
                text.extend(self.text[start.max(from)..end].chars().map(mask));
            }
        }
        text.push_str(&self.text[text.len()..]);
        Self { text, ..self }
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub(crate) fn position(&self, at: usize) -> (usize, usize) {
        let at = self.floor(at);
        let line = self.line(at);
        let column = self.text[self.line_starts[line]..at].chars().count();
        (line + 1, column + 1)
    }

    /// The whole lines that the spans touch, the number of the first, and the offset of its first byte.
    pub(crate) fn window(&self, spans: &[Span]) -> (&str, usize, usize) {
        let starts = spans.iter().map(|span| span.start);
        let first = self.line(starts.clone().min().unwrap_or_default());
        let last = self.line(starts.max().unwrap_or_default());
        let start = self.line_starts[first];
        let ends = spans.iter().map(|span| self.floor(span.end));
        let end = ends.fold(self.line_end(last), usize::max);
        (&self.text[start..end], first + 1, start)
    }

    /// The part of a span that lies on its first line, between whole characters.
    pub(crate) fn on_one_line(&self, span: &Span) -> Span {
        let start = self.floor(span.start);
        let end = self.line_end(self.line(start));
        let end = self.floor(span.end.min(end)).max(start);
        start..end
    }

    fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at) - 1
    }

    /// Where a line ends, without its line break.
    fn line_end(&self, line: usize) -> usize {
        let end = self
            .line_starts
            .get(line + 1)
            .map_or(self.text.len(), |next| next - 1);
        let start = self.line_starts[line];
        let line = &self.text[start..end];
        start + line.strip_suffix('\r').unwrap_or(line).len()
    }

    fn floor(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// What an address such as `redis://user:password@host` says between the first colon and the `@`.
fn passwords(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let start = at + "://".len();
        let rest = &text[start..];
        let end = rest
            .find(|char: char| char.is_whitespace() || "/?#\"'".contains(char))
            .unwrap_or(rest.len());
        let Some(host) = rest[..end].rfind('@') else {
            continue;
        };
        if let Some(colon) = rest[..host].find(':') {
            found.push(start + colon + 1..start + host);
        }
    }
    found
}

/// A text of a message, without the passwords that addresses in it may have.
pub(crate) fn without_passwords(text: &str) -> String {
    let mut shown = text.to_owned();
    for span in passwords(text).into_iter().rev() {
        shown.replace_range(span, "***");
    }
    shown
}

/// Another character of as many bytes, so that every span keeps its meaning.
fn mask(char: char) -> char {
    match (char, char.len_utf8()) {
        ('\n' | '\r', _) => char,
        (_, 1) => '*',
        (_, 2) => '×',
        (_, 3) => '•',
        (_, _) => '\u{1D7B5}',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_lines_from_one() {
        let source = Source::new("x".to_owned(), "a = 1\nß = \"日本\" # x\n".to_owned());
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(6), (2, 1));
        assert_eq!(source.position(8), (2, 2));
        assert_eq!(source.position(7), (2, 1), "in the middle of a character");
        assert_eq!(source.position(usize::MAX), (3, 1));
    }

    #[test]
    fn a_mask_hides_the_text_and_moves_nothing() {
        let text =
            "a = \"hünter2\"\nurl = 'redis://me:pass@word@host/0'\nkey = \"\"\"日\n🔑\"\"\"\n";
        let key = text.find("\"\"\"").unwrap();
        let secrets = vec![key..text.len() - 1, 4..14, 5..8];
        let masked = Source::new(String::new(), text.to_owned()).masked(secrets);
        assert_eq!(masked.text.len(), text.len());
        for hidden in ["hünter2", "nter", "pass", "word", "日", "🔑"] {
            assert!(!masked.text.contains(hidden), "{}", masked.text);
        }
        assert!(
            masked.text.contains("url = 'redis://me:*********@host/0'"),
            "{}",
            masked.text
        );
        assert_eq!(masked.text.lines().count(), text.lines().count());
    }
}
