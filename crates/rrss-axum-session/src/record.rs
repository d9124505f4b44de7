//! The text that axum_session stores, as the fields of a session, and back.

use std::collections::BTreeMap;

use rrss::{Error, ErrorKind, Result, Session};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The field that holds what is no field of its own.
const RESERVED: &str = "axum_session";

/// What axum_session serialises: each value of `data` is JSON in a text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    data: BTreeMap<String, String>,
    longterm: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rest {
    /// What is left of a record whose other entries are fields.
    Record(Record),
    /// A text that is no record: one that the framework has encrypted, with its `database_key`.
    Text(String),
}

pub(crate) fn fill(session: &mut Session, text: &str) -> Result<()> {
    let rest = match serde_json::from_str::<Record>(text) {
        Ok(Record { data, longterm }) => {
            let mut left = BTreeMap::new();
            for (name, value) in data {
                if name == RESERVED || !is_json(&value) {
                    left.insert(name, value);
                } else {
                    session.insert_raw(&name, &value)?;
                }
            }
            Rest::Record(Record {
                data: left,
                longterm,
            })
        }
        Err(_) => Rest::Text(text.to_owned()),
    };
    session.insert(RESERVED, &rest)
}

/// The text that [`fill`] was given, or one that means the same. A session that other programs made has fields alone.
pub(crate) fn text(session: &Session) -> Result<String> {
    let mut record = match session.get::<Rest>(RESERVED)? {
        Some(Rest::Text(text)) => return Ok(text),
        Some(Rest::Record(record)) => record,
        None => Record {
            data: BTreeMap::new(),
            longterm: false,
        },
    };
    for (name, json) in session.iter_raw().filter(|(name, _)| *name != RESERVED) {
        record.data.insert(name.to_owned(), json.to_owned());
    }
    serde_json::to_string(&record).map_err(|error| {
        Error::new(
            ErrorKind::Value,
            "a stored session could not be made a text for axum_session",
        )
        .with_source(error)
    })
}

/// Whether `text` is one JSON value and nothing around it, so that it comes back as it is.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok_and(|value| value.get() == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn round_trip(text_of: &str) -> (Session, String) {
        let mut session = Session::new();
        fill(&mut session, text_of).unwrap();
        let back = text(&session).unwrap();
        (session, back)
    }

    #[test]
    fn each_json_value_is_a_field_and_the_text_means_the_same() {
        let stored = json!({ "longterm": true, "data": {
            "user_id": "42", "name": "\"\\u0000🦀\"", "": "[1,2.50,null]", "big": "18446744073709551615",
        }});
        let (session, back) = round_trip(&stored.to_string());
        assert_eq!(session.get::<u32>("user_id").unwrap(), Some(42));
        assert_eq!(session.get_raw(""), Some("[1,2.50,null]"));
        assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), stored);
    }

    #[test]
    fn values_that_are_no_json_and_the_reserved_name_come_back_too() {
        let stored = json!({ "longterm": false, "data": {
            "empty": "", "spaced": " 1", "broken": "{", "axum_session": "1", "fine": "true",
        }});
        let (session, back) = round_trip(&stored.to_string());
        assert_eq!(session.keys().count(), 2);
        assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), stored);
    }

    #[test]
    fn a_text_that_is_no_record_comes_back_as_it_is() {
        for other in ["", "bm9uY2UrY2lwaGVydGV4dA==", "{}", "[1]"] {
            assert_eq!(round_trip(other).1, other);
        }
    }
}
