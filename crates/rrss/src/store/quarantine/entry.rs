//! An entry of the quarantine, and how it is written: one line of JSON, and behind it the bytes as they were found.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use rrss_core::{Error, ErrorKind, Result, StorageKey, Timestamp};
use serde::{Deserialize, Serialize};

use super::Name;

/// So much of an error is kept.
const LONGEST_WHY: usize = 400;

/// A stored session that could not be read: see [`Quarantine::get`](super::Quarantine::get).
#[derive(Clone)]
pub struct Quarantined {
    name: Name,
    key: StorageKey,
    since: Timestamp,
    deadline: Option<Timestamp>,
    why: String,
    expires_at: Option<Timestamp>,
    bytes: Bytes,
    /// The entry as it is stored.
    pub(super) written: Bytes,
}

/// What stands in front of the bytes.
#[derive(Serialize, Deserialize)]
pub(super) struct Head<'a> {
    /// Which layout this is.
    quarantine: u8,
    key: Cow<'a, str>,
    /// In milliseconds since 1970, as all instants.
    since: u64,
    deadline: Option<u64>,
    why: Cow<'a, str>,
}

const LAYOUT: u8 = 1;

impl<'a> Head<'a> {
    pub(super) fn new(
        key: &'a StorageKey,
        since: Timestamp,
        deadline: Option<Timestamp>,
        error: &Error,
    ) -> Self {
        let mut why = error.to_string();
        while why.len() > LONGEST_WHY {
            why.pop();
        }
        Self {
            quarantine: LAYOUT,
            key: key.as_str().into(),
            since: since.as_millis(),
            deadline: deadline.map(Timestamp::as_millis),
            why: why.into(),
        }
    }

    /// The entry for `bytes`.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<Bytes> {
        let mut entry = serde_json::to_vec(self).map_err(|error| {
            Error::new(
                ErrorKind::Value,
                "an entry of the quarantine cannot be written",
            )
            .with_source(error)
        })?;
        entry.reserve_exact(1 + bytes.len());
        entry.push(b'\n');
        entry.extend_from_slice(bytes);
        Ok(entry.into())
    }
}

impl Quarantined {
    pub(super) fn read(name: Name, written: &Bytes, expires_at: Option<Timestamp>) -> Result<Self> {
        let end = written.iter().position(|byte| *byte == b'\n');
        let head = end.and_then(|end| serde_json::from_slice::<Head<'_>>(&written[..end]).ok());
        let (Some(end), Some(head)) = (end, head.filter(|head| head.quarantine == LAYOUT)) else {
            // serde_json's message is not kept as the source: it may quote what is stored.
            return Err(Error::new(
                ErrorKind::Corrupt,
                "what lies in the quarantine under this name was not put there by this version of rrss",
            ));
        };
        Ok(Self {
            name,
            key: head.key.into_owned().into(),
            since: Timestamp::from_millis(head.since),
            deadline: head.deadline.map(Timestamp::from_millis),
            why: head.why.into_owned(),
            expires_at,
            bytes: written.slice(end + 1..),
            written: written.clone(),
        })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> Name {
        self.name
    }

    /// When it was moved here; of bytes that came here more than once, the first time.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// The deadline of the session: once it has passed, the session cannot be put back. `None` where it had none.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Until when the entry is kept here.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Why the session could not be read.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The bytes as they were stored. They may hold all that a session holds: show them to nobody who must not read the store.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What the session was stored under.
    pub(super) fn key(&self) -> &StorageKey {
        &self.key
    }
}

impl fmt::Debug for Quarantined {
    /// How large it is, never what it holds or where it was stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quarantined")
            .field("name", &self.name)
            .field("since", &self.since)
            .field("deadline", &self.deadline)
            .field("expires_at", &self.expires_at)
            .field("why", &self.why)
            .field("bytes", &format_args!("{} bytes", self.bytes.len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: &[u8]) -> (Name, Bytes) {
        let key = StorageKey::from("sessions:\n\"hunter2".to_owned());
        let error = Error::new(ErrorKind::Corrupt, "é".repeat(LONGEST_WHY));
        let head = Head::new(
            &key,
            Timestamp::from_millis(7),
            Some(Timestamp::from_millis(9)),
            &error,
        );
        (Name::of(&key, bytes), head.write(bytes).unwrap())
    }

    #[test]
    fn any_bytes_come_back_as_they_were_found() {
        for bytes in [&b""[..], b"\n\n", b"\xff\0", b"{\"quarantine\":1}\n"] {
            let (name, written) = entry(bytes);
            let read = Quarantined::read(name, &written, None).unwrap();
            assert_eq!(read.bytes(), bytes);
            assert_eq!(read.key().as_str(), "sessions:\n\"hunter2");
            assert_eq!(
                (
                    read.since().as_millis(),
                    read.deadline().unwrap().as_millis()
                ),
                (7, 9)
            );
            assert_eq!(read.why().len(), LONGEST_WHY);
            assert!(!format!("{read:?}").contains("hunter2"));
        }
    }

    #[test]
    fn what_is_no_entry_is_corrupt() {
        let (name, written) = entry(b"");
        for foreign in [
            Bytes::new(),
            Bytes::from_static(b"{}\n"),
            Bytes::from_static(b"hunter2"),
            written.slice(..written.len() - 1),
            Bytes::from(
                String::from_utf8(written.to_vec())
                    .unwrap()
                    .replace(":1,", ":2,"),
            ),
        ] {
            let error = Quarantined::read(name, &foreign, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }
}
