//! What is stored of a session beside its fields: the object under the reserved name.

use serde::Deserialize;

/// Milliseconds since 1970. Members that a later version adds are passed over.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Head {
    pub(crate) created: Option<u64>,
    pub(crate) written: Option<u64>,
    pub(crate) until: Option<u64>,
}

/// So many digits are always a `u64`.
const SAFE_DIGITS: usize = 19;

impl Head {
    /// `None` where `json` is no such object.
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        Self::as_written(json).or_else(|| {
            // An array would be read too, as the members in their order.
            let is_object = json.trim_ascii_start().starts_with(b"{");
            is_object.then(|| serde_json::from_slice(json).ok())?
        })
    }

    /// The same, of an object that has just the members that this version writes, in their order and without white space. It is
    /// read with every session, and `serde_json` takes five times as long.
    fn as_written(json: &[u8]) -> Option<Self> {
        let mut rest = json.strip_prefix(b"{")?;
        let created = member(&mut rest, br#""created":"#);
        if created.is_some() {
            rest = rest.strip_prefix(b",")?;
        }
        let written = Some(member(&mut rest, br#""written":"#)?);
        let mut until = None;
        if let Some(more) = rest.strip_prefix(b",") {
            rest = more;
            until = Some(member(&mut rest, br#""until":"#)?);
        }
        (rest == b"}").then_some(Self {
            created,
            written,
            until,
        })
    }
}

/// Takes a member with this name and a whole number off the front of `rest`.
fn member(rest: &mut &[u8], name: &[u8]) -> Option<u64> {
    let value = rest.strip_prefix(name)?;
    let digits = value
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (number, behind) = value.split_at(digits);
    let is_plain = digits == 1 || (2..=SAFE_DIGITS).contains(&digits) && number[0] != b'0';
    if !is_plain {
        return None;
    }
    *rest = behind;
    let digits = number.iter().map(|digit| u64::from(digit - b'0'));
    Some(digits.fold(0, |number, digit| number * 10 + digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: [&str; 6] = [
        r#"{"created":1795348800000,"written":1795348801000}"#,
        r#"{"created":1795348800000,"written":1795348801000,"until":1795348802000}"#,
        r#"{"written":0}"#,
        r#"{"written":1,"until":9999999999999999999}"#,
        r#"{"created":18446744073709551615,"written":10}"#,
        r#"{"created":7,"written":8,"until":18446744073709551616}"#,
    ];

    /// What `serde_json` makes of an object.
    fn expected(json: &[u8]) -> Option<Head> {
        serde_json::from_slice(json).ok()
    }

    #[test]
    fn what_is_written_is_read_without_serde_json() {
        for json in &WRITTEN[..4] {
            assert!(Head::as_written(json.as_bytes()).is_some(), "{json}");
        }
    }

    #[test]
    fn whatever_is_made_of_it_is_read_as_serde_json_reads_it() {
        let telling = br#"{}",:019 .-e[]ct"#;
        for json in WRITTEN.map(str::as_bytes) {
            assert_eq!(Head::read(json), expected(json));
            for at in 0..json.len() {
                let (front, back) = json.split_at(at);
                assert_eq!(Head::read(front), expected(front));
                for byte in telling {
                    for changed in [
                        [front, &[*byte], back].concat(),
                        [front, &[*byte], &back[1..]].concat(),
                    ] {
                        if changed.trim_ascii().starts_with(b"{") {
                            let text = String::from_utf8_lossy(&changed);
                            assert_eq!(Head::read(&changed), expected(&changed), "{text}");
                        } else {
                            assert_eq!(Head::read(&changed), None);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn members_of_later_versions_and_other_orders_are_read() {
        let json = br#" {"later":[1], "until":3, "written":2, "created":null} "#;
        let head = Head {
            created: None,
            written: Some(2),
            until: Some(3),
        };
        assert_eq!(Head::read(json), Some(head));
        assert_eq!(Head::read(b"[1,2,3]"), None);
        assert_eq!(Head::read(b"null"), None);
    }
}
