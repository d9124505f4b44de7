//! What outlives a restart and a `kill -9`: on this machine's disk, each session that the store said it keeps.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rrss::{
    Embedded, ErrorKind, Expiry, JsonCodec, KeyMapper, ManualClock, Session, SessionId, Store,
    Timestamp, embedded,
};
use rrss_test_servers::{App, Flavor, RedisServer};

const LIMIT: Duration = Duration::from_secs(60);

/// A folder with the file of a store on the disk, as a site has it.
fn site(folder: &Path) -> PathBuf {
    let file = folder.join("rrss.toml");
    std::fs::write(
        &file,
        "step = [
            { type = 'key-mapper' },
            { type = 'expiry', duration = '1h' },
            { type = 'json-codec' },
            { type = 'compression' },
            { type = 'embedded' },
        ]",
    )
    .unwrap();
    file
}

/// What the keeper said that the store did.
#[derive(Default)]
struct Said {
    kept: HashMap<SessionId, u64>,
    counted: HashMap<SessionId, u64>,
    deleted: Vec<SessionId>,
}

impl Said {
    fn by(keeper: &App) -> Said {
        let mut said = Said::default();
        for line in keeper.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["kept", id, number] => said.kept.insert(id.into(), number.parse().unwrap()),
                ["counted", id, number] => said.counted.insert(id.into(), number.parse().unwrap()),
                ["deleted", id] => {
                    said.deleted.push(id.into());
                    None
                }
                _ => panic!("the keeper said {line:?}"),
            };
        }
        said
    }

    async fn holds_in(&self, store: &Store) {
        assert!(!self.kept.is_empty() && !self.counted.is_empty() && !self.deleted.is_empty());
        for (id, number) in &self.kept {
            let session = store
                .load(id)
                .await
                .unwrap()
                .expect("a kept session is there");
            assert_eq!(session.get::<u64>("number").unwrap(), Some(*number));
        }
        for (id, number) in &self.counted {
            let session = store
                .load(id)
                .await
                .unwrap()
                .expect("the counted session is there");
            assert!(session.get::<u64>("number").unwrap().unwrap() >= *number);
        }
        for id in &self.deleted {
            assert!(
                store.load(id).await.unwrap().is_none(),
                "a deleted session came back"
            );
        }
    }
}

/// One process at a time has a folder of sessions open.
async fn close(store: Store) {
    store.shutdown(LIMIT).await.unwrap();
}

fn keeper(file: &Path) -> App {
    App::builder(env!("CARGO_BIN_EXE_keeper"))
        .arg(file)
        .ready_when("deleted ")
        .start()
}

#[tokio::test]
async fn every_session_that_was_kept_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let file = site(folder.path());
    let mut keeper = keeper(&file);
    // The number of its 200th round ends a line.
    keeper.wait_for(" 200", LIMIT);
    keeper.kill_hard();

    let store = Store::from_file(&file).unwrap();
    Said::by(&keeper).holds_in(&store).await;
}

#[tokio::test]
async fn sessions_survive_one_kill_9_after_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = site(folder.path());
    let mut all = Vec::new();
    for _ in 0..3 {
        let mut keeper = keeper(&file);
        keeper.kill_hard();
        all.push(Said::by(&keeper));
    }
    let store = Store::from_file(&file).unwrap();
    for said in all {
        said.holds_in(&store).await;
    }
}

#[tokio::test]
async fn sessions_survive_closing_and_opening_with_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let file = site(folder.path());
    let store = Store::from_file(&file).unwrap();
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    store.save(&mut session).await.unwrap();
    close(store).await;

    let store = Store::from_file(&file).unwrap();
    let loaded = store.load(session.id().unwrap()).await.unwrap().unwrap();
    assert_eq!(loaded.get::<String>("user").unwrap().unwrap(), "ann");
    assert!(session.created_at().is_some() && session.expires_at().is_some());
    assert_eq!(loaded.created_at(), session.created_at());
    assert_eq!(loaded.expires_at(), session.expires_at());
    assert_eq!(store.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_session_that_was_deleted_stays_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let file = site(folder.path());
    let store = Store::from_file(&file).unwrap();
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    store.save(&mut session).await.unwrap();
    store.delete(session.id().unwrap()).await.unwrap();
    close(store).await;

    let store = Store::from_file(&file).unwrap();
    assert!(store.load(session.id().unwrap()).await.unwrap().is_none());
    session.insert("user", "bob").unwrap();
    assert_eq!(
        store.save(&mut session).await.unwrap_err().kind(),
        ErrorKind::Gone
    );
    assert_eq!(store.count().await.unwrap(), 0);
}

#[tokio::test]
async fn what_expired_while_no_process_ran_is_swept_and_never_returned() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp::from_millis(1_795_348_800_000));
    let open = || {
        Store::builder()
            .clock(clock.clone())
            .step::<KeyMapper>(Default::default())
            .step::<Expiry>(Default::default())
            .step::<JsonCodec>(Default::default())
            .step::<Embedded>(embedded::Options::at(folder.path().join("sessions")))
            .build()
            .unwrap()
    };
    let store = open();
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    store.save(&mut session).await.unwrap();
    close(store).await;

    clock.set(session.expires_at().unwrap());
    let store = open();
    assert!(store.load(session.id().unwrap()).await.unwrap().is_none());
    assert_eq!(store.count().await.unwrap(), 0);
    assert_eq!(store.sweep().await.unwrap(), 1);
    assert_eq!(store.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn sessions_in_redis_survive_the_process_that_stored_them() {
    for flavor in Flavor::ALL {
        let server = RedisServer::start(flavor);
        let folder = tempfile::tempdir().unwrap();
        let file = site(folder.path());
        let text = std::fs::read_to_string(&file).unwrap();
        let redis = format!(
            "{{ type = 'redis', url = '{}', timeout = '60s', connect_timeout = '60s' }}",
            server.url()
        );
        std::fs::write(&file, text.replace("{ type = 'embedded' }", &redis)).unwrap();
        let mut keeper = keeper(&file);
        keeper.kill_hard();

        let store = Store::from_file(&file).unwrap();
        Said::by(&keeper).holds_in(&store).await;
    }
}
