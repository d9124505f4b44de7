//! A key, and the id that stored sessions name it by.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rrss_core::{Error, ErrorKind, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// How many bytes a key of AES-256 has.
pub(crate) const KEY_BYTES: usize = 32;

/// Room to decode text that is a little too long, so that it can be said how long it is.
const ROOM: usize = 96;

const WANTED: &str = "32 bytes in base64, as `rrss keygen` prints them";

/// A key: 32 random bytes. It prints, and serialises, as `[redacted]`, and is overwritten with zeros when it is dropped.
///
/// As text it is base64 of the standard alphabet with padding ([RFC 4648, section
/// 4](https://www.rfc-editor.org/rfc/rfc4648#section-4)), 44 characters: what `rrss keygen` and `openssl rand -base64 32`
/// print.
///
/// # Examples
///
/// ```
/// use rrss_encryption::Key;
///
/// let key = Key::generate()?;
/// assert_eq!(format!("{key:?}"), "[redacted]");
/// let text = key.to_base64();
/// assert_eq!(text.len(), 44);
/// let same: Key = text.parse()?;
/// assert_eq!(same.to_base64(), text);
/// assert!("c2hvcnQ=".parse::<Key>().is_err());
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Key(Box<Zeroizing<[u8; KEY_BYTES]>>);

impl Key {
    /// A new key, from the random numbers of the operating system.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] where it gives none.
    pub fn generate() -> Result<Self> {
        let mut bytes = Box::new(Zeroizing::new([0; KEY_BYTES]));
        aws_lc_rs::rand::fill(&mut bytes[..]).map_err(|_| no_random_numbers())?;
        Ok(Self(bytes))
    }

    /// The key as text. Put it where only those who may read sessions can read it.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(&self.0[..]))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Whether they are one key; how long that takes to tell does not depend on where they differ.
    pub(crate) fn is(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.bytes(), other.bytes()).is_ok()
    }

    /// The key that `text` is, or what it is instead.
    fn read(text: &str) -> Result<Self, Cow<'static, str>> {
        let mut room = Zeroizing::new([0; ROOM]);
        if text.len() > ROOM {
            return Err("longer".into());
        }
        let Ok(length) = STANDARD.decode_slice(text, &mut room[..]) else {
            return Err("no base64 of the standard alphabet with padding".into());
        };
        if length != KEY_BYTES {
            return Err(format!("{length} bytes").into());
        }
        let mut bytes = Box::new(Zeroizing::new([0; KEY_BYTES]));
        bytes.copy_from_slice(&room[..KEY_BYTES]);
        Ok(Self(bytes))
    }
}

pub(crate) fn no_random_numbers() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the operating system gave no random numbers, without which nothing is encrypted",
    )
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::read(text).map_err(|instead| {
            Error::new(
                ErrorKind::Config,
                format!("a key must be {WANTED}; this is {instead}"),
            )
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WANTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Key, E> {
        // What was given is not repeated: it may be most of a key.
        Key::read(text).map_err(|instead| {
            let wanted = format!("{WANTED}; this is {instead}");
            E::invalid_value(Unexpected::Other("a secret"), &&*wanted)
        })
    }
}

impl JsonSchema for Key {
    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "writeOnly": true })
    }
}

/// The id of a key: 1 to 32 ASCII letters, digits, `.`, `_` and `-`. It is no secret: it stands in front of every session that
/// its key encrypted, and in errors.
///
/// # Examples
///
/// ```
/// use rrss_encryption::KeyId;
///
/// let id: KeyId = "2026-11".parse()?;
/// assert_eq!(id.as_str(), "2026-11");
/// assert!("November 2026".parse::<KeyId>().is_err());
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyId(Box<str>);

const ID: &str = "1 to 32 letters, digits, `.`, `_` or `-`";

impl KeyId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `bytes` are such an id.
    pub(crate) fn is(bytes: &[u8]) -> bool {
        (1..=32).contains(&bytes.len())
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
    }
}

impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if !Self::is(text.as_bytes()) {
            return Err(Error::new(
                ErrorKind::Config,
                format!("the id of a key must be {ID}"),
            ));
        }
        Ok(Self(text.into()))
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| de::Error::invalid_value(Unexpected::Str(&text), &ID))
    }
}

impl JsonSchema for KeyId {
    fn schema_name() -> Cow<'static, str> {
        "KeyId".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{1,32}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_key_is_refused_and_not_repeated() {
        let long = STANDARD.encode([7; 33]);
        let longer = STANDARD.encode([7; 200]);
        for (text, said) in [
            ("", "this is 0 bytes"),
            ("aHVudGVyMg==", "this is 7 bytes"),
            ("hunter2!", "this is no base64"),
            (&long, "this is 33 bytes"),
            (&longer, "this is longer"),
            // The alphabet of URLs, and no padding.
            ("__________________________________________8=", "no base64"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "no base64"),
        ] {
            let error = text.parse::<Key>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let error = format!("{error} {error:?}");
            assert!(
                error.contains(said) && error.contains("rrss keygen"),
                "{error}"
            );
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }

    #[test]
    fn an_id_has_1_to_32_plain_characters() {
        let longest = "x".repeat(32);
        for id in ["a", "2026-11", "A.b_c-9", &longest] {
            assert_eq!(id.parse::<KeyId>().unwrap().as_str(), id);
        }
        let too_long = "x".repeat(33);
        for id in ["", "a b", "ü", "a/b", "\0", &too_long] {
            assert!(id.parse::<KeyId>().is_err(), "{id}");
        }
    }

    #[test]
    fn two_keys_are_not_one() {
        let key = Key::generate().unwrap();
        assert!(key.is(&key.clone()));
        assert!(!key.is(&Key::generate().unwrap()));
    }
}
