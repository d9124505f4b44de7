//! What is promised of one field that several requests change.

use std::sync::Arc;

use rrss::{Conflict, ErrorKind};
use serde_json::json;
use tokio::sync::Barrier;

use super::ask::{ann, fields, id, loaded};
use crate::Subject;
use crate::run::joined;

const POLICIES: [Conflict; 3] = [Conflict::Merge, Conflict::Reject, Conflict::LastWrite];

/// "A counter that many requests increment counts each of them", whatever the policy for conflicts; and each request is told
/// another number.
pub async fn increments_at_once_are_each_counted(subject: Subject) {
    const TASKS: u64 = 8;
    const EACH: u64 = 8;
    for policy in POLICIES {
        let store = subject.store_with(|builder| builder.conflict(policy));
        let ann = ann(&store).await;
        let start = Arc::new(Barrier::new(TASKS as usize));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (store, start, id) = (store.clone(), start.clone(), id(&ann));
                tokio::spawn(async move {
                    let mut session = loaded(&store, &id).await;
                    let mut told = Vec::new();
                    start.wait().await;
                    for _ in 0..EACH {
                        let increment = |count: Option<u64>| count.unwrap_or_default() + 1;
                        let count = store.update_field(&mut session, "count", increment).await;
                        told.push(count.expect("it is counted"));
                    }
                    told
                })
            })
            .collect();
        let mut told = Vec::new();
        for task in tasks {
            told.extend(joined(task).await);
        }
        told.sort_unstable();
        let expected: Vec<u64> = (1..=TASKS * EACH).collect();
        assert_eq!(told, expected, "under {policy:?}");
        let stored = loaded(&store, &id(&ann)).await;
        let count: Option<u64> = stored.get("count").expect("it is a number");
        assert_eq!(count, Some(TASKS * EACH), "under {policy:?}");
    }
}

/// "Saves the session with all its changes, and answers the value": where others changed the field meanwhile, too.
pub async fn update_field_saves_the_other_changes_too(subject: Subject) {
    let store = subject.store();
    let mut one = ann(&store).await;
    let mut other = loaded(&store, &id(&one)).await;
    let add_ten = |visits: Option<u64>| visits.unwrap_or_default() + 10;
    one.insert("theme", "dark").expect("text serialises");
    let visits = store.update_field(&mut one, "visits", add_ten).await;
    assert_eq!(visits.expect("it saves"), 11);
    assert!(!one.is_modified());

    other.insert("cart", "tea").expect("text serialises");
    let visits = store.update_field(&mut other, "visits", add_ten).await;
    assert_eq!(visits.expect("it saves"), 21);
    let expected = json!({ "user": "ann", "visits": 21, "theme": "dark", "cart": "tea" });
    assert_eq!(json!(fields(&other)), expected);
    assert_eq!(json!(fields(&loaded(&store, &id(&one)).await)), expected);
}

/// Nothing brings a session back, a counter neither.
pub async fn update_field_of_a_session_that_is_gone_answers_gone(subject: Subject) {
    let store = subject.store();
    let mut saved = ann(&store).await;
    let mut copy = loaded(&store, &id(&saved)).await;
    assert!(store.delete(&id(&saved)).await.expect("deleting works"));
    for session in [&mut saved, &mut copy] {
        let count = store
            .update_field(session, "count", |count: Option<u64>| {
                count.unwrap_or_default() + 1
            })
            .await;
        assert!(count.as_ref().is_err_and(rrss::Error::is_gone), "{count:?}");
    }
    assert_eq!(store.count().await.expect("counting works"), 0);
}

/// "Where somebody has, the save answers `Conflict` and stores nothing, even where the store merges changes": the field was
/// changed, inserted or removed.
pub async fn a_field_inserted_if_unchanged_is_refused_where_others_changed_it(subject: Subject) {
    for policy in POLICIES {
        let store = subject.store_with(|builder| builder.conflict(policy));
        for (name, theirs) in [
            ("seat", Some("12A")),
            ("user", Some("bob")),
            ("visits", None),
        ] {
            let mut one = ann(&store).await;
            let mut other = loaded(&store, &id(&one)).await;
            match theirs {
                Some(value) => one.insert(name, value).expect("text serialises"),
                None => assert!(one.remove(name), "it was there"),
            }
            store.save(&mut one).await.expect("it saves");
            other
                .insert_if_unchanged(name, "mine")
                .expect("text serialises");
            other.insert("beside", &true).expect("true serialises");
            let error = store.save(&mut other).await.expect_err("it was changed");
            assert_eq!(error.kind(), ErrorKind::Conflict, "{name}, {policy:?}");
            assert!(other.is_modified() && other.contains_key("beside"));
            let stored = loaded(&store, &id(&one)).await;
            assert_eq!(fields(&stored), fields(&one), "{name}, {policy:?}");
        }
    }
}

/// What others did to other fields is no reason to refuse; it stays.
pub async fn a_field_inserted_if_unchanged_is_saved_where_others_changed_another(subject: Subject) {
    let store = subject.store();
    let mut one = ann(&store).await;
    let mut other = loaded(&store, &id(&one)).await;
    one.insert("theme", "dark").expect("text serialises");
    store.save(&mut one).await.expect("it saves");
    other
        .insert_if_unchanged("seat", "12A")
        .expect("text serialises");
    store.save(&mut other).await.expect("nobody has this seat");
    let expected = json!({ "user": "ann", "visits": 1, "theme": "dark", "seat": "12A" });
    assert_eq!(json!(fields(&loaded(&store, &id(&one)).await)), expected);
    // It is a condition of that one save.
    one = loaded(&store, &id(&one)).await;
    one.insert("seat", "14C").expect("text serialises");
    store.save(&mut one).await.expect("it saves");
    other.insert("seat", "1F").expect("text serialises");
    store.save(&mut other).await.expect("the later save counts");
}
