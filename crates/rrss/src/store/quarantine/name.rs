//! What an entry of the quarantine is called, and the key that it lies under.

use std::fmt;
use std::str::FromStr;

use rrss_core::{Error, ErrorKind, KeySpace, StorageKey};
use sha2::{Digest, Sha256};

const BYTES: usize = 32;
/// As hexadecimal digits, so that it is longer than any session's id.
const DIGITS: usize = 2 * BYTES;
const INFIX: &str = "quarantine:";

/// What an entry of a [quarantine](super::Quarantine) is called: 64 hexadecimal digits.
///
/// It is a digest (SHA-256) of the key that the session was stored under and of its bytes. It names neither, and logs nobody in.
///
/// # Examples
///
/// ```
/// let digits = "c0ffee".repeat(10) + "cafe";
/// let name: rrss::QuarantineName = digits.parse()?;
/// assert_eq!(name.to_string(), digits);
/// # Ok::<(), rrss::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name([u8; BYTES]);

impl Name {
    /// The name for `bytes` that lay under `key`.
    pub(super) fn of(key: &StorageKey, bytes: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(b"rrss quarantine\0")
            .chain_update((key.as_bytes().len() as u64).to_be_bytes())
            .chain_update(key.as_bytes())
            .chain_update(bytes)
            .finalize();
        Self(digest.into())
    }

    /// The key of the entry, beside these sessions.
    pub(super) fn key(&self, sessions: &KeySpace) -> StorageKey {
        format!("{}{INFIX}{self}", sessions.prefix()).into()
    }
}

/// The keys of all entries beside these sessions.
pub(super) fn space(sessions: &KeySpace) -> KeySpace {
    let prefix = format!("{}{INFIX}", sessions.prefix());
    KeySpace::new(prefix, "").with_middle_of(DIGITS)
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QuarantineName({self})")
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits = |at: usize| {
            let two = text.get(2 * at..2 * at + 2)?;
            let is_lower = two
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            u8::from_str_radix(two, 16).ok().filter(|_| is_lower)
        };
        let mut name = [0; BYTES];
        let is_whole = text.len() == DIGITS
            && name
                .iter_mut()
                .enumerate()
                .all(|(at, byte)| digits(at).map(|value| *byte = value).is_some());
        if is_whole {
            return Ok(Self(name));
        }
        Err(Error::new(
            ErrorKind::Value,
            "not the name of an entry in the quarantine: it has 64 hexadecimal digits, as a listing shows them",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: &str, bytes: &[u8]) -> Name {
        Name::of(&StorageKey::from(key.to_owned()), bytes)
    }

    #[test]
    fn another_key_or_other_bytes_have_another_name() {
        let name = of("s:1", b"ab");
        assert_eq!(name, of("s:1", b"ab"));
        for other in [of("s:2", b"ab"), of("s:1", b"a"), of("s:1a", b"b")] {
            assert_ne!(name, other);
        }
        assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let name = of("s:1", b"ab").to_string();
        let text = |text: &str| text.parse::<Name>().unwrap_err().kind();
        for wrong in [
            &name[1..],
            &format!("{name}0"),
            &name.to_uppercase(),
            "é",
            "",
        ] {
            assert_eq!(text(wrong), ErrorKind::Value, "{wrong}");
        }
        assert_eq!(text(&name.replace(&name[..1], "+")), ErrorKind::Value);
        assert_eq!(text(&"é".repeat(32)), ErrorKind::Value);
    }

    #[test]
    fn a_key_of_the_quarantine_is_no_key_of_a_session() {
        for (prefix, suffix) in [("sessions:", ""), ("", ""), ("s:", ":data")] {
            for length in [36, 43] {
                let sessions = KeySpace::new(prefix, suffix).with_middle_of(length);
                let key = of("s:1", b"ab").key(&sessions);
                assert_eq!(sessions.middle(key.as_str()), None);
                assert!(space(&sessions).middle(key.as_str()).is_some());
            }
        }
    }
}
