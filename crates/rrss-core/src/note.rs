//! What a note of a session tells, and how it is written.

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::handle::Handle;
use crate::session::Session;

/// How many characters a handle prints as.
const HANDLE: usize = 22;

/// What is told of a session that has expired: made by the `index` step, read by the store.
///
/// As bytes it is the text of the handle, and then the fields as one JSON object.
///
/// # Examples
///
/// ```
/// use rrss_core::{Handle, Note};
///
/// let handle = Handle::of(&"8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60".into());
/// let bytes = Note::write(handle, [("user_id", "42")]);
/// assert!(bytes.ends_with(br#"{"user_id":42}"#));
///
/// let note = Note::read(&bytes)?;
/// assert_eq!(note.handle, handle);
/// assert_eq!(note.fields.get::<u64>("user_id")?, Some(42));
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Note {
    /// The name of the session that shows no id.
    pub handle: Handle,
    /// The indexed fields that it had.
    pub fields: Session,
}

impl Note {
    /// The bytes of a note: of fields by name, each with its value as JSON text.
    pub fn write<'a>(
        handle: Handle,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Bytes {
        let mut text = handle.to_string();
        let mut separator = '{';
        for (name, raw) in fields {
            text.push(separator);
            text.push_str(&serde_json::Value::from(name).to_string());
            text.push(':');
            text.push_str(raw);
            separator = ',';
        }
        text.push_str(if separator == '{' { "{}" } else { "}" });
        text.into()
    }

    /// Reads the bytes of a note.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] where they are none.
    pub fn read(bytes: &Bytes) -> Result<Self> {
        let handle = bytes
            .get(..HANDLE)
            .and_then(|text| std::str::from_utf8(text).ok());
        let handle = handle.and_then(|text| text.parse().ok()).ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                "a note of an expired session does not begin with the handle of one",
            )
        })?;
        let (fields, _) = Session::from_json(bytes.slice(HANDLE..), None)?;
        Ok(Self { handle, fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back_whatever_its_fields_are_called() {
        let handle = Handle::of(&"one".into());
        let note = Note::read(&Note::write(handle, [])).unwrap();
        assert!(note.handle == handle && note.fields.is_empty());
        let fields = [("a \"b\"\n", "[1, \"}\"]"), ("", "null"), ("ü", "\"ü\"")];
        let note = Note::read(&Note::write(handle, fields)).unwrap();
        assert_eq!(note.fields.iter_raw().collect::<Vec<_>>(), fields);
    }

    #[test]
    fn what_is_no_note_is_corrupt_and_not_shown() {
        let good = Note::write(Handle::of(&"one".into()), [("pin", "\"hunter2\"")]);
        let cut = good.slice(..good.len() - 1);
        for bytes in [
            cut,
            Bytes::new(),
            Bytes::from_static(b"{\"pin\":\"hunter2\"}......"),
        ] {
            let error = Note::read(&bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
