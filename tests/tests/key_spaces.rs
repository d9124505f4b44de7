//! Stores that share a backend, by the keys that their templates make.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss::{Session, SessionId, Store};

fn store(folder: &std::path::Path, template: &str) -> Store {
    Store::from_toml(&format!(
        "step = [{{ type = 'key-mapper', template = '{template}' }}, {{ type = 'json-codec' }},\n\
         {{ type = 'embedded', path = '{}' }}]",
        folder.join("sessions").display()
    ))
    .unwrap()
}

async fn saved(store: &Store) -> SessionId {
    let mut session = Session::new();
    session.insert("a", &1).unwrap();
    store.save(&mut session).await.unwrap();
    session.id().unwrap().clone()
}

#[tokio::test]
async fn a_template_that_begins_like_another_neither_lists_nor_counts_its_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let longer = store(folder.path(), "sessions:{id}:data");
    saved(&longer).await;
    saved(&longer).await;
    longer
        .shutdown(std::time::Duration::from_secs(60))
        .await
        .unwrap();
    drop(longer);
    let shorter = store(folder.path(), "sessions:{id}");
    let id = saved(&shorter).await;
    assert_eq!(shorter.count().await.unwrap(), 1);
    assert_eq!(shorter.list(None, 10).await.unwrap().ids, [id]);
}
