//! What a value looks like in Redis, and what is read of it.

use rrss_core::{Action, Backend, ErrorKind};
use rrss_test_servers::RedisServer;
use serde_json::json;

use super::support::*;

on_both_servers![
    values_are_stored_as_texts_and_read_by_what_they_look_like,
    a_text_that_looks_like_json_comes_back_as_that_value,
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

async fn a_text_that_looks_like_json_comes_back_as_that_value(server: RedisServer) {
    let store = store(&server, "");
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
