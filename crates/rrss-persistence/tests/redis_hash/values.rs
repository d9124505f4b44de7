//! What a value looks like in Redis, and what is read of it.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rrss_core::{Action, Backend, ErrorKind, MAX_DEPTH, Session};
use rrss_test_servers::RedisServer;
use serde_json::{Value, json};

use super::support::*;

on_both_servers![
    values_are_stored_as_texts_and_read_by_what_they_look_like,
    a_text_that_looks_like_json_comes_back_as_a_text,
    with_compat_a_text_that_looks_like_json_comes_back_as_that_value,
    whatever_insert_accepts_comes_back_equal,
    names_may_be_any_text,
    a_field_cannot_have_the_name_of_what_rrss_notes,
    what_is_no_utf8_is_corrupt_and_stays_as_it_was,
    a_note_that_rrss_did_not_write_is_corrupt,
    a_session_of_very_many_fields_is_whole,
];

async fn values_are_stored_as_texts_and_read_by_what_they_look_like(server: RedisServer) {
    let store = store(&server, "");
    let table = [
        ("word", r#""dark""#, "dark"),
        ("empty", r#""""#, ""),
        (
            "quotes",
            r#""sn\u00f6wman ☃ and \"quotes\"""#,
            "snöwman ☃ and \"quotes\"",
        ),
        ("clojure", r#""[1 2 3]""#, "[1 2 3]"),
        ("keyword", r#"":dark""#, ":dark"),
        ("number", "42", "42"),
        ("fraction", "1.10", "1.10"),
        ("huge", "18446744073709551615", "18446744073709551615"),
        ("yes", "true", "true"),
        ("nothing", "null", "null"),
        ("list", r#"["tea",1]"#, r#"["tea",1]"#),
        ("object", r#"{"a":{"b":null}}"#, r#"{"a":{"b":null}}"#),
    ];
    let mut saved = session(&[]);
    for (name, raw, _) in table {
        saved.insert_raw(name, raw).unwrap();
    }
    store.save(&mut saved).await.unwrap();
    for (name, _, text) in table {
        assert_eq!(
            server.command(&["HGET", &key_of(&saved), name]),
            text,
            "{name}"
        );
    }
    assert_eq!(fields(&loaded(&store, &saved).await), fields(&saved));
    assert_eq!(
        loaded(&store, &saved).await.get_raw("fraction"),
        Some("1.10")
    );
}

async fn a_text_that_looks_like_json_comes_back_as_a_text(server: RedisServer) {
    let store = store(&server, "");
    let texts = ["42", "true", "[1]", "\"42\"", "dark"];
    let mut saved = session(&[]);
    for (at, text) in texts.iter().enumerate() {
        saved.insert(&at.to_string(), text).unwrap();
    }
    store.save(&mut saved).await.unwrap();
    let mut read = loaded(&store, &saved).await;
    for (at, text) in texts.iter().enumerate() {
        assert_eq!(&read.get::<String>(&at.to_string()).unwrap().unwrap(), text);
    }
    let stored = server.command(&["HGET", &key_of(&saved), "0"]);
    assert_eq!(stored, "\"42\"");

    // What was stored before, or by others, is read as the value that it looks like, and guards hold for both.
    server.command(&["HSET", &key_of(&saved), "old", "42"]);
    read.insert_if_unchanged("0", "43").unwrap();
    store.save(&mut read).await.unwrap();
    let mut read = loaded(&store, &saved).await;
    assert_eq!(read.get::<u32>("old").unwrap(), Some(42));
    read.insert_if_unchanged("old", &43).unwrap();
    read.insert_if_unchanged("0", "44").unwrap();
    store.save(&mut read).await.unwrap();
    assert_eq!(read.get::<String>("0").unwrap().as_deref(), Some("44"));
}

async fn whatever_insert_accepts_comes_back_equal(server: RedisServer) {
    const ROUNDS: usize = 40;
    let store = store(&server, "");
    let mut runner = TestRunner::deterministic();
    for _ in 0..ROUNDS {
        let fields = prop::collection::hash_map(any::<String>(), arbitrary_value(), 0..12);
        let fields = fields.new_tree(&mut runner).unwrap().current();
        let mut saved = Session::new();
        for (name, value) in &fields {
            saved.insert(name, value).unwrap();
        }
        store.create(&mut saved).await.unwrap();
        let read = loaded(&store, &saved).await;
        assert_eq!(read.len(), fields.len());
        for (name, value) in &fields {
            assert_eq!(read.get::<Value>(name).unwrap().as_ref(), Some(value));
        }
    }
    let deepest = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
    let mut saved = session(&[("deep", &deepest)]);
    store.save(&mut saved).await.unwrap();
    let read = loaded(&store, &saved).await;
    assert_eq!(
        read.get::<Value>("deep").unwrap().unwrap().to_string(),
        deepest
    );
}

/// Texts among them that look like other values.
fn arbitrary_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
        "[-\"\\\\\\[\\]{}:,0-9etrulnfas. ]{0,6}".prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(number.to_string())),
        any::<u8>().prop_map(|number| Value::from(format!("\"{number}\""))),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

async fn with_compat_a_text_that_looks_like_json_comes_back_as_that_value(server: RedisServer) {
    let store = store(&server, "compat = \"rrss-0.2\"");
    let mut saved = session(&[("a", r#""42""#), ("b", r#""true""#), ("c", r#""[1]""#)]);
    store.save(&mut saved).await.unwrap();
    let mut read = loaded(&store, &saved).await;
    assert_eq!(fields(&read), json!({ "a": 42, "b": true, "c": [1] }));
    assert_eq!(read.get::<u32>("a").unwrap(), Some(42));
    let error = read.get::<String>("a").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);

    // The text in Redis is the same, so whoever changes another field changes nothing of it.
    read.insert("d", "x").unwrap();
    store.save(&mut read).await.unwrap();
    assert_eq!(
        stored_fields(&server, &key_of(&saved)),
        ["a=42", "b=true", "c=[1]", "d=x"]
    );
}

async fn names_may_be_any_text(server: RedisServer) {
    let store = store(&server, "");
    let mut saved = session(&[("", "1"), ("ü \"☃\"\n", "2"), ("1", "3"), ("$", "4")]);
    store.save(&mut saved).await.unwrap();
    assert_eq!(fields(&loaded(&store, &saved).await), fields(&saved));
}

async fn a_field_cannot_have_the_name_of_what_rrss_notes(server: RedisServer) {
    for options in ["", "compat = \"rrss-0.2\""] {
        let store = store(&server, options);
        let mut new = session(&[("$rrss", "{}")]);
        let error = store.save(&mut new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(error.message().contains("another name"), "{error}");

        let mut saved = session(&[("a", "1")]);
        store.save(&mut saved).await.unwrap();
        saved.insert("$rrss", &1).unwrap();
        assert_eq!(
            store.save(&mut saved).await.unwrap_err().kind(),
            ErrorKind::Value
        );
        assert_eq!(fields(&loaded(&store, &saved).await), json!({ "a": 1 }));
    }
}

async fn what_is_no_utf8_is_corrupt_and_stays_as_it_was(server: RedisServer) {
    let redis = connect(&server);
    for entry in [[&b"name"[..], b"hunter2\xff"], [b"hunter2\xff", b"value"]] {
        server.command(&[b"DEL", KEY.as_bytes()]);
        server.command(&[b"HSET", KEY.as_bytes(), entry[0], entry[1]]);
        let error = redis.load(&op(Action::Load, KEY, now())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let kept = server.bytes(&[b"HGET", KEY.as_bytes(), entry[0]]);
        assert_eq!(kept.as_deref(), Some(entry[1]));
    }
}

async fn a_note_that_rrss_did_not_write_is_corrupt(server: RedisServer) {
    let redis = connect(&server);
    for note in [
        "",
        "1",
        "[1,2,3]",
        r#"{"created":"hunter2"}"#,
        r#"{"created":1"#,
        &format!(r#"{{"later":"{}"}}"#, "x".repeat(1_024)),
    ] {
        server.command(&["HSET", KEY, "$rrss", note, "a", "1"]);
        let error = redis.load(&op(Action::Load, KEY, now())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{note}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    server.command(&["HSET", KEY, "$rrss", r#"{"created":5,"later":[1]}"#]);
    let session = read(&redis, KEY, now()).await.unwrap();
    assert_eq!(session.created_at(), Some(at(5)));
    assert_eq!(fields(&session), json!({ "a": 1 }));
}

/// More than fit on the stack of a script at once.
async fn a_session_of_very_many_fields_is_whole(server: RedisServer) {
    let store = store(&server, "max_fields = 4500");
    let mut saved = session(&[]);
    for n in 0..4_500 {
        saved.insert(&format!("field{n}"), &n).unwrap();
    }
    store.save(&mut saved).await.unwrap();
    let mut read = loaded(&store, &saved).await;
    assert_eq!(fields(&read), fields(&saved));
    for n in 1..4_500 {
        read.remove(&format!("field{n}"));
    }
    store.save(&mut read).await.unwrap();
    assert_eq!(stored_fields(&server, &key_of(&saved)), ["field0=0"]);
}
