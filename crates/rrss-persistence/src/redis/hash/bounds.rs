//! How large a session may be that no codec bounds.

use rrss_core::{Error, ErrorKind, Result, Session};

/// The most of a session, with what `json-codec` has where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::redis) struct Bounds {
    pub(in crate::redis) fields: usize,
    pub(in crate::redis) bytes: usize,
}

pub(in crate::redis) const FIELDS: usize = 1_000;
pub(in crate::redis) const BYTES: usize = 1024 * 1024;

impl Bounds {
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] where `session` is to be stored and is larger.
    pub(super) fn allow(self, session: &Session) -> Result<()> {
        let (fields, bytes) = session
            .iter_raw()
            .fold((0, 0), |(fields, bytes), (name, value)| {
                (fields + 1, bytes + name.len() + value.len())
            });
        if fields > self.fields {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the session has {fields} fields, and `max_fields` allows {}; keep what there is much of in one field, as a \
                     list, or raise `max_fields`",
                    self.fields
                ),
            ));
        }
        if bytes > self.bytes {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the session has names and values of {bytes} bytes, and `max_bytes` allows {}; store less in it, or raise \
                     `max_bytes`",
                    self.bytes
                ),
            ));
        }
        Ok(())
    }

    /// A stored session has more fields.
    pub(super) fn too_many(self) -> Error {
        Error::new(
            ErrorKind::Corrupt,
            format!(
                "the stored session has more fields than `max_fields` allows ({}); if it is one of yours, raise `max_fields` to \
                 read it",
                self.fields
            ),
        )
    }

    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] where names and values of so many bytes are stored, and that is too much.
    pub(super) fn expect(self, bytes: usize) -> Result<()> {
        if bytes <= self.bytes {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "the stored session has names and values of {bytes} bytes, and `max_bytes` allows {}; if it is one of yours, raise \
                 `max_bytes` to read it",
                self.bytes
            ),
        ))
    }
}
