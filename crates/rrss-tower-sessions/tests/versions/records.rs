//! What the store does with records, without a layer.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use rrss::core::Action;
use rrss::key_mapper::IdFormat;
use rrss::{ErrorKind, Memory, Session, SessionId, Shape, Store};
use serde_json::{Value, json};

use super::RrssStore;
use super::tower::cookie::time::{self, OffsetDateTime};
use super::tower::session::{Id, Record};
use super::tower::session_store::Error;
use super::tower::{ExpiredDeletion as _, SessionStore as _};
use crate::stores;

/// One that ends in an hour.
pub(crate) fn record<const N: usize>(data: [(&str, Value); N]) -> Record {
    let millisecond = OffsetDateTime::now_utc().replace_nanosecond(7_000_000);
    Record {
        id: Id::default(),
        data: HashMap::from(data.map(|(name, value)| (name.to_owned(), value))),
        expiry_date: millisecond.unwrap() + time::Duration::hours(1),
    }
}

async fn created(store: &RrssStore) -> Record {
    let mut record = record([("user_id", json!(42)), ("cart", json!(["tea"]))]);
    store.create(&mut record).await.unwrap();
    record
}

fn assert_is_backend<T>(result: Result<T, Error>, part: &str) {
    match result {
        Err(Error::Backend(text)) => assert!(text.contains(part), "{text}"),
        Err(other) => panic!("{other:?} is no error of the backend"),
        Ok(_) => panic!("there is no error"),
    }
}

#[tokio::test]
async fn create_puts_the_stores_own_id_into_the_record() {
    let inner = stores::in_memory();
    let store = RrssStore::new(inner.clone());
    let mut record = record([("user_id", json!(42))]);
    let proposed = record.id;
    store.create(&mut record).await.unwrap();
    assert_ne!(record.id, proposed);
    let ids = inner.list(None, 10).await.unwrap().ids;
    assert_eq!(ids.len(), 1);
    assert_eq!(
        store.stored_id(&record.id).await.unwrap(),
        ids.first().cloned()
    );
    assert_eq!(store.stored_id(&proposed).await.unwrap(), None);
    assert_eq!(store.load(&record.id).await.unwrap(), Some(record));
    assert_eq!(store.load(&proposed).await.unwrap(), None);
}

/// A store whose first two sessions are dealt the same id.
fn colliding() -> Store {
    let id = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";
    let dealt = Mutex::new(VecDeque::from([id, id]));
    let deal = Store::builder().before("deal", Shape::anywhere(), move |op| {
        if *op.action() == Action::Create
            && op.id().is_none()
            && let Some(id) = dealt.lock().unwrap().pop_front()
        {
            op.assign_id(SessionId::from(id));
        }
        Ok(())
    });
    let builder = stores::steps(deal, IdFormat::Uuid).backend("memory", Memory::default());
    builder.build().unwrap()
}

#[tokio::test]
async fn create_under_a_taken_id_takes_another_and_leaves_the_first_as_it_is() {
    let store = RrssStore::new(colliding());
    let first = created(&store).await;
    let second = created(&store).await;
    assert_eq!(first.id.to_string(), "jxTkX87qRn-j1BssPU5fYA");
    assert_ne!(second.id, first.id);
    assert_eq!(store.load(&first.id).await.unwrap(), Some(first));
}

#[tokio::test]
async fn ids_of_tower_sessions_are_the_cookies_text() {
    let inner = stores::with_ids(IdFormat::TowerSessions);
    let store = RrssStore::new(inner.clone());
    let mut record = created(&store).await;
    let ids = inner.list(None, 10).await.unwrap().ids;
    assert_eq!(ids, [SessionId::from(record.id.to_string())]);
    record.data.insert("theme".to_owned(), json!("dark"));
    store.save(&record).await.unwrap();
    assert_eq!(
        store.load(&record.id).await.unwrap().as_ref(),
        Some(&record)
    );
    store.delete(&record.id).await.unwrap();
    assert_eq!(inner.count().await.unwrap(), 0);
}

#[tokio::test]
async fn ids_of_more_bits_are_refused_and_nothing_stays() {
    let inner = stores::with_ids(IdFormat::Token);
    let store = RrssStore::new(inner.clone());
    let refused = store.create(&mut record([("user_id", json!(42))])).await;
    assert_is_backend(refused, "give the `key-mapper` `id = \"uuid\"`");
    assert_eq!(inner.count().await.unwrap(), 0);
}

#[tokio::test]
async fn save_replaces_the_data_and_keeps_the_time_of_creation() {
    let inner = stores::in_memory();
    let store = RrssStore::new(inner.clone());
    let mut record = created(&store).await;
    let id = store.stored_id(&record.id).await.unwrap().unwrap();
    let before = inner.inspect(&id).await.unwrap().unwrap();
    record.data.remove("cart");
    record.data.insert("theme".to_owned(), json!("dark"));
    record.expiry_date += time::Duration::days(30);
    store.save(&record).await.unwrap();
    assert_eq!(
        store.load(&record.id).await.unwrap().as_ref(),
        Some(&record)
    );
    let after = inner.inspect(&id).await.unwrap().unwrap();
    assert!(before.created_at().is_some());
    assert_eq!(after.created_at(), before.created_at());

    record.data.clear();
    store.save(&record).await.unwrap();
    assert_eq!(store.load(&record.id).await.unwrap(), Some(record));
}

#[tokio::test]
async fn save_of_a_session_that_has_ended_says_so_and_stores_nothing() {
    let inner = stores::in_memory();
    let store = RrssStore::new(inner.clone());
    let record = created(&store).await;
    store.delete(&record.id).await.unwrap();
    assert_is_backend(store.save(&record).await, "does not exist any more");
    assert_eq!(inner.count().await.unwrap(), 0);
}

#[tokio::test]
async fn save_of_what_was_never_created_says_so_and_stores_nothing() {
    let inner = stores::in_memory();
    let store = RrssStore::new(inner.clone());
    let made_up = record([("user_id", json!(42))]);
    assert_is_backend(store.save(&made_up).await, "does not exist any more");
    assert_eq!(inner.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_record_without_data_has_a_session() {
    let store = RrssStore::new(stores::in_memory());
    let mut empty = record([]);
    store.create(&mut empty).await.unwrap();
    assert_eq!(store.load(&empty.id).await.unwrap().as_ref(), Some(&empty));
    empty.data.insert("theme".to_owned(), json!("dark"));
    store.save(&empty).await.unwrap();
    assert_eq!(store.load(&empty.id).await.unwrap(), Some(empty));
}

#[tokio::test]
async fn delete_of_what_is_not_there_is_fine() {
    let store = RrssStore::new(stores::in_memory());
    let record = created(&store).await;
    store.delete(&Id::default()).await.unwrap();
    store.delete(&record.id).await.unwrap();
    store.delete(&record.id).await.unwrap();
    assert_eq!(store.load(&record.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_date_that_has_passed_ends_the_session_at_once() {
    let inner = stores::in_memory();
    let store = RrssStore::new(inner.clone());
    let mut record = created(&store).await;
    record.expiry_date = OffsetDateTime::now_utc() - time::Duration::seconds(1);
    store.save(&record).await.unwrap();
    assert_eq!(store.load(&record.id).await.unwrap(), None);
    assert_eq!(inner.count().await.unwrap(), 0);
    record.expiry_date = OffsetDateTime::UNIX_EPOCH - time::Duration::days(1);
    store.create(&mut record).await.unwrap();
    assert_eq!(store.load(&record.id).await.unwrap(), None);
}

#[tokio::test]
async fn delete_expired_sweeps_what_has_ended_and_nothing_else() {
    let (inner, clock) = stores::with_clock();
    let store = RrssStore::new(inner.clone());
    let ended = created(&store).await;
    let mut stays = record([("user_id", json!(7))]);
    stays.expiry_date += time::Duration::days(1);
    store.create(&mut stays).await.unwrap();
    clock.advance(Duration::from_secs(2 * 3600));
    store.delete_expired().await.unwrap();
    assert_eq!(inner.sweep().await.unwrap(), 0);
    assert_eq!(inner.count().await.unwrap(), 1);
    assert_eq!(store.load(&ended.id).await.unwrap(), None);
    assert_eq!(store.load(&stays.id).await.unwrap(), Some(stays));
}

#[tokio::test]
async fn a_session_of_another_program_has_the_deadline_that_the_store_gave_it() {
    let (inner, _clock) = stores::with_clock();
    let store = RrssStore::new(inner.clone());
    let mut session = Session::new();
    session.insert("user_id", &42).unwrap();
    inner.save(&mut session).await.unwrap();
    let text = session.id().unwrap().as_str().replace('-', "");
    let id = Id(i128::from_be_bytes(
        u128::from_str_radix(&text, 16).unwrap().to_le_bytes(),
    ));
    let loaded = store.load(&id).await.unwrap().unwrap();
    assert_eq!(
        loaded.data,
        HashMap::from([("user_id".to_owned(), json!(42))])
    );
    let end = session.expires_at().unwrap().as_millis();
    let date = loaded.expiry_date.unix_timestamp_nanos() / 1_000_000;
    assert_eq!(date, i128::from(end));
}

#[tokio::test]
async fn an_outage_is_an_error_of_the_backend_in_every_call() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Timeout] {
        let (inner, faults) = stores::failing();
        let store = RrssStore::new(inner);
        let mut record = created(&store).await;
        faults.fail_all(kind);
        assert_is_backend(store.load(&record.id).await, "");
        assert_is_backend(store.save(&record).await, "");
        assert_is_backend(store.delete(&record.id).await, "");
        assert_is_backend(store.create(&mut record).await, "");
        assert_is_backend(store.delete_expired().await, "");
        assert!(store.stored_id(&record.id).await.is_err());
        faults.heal();
        assert_eq!(store.load(&record.id).await.unwrap(), Some(record));
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_an_error_of_encoding_and_tells_no_value() {
    let inner = stores::in_memory();
    let store = RrssStore::new(inner.clone());
    let mut reserved = record([("$rrss", json!("a secret"))]);
    let Err(Error::Encode(text)) = store.create(&mut reserved).await else {
        panic!("the name is the codec's own");
    };
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(inner.count().await.unwrap(), 0);
}

#[test]
fn debug_tells_no_session() {
    let text = format!("{:?}", RrssStore::new(stores::in_memory()));
    assert!(text.contains("RrssStore"), "{text}");
}
