//! Numbers: [RFC 8259, section 6](https://www.rfc-editor.org/rfc/rfc8259#section-6).

const EACH: u64 = u64::MAX / 255;

/// The end of the number that begins at `at`, with a minus sign or a digit.
///
/// It may be followed by anything: of `01` it is the zero, and the digit behind it is no token.
#[inline]
pub(super) fn end(text: &[u8], at: usize) -> Option<usize> {
    let begin = at + usize::from(*text.get(at)? == b'-');
    let mut at = match text.get(begin)? {
        b'0' => begin + 1,
        _ => some_digits(text, begin)?,
    };
    if text.get(at) == Some(&b'.') {
        at = some_digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = text.get(at) {
            at += 1;
        }
        at = some_digits(text, at)?;
    }
    Some(at)
}

/// The end of the digits from `begin` on, of which there is to be at least one.
#[inline]
fn some_digits(text: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin;
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let others = others_than_digits(u64::from_le_bytes(*word));
        if others != 0 {
            at += others.trailing_zeros() as usize / 8;
            return (at > begin).then_some(at);
        }
        at += 8;
    }
    while let Some(b'0'..=b'9') = text.get(at) {
        at += 1;
    }
    (at > begin).then_some(at)
}

/// The highest bit of each byte that is not a digit: exactly up to the first of them, since none before it carries over.
#[inline]
fn others_than_digits(word: u64) -> u64 {
    let above = word.wrapping_add(EACH * u64::from(0x7f - b'9'));
    let below = word.wrapping_sub(EACH * u64::from(b'0'));
    (above | below) & (EACH << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_but_a_digit_ends_digits() {
        for byte in 0..=255_u8 {
            for at in 0..8 {
                for behind in [b'0', b'9', 0, 255] {
                    let mut word = [b'5'; 8];
                    word[at] = byte;
                    word[at + 1..].fill(behind);
                    let others = others_than_digits(u64::from_le_bytes(word));
                    let first = word.iter().position(|byte| !byte.is_ascii_digit());
                    let found = (others != 0).then(|| others.trailing_zeros() as usize / 8);
                    assert_eq!(found, first, "{word:?}");
                }
            }
        }
    }

    #[test]
    fn numbers_end_where_their_grammar_ends() {
        for (text, expected) in [
            ("0", Some(1)),
            ("-0", Some(2)),
            ("01", Some(1)),
            ("-", None),
            ("--1", None),
            ("12345678", Some(8)),
            ("123456789,", Some(9)),
            ("1795348800000}      ", Some(13)),
            ("1.", None),
            ("1.e5", None),
            ("1.5", Some(3)),
            ("0.25e-12]", Some(8)),
            ("1e", None),
            ("1e+", None),
            ("1E+09 ", Some(5)),
            ("1.2.3", Some(3)),
            ("1e5e5", Some(3)),
        ] {
            assert_eq!(end(text.as_bytes(), 0), expected, "{text}");
        }
    }
}
