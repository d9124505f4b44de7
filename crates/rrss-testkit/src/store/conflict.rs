//! What a save promises when others have changed the session since it was loaded.

use std::sync::Arc;

use rrss::{Conflict, ErrorKind, Saved, Session};
use serde_json::json;
use tokio::sync::Barrier;

use super::ask::{ann, fields, id, is_gone, loaded, save_beside_others};
use crate::Subject;
use crate::run::joined;

/// Two copies of one session, loaded at the same time.
async fn copies(store: &rrss::Store) -> (Session, Session) {
    let ann = ann(store).await;
    (
        loaded(store, &id(&ann)).await,
        loaded(store, &id(&ann)).await,
    )
}

fn insert(session: &mut Session, name: &str, value: &str) {
    session.insert(name, value).expect("text serialises");
}

/// "Two copies of one session write different fields: both survive", and where they were merged the later copy shows both.
pub async fn saves_of_different_fields_both_survive(subject: Subject) {
    let store = subject.store();
    let (mut one, mut other) = copies(&store).await;
    insert(&mut one, "theme", "dark");
    one.remove("visits");
    insert(&mut other, "cart", "tea");
    assert_eq!(
        store.save(&mut one).await.expect("it saves"),
        Saved::Replaced
    );
    let answer = save_beside_others(&subject);
    let mine = json!({ "user": "ann", "visits": 1, "cart": "tea" });
    assert_eq!(store.save(&mut other).await.expect("it saves"), answer);
    let expected = json!({ "user": "ann", "theme": "dark", "cart": "tea" });
    assert_eq!(json!(fields(&loaded(&store, &id(&one)).await)), expected);
    let shown = if answer == Saved::Merged {
        expected
    } else {
        mine
    };
    assert_eq!(json!(fields(&other)), shown);
    assert!(!other.is_modified() && other.created_at() == one.created_at());
}

/// A field that both changed gets the value of the later save; a removal is a value too.
pub async fn of_two_saves_of_one_field_the_later_counts(subject: Subject) {
    let store = subject.store();
    let (mut one, mut other) = copies(&store).await;
    insert(&mut one, "user", "bob");
    insert(&mut one, "visits", "many");
    insert(&mut other, "user", "eve");
    other.remove("visits");
    store.save(&mut one).await.expect("it saves");
    store.save(&mut other).await.expect("it merges");
    assert_eq!(
        json!(fields(&loaded(&store, &id(&one)).await)),
        json!({ "user": "eve" })
    );
}

/// A copy that was saved can be changed and saved again, after others saved in between.
pub async fn a_merged_session_can_be_saved_again(subject: Subject) {
    let store = subject.store();
    let (mut one, mut other) = copies(&store).await;
    for round in 0..4 {
        insert(&mut one, &format!("one-{round}"), "mine");
        insert(&mut other, &format!("other-{round}"), "theirs");
        store.save(&mut one).await.expect("it saves");
        store.save(&mut other).await.expect("it saves");
    }
    let stored = loaded(&store, &id(&one)).await;
    assert_eq!(stored.len(), 2 + 8);
    for (name, value) in fields(&other) {
        assert_eq!(fields(&stored).get(&name), Some(&value), "{name}");
    }
    let merges = save_beside_others(&subject) == Saved::Merged;
    assert_eq!(other.len() == stored.len(), merges);
}

/// "Zero lost": many requests of one browser at once, each with a field of its own.
pub async fn of_many_saves_at_once_none_is_lost(subject: Subject) {
    const TASKS: usize = 8;
    let store = subject.store();
    let ann = ann(&store).await;
    let start = Arc::new(Barrier::new(TASKS));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (store, start, id) = (store.clone(), start.clone(), id(&ann));
            tokio::spawn(async move {
                let mut session = loaded(&store, &id).await;
                start.wait().await;
                for change in 0..4 {
                    insert(&mut session, &format!("{task}-{change}"), "kept");
                    store.save(&mut session).await.expect("it merges");
                }
            })
        })
        .collect();
    for task in tasks {
        joined(task).await;
    }
    assert_eq!(loaded(&store, &id(&ann)).await.len(), 2 + TASKS * 4);
}

/// Nothing brings a session back: a save that meets a change and then a delete answers `Gone`.
pub async fn a_conflict_with_a_session_that_is_gone_answers_gone(subject: Subject) {
    let store = subject.store();
    let (mut one, mut other) = copies(&store).await;
    insert(&mut one, "theme", "dark");
    store.save(&mut one).await.expect("it saves");
    store.delete(&id(&one)).await.expect("it deletes");
    is_gone(&store, &mut other).await;
    is_gone(&store, &mut one).await;
}

/// Where the policy is to reject, a save that meets a change stores nothing and leaves the session as it was.
pub async fn a_rejected_save_is_a_conflict_and_stores_nothing(subject: Subject) {
    let store = subject.store_with(|builder| builder.conflict(Conflict::Reject));
    let (mut one, mut other) = copies(&store).await;
    insert(&mut one, "theme", "dark");
    insert(&mut other, "cart", "tea");
    store.save(&mut one).await.expect("it saves");
    let error = store.save(&mut other).await.expect_err("it was changed");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(other.is_modified() && other.contains_key("cart"));
    let stored = loaded(&store, &id(&one)).await;
    assert!(stored.contains_key("theme") && !stored.contains_key("cart"));
}

/// Where the policy is that the last write counts, a save replaces what others changed: the whole session, or the same
/// fields where a backend keeps fields.
pub async fn the_last_write_replaces_what_others_changed(subject: Subject) {
    let store = subject.store_with(|builder| builder.conflict(Conflict::LastWrite));
    let (mut one, mut other) = copies(&store).await;
    insert(&mut one, "theme", "dark");
    insert(&mut other, "cart", "tea");
    store.save(&mut one).await.expect("it saves");
    assert_eq!(
        store.save(&mut other).await.expect("it saves"),
        Saved::Replaced
    );
    let stored = fields(&loaded(&store, &id(&one)).await);
    let mut expected = fields(&other);
    if subject.keeps_fields() {
        expected.insert("theme".to_owned(), json!("dark"));
    }
    assert_eq!(stored, expected);
    assert!(!other.contains_key("theme"));
}
