//! What a request costs, counted at the backend and by a server of Redis.

use rrss::Store;
use rrss::key_mapper::IdFormat;
use rrss_test_servers::{Flavor, RedisServer};
use rrss_testkit::{Call, Counts};
use serde_json::json;

use super::RrssStore;
use super::app::open;
use super::records::record;
use super::tower::SessionStore as _;
use super::tower::session::Id;
use crate::stores;

const FORMS: [IdFormat; 2] = [IdFormat::Uuid, IdFormat::TowerSessions];

/// Asserts what was asked since the last time, in all and of each call.
fn assert_asked<const N: usize>(counts: &Counts, calls: [(Call, u64); N]) {
    for (call, times) in calls {
        assert_eq!(counts.of(call), times, "{call:?}");
    }
    let all: u64 = calls.iter().map(|(_, times)| times).sum();
    assert_eq!(counts.total(), all);
    counts.reset();
}

#[tokio::test]
async fn a_request_asks_the_backend_for_no_more_than_it_needs() {
    for ids in FORMS {
        let (store, counts) = stores::counted(ids);
        let mut browser = open(RrssStore::new(store)).await;
        browser.text("/untouched").await;
        browser.text("/get/cart").await;
        browser.text("/logout").await;
        assert_asked(&counts, []);
        browser.text("/set/cart/tea").await;
        assert_asked(&counts, [(Call::Create, 1)]);
        browser.text("/untouched").await;
        assert_asked(&counts, []);
        browser.text("/get/cart").await;
        assert_asked(&counts, [(Call::Load, 1)]);
        browser.text("/set/cart/milk").await;
        assert_asked(&counts, [(Call::Load, 2), (Call::Update, 1)]);
        browser.text("/login/ann").await;
        assert_asked(
            &counts,
            [(Call::Load, 1), (Call::Delete, 1), (Call::Create, 1)],
        );
        browser.text("/logout").await;
        assert_asked(&counts, [(Call::Delete, 1)]);
    }
}

#[tokio::test]
async fn a_record_without_data_is_created_at_once_and_has_nothing_in_it() {
    let (store, counts) = stores::counted(IdFormat::Uuid);
    let store = RrssStore::new(store);
    let mut empty = record([]);
    store.create(&mut empty).await.unwrap();
    assert_asked(&counts, [(Call::Create, 1)]);
    let stored = store.load(&empty.id).await.unwrap().unwrap();
    assert_eq!(stored, empty);
}

#[tokio::test]
async fn the_form_that_is_not_the_stores_own_costs_nothing() {
    for ids in FORMS {
        let (store, counts) = stores::counted(ids);
        let store = RrssStore::new(store);
        let made_up = record([("user_id", json!(42))]);
        assert_eq!(store.load(&Id::default()).await.unwrap(), None);
        assert_asked(&counts, [(Call::Load, 1)]);
        store.delete(&Id::default()).await.unwrap();
        assert_asked(&counts, [(Call::Delete, 1)]);
        assert!(store.save(&made_up).await.is_err());
        assert_asked(&counts, [(Call::Load, 1)]);
    }
}

#[tokio::test]
async fn on_redis_a_request_that_reads_is_one_get() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let store = Store::from_toml(&format!(
            "step = [{{ type = 'key-mapper' }}, {{ type = 'expiry' }}, {{ type = 'json-codec' }},
                     {{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}]",
            server.url()
        ))
        .unwrap();
        let mut browser = open(RrssStore::new(store.clone())).await;
        browser.text("/login/ann").await;
        server.reset_counts();
        browser.text("/untouched").await;
        assert_eq!(server.command_counts(), [].into());
        assert_eq!(browser.text("/get/user_id").await, r#""ann""#);
        assert_eq!(server.command_counts(), [("get".to_owned(), 1)].into());
        browser.text("/set/cart/tea").await;
        browser.text("/login/bob").await;
        assert_eq!(browser.text("/get/cart").await, r#""tea""#);

        let [key] = &server.scan("*")[..] else {
            panic!("there is one session");
        };
        let seconds: u64 = server.command(&["TTL", key]).parse().unwrap();
        assert!(seconds.abs_diff(14 * 24 * 3600) < 60, "{seconds}");
        browser.text("/logout").await;
        assert_eq!(store.count().await.unwrap(), 0);
    }
}
