//! What is promised where the backend fails, or holds what is no session.

use rrss::{ErrorKind, Saved, Session};
use rrss_core::Deadline;

use super::ask::{ann, count, fields, id, loaded, save_beside_others};
use crate::secrets::Secrets;
use crate::{Call, Faults, Side, Subject};

/// "'No such session' and 'the backend is down' are different answers": the backend's error comes through as it
/// is, from every operation.
pub async fn an_outage_is_an_error_and_never_a_missing_session(subject: Subject) {
    for kind in [ErrorKind::Unavailable, ErrorKind::Timeout] {
        let faults = Faults::new();
        let store = subject.store_over(faults.before(subject.clone()));
        let mut stored = ann(&store).await;
        let key = id(&stored);
        stored.insert("visits", &2).expect("it serialises");
        let mut new = Session::new();
        new.insert("user", "bob").expect("text serialises");
        faults.fail_all(kind);
        let later = super::ask::an_hour_from(&subject);
        let failed = [
            ("load", store.load(&key).await.err()),
            ("create", store.save(&mut new).await.err()),
            ("update", store.save(&mut stored).await.err()),
            ("touch", store.touch(&key).await.err()),
            ("touch_until", store.touch_until(&key, later).await.err()),
            ("delete", store.delete(&key).await.err()),
            ("rotate", store.rotate(&mut stored).await.err()),
            ("list", store.list(None, 10).await.err()),
            ("count", store.count().await.err()),
            ("sweep", store.sweep().await.err()),
            ("ping", store.ping().await.err()),
        ];
        for (operation, error) in failed {
            let answered = error.map(|error| error.kind());
            assert_eq!(answered, Some(kind), "{operation}");
        }
    }
}

/// "The session is left as it was where this fails, so that it can be saved again"; what is stored stays.
pub async fn an_outage_leaves_everything_as_it_was(subject: Subject) {
    let faults = Faults::new();
    let store = subject.store_over(faults.before(subject.clone()));
    let mut new = Session::new();
    new.insert("user", "ann").expect("text serialises");
    faults.fail(Call::Create, 1, Side::Before, ErrorKind::Unavailable);
    assert!(store.save(&mut new).await.is_err());
    assert!(new.is_new() && new.is_modified() && new.id().is_none());
    assert_eq!(
        store.save(&mut new).await.expect("saving works"),
        Saved::Created
    );

    let before = fields(&new);
    new.insert("visits", &2).expect("it serialises");
    let after = fields(&new);
    for side in [Side::Before, Side::After] {
        faults.fail(Call::Update, 1, side, ErrorKind::Timeout);
        assert!(store.save(&mut new).await.is_err());
        assert!(new.is_modified() && fields(&new) == after);
        let stored = fields(&loaded(&store, &id(&new)).await);
        let carried_out = side == Side::After;
        assert_eq!(
            stored,
            if carried_out {
                after.clone()
            } else {
                before.clone()
            }
        );
    }
    assert_eq!(
        store.save(&mut new).await.expect("saving works"),
        save_beside_others(&subject),
        "the try whose answer was lost had stored the same"
    );
    assert_eq!(fields(&loaded(&store, &id(&new)).await), after);
    assert_eq!(count(&store).await, 1);
}

/// `Corrupt` "where what it holds is no session. The stored bytes stay as they are."
pub async fn what_is_no_session_is_corrupt_and_stays_as_it_is(subject: Subject) {
    let store = subject.store();
    let session = ann(&store).await;
    let names = subject.names(&subject.key_space(), 10).await;
    let name = names
        .first()
        .expect("the session has a key in the key space");
    for bytes in [
        &b"\xff\xfe no session"[..],
        b"",
        b"[1]",
        b"{\"user\":\"ann\"",
        b"null",
    ] {
        subject.update(name, bytes, Deadline::Keep).await;
        let error = store
            .load(&id(&session))
            .await
            .expect_err("it is no session");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        assert_eq!(subject.read(name).await.as_deref(), Some(bytes));
    }
}

/// "No session id, key material, password or field value reaches … an error text … or `Debug`."
pub async fn no_error_and_no_debug_shows_an_id_or_a_value(subject: Subject) {
    let faults = Faults::new();
    let store = subject.store_over(faults.before(subject.clone()));
    let mut session = Session::new();
    session
        .insert("card", "4111-1111")
        .expect("text serialises");
    store.save(&mut session).await.expect("saving works");
    let key = id(&session);
    let secrets = Secrets::of([key.as_str(), "4111-1111"]);

    let mut errors = Vec::new();
    errors.extend(session.get::<u8>("card").err());
    let mut same = Session::with_id(key.clone());
    same.insert("card", "4111-1111").expect("text serialises");
    errors.extend(store.save(&mut same).await.err());
    faults.fail_all(ErrorKind::Unavailable);
    errors.extend(store.load(&key).await.err());
    session.insert("visits", &1).expect("it serialises");
    errors.extend(store.save(&mut session).await.err());
    faults.heal();
    // What keeps fields can be given no bytes that are no session.
    let kinds = if subject.keeps_fields() { 6 } else { 7 };
    if !subject.keeps_fields() {
        let names = subject.names(&subject.key_space(), 10).await;
        let name = names
            .first()
            .expect("the session has a key in the key space");
        subject
            .update(name, b"{\"card\":\"4111-1111\",}", Deadline::Keep)
            .await;
        errors.extend(store.load(&key).await.err());
    }
    store.delete(&key).await.expect("deleting works");
    errors.extend(store.save(&mut session).await.err());
    errors.extend(store.rotate(&mut session).await.err());

    assert_eq!(errors.len(), kinds, "{errors:?}");
    for error in &errors {
        secrets.are_not_in(error);
    }
    for shown in [
        format!("{session:?}"),
        format!("{session:#?}"),
        format!("{store:?}"),
    ] {
        secrets.are_not_shown_by(&shown);
    }
}
