//! Where the members of a JSON object lie in its text, found in one pass that checks the whole of it.
//!
//! What is accepted is what `serde_json` accepts as a map of names to `RawValue`s: the grammar of
//! [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259), nested to any depth. No value is built, and nothing is told of a text
//! that is no object but that it is none: knowing where in it the fault lies would cost every sound text something.
//!
//! Ends of strings come from bit masks of 64 bytes each ([`strings`]), everything between strings is walked byte by byte.

mod blocks;
mod nesting;
mod number;
mod strings;
mod value;

use std::ops::Range;

use self::strings::Unread;
use self::value::Walk;

/// A member of the outermost object: places in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// What stands between the quotes of the name.
    pub(super) name: Range<usize>,
    /// Whether the name has escapes, so that it is not what stands there.
    pub(super) has_escapes: bool,
    pub(super) value: Range<usize>,
}

/// Calls `found` with each member in the order of the text; `None` where the text is not one JSON object, or where `found`
/// says so.
///
/// A name with escapes is checked to be a string of JSON, and not that its surrogates are in pairs.
pub(super) fn members(text: &str, mut found: impl FnMut(Member) -> Option<()>) -> Option<()> {
    let text = text.as_bytes();
    let (mut unread, mut below) = (Unread::new(text), Vec::new());
    let mut walk = Walk::new(text, &mut unread, &mut below);
    let (begin, byte) = walk.token(0)?;
    if byte != b'{' {
        return None;
    }
    let (mut at, byte) = walk.token(begin + 1)?;
    if byte != b'}' {
        loop {
            let (open, close) = walk.name(at)?;
            let name = open + 1..close;
            let has_escapes = walk.has_escapes(name.clone());
            let (begin, byte) = walk.value_of_name(close)?;
            let end = walk.value(begin, byte)?;
            found(Member {
                name,
                has_escapes,
                value: begin..end,
            })?;
            let (separator, byte) = walk.separator(end)?;
            match byte {
                b',' => at = separator + 1,
                b'}' => {
                    at = separator;
                    break;
                }
                _ => return None,
            }
        }
    }
    walk.token(at + 1).is_none().then_some(())
}

#[cfg(test)]
mod tests;
