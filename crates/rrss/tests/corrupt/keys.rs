//! A key that is missing from the configuration: the mistake that makes every session unreadable at once.

use rrss::{ErrorKind, Store};

use crate::support::{deadline, entry, id, login, names, raw};

const OLD: &str = "{ id = 'old', key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' }";
const NEW: &str = "{ id = 'new', key = 'ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=' }";

fn store(folder: &std::path::Path, on_corrupt: &str, keys: &[&str]) -> Store {
    store_with(folder, on_corrupt, keys, "none")
}

fn store_with(folder: &std::path::Path, on_corrupt: &str, keys: &[&str], hash: &str) -> Store {
    let (path, keys) = (folder.display(), keys.join(", "));
    Store::from_toml(&format!(
        "store = {{ name = 'shop', on_corrupt = '{on_corrupt}' }}
        step = [
            {{ type = 'key-mapper', hash = '{hash}' }},
            {{ type = 'expiry', duration = '1h' }},
            {{ type = 'index', fields = ['user'], keep_expired = '1d' }},
            {{ type = 'json-codec' }},
            {{ type = 'compression' }},
            {{ type = 'encryption', keys = [{keys}] }},
            {{ type = 'embedded', path = '{path}' }},
        ]"
    ))
    .unwrap()
}

async fn close(store: Store) {
    store
        .shutdown(std::time::Duration::from_secs(60))
        .await
        .unwrap();
}

#[tokio::test]
async fn sessions_that_a_missing_key_sent_to_quarantine_come_back_whole() {
    come_back_whole("none").await;
}

#[tokio::test]
async fn so_do_those_whose_ids_nobody_knows() {
    come_back_whole("sha256").await;
}

async fn come_back_whole(hash: &str) {
    let folder = tempfile::tempdir().unwrap();
    let store = |keys: &[&str]| store_with(folder.path(), "quarantine", keys, hash);
    let right = store(&[OLD]);
    let session = login(&right, "ann").await;
    let stored = raw(&right, id(&session)).await.unwrap();
    close(right).await;

    let mistaken = store(&[NEW]);
    assert!(mistaken.load(id(&session)).await.unwrap().is_none());
    let found = entry(&mistaken).await;
    assert_eq!(found.bytes(), &stored, "as encrypted as it was");
    assert!(found.why().contains("encryption"), "{}", found.why());
    let restored = mistaken
        .quarantine()
        .unwrap()
        .restore(&found.name())
        .await
        .unwrap();
    assert_eq!(restored.unreadable.unwrap().kind(), ErrorKind::Corrupt);
    assert!(mistaken.load(id(&session)).await.unwrap().is_none());
    close(mistaken).await;

    let mended = store(&[NEW, OLD]);
    let name = entry(&mended).await.name();
    let restored = mended.quarantine().unwrap().restore(&name).await.unwrap();
    assert!(restored.unreadable.is_none());
    assert!(names(&mended).await.is_empty());
    assert_eq!(raw(&mended, id(&session)).await.unwrap(), stored);
    assert_eq!(deadline(&mended, id(&session)).await, session.expires_at());
    let loaded = mended.load(id(&session)).await.unwrap().unwrap();
    assert_eq!(loaded.get::<String>("user").unwrap().unwrap(), "ann");
    assert_eq!(
        mended.revoke("user", "ann").await.unwrap(),
        1,
        "it is found again"
    );
}

#[tokio::test]
async fn with_the_error_a_missing_key_costs_nobody_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let right = store(folder.path(), "error", &[OLD]);
    let session = login(&right, "ann").await;
    close(right).await;
    let mistaken = store(folder.path(), "error", &[NEW]);
    let error = mistaken.load(id(&session)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    close(mistaken).await;
    let mended = store(folder.path(), "error", &[NEW, OLD]);
    assert!(mended.load(id(&session)).await.unwrap().is_some());
}
