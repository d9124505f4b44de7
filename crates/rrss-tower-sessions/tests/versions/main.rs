//! The store under the layers of tower-sessions 0.15 and 0.14: the same promises for both.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]
#![allow(
    clippy::duplicate_mod,
    reason = "each version is held to the same promises"
)]

mod browser;
mod stores;
mod v0_14;
mod v0_15;

use tower_sessions::SessionStore as _;
use tower_sessions_0_14::SessionStore as _;

#[tokio::test]
async fn what_one_version_stored_the_other_loads() {
    let store = stores::in_memory();
    let old = rrss_tower_sessions::v0_14::RrssStore::new(store.clone());
    let new = rrss_tower_sessions::RrssStore::new(store);

    let mut record = v0_14::records::record([("user_id", 42.into())]);
    old.create(&mut record).await.unwrap();
    let id = tower_sessions::session::Id(record.id.0);
    assert_eq!(id.to_string(), record.id.to_string());

    let loaded = new.load(&id).await.unwrap().unwrap();
    assert_eq!(loaded.data, record.data);
    assert_eq!(loaded.expiry_date, record.expiry_date);
}
