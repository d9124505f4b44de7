//! What a load promises.

use rrss::{Session, SessionId};
use serde_json::{Value, json};

use super::ask::{ann, ann_until, count, create, dead_id, fields, id, load, loaded, session};
use crate::{Counts, Subject};

/// An id that is nobody's is no session and no error.
pub async fn load_of_an_unknown_id_answers_none(subject: Subject) {
    let store = subject.store();
    let unknown = dead_id(&store).await;
    ann(&store).await;
    assert!(load(&store, &unknown).await.is_none());
}

/// "A malformed id never reaches the backend": not in a load, a touch or a delete.
pub async fn a_malformed_id_is_no_session_and_asks_nobody(subject: Subject) {
    let counts = Counts::new();
    let store = subject.store_over(counts.before(subject.clone()));
    let session = ann(&store).await;
    let good = id(&session).as_str().to_owned();
    let malformed = [
        String::new(),
        "x".to_owned(),
        " ".to_owned(),
        "*".to_owned(),
        "\0".to_owned(),
        "../../etc/passwd".to_owned(),
        "☃".repeat(good.len()),
        "x".repeat(100_000),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}\0"),
        format!("{good}\n"),
        format!("{good}{good}"),
        format!("../{}", &good[3..]),
        format!("{}*", &good[1..]),
        good[1..].to_owned(),
    ];
    counts.reset();
    for text in malformed {
        let id = SessionId::from(text.as_str());
        assert!(load(&store, &id).await.is_none(), "{text:?} loads");
        let touched = store.touch(&id).await.expect("touching works");
        assert!(!touched, "{text:?} is touched");
        let deleted = store.delete(&id).await.expect("deleting works");
        assert!(!deleted, "{text:?} is deleted");
        assert_eq!(counts.total(), 0, "the backend was asked for {text:?}");
    }
    assert_eq!(count(&store).await, 1);
}

/// "The instant after which a session must never be returned again."
pub async fn load_of_an_expired_session_answers_none(subject: Subject) {
    let store = subject.store();
    let (_, deadline, (session, live)) = subject
        .soon(async |_, deadline| {
            let session = ann_until(&store, deadline).await;
            let live = load(&store, &id(&session)).await;
            (session, live)
        })
        .await;
    assert!(live.is_some(), "it was loaded before its deadline");
    subject.pass(deadline).await;
    assert!(load(&store, &id(&session)).await.is_none());
}

/// Reading changes nothing and marks nothing modified; nor does removing a field that is not there, or setting
/// one to the value that it has.
pub async fn load_changes_nothing_and_marks_nothing_modified(subject: Subject) {
    let store = subject.store();
    let saved = ann(&store).await;
    for _ in 0..3 {
        let mut copy = loaded(&store, &id(&saved)).await;
        assert_eq!(copy.id(), saved.id());
        assert_eq!(fields(&copy), fields(&saved));
        assert!(!copy.is_new() && !copy.is_modified());
        let user: Option<String> = copy.get("user").expect("it is text");
        assert_eq!(user.as_deref(), Some("ann"));
        assert!(!copy.remove("nothing"));
        copy.insert("user", "ann").expect("text serialises");
        assert!(!copy.is_modified());
    }
}

/// "Ids match exactly, no case folding."
pub async fn ids_match_exactly(subject: Subject) {
    let store = subject.store();
    let saved = ann(&store).await;
    let good = id(&saved);
    let good = good.as_str();
    let flipped: String = good.chars().map(flip_case).collect();
    for other in [good.to_uppercase(), good.to_lowercase(), flipped] {
        if other != good {
            let other = SessionId::from(other);
            assert!(load(&store, &other).await.is_none(), "in another case");
        }
    }
    assert!(load(&store, &good.into()).await.is_some());
}

fn flip_case(letter: char) -> char {
    if letter.is_ascii_lowercase() {
        letter.to_ascii_uppercase()
    } else {
        letter.to_ascii_lowercase()
    }
}

/// "Values round-trip with NUL, emoji, 64-bit integers, deep nesting", under names of any text.
pub async fn values_round_trip(subject: Subject) {
    let store = subject.store();
    let deep = (0..30).fold(json!("deep"), |inner, n| match n % 2 {
        0 => json!([inner]),
        _ => json!({ "in": inner }),
    });
    let many: Value = (0..200).map(|n| (format!("field-{n}"), json!(n))).collect();
    for values in [
        json!({ "nul": "a\0b", "emoji": "☃🦀👩‍👩‍👧", "quote": "\"\\/\u{8}\u{c}\n\r\t\u{7f}\u{2028}" }),
        json!({ "most": u64::MAX, "least": i64::MIN, "exact": 9_007_199_254_740_993_u64, "zero": 0 }),
        json!({ "half": 0.5, "huge": 1.5e300, "tiny": -2.5e-300 }),
        json!({ "null": null, "true": true, "empty": "", "list": [], "object": {} }),
        json!({ "": 1, " ": 2, "é☃": 3, "a\"b\\c": 4, "nul\0": 5, "a.b": 6, "*": 7, "\u{1}": 8 }),
        json!({ "deep": deep }),
        json!({ "long": "lorem ipsum ".repeat(5_000) }),
        many,
    ] {
        let mut saved = session(&values);
        create(&store, &mut saved).await;
        let copy = loaded(&store, &id(&saved)).await;
        assert_eq!(fields(&copy), fields(&saved));
        assert_eq!(
            fields(&copy).len(),
            values.as_object().map_or(0, serde_json::Map::len)
        );
    }
    let mut numbers = Session::new();
    numbers.insert("most", &u64::MAX).expect("it serialises");
    numbers.insert("least", &i64::MIN).expect("it serialises");
    create(&store, &mut numbers).await;
    let copy = loaded(&store, &id(&numbers)).await;
    assert_eq!(copy.get("most").expect("a number"), Some(u64::MAX));
    assert_eq!(copy.get("least").expect("a number"), Some(i64::MIN));
}
