//! One value of any depth, walked without recursion.

use std::ops::Range;

use super::nesting::Nesting;
use super::number;
use super::strings::{Strings, Unread};

/// A walk over the bytes of a text, from its first to its last.
///
/// Each step takes the place where it begins and returns the one behind what it has walked over; the walk itself remembers
/// the strings that are ahead, and what it is in.
pub(super) struct Walk<'t, 'u> {
    text: &'t [u8],
    strings: Strings<'t, 'u>,
    nesting: Nesting<'u>,
}

impl<'t, 'u> Walk<'t, 'u> {
    #[inline(always)]
    pub(super) fn new(text: &'t [u8], unread: &'u mut Unread<'t>, below: &'u mut Vec<u64>) -> Self {
        Self {
            text,
            strings: Strings::new(unread),
            nesting: Nesting::new(below),
        }
    }

    /// The first byte at or behind `at` that is not white space, and its place.
    #[inline(always)]
    pub(super) fn token(&self, at: usize) -> Option<(usize, u8)> {
        let byte = *self.text.get(at)?;
        if byte > b' ' {
            return Some((at, byte));
        }
        token_behind_space(self.text, at)
    }

    /// The same, where it is most likely a comma.
    #[inline(always)]
    pub(super) fn separator(&self, at: usize) -> Option<(usize, u8)> {
        if self.text.get(at) == Some(&b',') {
            return Some((at, b','));
        }
        self.token(at)
    }

    /// The place at or behind `at` of `expected`, which only white space may be before.
    #[inline(always)]
    fn expected(&self, at: usize, expected: u8) -> Option<usize> {
        if self.text.get(at) == Some(&expected) {
            return Some(at);
        }
        let (at, byte) = token_behind_space(self.text, at)?;
        (byte == expected).then_some(at)
    }

    /// The places of the quotes around the name that begins at or behind `at`.
    #[inline(always)]
    pub(super) fn name(&mut self, at: usize) -> Option<(usize, usize)> {
        let open = self.expected(at, b'"')?;
        Some((open, self.strings.skip()?))
    }

    /// Whether there are escapes in this part of a string that the walk is behind of.
    #[inline(always)]
    pub(super) fn has_escapes(&self, part: Range<usize>) -> bool {
        self.strings.have_escapes() && self.text[part].contains(&b'\\')
    }

    /// The first byte of the value whose name ends at `close`, and its place.
    #[inline(always)]
    pub(super) fn value_of_name(&self, close: usize) -> Option<(usize, u8)> {
        let colon = self.expected(close + 1, b':')?;
        self.token(colon + 1)
    }

    /// The end of the value that begins at `at` with `byte`.
    #[inline(always)]
    pub(super) fn value(&mut self, mut at: usize, mut byte: u8) -> Option<usize> {
        loop {
            let mut end = match byte {
                b'"' => self.strings.skip()? + 1,
                b'{' => {
                    (at, byte) = self.token(at + 1)?;
                    if byte != b'}' {
                        self.nesting.enter_object();
                        let (_, close) = self.name(at)?;
                        (at, byte) = self.value_of_name(close)?;
                        continue;
                    }
                    at + 1
                }
                b'[' => {
                    (at, byte) = self.token(at + 1)?;
                    if byte != b']' {
                        self.nesting.enter_array();
                        continue;
                    }
                    at + 1
                }
                b'-' | b'0'..=b'9' => number::end(self.text, at)?,
                b't' => self.literal(at, b"true")?,
                b'f' => self.literal(at, b"false")?,
                b'n' => self.literal(at, b"null")?,
                _ => return None,
            };
            loop {
                if self.nesting.is_outside() {
                    return Some(end);
                }
                let is_object = self.nesting.is_object();
                (at, byte) = self.separator(end)?;
                if byte == b',' {
                    (at, byte) = if is_object {
                        let (_, close) = self.name(at + 1)?;
                        self.value_of_name(close)?
                    } else {
                        self.token(at + 1)?
                    };
                    break;
                }
                if byte != if is_object { b'}' } else { b']' } {
                    return None;
                }
                self.nesting.leave();
                end = at + 1;
            }
        }
    }

    fn literal(&self, at: usize, literal: &[u8]) -> Option<usize> {
        self.text[at..]
            .starts_with(literal)
            .then_some(at + literal.len())
    }
}

/// Compact texts, which are what rrss writes, have no white space, so that it is not looked for inline.
#[inline(never)]
fn token_behind_space(text: &[u8], at: usize) -> Option<(usize, u8)> {
    let behind = text.get(at..)?;
    let length = behind.iter().position(|byte| !b" \t\n\r".contains(byte))?;
    Some((at + length, behind[length]))
}
