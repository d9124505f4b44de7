//! A `cache` above hashed keys: what others do reaches what is at hand here, under whichever of its keys a session is.

use std::time::{Duration, Instant};

use rrss::{
    Cache, Clock, Expiry, Index, JsonCodec, KeyMapper, Redis, Session, SessionId, Store,
    SystemClock, cache, index,
};
use rrss_test_servers::{Flavor, RedisServer};

use crate::support::{HOUR, Keys, loaded, login};

/// Far longer than the server takes to tell.
const SOON: Duration = Duration::from_secs(60);

/// Processes over one server: one that does not hash yet, and two that do, of which one has a cache.
struct Processes {
    before: Store,
    here: Store,
    there: Store,
    server: RedisServer,
}

impl Processes {
    fn on(flavor: Flavor) -> Self {
        let server = RedisServer::start(flavor);
        let hashed = Keys::HashedSince(SystemClock.now() + HOUR);
        Self {
            before: store(&server, Keys::Raw, false),
            here: store(&server, hashed, true),
            there: store(&server, hashed, false),
            server,
        }
    }

    /// Loads here until what is answered is as it is to be.
    async fn until(&self, what: &str, id: &SessionId, is: impl Fn(Option<&Session>) -> bool) {
        let start = Instant::now();
        loop {
            let seen = match self.here.load(id).await {
                // It was rotated away a moment ago.
                Err(error) if error.is_gone() => None,
                seen => seen.unwrap(),
            };
            if is(seen.as_ref()) {
                return;
            }
            assert!(start.elapsed() < SOON, "{what}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The commands that loads of a session that is at hand send, by how often each is sent.
    async fn sent_for_100_loads(&self, id: &SessionId) -> Vec<(String, u64)> {
        loaded(&self.here, id).await;
        self.server.reset_counts();
        for _ in 0..100 {
            loaded(&self.here, id).await;
        }
        self.server.command_counts().into_iter().collect()
    }
}

fn store(server: &RedisServer, keys: Keys, is_cached: bool) -> Store {
    let mut steps = Store::builder()
        .step::<KeyMapper>(keys.options("sessions:"))
        .step::<Expiry>(Default::default())
        .step::<Index>(index::Options::of(["user"]));
    if is_cached {
        steps = steps.step::<Cache>(cache::Options {
            max_age: HOUR.into(),
            ..Default::default()
        });
    }
    let redis = rrss::redis::Options {
        url: Some(server.url().parse().unwrap()),
        timeout: SOON.into(),
        connect_timeout: SOON.into(),
        ..Default::default()
    };
    let steps = steps.step::<JsonCodec>(Default::default());
    steps.step::<Redis>(redis).build().unwrap()
}

async fn changed_by(store: &Store, id: &SessionId) {
    let mut session = loaded(store, id).await;
    session.insert("seen", &true).unwrap();
    store.save(&mut session).await.unwrap();
}

#[tokio::test]
async fn an_old_session_at_hand_is_changed_and_ended_by_every_other_process() {
    for flavor in Flavor::ALL {
        let processes = Processes::on(flavor);
        for other in [&processes.before, &processes.there] {
            let id = login(&processes.before, "ann").await;
            loaded(&processes.here, &id).await;
            changed_by(other, &id).await;
            let is_changed = |seen: Option<&Session>| seen.unwrap().len() == 2;
            processes.until("a save", &id, is_changed).await;

            assert!(other.delete(&id).await.unwrap());
            processes
                .until("a delete", &id, |seen| seen.is_none())
                .await;

            let id = login(&processes.before, "bob").await;
            loaded(&processes.here, &id).await;
            assert_eq!(other.revoke("user", "bob").await.unwrap(), 1);
            processes
                .until("a revoke", &id, |seen| seen.is_none())
                .await;
        }
    }
}

#[tokio::test]
async fn a_session_of_a_hashed_key_at_hand_is_changed_and_ended_by_another_process() {
    for flavor in Flavor::ALL {
        let processes = Processes::on(flavor);
        let id = login(&processes.there, "ann").await;
        loaded(&processes.here, &id).await;
        changed_by(&processes.there, &id).await;
        let is_changed = |seen: Option<&Session>| seen.unwrap().len() == 2;
        processes.until("a save", &id, is_changed).await;
        assert!(processes.there.delete(&id).await.unwrap());
        processes
            .until("a delete", &id, |seen| seen.is_none())
            .await;
    }
}

#[tokio::test]
async fn an_old_session_at_hand_is_gone_once_another_process_has_moved_it_to_a_new_id() {
    for flavor in Flavor::ALL {
        let processes = Processes::on(flavor);
        let id = login(&processes.before, "ann").await;
        loaded(&processes.here, &id).await;
        let mut session = loaded(&processes.there, &id).await;
        processes.there.rotate(&mut session).await.unwrap();
        processes
            .until("a rotation", &id, |seen| seen.is_none())
            .await;
        let new = session.id().unwrap();
        assert_eq!(loaded(&processes.here, new).await.len(), 1);
        assert!(processes.before.load(new).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_session_that_was_ended_here_is_not_at_hand_any_more() {
    for flavor in Flavor::ALL {
        let processes = Processes::on(flavor);
        let old = login(&processes.before, "ann").await;
        let new = login(&processes.here, "ann").await;
        for id in [&old, &new] {
            loaded(&processes.here, id).await;
            assert!(processes.here.delete(id).await.unwrap());
            assert!(processes.here.load(id).await.unwrap().is_none());
        }
    }
}

/// An old one is looked for under its digest first, which is not there: that is asked each time until the date.
#[tokio::test]
async fn a_session_at_hand_is_not_asked_for_again() {
    for flavor in Flavor::ALL {
        let processes = Processes::on(flavor);
        let new = login(&processes.here, "ann").await;
        assert_eq!(processes.sent_for_100_loads(&new).await, []);
        let old = login(&processes.before, "ann").await;
        let sent = processes.sent_for_100_loads(&old).await;
        let expected = ["get", "pexpiretime"].map(|name| (name.to_owned(), 100));
        assert_eq!(sent, expected);
    }
}
