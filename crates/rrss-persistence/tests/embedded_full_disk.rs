//! What the `embedded` backend promises of a disk that is full.
//!
//! The disk is a tmpfs. Where none can be mounted, which takes root, a test says so and runs again as a process whose files
//! may not grow past a limit.
#![cfg(all(feature = "embedded", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]
#![allow(
    dead_code,
    reason = "the promises of all backends are not asked for here"
)]

mod promises;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use promises::{create, load, op, put, stored, until, update};
use rrss_core::{Action, Backend, ErrorKind, Written};
use rrss_persistence::embedded::{Durability, Embedded, Options};
use tempfile::TempDir;

/// A disk that can be filled and emptied.
enum Disk {
    Tmpfs(TempDir),
    /// The directory of a process whose files may not grow past a limit.
    Limited(PathBuf),
}

/// Names the directory to a process with such a limit: the test, run a second time.
const LIMITED: &str = "RRSS_TEST_LIMITED_DIR";

/// In units of 512 bytes (POSIX, `ulimit`).
const LIMIT: usize = 800;

/// How much room is left on a disk that is full: for some saves, and less than one is to have that is used again.
const LEFT: u64 = 200 * 1024;

impl Disk {
    fn path(&self) -> PathBuf {
        match self {
            Self::Tmpfs(dir) => dir.path().join("sessions"),
            Self::Limited(dir) => dir.clone(),
        }
    }

    fn ballast(&self) -> PathBuf {
        self.path().with_file_name("ballast")
    }

    /// Leaves next to no room.
    fn fill(&self) {
        self.fill_up_to(LEFT);
    }

    /// Leaves so many bytes.
    fn fill_up_to(&self, left: u64) {
        match self {
            Self::Tmpfs(_) => {
                let mut ballast = File::create(self.ballast()).unwrap();
                while ballast.write_all(&[0x55; 4_096]).is_ok() {}
                let length = ballast.metadata().unwrap().len();
                ballast.set_len(length - left).unwrap();
            }
            Self::Limited(_) => limit(&format!("{}:unlimited", LIMIT * 512)),
        }
    }

    /// Gives all room back.
    fn empty(&self) {
        match self {
            Self::Tmpfs(_) => fs::remove_file(self.ballast()).unwrap(),
            Self::Limited(_) => limit("unlimited:unlimited"),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Self::Tmpfs(dir) = self {
            // Lazily: a store that failed a test may have files open.
            let _ = Command::new("umount").arg("-l").arg(dir.path()).status();
        }
    }
}

fn limit(file_size: &str) {
    let status = Command::new("prlimit")
        .arg(format!("--pid={}", process::id()))
        .arg(format!("--fsize={file_size}"))
        .status();
    assert!(status.unwrap().success(), "prlimit of util-linux is needed");
}

/// Runs a test on a disk that can be filled. `prepare` makes the directory while there is room.
fn on_a_disk(test: &str, check: impl Fn(&Disk)) {
    if let Some(dir) = std::env::var_os(LIMITED) {
        return check(&Disk::Limited(dir.into()));
    }
    let dir = TempDir::new().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"])
        .arg(dir.path())
        .output();
    if mounted.is_ok_and(|mounted| mounted.status.success()) {
        return check(&Disk::Tmpfs(dir));
    }
    // Past the harness, which shows what a test prints only where it fails.
    let _ = writeln!(
        std::io::stderr(),
        "\n*** no tmpfs can be mounted here, which takes root: {test} runs with a limit on the size of files instead ***\n"
    );
    let path = dir.path().join("sessions");
    // A new journal is set to 64 MiB; one that is opened again is as long as what is in it.
    drop(open(&path, Durability::Process));
    drop(open(&path, Durability::Process));
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(LIMITED, &path)
        .status();
    assert!(status.unwrap().success());
}

fn open(path: &Path, durability: Durability) -> Embedded {
    let options = Options {
        durability,
        // The disk is small, and not slow.
        timeout: std::time::Duration::from_secs(600).into(),
        ..Options::at(path)
    };
    Embedded::open(&options).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build();
    runtime.unwrap().block_on(future)
}

/// The engine compresses what is large.
fn incompressible(bytes: usize) -> String {
    let mut state = 1_u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b' ' + ((state >> 40) % 94) as u8)
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// Creates sessions `name:N` until one is refused, and answers how many were stored.
async fn save_until_refused(embedded: &Embedded, name: &str, bytes: usize) -> usize {
    let value = incompressible(bytes);
    for n in 0.. {
        let create = create(&format!("{name}:{n}"), &value, 0, until(100));
        match embedded.write(&create).await {
            Ok(written) => assert_eq!(written, Written::Done),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
                assert!(error.message().contains("nothing was stored"), "{error:?}");
                return n;
            }
        }
    }
    unreachable!("no disk is endless");
}

/// Tries until it works: changes are not tried at every operation.
async fn save_as_soon_as_possible(embedded: &Embedded, key: &str) {
    while let Err(error) = embedded.write(&create(key, "{}", 0, until(100))).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        tokio::task::yield_now().await;
    }
}

/// Holds what is stored against what was acknowledged.
async fn check_all(embedded: &Embedded, name: &str, acknowledged: usize) {
    for n in 0..acknowledged {
        let key = format!("{name}:{n}");
        assert!(stored(embedded, &key, 0).await.is_some(), "{key} is lost");
    }
    let refused = format!("{name}:{acknowledged}");
    assert!(
        stored(embedded, &refused, 0).await.is_none(),
        "{refused} was refused, and is there"
    );
}

#[test]
fn writes_work_again_once_there_is_room() {
    on_a_disk("writes_work_again_once_there_is_room", |disk| {
        block_on(async {
            let embedded = open(&disk.path(), Durability::Process);
            put(&embedded, "user", until(100)).await;
            for round in 0..3 {
                let name = format!("s{round}");
                disk.fill();
                let saved = save_until_refused(&embedded, &name, 1_000).await;
                check_all(&embedded, &name, saved).await;
                let error = embedded.ping().await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Unavailable);
                let logout = op(Action::Delete, "user", 0);
                let error = embedded.delete(&logout).await.unwrap_err();
                assert!(error.message().contains("nothing was stored"), "{error}");
                assert!(stored(&embedded, "user", 0).await.is_some());

                disk.empty();
                save_as_soon_as_possible(&embedded, &format!("again:{round}")).await;
                embedded.ping().await.unwrap();
                assert_eq!(embedded.delete(&logout).await.unwrap(), Written::Done);
                put(&embedded, "user", until(100)).await;
                check_all(&embedded, &name, saved).await;
            }
        });
    });
}

#[test]
fn a_ping_alone_finds_that_there_is_room_again() {
    on_a_disk("a_ping_alone_finds_that_there_is_room_again", |disk| {
        block_on(async {
            let embedded = open(&disk.path(), Durability::Process);
            disk.fill();
            save_until_refused(&embedded, "s", 1_000).await;
            disk.empty();
            while embedded.ping().await.is_err() {
                tokio::task::yield_now().await;
            }
            put(&embedded, "user", until(100)).await;
        });
    });
}

#[test]
fn a_refused_save_is_not_there_after_reopening() {
    on_a_disk("a_refused_save_is_not_there_after_reopening", |disk| {
        block_on(async {
            let mut all = Vec::new();
            // What fits into the buffer of the journal, what is about as large, and what is written past it.
            for bytes in [10, 1_000, 8_100, 50_000] {
                for durability in [Durability::Process, Durability::Disk] {
                    let name = format!("s{bytes}{durability:?}");
                    let embedded = open(&disk.path(), durability);
                    disk.fill();
                    let saved = save_until_refused(&embedded, &name, bytes).await;
                    disk.empty();
                    // There is room when the engine is closed.
                    drop(embedded);
                    all.push((name, saved));
                    let embedded = open(&disk.path(), durability);
                    for (name, saved) in &all {
                        check_all(&embedded, name, *saved).await;
                    }
                }
            }
        });
    });
}

/// The journal has room, and the table that the engine writes out behind it does not.
#[test]
fn a_failure_of_the_engines_own_threads_is_left_too() {
    on_a_disk("a_failure_of_the_engines_own_threads_is_left_too", |disk| {
        block_on(async {
            let embedded = open(&disk.path(), Durability::Process);
            disk.fill_up_to(13 * 1024 * 1024);
            let saved = save_until_refused(&embedded, "s:1", 5_000).await;
            check_all(&embedded, "s:1", saved).await;
            disk.empty();
            save_as_soon_as_possible(&embedded, "s:again").await;
            check_all(&embedded, "s:1", saved).await;
            drop(embedded);
            let embedded = open(&disk.path(), Durability::Process);
            check_all(&embedded, "s:1", saved).await;
            let all = embedded.count(&load("", 0)).await.unwrap();
            assert_eq!(all, saved as u64 + 1);
        });
    });
}

#[test]
fn a_refused_update_leaves_the_session_as_it_was() {
    on_a_disk("a_refused_update_leaves_the_session_as_it_was", |disk| {
        block_on(async {
            let embedded = open(&disk.path(), Durability::Process);
            put(&embedded, "s", until(100)).await;
            disk.fill();
            let mut last = stored(&embedded, "s", 0).await.unwrap().0;
            for version in 0.. {
                let value = format!("\"{version}{}\"", "x".repeat(500));
                match embedded.write(&update("s", &value, 0, until(100))).await {
                    Ok(_) => last = value.into_bytes().into(),
                    Err(_) => break,
                }
            }
            assert_eq!(stored(&embedded, "s", 0).await.unwrap().0, last);
            disk.empty();
            drop(embedded);
            let embedded = open(&disk.path(), Durability::Process);
            assert_eq!(stored(&embedded, "s", 0).await.unwrap().0, last);
        });
    });
}

/// Many tasks at once, whose changes share commits.
#[test]
fn of_many_saves_at_once_exactly_those_that_were_acknowledged_are_there() {
    const NAME: &str = "of_many_saves_at_once_exactly_those_that_were_acknowledged_are_there";
    on_a_disk(NAME, |disk| {
        block_on(async {
            let embedded = std::sync::Arc::new(open(&disk.path(), Durability::Process));
            disk.fill();
            let tasks: Vec<_> = (0..32)
                .map(|task| {
                    let embedded = std::sync::Arc::clone(&embedded);
                    tokio::spawn(async move {
                        save_until_refused(&embedded, &format!("s:{task}"), 700).await
                    })
                })
                .collect();
            let mut saved = Vec::new();
            for task in tasks {
                saved.push(task.await.unwrap());
            }
            disk.empty();
            drop(embedded);
            let embedded = open(&disk.path(), Durability::Process);
            for (task, saved) in saved.iter().enumerate() {
                check_all(&embedded, &format!("s:{task}"), *saved).await;
            }
            let all = embedded.count(&load("", 0)).await.unwrap();
            assert_eq!(all, saved.iter().sum::<usize>() as u64);
        });
    });
}

/// What is written on: the key of every session that was acknowledged, while the disk is filled and emptied.
#[test]
fn nothing_acknowledged_is_lost_while_the_disk_fills_and_empties() {
    const NAME: &str = "nothing_acknowledged_is_lost_while_the_disk_fills_and_empties";
    on_a_disk(NAME, |disk| {
        block_on(async {
            let embedded = open(&disk.path(), Durability::Process);
            let mut acknowledged = BTreeSet::new();
            for round in 0..4 {
                disk.fill();
                let name = format!("s:{round}");
                let saved = save_until_refused(&embedded, &name, 3_000).await;
                acknowledged.extend((0..saved).map(|n| format!("{name}:{n}")));
                disk.empty();
                let key = format!("s:again:{round}");
                save_as_soon_as_possible(&embedded, &key).await;
                acknowledged.insert(key);
            }
            drop(embedded);
            let embedded = open(&disk.path(), Durability::Process);
            let keys = promises::all_keys(&embedded, &load("", 0), 100).await;
            assert_eq!(keys.into_iter().collect::<BTreeSet<_>>(), acknowledged);
        });
    });
}
