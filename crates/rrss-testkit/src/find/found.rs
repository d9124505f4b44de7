//! What is found, and what is not.

use std::time::Duration;

use rrss::{Conflict, ErrorKind, Session};
use serde_json::{Value, json};

use super::ask::{all_of, found, handle, handles, id, loaded, login, options, session_of, store};
use crate::Subject;
use crate::secrets::Secrets;

/// "Finds the live sessions whose field has this value": all of them, at any number at a time, and nobody else's.
pub async fn find_names_the_sessions_of_a_value_over_its_pages(subject: Subject) {
    let store = store(&subject);
    assert_eq!(found(&store, "ann").await, handles([]));
    let mut anns = Vec::new();
    for n in 0..21 {
        anns.push(login(&subject, &store, "ann").await);
        if n % 3 == 0 {
            login(&subject, &store, "bob").await;
        }
    }
    for limit in [1, 5, 1_000] {
        let all = all_of(&store, "ann", limit).await;
        let all = all.iter().map(rrss::SessionInfo::handle).collect();
        assert_eq!(handles(&anns), all, "{limit} at a time");
    }
    assert_eq!(found(&store, "bob").await.len(), 7);
    assert_eq!(found(&store, "an").await, handles([]));
}

/// The number `42` and the text `"42"` are found by each other: an id is one in a database and the other in a path.
pub async fn numbers_and_their_text_are_one_value(subject: Subject) {
    let store = store(&subject);
    let mut number = Session::new();
    number.insert("user", &42).expect("a number serialises");
    store.save(&mut number).await.expect("saving works");
    let text = login(&subject, &store, "42").await;
    assert_eq!(found(&store, "42").await, handles([&number, &text]));
    let by_number = store.find("user", &42, None, 10).await;
    assert_eq!(by_number.expect("finding works").sessions.len(), 2);
}

/// "Unrelated save keeps it", and an indexed field beside it is found as well.
pub async fn a_save_that_leaves_the_value_leaves_the_session_found(subject: Subject) {
    let store = store(&subject);
    let ann = login(&subject, &store, "ann").await;
    for round in 0..3 {
        let mut copy = loaded(&store, &ann).await;
        copy.insert("round", &round).expect("a number serialises");
        copy.insert("tenant", "shop").expect("text serialises");
        store.save(&mut copy).await.expect("saving works");
        assert_eq!(found(&store, "ann").await, handles([&ann]));
        let shop = store.find("tenant", "shop", None, 10).await;
        assert_eq!(shop.expect("finding works").sessions.len(), 1);
    }
}

/// "A changed value moves it": at a save, and at one that merges.
pub async fn a_changed_value_moves_the_session(subject: Subject) {
    let store = store(&subject);
    let mut ann = login(&subject, &store, "ann").await;
    assert_eq!(found(&store, "ann").await, handles([&ann]));
    let mut other = loaded(&store, &ann).await;
    ann.insert("user", "bob").expect("text serialises");
    store.save(&mut ann).await.expect("saving works");
    assert_eq!(found(&store, "ann").await, handles([]));
    assert_eq!(found(&store, "bob").await, handles([&ann]));

    other.insert("user", "eve").expect("text serialises");
    store.save(&mut other).await.expect("saving works");
    for nobody in ["ann", "bob"] {
        assert_eq!(found(&store, nobody).await, handles([]), "{nobody}");
    }
    assert_eq!(found(&store, "eve").await, handles([&ann]));
}

/// "A removed value moves it": a field that is removed, or null, is not found.
pub async fn a_removed_value_takes_the_session_out(subject: Subject) {
    let store = store(&subject);
    for value in [None, Some(Value::Null), Some(json!(""))] {
        let mut ann = login(&subject, &store, "ann").await;
        assert_eq!(found(&store, "ann").await, handles([&ann]));
        match &value {
            None => assert!(ann.remove("user"), "it was there"),
            Some(value) => ann.insert("user", value).expect("JSON serialises"),
        }
        store.save(&mut ann).await.expect("saving works");
        assert_eq!(found(&store, "ann").await, handles([]), "{value:?}");
    }
    assert_eq!(found(&store, "").await.len(), 1, "an empty text is a value");
}

/// "Delete … clears it."
pub async fn a_deleted_session_is_not_found(subject: Subject) {
    let store = store(&subject);
    let one = login(&subject, &store, "ann").await;
    let two = login(&subject, &store, "ann").await;
    assert_eq!(found(&store, "ann").await, handles([&one, &two]));
    assert!(store.delete(&id(&one)).await.expect("deleting works"));
    assert_eq!(found(&store, "ann").await, handles([&two]));
}

/// "… and expiry clear it", before any sweep and after.
pub async fn an_expired_session_is_not_found(subject: Subject) {
    let store = store(&subject);
    let stays = login(&subject, &store, "ann").await;
    let (_, deadline, ended) = subject
        .soon(async |_, deadline| {
            let mut session = session_of("ann");
            session.set_expires_at(deadline);
            store.save(&mut session).await.expect("creating works");
            (handle(&session), found(&store, "ann").await)
        })
        .await;
    assert!(ended.1.contains(&ended.0), "it was found before");
    subject.pass(deadline).await;
    assert_eq!(found(&store, "ann").await, handles([&stays]));
    store.sweep().await.expect("sweeping works");
    assert_eq!(found(&store, "ann").await, handles([&stays]));
}

/// A session that lives on is found: its entries get its deadline.
pub async fn a_touched_session_is_found_past_its_old_deadline(subject: Subject) {
    let store = store(&subject);
    let (_, deadline, (ann, touched)) = subject
        .soon(async |_, deadline| {
            let session = login(&subject, &store, "ann").await;
            let mut touched = true;
            for deadline in [deadline, deadline + Duration::from_secs(3600)] {
                let again = store.touch_until(&id(&session), deadline).await;
                touched &= again.expect("touching works");
            }
            (session, touched)
        })
        .await;
    assert!(touched, "it was there");
    subject.pass(deadline).await;
    store.sweep().await.expect("sweeping works");
    assert!(found(&store, "ann").await.contains(&handle(&ann)));
}

/// A rotation of an id: "the index follows."
pub async fn the_index_follows_a_rotation(subject: Subject) {
    let store = store(&subject);
    let mut ann = login(&subject, &store, "ann").await;
    let before = found(&store, "ann").await;
    store.rotate(&mut ann).await.expect("rotating works");
    assert_eq!(found(&store, "ann").await, handles([&ann]));
    assert_ne!(found(&store, "ann").await, before);
    ann.insert("user", "bob").expect("text serialises");
    store.rotate(&mut ann).await.expect("rotating works");
    assert_eq!(found(&store, "ann").await, handles([]));
    assert_eq!(found(&store, "bob").await, handles([&ann]));
}

/// "Each of them was read, and did have it": a stale entry names a session that has another value, and it is not answered.
pub async fn what_a_refused_save_left_in_the_index_is_not_found(subject: Subject) {
    let store = subject.indexed_store_over(subject.clone(), options(), |builder| {
        builder.conflict(Conflict::Reject)
    });
    let mut ann = login(&subject, &store, "ann").await;
    let mut late = loaded(&store, &ann).await;
    ann.insert("theme", "dark").expect("text serialises");
    store.save(&mut ann).await.expect("saving works");
    late.insert("user", "eve").expect("text serialises");
    let refused = store.save(&mut late).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::Conflict));
    assert_eq!(found(&store, "eve").await, handles([]));
    assert_eq!(found(&store, "ann").await, handles([&ann]));
    assert_eq!(
        store.revoke("user", "eve").await.expect("revoking works"),
        0
    );
    assert_eq!(found(&store, "ann").await, handles([&ann]));
}

/// What an account page shows: when it was created, last written, and when it ends; its fields; whether it is the one
/// that asks. It does not show the id.
pub async fn what_is_found_tells_its_times_and_hides_its_id(subject: Subject) {
    let store = store(&subject);
    let deadline = subject.now() + Duration::from_secs(3600);
    let mut ann = session_of("ann");
    ann.insert("device", "a laptop of ann")
        .expect("text serialises");
    ann.set_expires_at(deadline);
    store.save(&mut ann).await.expect("creating works");
    subject.advance(Duration::from_millis(5)).await;
    ann.insert("theme", "dark").expect("text serialises");
    let before = subject.now();
    store.save(&mut ann).await.expect("saving works");
    let other = login(&subject, &store, "bob").await;

    let all = all_of(&store, "ann", 10).await;
    let [info] = &all[..] else {
        panic!("{} sessions were found", all.len());
    };
    assert_eq!(info.created_at(), ann.created_at());
    let written_at = info.written_at().expect("the stored form tells");
    assert!(before <= written_at && written_at <= subject.now());
    assert_eq!(info.expires_at(), Some(deadline));
    let device: Option<String> = info.get("device").expect("it is text");
    assert_eq!(device.as_deref(), Some("a laptop of ann"));
    assert!(info.is(&id(&ann)) && !info.is(&id(&other)));
    assert_eq!(info.handle(), handle(&ann));
    let secrets = Secrets::of([id(&ann).as_str(), "a laptop of ann"]);
    secrets.are_not_shown_by(&format!("{info:?} {info:#?} {}", info.handle()));
}

/// Only what was said to be indexed can be found; a value that has no one text cannot be asked for.
pub async fn an_unindexed_field_is_unsupported(subject: Subject) {
    let store = store(&subject);
    login(&subject, &store, "ann").await;
    let asked = store.find("device", "laptop", None, 10).await;
    assert_eq!(
        asked.map(drop).map_err(|error| error.kind()),
        Err(ErrorKind::Unsupported)
    );
    let asked = store.revoke("device", "laptop").await;
    assert_eq!(
        asked.map_err(|error| error.kind()),
        Err(ErrorKind::Unsupported)
    );
    for value in [json!(null), json!([1]), json!({ "a": 1 })] {
        let asked = store.find("user", &value, None, 10).await;
        let kind = asked.map(drop).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Value), "{value}");
    }
}

/// An indexed field that is an array or an object is refused when it is saved, and what is stored stays.
pub async fn a_value_that_cannot_be_indexed_is_refused_and_not_stored(subject: Subject) {
    let store = store(&subject);
    let mut ann = login(&subject, &store, "ann").await;
    for value in [
        json!(["hunter2-hunter2"]),
        json!({ "pin": "hunter2-hunter2" }),
    ] {
        ann.insert("user", &value).expect("JSON serialises");
        let error = store.save(&mut ann).await.expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::Value);
        Secrets::of(["hunter2-hunter2"]).are_not_in(&error);
        assert_eq!(found(&store, "ann").await, handles([&ann]));

        let mut new = Session::new();
        new.insert("user", &value).expect("JSON serialises");
        let error = store.save(&mut new).await.expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(new.is_new() && new.id().is_none());
    }
    assert_eq!(store.count().await.expect("counting works"), 1);
}
