//! Words for reports: names in backticks, lists, and what a mistyped name may have meant.

/// The candidate that a mistyped name is most like, if it is like one: a third of its letters may be wrong, and
/// one always.
pub(crate) fn closest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Nobody types so much by mistake, and the distance takes time by the square of the length.
    if name.len() > 64 {
        return None;
    }
    let folded = fold(name);
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::osa_distance(&folded, &fold(candidate));
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(name.len()) / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

fn fold(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

/// A name or a value from a file, in backticks, on one line and not too long.
pub(crate) fn quote(text: &str) -> String {
    format!("`{}`", clean(text, 60))
}

/// Names in backticks, as a sentence lists them: `a`, `b` and `c`.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    let mut names: Vec<String> = names.into_iter().map(quote).collect();
    match names.pop() {
        None => String::new(),
        Some(only) if names.is_empty() => only,
        Some(end) => format!("{} {last} {end}", names.join(", ")),
    }
}

/// Text that goes into a line of a report: nothing in it moves the cursor or turns the line around.
pub(crate) fn clean(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for (count, char) in text.chars().enumerate() {
        if count == longest {
            shown.push('…');
            break;
        }
        match char {
            '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                shown.push('\u{FFFD}');
            }
            _ if char.is_control() => shown.extend(char.escape_default()),
            _ => shown.push(char),
        }
    }
    shown
}

/// The same for a path, of which the end says most.
pub(crate) fn clean_path(path: &str, longest: usize) -> String {
    let chars = path.chars().count();
    if chars <= longest {
        return clean(path, longest);
    }
    let end: String = path.chars().skip(chars - longest).collect();
    format!("…{}", clean(&end, longest))
}

/// `one thing`, `2 things`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_keeps_its_end() {
        assert_eq!(clean_path("etc/rrss.toml", 13), "etc/rrss.toml");
        assert_eq!(clean_path("/srv/etc/rrss.toml", 13), "…etc/rrss.toml");
    }

    #[test]
    fn a_slip_finds_what_was_meant_and_another_word_finds_nothing() {
        let names = ["compression", "key-mapper", "json-codec", "redis"];
        assert_eq!(closest("compresion", names), Some("compression"));
        assert_eq!(closest("Key_Mapper", names), Some("key-mapper"));
        assert_eq!(closest("rdeis", names), Some("redis"));
        assert_eq!(closest("rate-limit", names), None);
        assert_eq!(closest("di", ["id", "key"]), Some("id"));
        assert_eq!(closest("", names), None);
        assert_eq!(closest(&"r".repeat(1000), names), None);
    }

    #[test]
    fn a_name_from_a_file_stays_on_its_line() {
        assert_eq!(quote("a\nb\u{202E}c\u{7}"), "`a\\nb\u{FFFD}c\\u{7}`");
        assert_eq!(quote(&"x".repeat(100)).chars().count(), 63);
        assert_eq!(list(["a", "b", "c"], "and"), "`a`, `b` and `c`");
    }
}
