//! One session's 128 bits as tower-sessions' number, and as the text that an rrss store knows it by.

use rrss::SessionId;
use uuid::Uuid;

/// The texts that one id can have in a store: a hyphenated UUID, and the text that tower-sessions puts in its cookie.
///
/// A key mapper accepts one of them at most, and answers for the other without asking the backend: so trying both is one
/// round trip. The UUID is the first, as that is the form of a store whose file does not say otherwise.
pub(crate) fn forms(id: i128) -> [SessionId; 2] {
    let uuid = Uuid::from_bytes(id.to_le_bytes());
    [
        SessionId::from(uuid.hyphenated().to_string()),
        SessionId::from(tower_sessions_core::session::Id(id).to_string()),
    ]
}

/// The number of an id in one of its two forms; `None` for any other text, which tower-sessions could not ask for again.
pub(crate) fn number(id: &SessionId) -> Option<i128> {
    let text = id.as_str();
    let number = match Uuid::try_parse(text) {
        Ok(uuid) => i128::from_le_bytes(uuid.into_bytes()),
        Err(_) => text.parse::<tower_sessions_core::session::Id>().ok()?.0,
    };
    forms(number).contains(id).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
    /// What `printf 8f14e45fceea467fa3d41b2c3d4e5f60 | xxd -r -p | basenc --base64url` prints, without the padding.
    const COOKIE: &str = "jxTkX87qRn-j1BssPU5fYA";

    #[test]
    fn the_cookie_is_base64url_of_the_bytes_of_the_uuid() {
        let id: tower_sessions_core::session::Id = COOKIE.parse().unwrap();
        assert_eq!(
            forms(id.0).map(|form| form.as_str().to_owned()),
            [UUID, COOKIE]
        );
    }

    #[test]
    fn both_forms_are_one_number() {
        for number_of in [0, 1, -1, i128::MIN, i128::MAX, 0x0123_4567_89ab_cdef] {
            for form in forms(number_of) {
                assert_eq!(number(&form), Some(number_of), "{form:?}");
            }
        }
    }

    #[test]
    fn other_texts_have_no_number() {
        for text in [
            "",
            "no id",
            "8f14e45fceea467fa3d41b2c3d4e5f60",
            "8F14E45F-CEEA-467F-A3D4-1B2C3D4E5F60",
            "q7Jm0cHc5tTfVr1m3k2bVb8zJp0o1n2m3l4k5j6h7g8",
        ] {
            assert_eq!(number(&SessionId::from(text)), None, "{text}");
        }
    }
}
