//! How many sessions one value may have.

use std::sync::Arc;

use rrss::ErrorKind;
use rrss_core::OnLimit;
use tokio::sync::Barrier;

use super::ask::{found, handles, id, limited, lives, login, session_of};
use crate::Subject;
use crate::run::joined;

/// With `on_limit = "evict-oldest"`, "the oldest sessions of that value end", and nobody else's.
pub async fn one_session_too_many_ends_the_oldest(subject: Subject) {
    let store = limited(&subject, 2, OnLimit::EvictOldest);
    let bob = login(&subject, &store, "bob").await;
    let mut anns = Vec::new();
    for n in 0..4 {
        anns.push(login(&subject, &store, "ann").await);
        let youngest = &anns[anns.len().saturating_sub(2)..];
        assert_eq!(found(&store, "ann").await, handles(youngest), "after {n}");
    }
    assert!(!lives(&store, &anns[1]).await && lives(&store, &anns[2]).await);
    assert!(lives(&store, &bob).await);
    // A session that had no user gets one: that is a login too.
    let mut guest = session_of("guest");
    store.save(&mut guest).await.expect("saving works");
    guest.insert("user", "ann").expect("text serialises");
    store.rotate(&mut guest).await.expect("rotating works");
    assert_eq!(found(&store, "ann").await, handles([&anns[3], &guest]));
}

/// With `on_limit = "reject"`, "the save that would add one is refused", and all stays as it was.
pub async fn one_session_too_many_is_refused_where_the_limit_rejects(subject: Subject) {
    let store = limited(&subject, 2, OnLimit::Reject);
    let one = login(&subject, &store, "ann").await;
    let two = login(&subject, &store, "ann").await;
    let mut new = session_of("ann");
    let mut guest = login(&subject, &store, "guest").await;
    guest.insert("user", "ann").expect("text serialises");
    for session in [&mut new, &mut guest] {
        let error = store.save(session).await.expect_err("it is one too many");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(session.is_modified(), "it can be saved later");
        assert_eq!(found(&store, "ann").await, handles([&one, &two]));
    }
    assert!(new.is_new());
    assert_eq!(store.count().await.expect("counting works"), 3);
    assert!(store.delete(&id(&one)).await.expect("deleting works"));
    store.save(&mut guest).await.expect("there is room again");
    assert_eq!(found(&store, "ann").await, handles([&two, &guest]));
}

/// A save of a session that has the value already adds none, however many there are.
pub async fn a_save_that_adds_no_value_ends_nobody(subject: Subject) {
    for on_limit in [OnLimit::EvictOldest, OnLimit::Reject] {
        let store = limited(&subject, 2, on_limit);
        let user = format!("{on_limit:?}");
        let mut one = login(&subject, &store, &user).await;
        let mut two = login(&subject, &store, &user).await;
        for round in 0..3 {
            for session in [&mut one, &mut two] {
                session
                    .insert("round", &round)
                    .expect("a number serialises");
                store.save(session).await.expect("it adds none");
            }
            store.rotate(&mut two).await.expect("it adds none");
            assert_eq!(found(&store, &user).await, handles([&one, &two]));
        }
    }
}

/// "How many live sessions may have the same value": what was deleted or has expired makes room.
pub async fn sessions_that_have_ended_take_up_no_room(subject: Subject) {
    let store = limited(&subject, 2, OnLimit::Reject);
    let stays = login(&subject, &store, "ann").await;
    let goes = login(&subject, &store, "ann").await;
    assert!(store.delete(&id(&goes)).await.expect("deleting works"));
    let (_, deadline, _) = subject
        .soon(async |_, deadline| {
            let mut session = session_of("ann");
            session.set_expires_at(deadline);
            store
                .save(&mut session)
                .await
                .map(drop)
                .map_err(|error| error.kind())
        })
        .await;
    subject.pass(deadline).await;
    let new = login(&subject, &store, "ann").await;
    assert_eq!(found(&store, "ann").await, handles([&stays, &new]));
}

/// Many log in at the same moment: when all are answered no more are there than may be, and where logins are refused, those
/// that were not are there.
pub async fn of_many_logins_at_once_no_more_than_the_limit_stay(subject: Subject) {
    const LOGINS: usize = 8;
    for on_limit in [OnLimit::EvictOldest, OnLimit::Reject] {
        let store = limited(&subject, 3, on_limit);
        for round in 0..4 {
            let user = format!("{on_limit:?}-{round}");
            let start = Arc::new(Barrier::new(LOGINS));
            let logins: Vec<_> = (0..LOGINS)
                .map(|_| {
                    let (store, start) = (store.clone(), start.clone());
                    let mut session = session_of(&user);
                    tokio::spawn(async move {
                        start.wait().await;
                        store.save(&mut session).await.map(|_| session)
                    })
                })
                .collect();
            let mut answered = Vec::new();
            for login in logins {
                match joined(login).await {
                    Ok(session) => answered.push(session),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
                        assert_eq!(on_limit, OnLimit::Reject);
                    }
                }
            }
            let found = found(&store, &user).await;
            assert!(found.len() <= 3, "{} stay, {user}", found.len());
            if on_limit == OnLimit::Reject {
                assert_eq!(found, handles(&answered), "{user}");
            } else {
                assert!(!found.is_empty(), "all were ended, {user}");
            }
        }
    }
}
