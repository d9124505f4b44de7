//! The keys, prepared once, and what is done with them.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use bytes::Bytes;
use rrss_core::{Error, ErrorKind, Result};

use crate::nonce;
use crate::options::KeyOption;
use crate::sealed::{NONCE_BYTES, NotSealed, Sealed, TAG_BYTES, What, bound, head_of};

/// A key whose schedule is made, and what is written in front of what it encrypts. aws-lc overwrites the schedule when it is
/// dropped.
struct Prepared {
    id: Box<str>,
    head: Box<[u8]>,
    key: LessSafeKey,
}

/// Keys by their ids; the first encrypts. There is at least one.
pub(crate) struct Ring {
    first: Prepared,
    others: Box<[Prepared]>,
}

/// To what a stored form belongs.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) what: What,
    pub(crate) namespace: &'a str,
    pub(crate) key: &'a [u8],
}

impl Ring {
    /// The keys of options that were checked.
    pub(crate) fn new(keys: &[KeyOption]) -> Result<Self> {
        let mut prepared = keys.iter().map(Prepared::new);
        let first = prepared
            .next()
            .ok_or_else(|| refused("there is no key"))??;
        Ok(Self {
            first,
            others: prepared.collect::<Result<_>>()?,
        })
    }

    /// The stored form of `plain`. One allocation, of its exact length.
    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Bytes> {
        let Prepared { head, key, .. } = &self.first;
        let (at, room) = (head.len() + NONCE_BYTES, plain.len() + TAG_BYTES);
        let nonce = nonce::fresh()?;
        let mut sealed = Vec::with_capacity(at + room);
        sealed.extend_from_slice(head);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = place.bound(head, |aad| {
            key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut sealed[at..])
        });
        let tag = tag.map_err(|_| {
            Error::new(
                ErrorKind::TooLarge,
                "the session is too large to be encrypted",
            )
        })?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed.into())
    }

    /// What `bytes` are the stored form of; `None` where they do not begin as one. One allocation, of its exact length.
    pub(crate) fn open(&self, place: Place<'_>, bytes: &[u8]) -> Result<Option<Bytes>> {
        let sealed = match Sealed::read(bytes) {
            Ok(sealed) => sealed,
            Err(NotSealed::Foreign) => return Ok(None),
            Err(NotSealed::Damaged) => {
                return Err(corrupt(
                    "the stored session is encrypted and damaged: which key it is under cannot be read".to_owned(),
                ));
            }
            Err(NotSealed::Cut(id)) => {
                return Err(corrupt(format!(
                    "the stored session is encrypted under the key `{id}`, and was cut short"
                )));
            }
        };
        let Some(known) = self.known(sealed.id) else {
            return Err(corrupt(format!(
                "the stored session is encrypted under the key `{}`, which is not configured; add it to `keys` of the \
                 `encryption` step, behind the first",
                sealed.id
            )));
        };
        let mut plain = vec![0; sealed.ciphertext.len()];
        let nonce = Nonce::assume_unique_for_key(*sealed.nonce);
        let opened = place.bound(&known.head, |aad| {
            let (ciphertext, tag) = (sealed.ciphertext, sealed.tag);
            known
                .key
                .open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, &mut plain)
        });
        match opened {
            Ok(()) => Ok(Some(plain.into())),
            Err(_) => Err(corrupt(format!(
                "the stored session does not decrypt under the key `{}`: it was changed, or belongs to another session or \
                 another store, or this is another key or another `name` of `[store]` than it was stored with",
                sealed.id
            ))),
        }
    }

    fn known(&self, id: &str) -> Option<&Prepared> {
        std::iter::once(&self.first)
            .chain(&self.others)
            .find(|known| *known.id == *id)
    }
}

impl Prepared {
    fn new(option: &KeyOption) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, option.key.bytes())
            .map_err(|_| refused("aws-lc could not prepare the key"))?;
        Ok(Self {
            id: option.id.as_str().into(),
            head: head_of(&option.id),
            key: LessSafeKey::new(key),
        })
    }
}

impl Place<'_> {
    fn bound<T>(self, head: &[u8], with: impl FnOnce(&[u8]) -> T) -> T {
        bound(head, self.what, self.namespace.as_bytes(), self.key, with)
    }
}

impl fmt::Debug for Ring {
    /// The ids alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = std::iter::once(&self.first).chain(&self.others);
        f.debug_list().entries(all.map(|known| &known.id)).finish()
    }
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, message).with_option("keys")
}

fn corrupt(message: String) -> Error {
    Error::new(ErrorKind::Corrupt, message)
}
