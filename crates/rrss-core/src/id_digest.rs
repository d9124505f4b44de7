//! The digest of a session id: what may be stored in its place.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// What a name begins with. No form of ids has a colon, so that no name can be presented as an id.
const SCHEME: &str = "sha256:";

/// How many characters 32 bytes make in base64url without padding.
const DIGITS: usize = 43;

/// The digest of a session id: it names the session to who stores it, and logs nobody in.
///
/// It is SHA-256 ([FIPS 180-4](https://doi.org/10.6028/NIST.FIPS.180-4)) of the text `rrss key`, a zero byte and the text of
/// the id. An id of 122 random bits or more cannot be found by trying, so neither a salt nor a secret of the store's is
/// mixed in, and the session of an id is found by one look-up.
///
/// # Examples
///
/// ```
/// use rrss_core::IdDigest;
///
/// let digest = IdDigest::of("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60");
/// let name = digest.name();
/// assert!(name.starts_with("sha256:") && name.len() == IdDigest::NAME_LENGTH);
/// assert_eq!(IdDigest::from_name(&name), Some(digest));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdDigest([u8; 32]);

impl IdDigest {
    /// How many bytes, and characters, every [name](IdDigest::name) has: 50.
    pub const NAME_LENGTH: usize = SCHEME.len() + DIGITS;

    /// The digest of the id whose text this is.
    #[must_use]
    pub fn of(id: &str) -> Self {
        // Kept so short that a tag and an id of 43 characters are one block of SHA-256.
        let digest = Sha256::new().chain_update(b"rrss key\0").chain_update(id);
        Self(digest.finalize().into())
    }

    /// The digest as text: `sha256:` and 43 characters of base64url without padding
    /// ([RFC 4648 §5](https://www.rfc-editor.org/rfc/rfc4648#section-5)).
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = String::with_capacity(Self::NAME_LENGTH);
        self.write_name(&mut name);
        name
    }

    /// Appends the [name](IdDigest::name) to `text`; without an allocation where there is room.
    pub fn write_name(&self, text: &mut String) {
        text.push_str(SCHEME);
        URL_SAFE_NO_PAD.encode_string(self.0, text);
    }

    /// The digest that this is the name of, in its one form; `None` where it is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let digits = name.strip_prefix(SCHEME)?;
        if digits.len() != DIGITS {
            return None;
        }
        let mut digest = [0; 32];
        // The engine refuses a last character whose spare bits are not zero.
        let decoded = URL_SAFE_NO_PAD.decode_slice(digits, &mut digest).ok()?;
        (decoded == digest.len()).then_some(Self(digest))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for IdDigest {
    /// Nothing of it: it is what the session is stored under.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdDigest([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha_256_of_tag_and_id_and_stays_so() {
        // printf 'rrss key\0one' | openssl dgst -sha256 -binary | basenc --base64url
        assert_eq!(
            IdDigest::of("one").name(),
            "sha256:Vf19hn6efiI-NbXpnFdj_mrdotNdU1s9yZE7kuezHPs"
        );
        assert_ne!(IdDigest::of("one"), IdDigest::of("two"));
        assert!(!format!("{:?}", IdDigest::of("one")).contains(&IdDigest::of("one").name()[7..]));
    }

    #[test]
    fn what_is_no_name_names_nothing() {
        let name = IdDigest::of("one").name();
        let last = name.len() - 1;
        for text in [
            String::new(),
            "sha256:".to_owned(),
            name[7..].to_owned(),
            format!("{name}="),
            format!(" {name}"),
            name.to_uppercase(),
            format!("{}_", &name[..last]),
            format!("{}*", &name[..last]),
            format!("sha256:{}", "☃".repeat(14)),
        ] {
            assert_eq!(IdDigest::from_name(&text), None, "{text}");
        }
    }
}
