//! How often a load that is answered from here asks for memory. Counted per thread, so tests beside each other do not disturb.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rrss::{Session, Store};
use rrss_cache as _;

/// On one poll: what is answered from here does not wait.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn a_load_that_is_answered_from_here_allocates_twice_whatever_its_size() {
    for length in [100, 1_000, 100_000] {
        let store = Store::from_toml(
            "step = [{ type = 'key-mapper' }, { type = 'expiry' }, { type = 'cache', on_untracked = 'max-age' }, \
             { type = 'json-codec' }, { type = 'compression' }, { type = 'memory' }]",
        )
        .unwrap();
        let mut session = Session::new();
        session.insert("user_id", &42).unwrap();
        session.insert("text", &"x".repeat(length)).unwrap();
        at_once(store.save(&mut session)).unwrap();
        let id = session.id().unwrap().clone();
        at_once(store.load(&id)).unwrap().unwrap();

        let mut loaded = None;
        let seen = allocation_counter::measure(|| {
            loaded = at_once(store.load(&id)).unwrap();
        });
        assert_eq!(seen.count_total, 2, "{length}");
        assert!(seen.bytes_total < 4_096, "{length}: {}", seen.bytes_total);
        let loaded = loaded.unwrap();
        assert_eq!(loaded.get::<u64>("user_id").unwrap(), Some(42));
    }
}
