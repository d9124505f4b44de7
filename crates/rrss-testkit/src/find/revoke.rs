//! Signing out everywhere.

use rrss::{Error, Session, Store};

use super::ask::{found, handle, handles, id, lives, loaded, login, options, store};
use crate::run::{ROUNDS, at_once, joined};
use crate::{Call, Gate, Side, Subject};

async fn revoke(store: &Store, user: &str) -> u64 {
    store.revoke("user", user).await.expect("revoking works")
}

/// "Ends every session whose field has this value, and says how many: from the next request on, none of them is there."
pub async fn revoke_ends_every_session_of_the_value_and_says_how_many(subject: Subject) {
    const SESSIONS: u64 = 150;
    let store = store(&subject);
    let mut anns = Vec::new();
    for _ in 0..SESSIONS {
        anns.push(login(&subject, &store, "ann").await);
    }
    let bob = login(&subject, &store, "bob").await;
    assert_eq!(revoke(&store, "ann").await, SESSIONS);
    for ann in &anns {
        assert!(!lives(&store, ann).await, "it is there in the next request");
    }
    assert!(lives(&store, &bob).await, "it is another's");
    assert_eq!(found(&store, "ann").await, handles([]));
    assert_eq!(revoke(&store, "ann").await, 0);
    assert_eq!(store.count().await.expect("counting works"), 1);
}

/// Requests that are on their way when a session is revoked do not bring it back.
pub async fn after_revoke_nothing_brings_a_session_back(subject: Subject) {
    let store = store(&subject);
    let mut ann = login(&subject, &store, "ann").await;
    let mut copy = loaded(&store, &ann).await;
    assert_eq!(revoke(&store, "ann").await, 1);
    for session in [&mut ann, &mut copy] {
        session.insert("late", &true).expect("true serialises");
        let saved = store.save(session).await;
        assert!(saved.as_ref().is_err_and(Error::is_gone), "{saved:?}");
        let rotated = store.rotate(session).await;
        assert!(rotated.as_ref().is_err_and(Error::is_gone), "{rotated:?}");
    }
    assert!(!store.touch(&id(&ann)).await.expect("touching works"));
    assert!(!lives(&store, &ann).await);
    assert_eq!(found(&store, "ann").await, handles([]));
    assert_eq!(store.count().await.expect("counting works"), 0);
}

/// "Ends every session … but the one with the id `kept`."
pub async fn revoke_others_keeps_the_one_that_asks(subject: Subject) {
    let store = store(&subject);
    let mut anns = Vec::new();
    for _ in 0..5 {
        anns.push(login(&subject, &store, "ann").await);
    }
    let bob = login(&subject, &store, "bob").await;
    let kept = anns.swap_remove(2);
    let ended = store.revoke_others("user", "ann", &id(&kept)).await;
    assert_eq!(ended.expect("revoking works"), 4);
    assert_eq!(found(&store, "ann").await, handles([&kept]));
    for ann in &anns {
        assert!(!lives(&store, ann).await);
    }
    assert!(lives(&store, &kept).await && lives(&store, &bob).await);
}

/// "Ends the one session with this handle among those whose field has this value, and says whether there was one."
pub async fn revoke_one_ends_the_session_with_that_handle(subject: Subject) {
    let store = store(&subject);
    let one = login(&subject, &store, "ann").await;
    let two = login(&subject, &store, "ann").await;
    let revoke = async || {
        let revoked = store.revoke_one("user", "ann", handle(&one)).await;
        revoked.expect("revoking works")
    };
    assert!(revoke().await, "it was there");
    assert!(!lives(&store, &one).await && lives(&store, &two).await);
    assert!(!revoke().await, "it has ended already");
    assert_eq!(found(&store, "ann").await, handles([&two]));
}

/// "That a handle comes from a page is no harm: it ends none but the sessions of that value."
pub async fn revoke_one_ends_none_of_another_value(subject: Subject) {
    let store = store(&subject);
    let ann = login(&subject, &store, "ann").await;
    let bob = login(&subject, &store, "bob").await;
    let revoked = store.revoke_one("user", "ann", handle(&bob)).await;
    assert!(!revoked.expect("revoking works"));
    assert_eq!(found(&store, "bob").await, handles([&bob]));
    let revoked = store.revoke_one("user", "ann", handle(&ann)).await;
    assert!(revoked.expect("revoking works"), "her own she may end");
}

/// A session that gets a new id while its user is signed out everywhere ends all the same: where it is rotated after it was
/// found and before it is deleted, and where it is revoked before the rotation happens.
pub async fn revoke_ends_what_is_rotated_meanwhile(subject: Subject) {
    let gate = Gate::new();
    let store =
        subject.indexed_store_over(gate.before(subject.clone()), options(), |builder| builder);

    // The rotation comes while the revocation stands between finding and deleting.
    let mut ann = login(&subject, &store, "ann").await;
    let held = gate.hold(Call::Delete, Side::Before);
    let revoking = tokio::spawn({
        let store = store.clone();
        async move { revoke(&store, "ann").await }
    });
    let held = held.arrived().await;
    let rotated = store.rotate(&mut ann).await;
    held.release();
    joined(revoking).await;
    rotated.expect("nothing stood in its way");
    assert!(!lives(&store, &ann).await, "it lives on under its new id");
    assert_eq!(store.count().await.expect("counting works"), 0);

    // The revocation comes before the rotation happens.
    let mut ann = login(&subject, &store, "ann").await;
    let held = gate.hold(Call::Rotate, Side::Before);
    let rotating = tokio::spawn({
        let store = store.clone();
        async move {
            let rotated = store.rotate(&mut ann).await;
            (rotated, ann)
        }
    });
    let held = held.arrived().await;
    assert!(revoke(&store, "ann").await >= 1);
    held.release();
    let (rotated, ann): (_, Session) = joined(rotating).await;
    assert!(rotated.as_ref().is_err_and(Error::is_gone), "{rotated:?}");
    assert!(!lives(&store, &ann).await);
    assert_eq!(store.count().await.expect("counting works"), 0);
}

/// A save and a revocation at once: whichever comes first, the session has ended.
pub async fn revoke_ends_what_is_saved_meanwhile(subject: Subject) {
    let store = store(&subject);
    for round in 0..ROUNDS / 4 {
        let ann = login(&subject, &store, "ann").await;
        let mut copy = loaded(&store, &ann).await;
        copy.insert("late", &round).expect("a number serialises");
        let (saving, revoking) = (store.clone(), store.clone());
        let (saved, revoked) = at_once(async move { saving.save(&mut copy).await }, async move {
            revoke(&revoking, "ann").await
        })
        .await;
        assert!(
            saved.is_ok() || saved.as_ref().is_err_and(Error::is_gone),
            "round {round}: {saved:?}"
        );
        assert_eq!(revoked, 1, "round {round}");
        assert!(!lives(&store, &ann).await, "round {round}: it came back");
    }
    assert_eq!(store.count().await.expect("counting works"), 0);
}
