//! What session ids look like: how new ones are made, and which texts can be one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rrss_core::{Error, ErrorKind, Result, SessionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many characters 32 bytes make in base64url without padding.
const TOKEN_LENGTH: usize = 43;

/// How many characters 16 bytes make in base64url without padding.
const TOWER_SESSIONS_LENGTH: usize = 22;

/// How many characters the keys of actix-session's own stores have.
const ACTIX_SESSION_LENGTH: usize = 64;

/// What session ids look like.
///
/// All forms take their bits from the operating system's random number generator. OWASP's ASVS 5.0 asks for at
/// least 128 random bits in a session id (7.2.3): a UUID v4 has 122 of them, a token 256. The forms of other stores are
/// there to take over the sessions that those stores have.
///
/// # Examples
///
/// ```
/// use rrss_key_mapper::IdFormat;
///
/// let id = IdFormat::Token.generate()?;
/// assert_eq!(id.as_str().len(), 43);
/// assert!(IdFormat::Token.accepts(id.as_str()));
/// assert!(!IdFormat::Uuid.accepts(id.as_str()));
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IdFormat {
    /// A random UUID: version 4 of [RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#section-5.4), as 36
    /// characters in lower case.
    #[default]
    Uuid,
    /// 32 random bytes as 43 characters of base64url without padding
    /// ([RFC 4648 §5](https://www.rfc-editor.org/rfc/rfc4648#section-5)).
    Token,
    /// 16 random bytes as 22 characters of base64url without padding: the ids of tower-sessions, by which its Redis store
    /// names keys.
    TowerSessions,
    /// 64 random letters and digits of ASCII: the session keys of actix-session, by which its Redis store names keys.
    ActixSession,
}

impl IdFormat {
    /// Whether `text` has this form. It looks at no more than its length and its characters.
    ///
    /// A UUID may be of any version: adapters to frameworks bring 128-bit ids of their own. It must be written as
    /// this step writes it, in lower case with hyphens: one session has one id. A token must decode to 32 bytes,
    /// and be the only text that does so: the two bits that the last character has to spare are zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_key_mapper::IdFormat;
    ///
    /// assert!(IdFormat::Uuid.accepts("8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60"));
    /// assert!(!IdFormat::Uuid.accepts("8F14E45F-CEEA-467F-A3D4-1B2C3D4E5F60"));
    /// assert!(!IdFormat::Uuid.accepts("8f14e45fceea467fa3d41b2c3d4e5f60"));
    /// ```
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Uuid => is_uuid(text.as_bytes()),
            Self::Token => is_base64url(text.as_bytes(), TOKEN_LENGTH, b"AEIMQUYcgkosw048"),
            Self::TowerSessions => is_base64url(text.as_bytes(), TOWER_SESSIONS_LENGTH, b"AQgw"),
            Self::ActixSession => {
                text.len() == ACTIX_SESSION_LENGTH
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }
        }
    }

    /// How many bytes, and characters, every id of this form has.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Uuid => uuid::fmt::Hyphenated::LENGTH,
            Self::Token => TOKEN_LENGTH,
            Self::TowerSessions => TOWER_SESSIONS_LENGTH,
            Self::ActixSession => ACTIX_SESSION_LENGTH,
        }
    }

    /// A new id that nobody can guess.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] where the operating system gives no random bytes.
    pub fn generate(self) -> Result<SessionId> {
        match self {
            Self::Uuid => {
                let uuid = uuid::Builder::from_random_bytes(random()?).into_uuid();
                let mut text = uuid::Uuid::encode_buffer();
                Ok(SessionId::from(&*uuid.hyphenated().encode_lower(&mut text)))
            }
            Self::Token => Ok(SessionId::from(URL_SAFE_NO_PAD.encode(random::<32>()?))),
            Self::TowerSessions => Ok(SessionId::from(URL_SAFE_NO_PAD.encode(random::<16>()?))),
            Self::ActixSession => alphanumeric().map(SessionId::from),
        }
    }
}

impl fmt::Display for IdFormat {
    /// What an id of this form is, in words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uuid => "a uuid: 36 characters in lower case, with hyphens",
            Self::Token => "a token: 43 characters of base64url, which stand for 32 bytes",
            Self::TowerSessions => {
                "an id of tower-sessions: 22 characters of base64url, which stand for 16 bytes"
            }
            Self::ActixSession => "a session key of actix-session: 64 letters and digits of ASCII",
        })
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            "the operating system gave no random bytes for a new session id",
        )
        .with_source(error)
    })?;
    Ok(bytes)
}

fn is_uuid(text: &[u8]) -> bool {
    text.len() == uuid::fmt::Hyphenated::LENGTH
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Whether `text` is base64url of whole bytes, and the only text that stands for them: the bits that the last character has
/// to spare are zero in those of `last` alone.
fn is_base64url(text: &[u8], length: usize, last: &[u8]) -> bool {
    let in_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == length
        && text.iter().all(in_alphabet)
        && text.last().is_some_and(|byte| last.contains(byte))
}

/// Random letters and digits, each as likely as any other: of 256 bytes, 248 are four times the 62 characters, and the
/// rest are passed over.
fn alphanumeric() -> Result<String> {
    const CHARACTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(ACTIX_SESSION_LENGTH);
    while text.len() < ACTIX_SESSION_LENGTH {
        let fair = random::<ACTIX_SESSION_LENGTH>()?
            .into_iter()
            .filter(|byte| *byte < 248)
            .map(|byte| char::from(CHARACTERS[usize::from(byte) % CHARACTERS.len()]));
        text.extend(fair.take(ACTIX_SESSION_LENGTH - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [IdFormat; 4] = [
        IdFormat::Uuid,
        IdFormat::Token,
        IdFormat::TowerSessions,
        IdFormat::ActixSession,
    ];

    #[test]
    fn base64url_is_accepted_exactly_when_it_decodes_and_encodes_to_itself() {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=\0 ";
        for (format, endings) in [(IdFormat::Token, 16), (IdFormat::TowerSessions, 4)] {
            let mut accepted = 0;
            for &last in alphabet {
                let mut text = vec![b'x'; format.length() - 1];
                text.push(last);
                let decodes = URL_SAFE_NO_PAD
                    .decode(&text)
                    .is_ok_and(|bytes| URL_SAFE_NO_PAD.encode(bytes).as_bytes() == text);
                let text = std::str::from_utf8(&text).unwrap();
                assert_eq!(format.accepts(text), decodes, "last character {last}");
                accepted += usize::from(decodes);
            }
            assert_eq!(accepted, endings);
        }
    }

    #[test]
    fn what_a_form_makes_it_alone_accepts() {
        for format in ALL {
            let id = format.generate().unwrap();
            assert_eq!(id.as_str().len(), format.length());
            for other in ALL {
                assert_eq!(other.accepts(id.as_str()), other == format, "{other}");
            }
        }
    }

    #[test]
    fn letters_and_digits_are_all_as_likely() {
        let mut seen = [0_u32; 128];
        for _ in 0..1_000 {
            for byte in alphanumeric().unwrap().bytes() {
                seen[usize::from(byte)] += 1;
            }
        }
        let times: Vec<_> = seen.into_iter().filter(|times| *times > 0).collect();
        assert_eq!(times.len(), 62);
        // 1,032 each, give or take 32: ten times that never happens, and a biased choice is twice as far off.
        assert!(
            times.iter().all(|times| (710..1_355).contains(times)),
            "{times:?}"
        );
    }
}
