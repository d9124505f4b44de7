//! Doc comments as a person reads them in a terminal.

/// The paragraphs, each on one line, up to the first heading: what follows that is for those who write Rust.
pub(super) fn paragraphs(comment: &str) -> Vec<String> {
    let lines: Vec<&str> = comment
        .lines()
        .take_while(|line| !line.starts_with("# "))
        .collect();
    lines
        .join("\n")
        .split("\n\n")
        .map(|paragraph| without_links(&on_one_line(paragraph)))
        .filter(|paragraph| !paragraph.is_empty())
        .collect()
}

fn on_one_line(paragraph: &str) -> String {
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    words.join(" ")
}

/// `[text](address)` as `text (address)`, or as `text` where the address is a place in code.
fn without_links(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, label, address, after)) = next_link(rest) {
        plain.push_str(before);
        plain.push_str(label);
        if address.starts_with("https://") {
            plain += &format!(" ({address})");
        }
        rest = after;
    }
    plain + rest
}

/// The text before the first link, its label, its address, and the text after it.
fn next_link(text: &str) -> Option<(&str, &str, &str, &str)> {
    let middle = text.find("](")?;
    let start = text[..middle].rfind('[')?;
    let address = &text[middle + 2..];
    let end = address.find(')')?;
    Some((
        &text[..start],
        &text[start + 1..middle],
        &address[..end],
        &address[end + 1..],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_joined_and_headings_end_them() {
        let comment = "One\nline.\n\n  Two.\n\n# Examples\n\n```\ncode\n```";
        assert_eq!(paragraphs(comment), ["One line.", "Two."]);
        assert_eq!(paragraphs(""), [""; 0]);
    }

    #[test]
    fn links_keep_their_text_and_an_address_that_can_be_opened() {
        for (text, plain) in [
            (
                "[RFC 1](https://a.b/c) and [RFC 2](https://d.e).",
                "RFC 1 (https://a.b/c) and RFC 2 (https://d.e).",
            ),
            ("see [`Options`](crate::Options)", "see `Options`"),
            ("a list [1, 2] (of two)", "a list [1, 2] (of two)"),
            ("broken [a](b", "broken [a](b"),
        ] {
            assert_eq!(without_links(text), plain);
        }
    }
}
