//! A store that holds digests of ids: what the commands print of its sessions.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;

use std::collections::BTreeSet;

use cli::Folder;
use rrss::{Handle, SessionId};
use serde_json::Value;

const KEYS: &str = "type = \"key-mapper\"\n";

/// The file of `folder`, with ids hashed.
fn hash(folder: &Folder, more: &str) {
    let file = folder.read("rrss.toml");
    let hashed = file.replace(KEYS, &format!("{KEYS}hash = \"sha256\"\n{more}"));
    assert_ne!(file, hashed);
    folder.write("rrss.toml", hashed);
}

fn hashed() -> Folder {
    let folder = Folder::indexed();
    hash(&folder, "");
    folder
}

fn handle(id: &str) -> String {
    Handle::of(&SessionId::from(id)).to_string()
}

#[test]
fn sessions_are_listed_by_their_handles_and_reached_by_their_ids() {
    let folder = hashed();
    let ids = ["ann", "bob"].map(|user| folder.ok(["create", &format!("user={user}")]));
    let handles: BTreeSet<String> = ids.iter().map(|id| handle(id)).collect();

    let listed = folder.ok(["list"]);
    let listed: BTreeSet<String> = listed.lines().map(str::to_owned).collect();
    assert_eq!(listed, handles);
    let json: BTreeSet<String> = serde_json::from_str(&folder.ok(["list", "--json"])).unwrap();
    assert_eq!(json, handles);

    let shown: Value = serde_json::from_str(&folder.ok(["show", &ids[0], "--json"])).unwrap();
    assert_eq!(shown["handle"], handle(&ids[0]));
    assert_eq!(shown["index"][0]["found"], true);

    let found = folder.ok(["find", "user", "ann"]);
    assert!(found.starts_with(&handle(&ids[0])), "{found}");
    assert_eq!(
        folder.ok(["revoke", "user", "ann", "--handle", &handle(&ids[0])]),
        "1"
    );
    folder.ok(["delete", &ids[1]]);
    assert_eq!(folder.ok(["count"]), "0");
}

#[test]
fn ids_that_are_not_there_are_not_printed_and_it_says_why() {
    let folder = hashed();
    folder.ok(["create", "user=ann"]);
    let run = folder.run(["find", "user", "ann", "--ids"]);
    assert_eq!((run.code, &*run.out), (78, ""));
    assert!(run.err.contains("the store holds no ids"), "{}", run.err);
}

#[test]
fn what_a_listing_prints_logs_nobody_in() {
    let folder = hashed();
    folder.ok(["create", "user=ann"]);
    let listed = folder.ok(["list"]);
    assert_ne!(folder.run(["get", &listed]).code, 0);
}

#[test]
fn sessions_from_before_are_reached_and_listed_until_the_date_and_check_says_so() {
    let folder = Folder::indexed();
    let old = folder.ok(["create", "user=ann"]);
    hash(&folder, "accept_raw_keys_until = 2999-01-01\n");
    let new = folder.ok(["create", "user=ann"]);
    folder.ok(["set", &old, "seen=1"]);
    let listed = folder.ok(["list"]);
    let listed: BTreeSet<&str> = listed.lines().collect();
    assert_eq!(listed, BTreeSet::from([&*old, &*handle(&new)]));
    let check = folder.run(["check"]);
    assert_eq!(check.code, 0);
    assert!(check.err.contains("accept_raw_keys_until"), "{}", check.err);

    let file = folder.read("rrss.toml").replace("2999-01-01", "2001-01-01");
    folder.write("rrss.toml", file);
    assert_ne!(folder.run(["get", &old]).code, 0);
    assert_eq!(folder.ok(["count"]), "1");
    let check = folder.run(["check"]);
    assert!(check.err.contains("has passed"), "{}", check.err);
}

#[test]
fn check_says_what_hashing_means_for_a_store_that_has_sessions() {
    let folder = Folder::indexed();
    assert_eq!(folder.run(["check"]).err, "");
    hash(&folder, "");
    let check = folder.run(["check"]);
    assert_eq!(check.code, 0);
    let note = "sessions that were stored before it did are not found";
    assert!(check.err.contains(note), "{}", check.err);
}

#[test]
fn hashed_ids_and_a_program_that_looks_for_plain_ones_do_not_go_together() {
    let folder = Folder::with(
        "[[step]]\ntype = \"key-mapper\"\nhash = \"sha256\"\n\n[[step]]\ntype = \"redis\"\nlayout = \"hash\"\n\
         compat = \"rrss-0.2\"\ncompat_duration = \"1d\"\n",
    );
    let run = folder.run(["check"]);
    assert_eq!(run.code, 78);
    assert!(run.err.contains("hashes ids, but"), "{}", run.err);
}
