//! What a store does beside its operations: it sweeps in the background, shuts down, and is built from text and files.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rrss::core::{Action, Outcome};
use rrss::{
    ErrorKind, Expiry, JsonCodec, KeyMapper, ManualClock, Memory, Saved, Session, SessionId, Shape,
    Store, StoreBuilder, Timestamp, expiry,
};

const HOUR: Duration = Duration::from_secs(3600);

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_millis(1_795_348_800_000))
}

/// Sessions in memory that live an hour, swept every ten minutes; what each sweep removed is sent.
fn store(clock: &ManualClock) -> (Store, Receiver<u64>) {
    let (swept, sweeps) = channel();
    (builder(clock, swept).build().unwrap(), sweeps)
}

fn builder(clock: &ManualClock, swept: Sender<u64>) -> StoreBuilder {
    Store::builder()
        .clock(clock.clone())
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(expiry::Options {
            duration: HOUR.into(),
            ..Default::default()
        })
        .after("watch", Shape::anywhere(), move |op, answer| {
            if let (Action::Sweep { .. }, Outcome::Count(count)) = (op.action(), &answer.outcome) {
                let _ = swept.send(*count);
            }
            Ok(())
        })
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
}

async fn saved(store: &Store) -> SessionId {
    let mut session = Session::new();
    session.insert("user", "ann").unwrap();
    assert_eq!(store.save(&mut session).await.unwrap(), Saved::Created);
    session.id().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn expired_sessions_are_swept_in_the_background_every_resolution() {
    let clock = clock();
    let (store, sweeps) = store(&clock);
    saved(&store).await;
    saved(&store).await;
    tokio::time::sleep(Duration::from_secs(601)).await;
    assert_eq!(
        sweeps.try_iter().collect::<Vec<_>>(),
        [0],
        "nothing has expired yet"
    );
    clock.advance(HOUR);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(sweeps.try_iter().collect::<Vec<_>>(), [2]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_shut_down_sweeps_no_more_and_still_answers() {
    let clock = clock();
    let (store, sweeps) = store(&clock);
    let id = saved(&store).await;
    store.shutdown(Duration::from_secs(1)).await.unwrap();
    assert!(store.load(&id).await.unwrap().is_some());
    tokio::time::sleep(Duration::from_secs(6000)).await;
    assert_eq!(sweeps.try_iter().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_dropped_sweeps_no_more() {
    let (store, sweeps) = store(&clock());
    saved(&store).await;
    drop(store);
    tokio::time::sleep(Duration::from_secs(6000)).await;
    assert_eq!(sweeps.try_iter().count(), 0);
}

#[test]
fn a_store_built_before_its_runtime_sweeps_from_the_first_operation_on() {
    let clock = clock();
    let (store, sweeps) = store(&clock);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        saved(&store).await;
        clock.advance(HOUR);
        tokio::time::sleep(Duration::from_secs(601)).await;
    });
    assert_eq!(sweeps.try_iter().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn the_deadline_of_the_caller_counts_and_touch_moves_it() {
    let clock = clock();
    let (store, _sweeps) = store(&clock);
    let mut session = Session::new();
    session.insert("a", &1).unwrap();
    session.set_expires_at(store.now() + Duration::from_secs(65));
    store.save(&mut session).await.unwrap();
    assert_eq!(
        session.expires_at(),
        Some(store.now() + Duration::from_secs(65))
    );
    let id = session.id().unwrap();
    assert!(
        store
            .touch_until(id, store.now() + Duration::from_secs(60))
            .await
            .unwrap()
    );
    clock.advance(Duration::from_secs(59));
    assert_eq!(
        store
            .load(id)
            .await
            .unwrap()
            .unwrap()
            .get::<u8>("a")
            .unwrap(),
        Some(1)
    );
    clock.advance(Duration::from_secs(1));
    assert!(store.load(id).await.unwrap().is_none());
}

#[tokio::test]
async fn paths_in_a_file_are_relative_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rrss.toml");
    let text = "step = [{ type = 'key-mapper' }, { type = 'json-codec' }, { type = 'embedded', path = 'here' }]\n\
                [store]\nname = 'shop'\n";
    std::fs::write(&file, text).unwrap();
    let store = Store::from_file(&file).unwrap();
    assert_eq!(store.name(), Some("shop"));
    saved(&store).await;
    store.shutdown(Duration::from_secs(60)).await.unwrap();
    assert!(folder.path().join("here").is_dir());
}

#[test]
fn a_file_that_cannot_work_is_reported_whole() {
    let error =
        Store::from_toml("[[step]]\ntype = 'key-maper'\n[[step]]\ntype = 'memory'\ncapcity = 1\n")
            .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let report = error.to_string();
    assert!(report.contains("did you mean `key-mapper`?"), "{report}");
    assert!(report.contains("did you mean `capacity`?"), "{report}");
}

#[test]
fn steps_that_do_not_fit_are_refused_in_code_too() {
    let error = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Memory>(Default::default())
        .build();
    let message = error.unwrap_err().to_string();
    assert!(
        message.contains("`memory` takes bytes, but `key-mapper` leaves a session"),
        "{message}"
    );
}

#[tokio::test]
async fn a_store_with_a_key_mapper_from_a_plain_function_says_that_it_cannot_list() {
    let store = Store::builder()
        .key_mapper(|id| format!("shop:{id}"))
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
        .build()
        .unwrap();
    assert_eq!(
        store.list(None, 10).await.unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    assert_eq!(
        store.count().await.unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}

#[test]
fn options_that_do_not_go_together_are_reported_when_the_file_is_read() {
    let text = r#"
[[step]]
type = "key-mapper"
[[step]]
type = "json-codec"
[[step]]
type = "compression"
algorithm = "lz4"
level = 3
[[step]]
type = "redis"
url = "redis://localhost"
host = "localhost"
"#;
    let report = rrss::loader::Loader::new(rrss::Registry::linked())
        .read_text(text)
        .unwrap_err()
        .to_string();
    assert!(report.contains("`level` of step `compression`"), "{report}");
    assert!(report.contains("`host` of step `redis`"), "{report}");
    assert!(report.contains("2 problems"), "{report}");
}

#[tokio::test]
async fn a_rotation_keeps_the_deadline_that_the_caller_gave() {
    let clock = clock();
    let store = Store::builder()
        .clock(clock.clone())
        .step::<KeyMapper>(Default::default())
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
        .build()
        .unwrap();
    let mut session = Session::new();
    session.insert("a", &1).unwrap();
    let deadline = store.now() + HOUR;
    session.set_expires_at(deadline);
    store.save(&mut session).await.unwrap();
    store.rotate(&mut session).await.unwrap();
    assert_eq!(session.expires_at(), Some(deadline));
    clock.advance(HOUR);
    assert!(store.load(session.id().unwrap()).await.unwrap().is_none());
}
