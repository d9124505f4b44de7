//! Listing and counting more sessions than a page holds.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use cli::{Folder, finish};
use rrss::{Session, Store};

const SESSIONS: usize = 2_500;

/// An embedded store with many sessions, and their ids.
fn many() -> (Folder, BTreeSet<String>) {
    let folder = Folder::embedded();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ids = runtime.block_on(async {
        let store = Store::from_file(folder.path().join("rrss.toml")).unwrap();
        let mut ids = BTreeSet::new();
        for number in 0..SESSIONS {
            let mut session = Session::new();
            session.insert("number", &number).unwrap();
            store.save(&mut session).await.unwrap();
            ids.insert(session.id().unwrap().as_str().to_owned());
        }
        store.shutdown(Duration::from_secs(60)).await.unwrap();
        ids
    });
    (folder, ids)
}

#[test]
fn every_session_is_listed_and_counted() {
    let (folder, ids) = many();
    let lines = |text: String| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    assert_eq!(folder.ok(["count"]), SESSIONS.to_string());

    let all = lines(folder.ok(["list"]));
    assert_eq!(all.len(), SESSIONS);
    assert_eq!(all.iter().cloned().collect::<BTreeSet<_>>(), ids);

    for limit in [1, 1_000, 1_001, SESSIONS - 1, SESSIONS, SESSIONS + 1] {
        let some = lines(folder.ok(["list", "--limit", &limit.to_string()]));
        assert_eq!(some.len(), limit.min(SESSIONS));
        assert!(some.iter().all(|id| ids.contains(id)));
    }

    let json: BTreeSet<String> = serde_json::from_str(&folder.ok(["list", "--json"])).unwrap();
    assert_eq!(json, ids);
    let json: Vec<String> =
        serde_json::from_str(&folder.ok(["list", "--json", "--limit", "3"])).unwrap();
    assert_eq!(json.len(), 3);

    // As `rrss list | head -1` does.
    let mut command = folder.command(["list"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(ids.contains(first.trim_end()));
    let run = finish(child);
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
}

#[test]
fn an_empty_store_lists_nothing() {
    let folder = Folder::embedded();
    assert_eq!(folder.ok(["list"]), "");
    assert_eq!(folder.ok(["list", "--json"]), "[]");
    assert_eq!(folder.ok(["list", "--limit", "5"]), "");
    assert_eq!(folder.ok(["count"]), "0");
}
