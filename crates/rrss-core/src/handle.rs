//! A name for a session that may be shown.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};
use crate::id::SessionId;

const BYTES: usize = 16;

/// Names a session where its id must not be seen: on the page of an account, in a log of events.
///
/// It is 128 bits of a digest (SHA-256) of the [digest](crate::IdDigest) of the id, so it can be turned back neither into
/// the id nor into what the session is stored under, and nobody is logged in by it; and a store that keeps only digests of ids
/// has it too. It prints as 22 characters of base64url.
///
/// # Examples
///
/// ```
/// use rrss_core::{Handle, SessionId};
///
/// let handle = Handle::of(&SessionId::from("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60"));
/// assert_eq!(handle.to_string().len(), 22);
/// assert_eq!(handle.to_string().parse::<Handle>()?, handle);
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle([u8; BYTES]);

impl Handle {
    /// The handle of the session with this id.
    #[must_use]
    pub fn of(id: &SessionId) -> Self {
        let digest = Sha256::new()
            .chain_update(b"rrss session handle\0")
            .chain_update(id.digest().as_bytes())
            .finalize();
        let mut handle = [0; BYTES];
        handle.copy_from_slice(&digest[..BYTES]);
        Self(handle)
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({self})")
    }
}

impl FromStr for Handle {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Value,
                    "not a handle of a session: it has 22 characters of base64url, as a listing shows them",
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_id_has_another_handle_and_neither_shows_the_id() {
        let (one, two) = (SessionId::from("one"), SessionId::from("two"));
        assert_ne!(Handle::of(&one), Handle::of(&two));
        assert!(!format!("{0:?} {0}", Handle::of(&one)).contains("one"));
    }

    #[test]
    fn a_private_id_has_the_handle_of_the_id_and_shows_none_of_its_digest() {
        let id = SessionId::from("one");
        let private = SessionId::private(id.digest());
        assert_eq!(Handle::of(&private), Handle::of(&id));
        assert!(!private.as_str().contains(&Handle::of(&id).to_string()[..4]));
    }

    #[test]
    fn text_that_is_no_handle_is_refused() {
        for text in [
            "",
            "AAAA",
            "not base64url at all!!",
            "AAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(text.parse::<Handle>().unwrap_err().kind(), ErrorKind::Value);
        }
    }
}
