//! How a session and its deadline are laid out in the keyspaces; see the [module](super).

use bytes::Bytes;
use fjall::Slice;
use rrss_core::{Error, ErrorKind, Result, Timestamp};

const DEADLINE: usize = size_of::<u64>();

/// The longest storage key: the engine takes keys of up to 65,535 bytes, and one of them has a deadline in front.
const LONGEST_KEY: usize = u16::MAX as usize - DEADLINE;

/// The longest value that the engine takes, less the deadline.
const LONGEST_BYTES: usize = u32::MAX as usize - DEADLINE;

/// What is stored under one key.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) deadline: Option<Timestamp>,
    pub(super) bytes: Bytes,
}

impl Stored {
    /// Takes a value of `sessions` apart; its bytes are a slice of it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] where it is too short to hold a deadline.
    pub(super) fn decode(value: Slice) -> Result<Self> {
        let mut bytes = Bytes::from(value);
        match bytes.first_chunk().map(|first| u64::from_be_bytes(*first)) {
            Some(millis) => Ok(Self {
                deadline: (millis != u64::MAX).then(|| Timestamp::from_millis(millis)),
                bytes: bytes.split_off(DEADLINE),
            }),
            None => Err(Error::new(
                ErrorKind::Corrupt,
                "a stored session is too short to be one; delete it, or restore the directory from a backup",
            )),
        }
    }

    /// The value of `sessions` for `bytes`, in which the [deadline is left open](encode_deadline).
    pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
        [&[0xff; DEADLINE], bytes].concat()
    }

    /// What [`decode`](Self::decode) makes of a record with this deadline.
    pub(super) fn of_record(deadline: Option<Timestamp>, record: &Bytes) -> Self {
        Self {
            deadline,
            bytes: record.slice(DEADLINE..),
        }
    }
}

/// Writes the deadline into a value of `sessions`.
pub(super) fn encode_deadline(deadline: Option<Timestamp>, record: &mut [u8]) {
    let millis = deadline.map_or(u64::MAX, Timestamp::as_millis);
    record[..DEADLINE].copy_from_slice(&millis.to_be_bytes());
}

/// The key of `deadlines` for the session under `key`.
pub(super) fn due_key(deadline: Timestamp, key: &[u8]) -> Vec<u8> {
    [&deadline.as_millis().to_be_bytes(), key].concat()
}

/// The first key of `deadlines` that is not due at `now`.
pub(super) fn not_due(now: Timestamp) -> [u8; DEADLINE] {
    now.as_millis().saturating_add(1).to_be_bytes()
}

/// Takes a key of `deadlines` apart.
pub(super) fn split_due_key(due: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (deadline, key) = due.split_first_chunk()?;
    Some((Timestamp::from_millis(u64::from_be_bytes(*deadline)), key))
}

/// Whether the engine can have stored anything under `key`.
pub(super) fn is_storable(key: &[u8]) -> bool {
    (1..=LONGEST_KEY).contains(&key.len())
}

/// Refuses what the engine cannot store.
pub(super) fn check_size(key: &[u8], bytes: &[u8]) -> Result<()> {
    if is_storable(key) && bytes.len() <= LONGEST_BYTES {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TooLarge,
        format!(
            "the `embedded` backend stores up to {LONGEST_BYTES} bytes under a key of 1 to {LONGEST_KEY} bytes"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_its_deadline_and_its_bytes() {
        let deadline = Some(Timestamp::from_millis(0x0102));
        let mut value = Stored::encode(b"{}");
        encode_deadline(deadline, &mut value);
        assert_eq!(value, b"\0\0\0\0\0\0\x01\x02{}");
        let stored = Stored::decode(value.into()).unwrap();
        assert_eq!((stored.deadline, &*stored.bytes), (deadline, &b"{}"[..]));
    }

    #[test]
    fn no_deadline_is_the_end_of_time() {
        let mut value = Stored::encode(b"");
        encode_deadline(None, &mut value);
        assert_eq!(value, [0xff; 8]);
        assert_eq!(Stored::decode(value.into()).unwrap().deadline, None);
    }

    #[test]
    fn what_is_loaded_is_a_slice_of_what_is_stored() {
        let value = Slice::from(Stored::encode(b"0123456789"));
        let bytes = Stored::decode(value.clone()).unwrap().bytes;
        assert_eq!(bytes.as_ptr(), value[DEADLINE..].as_ptr());
    }

    #[test]
    fn deadlines_sort_in_time() {
        let due = |millis| due_key(Timestamp::from_millis(millis), b"key");
        assert!(due(255) < due(256));
        assert!(due(256)[..] < not_due(Timestamp::from_millis(256))[..]);
        assert!(due(257)[..] >= not_due(Timestamp::from_millis(256))[..]);
        assert_eq!(
            split_due_key(&due(256)),
            Some((Timestamp::from_millis(256), &b"key"[..]))
        );
        assert_eq!(split_due_key(b"short"), None);
    }
}
