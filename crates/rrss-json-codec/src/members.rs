//! Whether a text has more members than are allowed, before a table of them is made.

use crate::nesting::skip_text;

/// The shortest member: `"":1,`.
const SHORTEST: usize = 5;

/// Whether the outermost object of `json` has more than `most` members. Of a text that is no JSON it may say either.
///
/// Texts that are too short for so many, or have too few colons, are not looked through.
pub(crate) fn has_more_than(most: usize, json: &[u8]) -> bool {
    if json.len() / SHORTEST <= most || colons(json) <= most {
        return false;
    }
    let (mut depth, mut members) = (0_usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => skip_text(&mut bytes),
            b':' if depth == 1 => {
                members += 1;
                if members > most {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

fn colons(json: &[u8]) -> usize {
    json.iter().filter(|byte| **byte == b':').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_the_outermost_object_alone_count() {
        for (json, members) in [
            ("{}".to_owned(), 0),
            (r#"{"a":1,"b":2,"c":3}"#.to_owned(), 3),
            (r#"{"a":{"x":1,"y":[{"z":2}]},"b":2}"#.to_owned(), 2),
            (r#"{"a:\":":":::","b\\":"\\:"}"#.to_owned(), 2),
            (r#" { "a" : 1 } "#.to_owned(), 1),
        ] {
            // Long enough for any number of members, and with colons enough.
            let json = format!("{}{json}", ":".repeat(200));
            assert!(!has_more_than(members, json.as_bytes()), "{json}");
            if members > 0 {
                assert!(has_more_than(members - 1, json.as_bytes()), "{json}");
            }
        }
    }

    #[test]
    fn what_is_no_json_is_looked_through_to_its_end_and_no_further() {
        for text in ["\"", "\"\\", "{\"a\":\"", "]]]]{{{{", "\u{e9}\""] {
            let text = format!("{}{text}", ":".repeat(100));
            assert!(!has_more_than(10, text.as_bytes()), "{text}");
        }
    }
}
