//! The stored form: which key it names, and what it is bound to.

use std::str;

use crate::key::KeyId;

/// The version of the form that is written, and what it begins with: a byte that stands in no UTF-8 text ([RFC 3629, section
/// 1](https://www.rfc-editor.org/rfc/rfc3629#section-1)), that MessagePack never uses, and that no zstd or lz4 frame begins with.
pub(crate) const VERSION: u8 = 0xc1;

/// RFC 8452, section 4.
pub(crate) const NONCE_BYTES: usize = 12;
pub(crate) const TAG_BYTES: usize = 16;

/// The parts of a stored form: the version, the length of the id and the id, the nonce, the ciphertext with its tag.
pub(crate) struct Sealed<'a> {
    pub(crate) id: &'a str,
    pub(crate) nonce: &'a [u8; NONCE_BYTES],
    pub(crate) ciphertext: &'a [u8],
    pub(crate) tag: &'a [u8; TAG_BYTES],
}

/// Why bytes are no stored form of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSealed<'a> {
    /// They begin otherwise.
    Foreign,
    /// They begin like it, and end too early or go on with what is no id.
    Damaged,
    /// The same, and the id of the key is whole.
    Cut(&'a str),
}

impl<'a> Sealed<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, NotSealed<'a>> {
        let (id, rest) = head(bytes)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or(NotSealed::Cut(id))?;
        let (ciphertext, tag) = rest.split_last_chunk().ok_or(NotSealed::Cut(id))?;
        Ok(Self {
            id,
            nonce,
            ciphertext,
            tag,
        })
    }
}

/// The id of the key under which `bytes` say that they are encrypted; `None` where they do not begin as this step writes. Whether
/// they are what they say shows only when they are decrypted.
///
/// # Examples
///
/// ```
/// use rrss_encryption::key_id_of;
///
/// assert_eq!(key_id_of(b"\xc1\x072026-11and so on"), Some("2026-11"));
/// assert_eq!(key_id_of(b"{\"user_id\":42}"), None);
/// ```
#[must_use]
pub fn key_id_of(bytes: &[u8]) -> Option<&str> {
    head(bytes).ok().map(|(id, _)| id)
}

fn head(bytes: &[u8]) -> Result<(&str, &[u8]), NotSealed<'_>> {
    let Some((&VERSION, rest)) = bytes.split_first() else {
        return Err(NotSealed::Foreign);
    };
    let (&length, rest) = rest.split_first().ok_or(NotSealed::Damaged)?;
    let (id, rest) = rest
        .split_at_checked(usize::from(length))
        .filter(|(id, _)| KeyId::is(id))
        .ok_or(NotSealed::Damaged)?;
    let id = str::from_utf8(id).map_err(|_| NotSealed::Damaged)?;
    Ok((id, rest))
}

/// What is written in front of the nonce.
pub(crate) fn head_of(id: &KeyId) -> Box<[u8]> {
    let id = id.as_str().as_bytes();
    // An id has at most 32 characters.
    let mut head = vec![VERSION, id.len() as u8];
    head.extend_from_slice(id);
    head.into()
}

/// What is encrypted: the two are not to be mistaken for each other, though they have one key in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Session = 0,
    /// What is to be told of a session when it has expired.
    Note = 1,
}

/// Longer ones are put together on the heap.
const ON_STACK: usize = 320;

/// Calls `with` with what a stored form is bound to (RFC 8452, section 5.1 has it as additional data): the head of the form,
/// what it is, the namespace and the storage key. Each part tells its length, so that no two of them run into each other.
pub(crate) fn bound<T>(
    head: &[u8],
    what: What,
    namespace: &[u8],
    key: &[u8],
    with: impl FnOnce(&[u8]) -> T,
) -> T {
    let namespace_length = (namespace.len() as u64).to_be_bytes();
    let key_length = (key.len() as u64).to_be_bytes();
    let parts: [&[u8]; 6] = [
        head,
        &[what as u8],
        &namespace_length,
        namespace,
        &key_length,
        key,
    ];
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut stack = [0; ON_STACK];
    if length > ON_STACK {
        return with(&parts.concat());
    }
    let mut at = 0;
    for part in parts {
        stack[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    with(&stack[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound_to(id: &str, what: What, namespace: &str, key: &str) -> Vec<u8> {
        let head = head_of(&id.parse().unwrap());
        bound(
            &head,
            what,
            namespace.as_bytes(),
            key.as_bytes(),
            <[u8]>::to_vec,
        )
    }

    #[test]
    fn no_two_things_are_bound_to_the_same() {
        let long = "x".repeat(2 * ON_STACK);
        let mut seen = Vec::new();
        for id in ["a", "aa", "1"] {
            for what in [What::Session, What::Note] {
                for namespace in ["", "a", "aa", "a\0", &long] {
                    for key in ["", "a", "aa", "\0", &long] {
                        let bytes = bound_to(id, what, namespace, key);
                        assert!(!seen.contains(&bytes), "{id} {what:?}");
                        seen.push(bytes);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_cut_says_its_key_where_that_is_whole() {
        let mut bytes = head_of(&"2026-11".parse().unwrap()).into_vec();
        bytes.extend([7; NONCE_BYTES + TAG_BYTES]);
        assert!(Sealed::read(&bytes).is_ok());
        for length in 0..bytes.len() {
            let error = Sealed::read(&bytes[..length]).err().unwrap();
            let expected = match length {
                0 => NotSealed::Foreign,
                1..9 => NotSealed::Damaged,
                _ => NotSealed::Cut("2026-11"),
            };
            assert_eq!(error, expected, "{length} bytes");
        }
    }

    #[test]
    fn an_id_that_no_key_has_is_not_shown() {
        for bytes in [
            &b"\xc1\x00"[..],
            b"\xc1\x07hunter ",
            b"\xc1\x02\xc3\xbc",
            b"\xc1\xff",
            b"\xc1\x21xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ] {
            assert_eq!(Sealed::read(bytes).err(), Some(NotSealed::Damaged));
            assert_eq!(key_id_of(bytes), None);
        }
    }
}
