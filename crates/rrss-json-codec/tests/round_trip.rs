//! What is stored comes back as it was.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use proptest::prelude::*;
use rrss_core::{Action, Operation, Session, Timestamp, Transform};
use rrss_json_codec::{JsonCodec, Options};
use serde_json::{Map, Value, json};
use support::{WRITTEN, decode, encode, raw, values};

fn text(session: Session) -> String {
    String::from_utf8(encode(session).unwrap().into()).unwrap()
}

fn arbitrary_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn arbitrary_fields() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::hash_map(any::<String>(), arbitrary_value(), 0..20)
        .prop_map(|map| map.into_iter().collect())
}

fn session_of(fields: &Map<String, Value>) -> Session {
    let mut session = Session::new();
    for (name, value) in fields {
        session.insert(name, value).unwrap();
    }
    session
}

proptest! {
    #[test]
    fn any_fields_come_back_equal(
        fields in arbitrary_fields(),
        created in any::<Option<u64>>(),
        until in any::<Option<u64>>(),
    ) {
        let [created, until] = [created, until].map(|millis| millis.map(Timestamp::from_millis));
        let session = session_of(&fields).with_created_at(created).with_own_deadline(until);
        let stored = encode(session).unwrap();
        let loaded = decode(stored.clone()).unwrap();
        prop_assert_eq!(values(&loaded), fields);
        prop_assert_eq!(loaded.created_at(), created);
        prop_assert_eq!(loaded.own_deadline(), until);
        prop_assert_eq!(loaded.written_at(), Some(WRITTEN));
        prop_assert!(!loaded.is_modified());
        prop_assert_eq!(encode(loaded).unwrap(), stored);
    }

    #[test]
    fn changes_to_loaded_sessions_come_back_equal(
        old in arbitrary_fields(),
        new in arbitrary_fields(),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let mut session = decode(encode(session_of(&old)).unwrap()).unwrap();
        let mut expected = old;
        for index in removed {
            let name = expected.keys().nth(index.index(expected.len().max(1))).cloned();
            if let Some(name) = name {
                expected.remove(&name);
                session.remove(&name);
            }
        }
        for (name, value) in new {
            session.insert(&name, &value).unwrap();
            expected.insert(name, value);
        }
        let loaded = decode(encode(session).unwrap()).unwrap();
        prop_assert_eq!(values(&loaded), expected);
    }

    #[test]
    fn the_stored_form_is_json_to_any_reader(fields in arbitrary_fields(), created in any::<u64>()) {
        let session = session_of(&fields).with_created_at(Some(Timestamp::from_millis(created)));
        let mut read: Map<String, Value> = serde_json::from_slice(&encode(session).unwrap()).unwrap();
        prop_assert_eq!(read.remove("$rrss"), Some(json!({ "created": created, "written": 0 })));
        prop_assert_eq!(read, fields);
    }
}

#[test]
fn what_rrss_must_know_comes_first_and_is_no_field() {
    let mut session = Session::new().with_created_at(Some(Timestamp::from_millis(7)));
    session.insert("a", &1).unwrap();
    session.insert("b", "x").unwrap();
    session.set_expires_at(Timestamp::from_millis(9));
    let stored = text(session);
    assert_eq!(
        stored,
        r#"{"$rrss":{"created":7,"written":0,"until":9},"a":1,"b":"x"}"#
    );

    let loaded = decode(stored).unwrap();
    assert_eq!(loaded.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(loaded.len(), 2);
    assert!(!loaded.contains_key("$rrss"));
    assert!(!loaded.is_modified());
    assert_eq!(loaded.created_at(), Some(Timestamp::from_millis(7)));
    assert_eq!(loaded.written_at(), Some(WRITTEN));
    assert_eq!(loaded.own_deadline(), Some(Timestamp::from_millis(9)));
}

#[test]
fn the_time_of_writing_is_that_of_the_operation() {
    let mut session = decode(r#"{"$rrss":{"created":7,"written":8},"a":1}"#).unwrap();
    assert_eq!(session.written_at(), Some(Timestamp::from_millis(8)));
    session.insert("a", &2).unwrap();
    let latest = Timestamp::from_millis(u64::MAX);
    let mut op = Operation::new(Action::Update, latest).with_session(session);
    JsonCodec::new(Options::default())
        .unwrap()
        .before(&mut op)
        .unwrap();
    assert_eq!(
        op.bytes().unwrap(),
        &br#"{"$rrss":{"created":7,"written":18446744073709551615},"a":2}"#[..]
    );
}

#[test]
fn a_deadline_that_was_given_up_is_not_stored() {
    let mut session = decode(r#"{"$rrss":{"written":8,"until":9},"a":1}"#).unwrap();
    session.clear_expires_at();
    assert!(session.is_modified());
    assert_eq!(text(session), r#"{"$rrss":{"written":0},"a":1}"#);
}

#[test]
fn a_creation_time_that_is_not_known_is_not_made_up() {
    let mut session = Session::new();
    session.insert("a", &1).unwrap();
    assert_eq!(text(session), r#"{"$rrss":{"written":0},"a":1}"#);
    assert_eq!(decode(r#"{"a":1}"#).unwrap().created_at(), None);
}

#[test]
fn what_an_earlier_version_wrote_is_read() {
    let mut session = decode(r#"{"$rrss":{"created":7},"a":1}"#).unwrap();
    assert_eq!(session.created_at(), Some(Timestamp::from_millis(7)));
    assert_eq!((session.written_at(), session.own_deadline()), (None, None));
    assert_eq!(raw(&session), [("a".to_owned(), "1".to_owned())]);

    session.insert("a", &2).unwrap();
    assert_eq!(
        text(session),
        r#"{"$rrss":{"created":7,"written":0},"a":2}"#
    );
}

#[test]
fn an_emptied_session_is_stored_and_comes_back_empty() {
    for (stored, emptied) in [
        (r#"{"a":1,"b":[2]}"#, r#"{"$rrss":{"written":0}}"#),
        (
            r#"{"$rrss":{"created":7},"a":1}"#,
            r#"{"$rrss":{"created":7,"written":0}}"#,
        ),
    ] {
        let mut session = decode(stored).unwrap();
        session.clear();
        assert_eq!(text(session), emptied);
        assert!(decode(emptied).unwrap().is_empty());
    }
}

#[test]
fn fields_that_did_not_change_keep_their_exact_text() {
    let stored = r#"{"price":1.10,"name":"\u00e9","list":[ 1 , 2.50 ],"big":1e400,"n\u0061me2":{"b":1,"a":2},"x":0}"#;
    let mut session = decode(stored).unwrap();
    session.insert("x", &1).unwrap();
    let text = text(session);
    assert_eq!(
        text,
        r#"{"$rrss":{"written":0},"price":1.10,"name":"\u00e9","list":[ 1 , 2.50 ],"big":1e400,"name2":{"b":1,"a":2},"x":1}"#
    );
}

#[test]
fn objects_of_other_programs_are_read() {
    for stored in [
        "{}",
        " \t\r\n{ } \n",
        r#"{"a":1}"#,
        "\n{\n  \"a\" : 1\n}\n",
        r#"{"a":1,"$rrss":{}}"#,
        r#"{"$rrss":{"created":null},"a":1}"#,
        r#"{"a":1,"$rrss":{"written":null,"until":null}}"#,
    ] {
        let session = decode(stored).unwrap();
        assert_eq!((session.created_at(), session.written_at()), (None, None));
        assert_eq!(session.own_deadline(), None);
        assert!(
            raw(&session)
                .iter()
                .all(|pair| *pair == ("a".into(), "1".into()))
        );
    }
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let session = decode(
        r#"{"$rrss":{"version":2,"created":7,"more":[{"created":8,"until":1}],"until":9},"a":1}"#,
    )
    .unwrap();
    assert_eq!(session.created_at(), Some(Timestamp::from_millis(7)));
    assert_eq!(session.own_deadline(), Some(Timestamp::from_millis(9)));
    assert_eq!(raw(&session), [("a".to_owned(), "1".to_owned())]);
}

#[test]
fn names_and_values_of_any_sort_come_back() {
    let mut session = Session::new();
    let pairs = [
        ("", r#""""#),
        ("\"", r#""\"""#),
        ("back\\slash", r#""\\""#),
        ("\0", r#""\u0000""#),
        ("line\nbreak", "18446744073709551615"),
        ("☃🦀", "-9223372036854775808"),
        ("$", "1.10"),
        ("$rrss2", "null"),
        ("created", "[]"),
    ];
    for (name, value) in pairs {
        session.insert_raw(name, value).unwrap();
    }
    let loaded = decode(encode(session).unwrap()).unwrap();
    assert_eq!(
        raw(&loaded),
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn a_value_as_deep_as_is_allowed_comes_back_and_decodes() {
    let nested = format!("{}1{}", "[".repeat(127), "]".repeat(127));
    let options = Options {
        max_depth: 127,
        ..Default::default()
    };
    let mut session = Session::new();
    // `insert` serialises; a value of this depth cannot be parsed with one level more around it.
    session.insert_raw("deep", &nested).unwrap();
    let stored = support::encode_with(options.clone(), session).unwrap();
    let loaded = support::decode_with(options, stored).unwrap();
    assert_eq!(loaded.get_raw("deep"), Some(&*nested));
    assert!(loaded.get::<Value>("deep").unwrap().is_some());
}
