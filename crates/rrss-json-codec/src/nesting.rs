//! How deep a text is nested.

/// Whether arrays and objects are nested deeper than `most` in a JSON text. Of a text that is no JSON it may say either.
///
/// Texts with too few brackets, as nearly all have, are not looked through.
pub(crate) fn is_deeper_than(most: usize, json: &[u8]) -> bool {
    openings(json) > most && depth(json) > most
}

/// How deep arrays and objects are nested in a JSON text.
pub(crate) fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_text(&mut bytes),
            _ => {}
        }
    }
    deepest
}

/// Moves to behind the quote that ends a text.
pub(crate) fn skip_text<'j>(bytes: &mut impl Iterator<Item = &'j u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

/// How many opening brackets there are, those in texts too. They are counted in bytes, which processors add many at a time.
fn openings(json: &[u8]) -> usize {
    // The two differ in one bit, and no other byte differs from them in that alone.
    const EITHER: u8 = !(b'[' ^ b'{');
    let in_chunk = |chunk: &[u8]| {
        chunk
            .iter()
            .map(|byte| u8::from(byte & EITHER == b'['))
            .sum::<u8>()
    };
    json.chunks(255)
        .map(|chunk| usize::from(in_chunk(chunk)))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_arrays_and_objects_and_not_the_brackets_in_texts() {
        for (json, expected) in [
            ("1", 0),
            (r#""[[[""#, 0),
            (r#""\"[[""#, 0),
            (r#""\\""#, 0),
            ("[]", 1),
            (r#"{"a":{"b":[1,2]},"c":[]}"#, 3),
            (r#"["\\",[],["\"]]]"]]"#, 2),
            ("[[],[],[[]],[]]", 3),
        ] {
            assert_eq!(depth(json.as_bytes()), expected, "{json}");
            assert!(!is_deeper_than(expected, json.as_bytes()), "{json}");
            if expected > 0 {
                assert!(is_deeper_than(expected - 1, json.as_bytes()), "{json}");
            }
        }
    }

    #[test]
    fn every_opening_bracket_counts_and_no_other_byte() {
        for byte in 0..=u8::MAX {
            let expected = usize::from(b"[{".contains(&byte));
            assert_eq!(openings(&[byte]), expected, "{byte}");
        }
        for length in [0, 1, 254, 255, 256, 1_000] {
            assert_eq!(openings(&vec![b'['; length]), length);
        }
    }
}
