//! Texts that nobody must see, and the files that they come from.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, ErrorKind, Result};

/// A text that nobody must see: a password, a key. It prints, and serialises, as `[redacted]`.
///
/// One that came from a file remembers the file: `{ file = "path" }` as the value of an option, or
/// [`from_file`](Secret::from_file). Whoever keeps a secret in use for long, as for the next connection, asks for what the
/// file says [now](Secret::read_again), so that a secret can be changed while a program runs.
///
/// # Examples
///
/// ```
/// use rrss_core::Secret;
///
/// let password = Secret::from("hunter2".to_owned());
/// assert_eq!(format!("{password:?}"), "[redacted]");
/// assert_eq!(serde_json::to_string(&password)?, r#""[redacted]""#);
/// assert_eq!(password.expose(), "hunter2");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    file: Option<PathBuf>,
}

/// The largest file that a secret may come from, in bytes.
const LARGEST: u64 = 64 * 1024;

impl Secret {
    /// The text of a file without its last line break and a byte order mark, which remembers the file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where the file cannot be read, is empty, larger than 64 KiB, or no UTF-8 text. No error shows
    /// any of what is in it.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::Secret;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("password");
    /// std::fs::write(&path, "hunter2\n")?;
    /// let password = Secret::from_file(&path)?;
    /// assert_eq!(password.expose(), "hunter2");
    ///
    /// std::fs::write(&path, "hunter3\n")?;
    /// assert_eq!(password.read_again()?.expose(), "hunter3");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        Ok(Self {
            text: text_of(&path)?,
            file: Some(path),
        })
    }

    /// The text itself. Use it where it is needed and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The file that it came from, if it came from one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What its file says now, which is read while this call lasts; the same secret where it came from no file.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Secret::from_file). This secret is as good as before then.
    pub fn read_again(&self) -> Result<Self> {
        match &self.file {
            Some(path) => Self::from_file(path),
            None => Ok(self.clone()),
        }
    }
}

fn text_of(path: &Path) -> Result<String> {
    let refused = |what: &str| {
        let message = format!("the file {} of a secret {what}", path.display());
        Error::new(ErrorKind::Config, message)
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            refused("cannot be read; check that it is there and who may read it").with_source(error)
        })?;
    if bytes.len() as u64 > LARGEST {
        return Err(refused(
            "is larger than 64 KiB; name one that holds the secret alone",
        ));
    }
    // Without the error of the conversion: it holds the bytes.
    let mut text = String::from_utf8(bytes).map_err(|_| refused("is not UTF-8 text"))?;
    // Some editors put a byte order mark in front of what they save as UTF-8.
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(refused("is empty; write the secret into it"));
    }
    Ok(text)
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self { text, file: None }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    /// From text; or from the text of a file and its path, as the loader passes on what `{ file = … }` says where the schema
    /// has `x-remembers-file`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::from(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Secret, E> {
        Ok(Secret::from(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Part {
            File,
            Text,
        }
        let (mut file, mut text) = (None, None);
        while let Some(part) = map.next_key()? {
            match part {
                Part::File => file = Some(map.next_value::<PathBuf>()?),
                Part::Text => text = Some(map.next_value::<String>()?),
            }
        }
        match (file, text) {
            (Some(path), Some(text)) => Ok(Secret {
                text,
                file: Some(path),
            }),
            (Some(path), None) => Secret::from_file(path).map_err(de::Error::custom),
            (None, _) => Err(de::Error::missing_field("file")),
        }
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "writeOnly": true, "x-remembers-file": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_of_a_file_is_what_the_file_says_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "first\r\n").unwrap();
        let secret: Secret = serde_json::from_value(json!({ "file": path })).unwrap();
        assert_eq!((secret.expose(), secret.file()), ("first", Some(&*path)));
        std::fs::write(&path, " second \n\n").unwrap();
        let again = secret.read_again().unwrap();
        assert_eq!(again.expose(), " second \n");
        assert_eq!(again.file(), Some(&*path));
        assert_eq!(secret.expose(), "first");

        let given: Secret =
            serde_json::from_value(json!({ "file": path, "text": "given" })).unwrap();
        assert_eq!((given.expose(), given.file()), ("given", Some(&*path)));
    }

    #[test]
    fn a_secret_that_came_from_no_file_stays_as_it_is() {
        let secret = Secret::from("hunter2".to_owned());
        assert_eq!(secret.file(), None);
        assert_eq!(secret.read_again().unwrap(), secret);
    }

    #[test]
    fn a_file_that_is_no_secret_is_refused_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        for (bytes, part) in [
            (b"".to_vec(), "is empty"),
            (b"\n".to_vec(), "is empty"),
            (b"hunter2\xFF".to_vec(), "UTF-8"),
            (b"hunter2 ".repeat(10_000), "64 KiB"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = Secret::from_file(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(part), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        std::fs::remove_file(&path).unwrap();
        let error = Secret::from_file(&path).unwrap_err();
        assert!(error.to_string().contains("cannot be read"), "{error}");
        Secret::from_file(folder.path()).unwrap_err();
    }

    #[test]
    fn what_is_no_secret_is_not_shown_by_the_refusal() {
        for value in [
            json!({ "text": "hunter2" }),
            json!({ "hunter": "hunter2" }),
            json!(["hunter2"]),
        ] {
            let error = serde_json::from_value::<Secret>(value).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
