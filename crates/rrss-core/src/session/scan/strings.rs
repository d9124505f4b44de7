//! Where strings end, and whether what is in them may be: no control characters, no unknown escapes.

use super::blocks::{self, SIZE};

/// The strings that are ahead of a walk.
///
/// The walk finds the quote that opens a string by itself. The one that closes it is then the next in a mask of the quotes
/// that have no backslash before them: where a string ends does not depend on where the last one ended, so that a processor
/// works on several at once. A mask is of one block of the text; blocks without strings are not looked at.
///
/// What changes with each string is kept apart from what changes with each block, which is behind a reference: so the former
/// can stay in registers.
pub(super) struct Strings<'t, 'u> {
    unread: &'u mut Unread<'t>,
    /// The quotes of the present block that are not behind the walk.
    quotes: u64,
    block: usize,
}

/// The blocks of a text that are not looked at yet.
pub(super) struct Unread<'t> {
    text: &'t [u8],
    next_block: usize,
    /// Whether the first byte of the next block belongs to an escape at the end of the last one.
    is_next_escaped: bool,
    have_escapes: bool,
}

impl<'t, 'u> Strings<'t, 'u> {
    #[inline(always)]
    pub(super) fn new(unread: &'u mut Unread<'t>) -> Self {
        Self {
            unread,
            quotes: 0,
            block: 0,
        }
    }

    /// Moves over the string that begins with the next quote, to the place of the quote that ends it.
    #[inline(always)]
    pub(super) fn skip(&mut self) -> Option<usize> {
        let mut behind_open = without_lowest(self.quotes);
        if behind_open == 0 {
            (self.block, behind_open) = self.unread.block_of_close(self.quotes)?;
        }
        self.quotes = without_lowest(behind_open);
        Some(self.block + behind_open.trailing_zeros() as usize)
    }

    /// Whether any string up to where the walk is has escapes; it may be a later one that has.
    #[inline(always)]
    pub(super) fn have_escapes(&self) -> bool {
        self.unread.have_escapes
    }
}

impl<'t> Unread<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            next_block: 0,
            is_next_escaped: false,
            have_escapes: false,
        }
    }

    /// The block in which a string ends that is not all in a block whose last quotes are these, and its quotes from there on.
    #[inline(never)]
    fn block_of_close(&mut self, mut quotes: u64) -> Option<(usize, u64)> {
        while quotes == 0 {
            quotes = self.next(false)?;
        }
        quotes = without_lowest(quotes);
        while quotes == 0 {
            quotes = self.next(true)?;
        }
        Some((self.next_block - SIZE, quotes))
    }

    /// The quotes of the next block, which begins inside of a string or outside of all.
    #[inline(always)]
    fn next(&mut self, begins_inside: bool) -> Option<u64> {
        let rest = self.text.get(self.next_block..)?;
        let quotes = match rest.first_chunk() {
            Some(block) => self.look_at(block, begins_inside),
            None if rest.is_empty() => None,
            None => self.look_at(&filled_up(rest), begins_inside),
        };
        self.next_block += SIZE;
        quotes
    }

    #[inline(always)]
    fn look_at(&mut self, block: &[u8; SIZE], begins_inside: bool) -> Option<u64> {
        let (quotes, is_special) = blocks::look_at(block);
        if is_special || self.is_next_escaped {
            return self.checked(block, quotes, begins_inside);
        }
        Some(quotes)
    }

    /// Those of `quotes` that are not escaped, where the escapes and the control characters of the next block are allowed.
    #[inline(never)]
    fn checked(&mut self, block: &[u8; SIZE], quotes: u64, begins_inside: bool) -> Option<u64> {
        let behind = &self.text[self.next_block + 1..];
        let not_escaped = !u64::from(self.is_next_escaped);
        self.is_next_escaped = false;
        let mut quotes = quotes & not_escaped;
        // A backslash outside of strings is taken for an escape here, and is no token where the walk comes upon it.
        let mut backslashes = blocks::mask(block, |byte| byte == b'\\') & not_escaped;
        self.have_escapes |= backslashes != 0;
        while backslashes != 0 {
            let at = backslashes.trailing_zeros();
            check_escape(&behind[at as usize..])?;
            let escape = 0b11 << at;
            backslashes &= !escape;
            quotes &= !escape;
            self.is_next_escaped = at == u64::BITS - 1;
        }
        let inside = inside_of_strings(quotes) ^ if begins_inside { u64::MAX } else { 0 };
        (blocks::mask(block, |byte| byte < b' ') & inside == 0).then_some(quotes)
    }
}

/// Whether what is behind a backslash makes an escape of it.
fn check_escape(behind: &[u8]) -> Option<()> {
    match behind {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(()),
        [b'u', digits @ ..] => {
            let digits: &[u8; 4] = digits.first_chunk()?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(())
        }
        _ => None,
    }
}

/// A whole block of the last bytes of a text: spaces are neither quotes nor anything that is looked for.
fn filled_up(rest: &[u8]) -> [u8; SIZE] {
    let mut block = [b' '; SIZE];
    block[..rest.len()].copy_from_slice(rest);
    block
}

#[inline(always)]
fn without_lowest(bits: u64) -> u64 {
    bits & bits.wrapping_sub(1)
}

/// The bits from each odd one of `quotes` on to below the next, where the block begins outside of strings.
fn inside_of_strings(quotes: u64) -> u64 {
    let mut inside = quotes;
    for distance in [1, 2, 4, 8, 16, 32] {
        inside ^= inside << distance;
    }
    inside
}
