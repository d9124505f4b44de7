//! Values as JSON text: what cannot be read again is refused when it is inserted.

mod checked;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::Serialize;

use self::checked::Checked;
use crate::error::{Error, ErrorKind, Result};

/// How deep the arrays and objects of a field's value may be nested. `serde_json` decodes no deeper ones.
///
/// # Examples
///
/// ```
/// use rrss_core::{MAX_DEPTH, Session};
///
/// let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
/// let mut session = Session::new();
/// assert!(session.insert_raw("list", &nested(MAX_DEPTH)).is_ok());
/// assert!(session.insert_raw("list", &nested(MAX_DEPTH + 1)).is_err());
/// ```
pub const MAX_DEPTH: usize = 127;

/// The JSON text of a value.
///
/// # Errors
///
/// [`ErrorKind::Value`] where there is none, or none that can be read again.
pub(super) fn to_json<T: Serialize + ?Sized>(name: &str, value: &T) -> Result<String> {
    let has_raw = Cell::new(false);
    let json = serde_json::to_string(&Checked::new(value, &has_raw)).map_err(|error| {
        Error::new(
            ErrorKind::Value,
            format!("the value for the field `{name}` does not serialise to JSON"),
        )
        .with_source(error)
    })?;
    if has_raw.get() {
        check(name, &json)?;
    }
    Ok(json)
}

/// Checks a text to be one JSON value that can be read again.
///
/// # Errors
///
/// [`ErrorKind::Value`] where it is not.
pub(super) fn check(name: &str, json: &str) -> Result<()> {
    match serde_json::from_str(json) {
        Ok(Readable) => Ok(()),
        // serde_json's message is not kept as the source: it may quote the value.
        Err(error) => Err(Error::new(
            ErrorKind::Value,
            format!(
                "the value for the field `{name}` is not JSON that can be read again (line {}, column {}): it is malformed, nested \
                 deeper than {MAX_DEPTH}, names a key of an object twice, or has half a surrogate pair or a number out of range",
                error.line(),
                error.column()
            ),
        )),
    }
}

/// A JSON value whose parts all decode: `serde_json` looks at its depth, its numbers and its surrogates.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        let mut keys = HashSet::new();
        while let Some(Key(key)) = entries.next_key()? {
            if !keys.insert(key) {
                return Err(de::Error::custom("a key occurs twice"));
            }
            entries.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// A key as it stands in the text, where it has no escapes.
#[derive(serde::Deserialize, PartialEq, Eq, Hash)]
struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

#[cfg(test)]
mod tests;
