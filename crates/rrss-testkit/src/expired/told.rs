//! What the listeners of a store are told.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rrss::{Expired, Session, Store};
use rrss_core::{Handle, Timestamp};
use rrss_index::Options;

use super::ask::LONG;
use crate::Subject;
use crate::run::at_once;

/// A store that tells of expired sessions, which have a `user`.
fn store(subject: &Subject) -> Store {
    let options = Options {
        keep_expired: Some(LONG.into()),
        ..Options::of(["user"])
    };
    subject.indexed_store_over(subject.clone(), options, |builder| builder)
}

/// What was told, and how often.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Expired>>>);

impl Told {
    fn listen(&self, store: &Store) {
        let told = self.clone();
        let listener = move |expired| {
            told.lock().push(expired);
            async { Ok::<(), io::Error>(()) }
        };
        store
            .on_expired(listener)
            .expect("the step keeps what is told");
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Expired>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often each session was told of.
    fn times(&self) -> BTreeMap<Handle, usize> {
        let mut times = BTreeMap::new();
        for expired in &*self.lock() {
            *times.entry(expired.handle()).or_default() += 1;
        }
        times
    }
}

/// A new session of `user`, stored until `deadline`.
async fn login(store: &Store, user: &str, deadline: Timestamp) -> Session {
    let mut session = Session::new();
    session.insert("user", user).expect("text serialises");
    session.insert("cart", "tea").expect("text serialises");
    session.set_expires_at(deadline);
    store.save(&mut session).await.expect("creating works");
    session
}

fn handle(session: &Session) -> Handle {
    Handle::of(session.id().expect("a stored session has an id"))
}

async fn sweep(store: &Store) {
    store.sweep().await.expect("sweeping works");
}

/// "For each session that expires": its handle, its indexed fields and its deadline, and no other field.
pub async fn an_expired_session_is_told_with_its_handle_and_indexed_fields(subject: Subject) {
    let (store, told) = (store(&subject), Told::default());
    told.listen(&store);
    let (_, deadline, (ann, early)) = subject
        .soon(async |_, deadline| {
            let ann = login(&store, "ann", deadline).await;
            sweep(&store).await;
            (ann, told.times())
        })
        .await;
    assert!(!early.contains_key(&handle(&ann)), "it has not expired");
    subject.pass(deadline).await;
    sweep(&store).await;
    let all = told.lock().clone();
    let expired = all.iter().find(|told| told.handle() == handle(&ann));
    let expired = expired.expect("it has expired, and is told");
    assert_eq!(
        expired.get::<String>("user").ok().flatten().as_deref(),
        Some("ann")
    );
    assert_eq!(expired.fields().collect::<Vec<_>>(), [("user", "\"ann\"")]);
    assert_eq!(expired.expired_at(), deadline);
    sweep(&store).await;
    assert_eq!(told.times()[&handle(&ann)], 1, "it was told already");
}

/// "One that was deleted, revoked or rotated is not told"; the one that it was rotated to is.
pub async fn a_session_that_was_ended_or_rotated_is_not_told(subject: Subject) {
    let (store, told) = (store(&subject), Told::default());
    told.listen(&store);
    let (_, deadline, (silent, renewed)) = subject
        .soon(async |_, deadline| {
            let deleted = login(&store, "bob", deadline).await;
            let id = deleted.id().expect("it is stored");
            store.delete(id).await.expect("deleting works");
            let revoked = login(&store, "eve", deadline).await;
            store.revoke("user", "eve").await.expect("revoking works");
            let rotated = login(&store, "ann", deadline).await;
            let mut renewed = rotated.clone();
            let done = store.rotate(&mut renewed).await;
            let silent = [deleted, revoked, rotated].map(|session| handle(&session));
            (silent, done.is_ok().then(|| handle(&renewed)))
        })
        .await;
    subject.pass(deadline).await;
    sweep(&store).await;
    let told = told.times();
    let renewed = renewed.expect("the session was there to be rotated");
    assert!(told.contains_key(&renewed), "the new one has expired");
    for silent in silent {
        assert!(!told.contains_key(&silent), "it did not expire");
    }
}

/// A session that was given more time has not expired.
pub async fn a_session_that_was_touched_is_not_told(subject: Subject) {
    let (store, told) = (store(&subject), Told::default());
    told.listen(&store);
    let (_, deadline, (touched, other)) = subject
        .soon(async |_, deadline| {
            let touched = login(&store, "ann", deadline).await;
            let other = login(&store, "bob", deadline).await;
            let id = touched.id().expect("it is stored");
            let done = store.touch_until(id, deadline + LONG).await;
            (
                done.is_ok_and(|done| done).then(|| handle(&touched)),
                handle(&other),
            )
        })
        .await;
    subject.pass(deadline).await;
    sweep(&store).await;
    let touched = touched.expect("the session was there to be touched");
    let told = told.times();
    assert!(told.contains_key(&other) && !told.contains_key(&touched));
}

/// "A listener that fails or panics disturbs neither the others nor the sweep."
pub async fn a_listener_that_fails_keeps_nobody_from_being_told(subject: Subject) {
    let (store, told) = (store(&subject), Told::default());
    let fails = |_: Expired| async { Err::<(), _>(io::Error::other("the test lets it fail")) };
    store
        .on_expired(fails)
        .expect("the step keeps what is told");
    told.listen(&store);
    let panics = |expired: Expired| async move {
        match expired.get::<String>("user") {
            Ok(Some(user)) if user == "ann" => panic!("the test lets it panic"),
            _ => Ok::<(), io::Error>(()),
        }
    };
    store
        .on_expired(panics)
        .expect("the step keeps what is told");
    let (_, deadline, all) = subject
        .soon(async |_, deadline| {
            let ann = login(&store, "ann", deadline).await;
            let bob = login(&store, "bob", deadline).await;
            [handle(&ann), handle(&bob)]
        })
        .await;
    subject.pass(deadline).await;
    sweep(&store).await;
    for handle in all {
        assert!(told.times().contains_key(&handle), "it has expired");
    }
}

/// "Of many processes on one backend, those that listen share the events."
pub async fn of_two_stores_that_sweep_at_once_one_tells_of_each_session(subject: Subject) {
    let told = Told::default();
    let stores = [store(&subject), store(&subject)];
    for store in &stores {
        told.listen(store);
    }
    let (_, deadline, all) = subject
        .soon(async |_, deadline| {
            let mut all = Vec::new();
            for n in 0..40 {
                let session = login(&stores[n % 2], &format!("user-{n}"), deadline).await;
                all.push(handle(&session));
            }
            all
        })
        .await;
    subject.pass(deadline).await;
    subject.advance(Duration::from_millis(1)).await;
    let [one, other] = stores;
    let (one, other) = at_once(async move { one.sweep().await }, async move {
        other.sweep().await
    })
    .await;
    assert!(one.is_ok() && other.is_ok(), "{one:?}, {other:?}");
    let times = told.times();
    for handle in all {
        assert_eq!(times.get(&handle), Some(&1));
    }
}
