//! What the `embedded` backend promises.
#![cfg(feature = "embedded")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod promises;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use promises::{all_keys, create, load, op, put, stored, sweep, touch, until, update};
use rrss_core::{
    Action, Backend, BuildContext, Deadline, ErrorKind, Operation, Registry, Result, Shape, Step,
    StorageKey, Timestamp, Written,
};
use rrss_persistence::embedded::{Durability, Embedded, Options};
use rrss_testkit::Log;
use tempfile::TempDir;

promises!(on_disk);

fn on_disk() -> (Embedded, TempDir) {
    let dir = TempDir::new().unwrap();
    (open(&dir.path().join("sessions")).unwrap(), dir)
}

fn delete(key: &str, now: u64) -> Operation {
    op(Action::Delete, key, now)
}

fn open(path: &Path) -> Result<Embedded> {
    Embedded::open(&Options::at(path))
}

#[tokio::test]
async fn sessions_survive_reopening_again_and_again() {
    let dir = TempDir::new().unwrap();
    for round in 0..5 {
        let embedded = open(dir.path()).unwrap();
        assert_eq!(all_keys(&embedded, &load("", 0), 10).await.len(), round);
        put(&embedded, &format!("s:{round}"), until(100)).await;
    }
    let embedded = open(dir.path()).unwrap();
    for round in 0..5 {
        assert!(stored(&embedded, &format!("s:{round}"), 99).await.is_some());
    }
    assert_eq!(embedded.sweep(&sweep(100), 10).await.unwrap(), 5);
    embedded.close().await.unwrap();
    drop(embedded);
    let embedded = open(dir.path()).unwrap();
    assert_eq!(embedded.count(&load("", 0)).await.unwrap(), 0);
}

#[test]
fn acknowledged_writes_survive_a_killed_process() {
    kill_in_the_middle(
        "acknowledged_writes_survive_a_killed_process",
        Durability::Process,
    );
}

#[test]
fn acknowledged_writes_on_disk_survive_a_killed_process() {
    kill_in_the_middle(
        "acknowledged_writes_on_disk_survive_a_killed_process",
        Durability::Disk,
    );
}

/// Names the directory to a child process: this test, run a second time.
const CHILD: &str = "RRSS_TEST_EMBEDDED_CHILD";

fn child(test: &str, dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The child's own part of a test; `None` in the test itself.
fn in_child() -> Option<Embedded> {
    let dir = std::env::var_os(CHILD)?;
    Some(open(Path::new(&dir)).unwrap())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

fn kill_in_the_middle(test: &str, durability: Durability) {
    if let Some(dir) = std::env::var_os(CHILD) {
        let embedded = Embedded::open(&Options {
            durability,
            ..Options::at(dir)
        });
        runtime().block_on(write_until_killed(&embedded.unwrap()));
    }
    let dir = TempDir::new().unwrap();
    let mut child = child(test, dir.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged: Vec<String> = lines.by_ref().take(400).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(lines.map_while(std::io::Result::ok));

    let (mut live, mut deleted) = (BTreeSet::new(), BTreeSet::new());
    for line in &acknowledged {
        match line.split_once(' ') {
            Some(("created", key)) => drop(live.insert(key)),
            Some(("deleting", key)) => drop(live.remove(key)),
            Some(("deleted", key)) => drop(deleted.insert(key)),
            _ => {}
        }
    }
    assert!(live.len() > 50 && deleted.len() > 50, "{acknowledged:?}");
    runtime().block_on(async {
        let embedded = open(dir.path()).unwrap();
        for key in live {
            let (bytes, deadline) = stored(&embedded, key, 0).await.unwrap();
            assert_eq!((&*bytes, deadline), (key.as_bytes(), until(100).instant()));
        }
        for key in deleted {
            assert!(stored(&embedded, key, 0).await.is_none(), "{key}");
        }
        let all = embedded.count(&load("", 0)).await.unwrap();
        assert_eq!(embedded.sweep(&sweep(100), 10_000).await.unwrap(), all);
    });
}

async fn write_until_killed(embedded: &Embedded) -> ! {
    let mut out = std::io::stdout();
    let mut say = |what: &str, key: &str| out.write_all(format!("\n{what} {key}").as_bytes());
    for n in 0_u64.. {
        let key = format!("s:{n}");
        let written = embedded.write(&create(&key, &key, 0, until(100))).await;
        assert_eq!(written.unwrap(), Written::Done);
        say("created", &key).unwrap();
        if n % 3 == 0 {
            say("deleting", &key).unwrap();
            assert_eq!(
                embedded.delete(&delete(&key, 0)).await.unwrap(),
                Written::Done
            );
            say("deleted", &key).unwrap();
        }
    }
    unreachable!("there are more numbers than time");
}

#[test]
fn a_second_process_is_told_that_the_directory_is_in_use() {
    if let Some(_open) = in_child() {
        println!("\nopen");
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("sessions");
    let mut child = child(
        "a_second_process_is_told_that_the_directory_is_in_use",
        &path,
    );
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "open"));

    let error = open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.option(), Some("path"));
    assert_eq!(
        error.message(),
        format!(
            "the directory `{}` is in use: another process has it open, or another store of this one; stop that \
             one, or give each process a path of its own",
            path.display()
        )
    );
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    open(&path).unwrap();
}

#[test]
fn a_second_store_in_one_process_is_told_so_too() {
    let dir = TempDir::new().unwrap();
    let first = open(dir.path()).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    drop(first);
    open(dir.path()).unwrap();
}

#[test]
fn a_path_that_cannot_be_a_directory_is_a_config_error() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    File::create(&file).unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert_eq!(error.option(), Some("path"));
        assert!(error.message().contains("name a directory"), "{error}");
    }
}

#[test]
fn a_directory_of_something_else_is_refused() {
    let dir = TempDir::new().unwrap();
    let database = Database::builder(dir.path()).open().unwrap();
    database
        .keyspace("sessions", KeyspaceCreateOptions::default)
        .unwrap();
    drop(database);
    let error = open(dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.message().contains("not one of rrss"), "{error}");
}

#[test]
fn a_directory_of_a_newer_version_is_refused_and_left_alone() {
    let dir = TempDir::new().unwrap();
    drop(open(dir.path()).unwrap());
    as_stranger(dir.path(), "meta", "format", &2_u32.to_be_bytes());
    for _ in 0..2 {
        let error = open(dir.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.message().contains("is of format 2"), "{error}");
        assert!(error.message().contains("update rrss"), "{error}");
    }
    as_stranger(dir.path(), "meta", "format", &1_u32.to_be_bytes());
    open(dir.path()).unwrap();
}

#[test]
fn a_damaged_directory_is_corrupt() {
    let dir = TempDir::new().unwrap();
    let (path, manifest) = (dir.path(), dir.path().join("keyspaces/0/current"));
    drop(open(path).unwrap());
    assert!(manifest.is_file());
    fs::write(&manifest, [0xff; 64]).unwrap();
    let error = open(path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    assert!(error.message().contains("is damaged"), "{error}");
}

#[test]
fn a_first_start_that_was_killed_halfway_is_begun_anew() {
    for mark in [None, Some(b"")] {
        let dir = TempDir::new().unwrap();
        File::create(dir.path().join("lock")).unwrap();
        fs::create_dir(dir.path().join("keyspaces")).unwrap();
        fs::write(dir.path().join("0.jnl"), [0; 1_000]).unwrap();
        if let Some(mark) = mark {
            fs::write(dir.path().join("version"), mark).unwrap();
        }
        open(dir.path()).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn the_directory_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("data/sessions");
    for durability in [Durability::Disk, Durability::Process] {
        drop(
            Embedded::open(&Options {
                durability,
                ..Options::at(&path)
            })
            .unwrap(),
        );
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[cfg(unix)]
#[test]
fn the_directory_is_its_owners_alone_under_any_umask() {
    use std::os::unix::fs::PermissionsExt;
    const TEST: &str = "the_directory_is_its_owners_alone_under_any_umask";
    if in_child().is_some() {
        return;
    }
    for umask in ["000", "022", "777"] {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("sessions");
        let status = Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", TEST])
            .env(CHILD, &path)
            .stdout(Stdio::null())
            .status();
        // Under the last one the files below cannot be opened, unless by root.
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{umask}");
        assert!(status.unwrap().success() || umask == "777");
    }
}

#[cfg(unix)]
#[test]
fn a_directory_that_others_can_read_is_warned_of_with_the_command_that_mends_it() {
    use std::os::unix::fs::PermissionsExt;
    let warnings = |path: &Path| {
        let context = BuildContext::in_dir(path.parent().unwrap());
        let options = Options::at(path.file_name().unwrap());
        Embedded::warnings_in(&options, Timestamp::from_millis(0), &context)
    };
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("my sessions");
    assert_eq!(warnings(&path), [], "it is not there yet");
    for mode in [0o755, 0o750, 0o701] {
        drop(open(&path).unwrap());
        assert_eq!(warnings(&path), [], "it was made, or mended");
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let [warning] = &warnings(&path)[..] else {
            panic!("{mode:o} is open to others");
        };
        assert_eq!(warning.option(), Some("path"));
        assert!(
            warning.message().contains(&format!("{mode:04o}")),
            "{warning}"
        );

        let log = Log::listen();
        drop(open(&path).unwrap());
        let hint = warning.hint().unwrap();
        assert!(log.text().contains(warning.message()), "{}", log.text());
        assert!(log.text().contains(hint), "{}", log.text());

        let command = hint.split('`').nth(1).unwrap();
        let mended = Command::new("sh").args(["-c", command]).status();
        assert!(mended.unwrap().success(), "{command}");
    }
    let log = Log::listen();
    drop(open(&path).unwrap());
    assert_eq!(log.lines(tracing::Level::WARN), 0, "{}", log.text());
}

/// Writes past the backend, as a program that knows nothing of it.
fn as_stranger(dir: &Path, keyspace: &str, key: &str, value: &[u8]) {
    let database = Database::builder(dir).open().unwrap();
    let keyspace = database
        .keyspace(keyspace, KeyspaceCreateOptions::default)
        .unwrap();
    keyspace.insert(key, value).unwrap();
    database.persist(PersistMode::SyncAll).unwrap();
}

fn seen_by_stranger(dir: &Path, keyspace: &str, key: &str) -> Option<Vec<u8>> {
    let database = Database::builder(dir).open().unwrap();
    let keyspace = database
        .keyspace(keyspace, KeyspaceCreateOptions::default)
        .unwrap();
    keyspace.get(key).unwrap().map(|value| value.to_vec())
}

#[tokio::test]
async fn bytes_of_a_stranger_are_corrupt_and_stay_as_they_were() {
    let (embedded, dir) = on_disk();
    let path = dir.path().join("sessions");
    put(&embedded, "s:1", until(100)).await;
    drop(embedded);
    as_stranger(&path, "sessions", "s:1", b"hello");

    let embedded = open(&path).unwrap();
    for error in [
        embedded.load(&load("s:1", 0)).await.unwrap_err(),
        embedded
            .write(&create("s:1", "{}", 0, Deadline::Never))
            .await
            .unwrap_err(),
        embedded
            .write(&update("s:1", "{}", 0, until(0)))
            .await
            .unwrap_err(),
        embedded
            .touch(&touch("s:1", 0, until(0)))
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(!error.to_string().contains("s:1"), "{error}");
    }
    assert_eq!(embedded.sweep(&sweep(1_000), 10).await.unwrap(), 0);
    assert_eq!(all_keys(&embedded, &load("", 0), 10).await, ["s:1"]);
    assert_eq!(embedded.count(&load("", 0)).await.unwrap(), 1);
    drop(embedded);
    assert_eq!(
        seen_by_stranger(&path, "sessions", "s:1").as_deref(),
        Some(&b"hello"[..])
    );

    let embedded = open(&path).unwrap();
    assert_eq!(
        embedded.delete(&delete("s:1", 0)).await.unwrap(),
        Written::Done
    );
    assert!(stored(&embedded, "s:1", 0).await.is_none());
}

#[tokio::test]
async fn a_key_or_value_that_the_engine_cannot_hold_is_too_large() {
    let (embedded, _dir) = on_disk();
    for (key, kind) in [
        ("k".repeat(65_527), None),
        ("k".repeat(65_528), Some(ErrorKind::TooLarge)),
        (String::new(), Some(ErrorKind::TooLarge)),
    ] {
        let op = create(&key, "{}", 0, until(100));
        let written = embedded.write(&op).await;
        assert_eq!(written.map_err(|error| error.kind()).err(), kind);
        assert_eq!(
            stored(&embedded, &key, 0).await.is_some(),
            kind.is_none(),
            "{}",
            key.len()
        );
        let there = embedded.delete(&delete(&key, 0)).await.unwrap() == Written::Done;
        assert_eq!(there, kind.is_none());
    }
}

/// A runtime of one thread, and one for blocking work; the answer holds that one up until it is dropped.
async fn hold_up_blocking_work() -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (begun, begins) = tokio::sync::oneshot::channel();
    tokio::task::spawn_blocking(move || {
        begun.send(()).unwrap();
        held.recv().unwrap_err();
    });
    begins.await.unwrap();
    release
}

fn narrow_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap()
}

#[test]
fn a_busy_blocking_pool_holds_up_no_save() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("sessions");
    runtime().block_on(put(&open(&path).unwrap(), "s:0", until(100)));
    let embedded = open(&path).unwrap();
    narrow_runtime().block_on(async {
        let release = hold_up_blocking_work().await;
        assert!(
            stored(&embedded, "s:0", 99).await.is_some(),
            "read from the disk"
        );
        put(&embedded, "s:1", until(100)).await;
        assert!(stored(&embedded, "s:1", 99).await.is_some(), "at hand");
        assert_eq!(
            embedded.touch(&touch("s:1", 0, until(200))).await.unwrap(),
            Written::Done
        );
        let deleted = embedded.delete(&delete("s:2", 0)).await;
        assert_eq!(deleted.unwrap(), Written::Gone);
        assert_eq!(all_keys(&embedded, &load("", 0), 10).await.len(), 2);
        assert_eq!(embedded.count(&load("", 0)).await.unwrap(), 2);
        assert_eq!(embedded.sweep(&sweep(1_000), 10).await.unwrap(), 2);
        embedded.ping().await.unwrap();
        embedded.close().await.unwrap();
        drop(release);
    });
}

#[test]
fn an_operation_whose_future_is_dropped_still_happens_whole() {
    let (embedded, _dir) = on_disk();
    let create = create("s:1", "{}", 0, until(100));
    runtime().block_on(async {
        let mut write = Box::pin(embedded.write(&create));
        let polled = write.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop((polled, write));
        // It waits behind the write.
        embedded.ping().await.unwrap();
        assert!(stored(&embedded, "s:1", 99).await.is_some());
        assert_eq!(embedded.sweep(&sweep(100), 10).await.unwrap(), 1);
    });
}

/// Runs a future outside of any runtime.
fn alone<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn no_runtime_is_needed() {
    let (embedded, dir) = on_disk();
    alone(put(&embedded, "s:1", until(100)));
    drop(embedded);
    let embedded = open(&dir.path().join("sessions")).unwrap();
    assert!(alone(stored(&embedded, "s:1", 99)).is_some());
}

#[test]
fn a_store_outlives_the_runtime_that_it_was_first_used_in() {
    let (embedded, _dir) = on_disk();
    let embedded = Arc::new(embedded);
    for round in 0..20 {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let saves: Vec<_> = (0..16)
            .map(|n| {
                let embedded = Arc::clone(&embedded);
                let key = format!("s:{round}:{n}");
                runtime.spawn(async move { put(&*embedded, &key, until(100)).await })
            })
            .collect();
        let left = Arc::clone(&embedded);
        // What it leaves behind is under way when it ends.
        runtime.spawn(async move {
            for n in 0.. {
                put(&*left, &format!("left:{round}:{n}"), until(100)).await;
            }
        });
        for save in saves {
            runtime.block_on(save).unwrap();
        }
    }
    let count = async { embedded.count(&load("", 0)).await.unwrap() };
    assert!(alone(count) >= 320);
}

/// Saves of many tasks, of which some are under way when the store is closed or dropped.
async fn save_much(embedded: &Embedded) {
    let mut saves = Vec::new();
    for n in 0..500 {
        let create = create(&format!("s:{n}"), "{}", 0, until(100));
        let mut save = Box::pin(async move { embedded.write(&create).await.unwrap() });
        let _ = save.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        saves.push(save);
    }
}

#[tokio::test]
async fn reopening_right_after_close_works() {
    let dir = TempDir::new().unwrap();
    let first = open(dir.path()).unwrap();
    for _ in 0..5 {
        save_much(&first).await;
        first.close().await.unwrap();
        let second = open(dir.path()).unwrap();
        let all = second.count(&load("", 0)).await.unwrap();
        assert_eq!(all, 500, "closing waits for what was begun");
        let error = first.load(&load("s:1", 0)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.message().contains("in use"), "{error}");
        assert_eq!(second.sweep(&sweep(100), 1_000).await.unwrap(), 500);
        second.close().await.unwrap();
    }
}

#[tokio::test]
async fn reopening_right_after_dropping_the_last_store_works() {
    let dir = TempDir::new().unwrap();
    for _ in 0..5 {
        let embedded = open(dir.path()).unwrap();
        save_much(&embedded).await;
        drop(embedded);
        let embedded = open(dir.path()).unwrap();
        assert_eq!(embedded.sweep(&sweep(100), 1_000).await.unwrap(), 500);
    }
}

#[tokio::test]
async fn what_another_store_did_after_close_is_seen() {
    let dir = TempDir::new().unwrap();
    let first = open(dir.path()).unwrap();
    put(&first, "s:1", until(100)).await;
    first.close().await.unwrap();
    let second = open(dir.path()).unwrap();
    let deleted = second.delete(&delete("s:1", 0)).await;
    assert_eq!(deleted.unwrap(), Written::Done);
    drop(second);
    assert!(stored(&first, "s:1", 0).await.is_none());
}

#[tokio::test]
async fn a_page_of_dead_sessions_has_a_next_one() {
    let (embedded, _dir) = on_disk();
    for n in 0..10_001 {
        put(&embedded, &format!("s:{n:05}"), until(100)).await;
    }
    put(&embedded, "s:live", Deadline::Never).await;
    let space = load("", 100);
    let page = embedded.list(&space, None, 10).await.unwrap();
    assert!(page.keys.is_empty());
    let page = embedded.list(&space, page.next.as_ref(), 10).await.unwrap();
    assert_eq!(page.keys, [StorageKey::from("s:live".to_owned())]);
    assert!(page.next.is_none());
}

#[tokio::test]
async fn debug_shows_no_session() {
    let (embedded, _dir) = on_disk();
    let op = create("s:secret-id", "hunter2", 0, Deadline::Never);
    embedded.write(&op).await.unwrap();
    let debug = format!("{embedded:?}");
    assert!(
        !debug.contains("secret-id") && !debug.contains("hunter2"),
        "{debug}"
    );
}

#[test]
fn the_options_are_checked_as_they_are_read() {
    let read = |json| serde_json::from_str::<Options>(json);
    assert_eq!(read("{}").unwrap(), Options::at("data/sessions"));
    let disk = read(r#"{"path": "here", "durability": "disk"}"#).unwrap();
    assert_eq!(
        disk,
        Options {
            durability: Durability::Disk,
            ..Options::at("here")
        }
    );
    for wrong in [
        r#"{"path": ""}"#,
        r#"{"path": 1}"#,
        r#"{"durability": "none"}"#,
        r#"{"timeout": "0s"}"#,
        r#"{"timeout": "soon"}"#,
        r#"{"dir": "here"}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_limit_of_zero_is_refused_in_code_too() {
    let dir = TempDir::new().unwrap();
    let error = Embedded::open(&Options {
        timeout: Duration::ZERO.into(),
        ..Options::at(dir.path())
    })
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.option(), Some("timeout"));
}

#[test]
fn it_is_registered_with_an_example_that_works() {
    let registry = Registry::linked();
    let step = registry.get("embedded").unwrap();
    assert_eq!(
        step.summary(),
        "Keeps sessions on this machine's disk, for one process; they survive a restart."
    );
    let mut example: toml::Table = toml::from_str(Embedded::EXAMPLE).unwrap();
    let mut table = example["step"].as_array_mut().unwrap().remove(0);
    let name = table.as_table_mut().unwrap().remove("type").unwrap();
    assert_eq!(name.as_str(), Some("embedded"));
    let options: Options = table.try_into().unwrap();
    assert_eq!(options, Options::default());
    assert_eq!(
        Embedded::shape(&options),
        Shape::backend().keeps_index().keeps_expired()
    );

    let dir = TempDir::new().unwrap();
    Embedded::build(options, &BuildContext::in_dir(dir.path())).unwrap();
    assert!(dir.path().join("data/sessions/version").is_file());
}
