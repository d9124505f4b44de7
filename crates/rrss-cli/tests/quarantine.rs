//! `quarantine`: what is in it, and putting it back.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;

use cli::{Folder, Run};
use serde_json::Value;

/// Sessions larger than this cannot be read.
const STRICT: &str = "max_bytes = 90\n";

/// With a quarantine, and with a limit that sessions are beyond, or not.
fn config(strict: bool) -> String {
    let steps = cli::pipeline("[[step]]\ntype = \"embedded\"\npath = \"data\"\n");
    let limit = if strict { STRICT } else { "" };
    let steps = cli::indexed(&steps).replace(
        "type = \"json-codec\"\n",
        &format!("type = \"json-codec\"\n{limit}"),
    );
    format!("[store]\non_corrupt = \"quarantine\"\nquarantine_for = \"7d\"\n\n{steps}")
}

/// A folder with so many sessions in quarantine, and their ids.
fn with_entries(count: usize) -> (Folder, Vec<String>) {
    let folder = Folder::with(&config(false));
    let large = format!("note={}", "hunter2 ".repeat(10));
    let create = |_| folder.ok(["create", "user=ann", &large]);
    let ids: Vec<String> = (0..count).map(create).collect();
    folder.write("rrss.toml", config(true));
    for id in &ids {
        folder.run(["get", id]).failed(1, "no such session");
    }
    (folder, ids)
}

fn names(folder: &Folder) -> Vec<String> {
    let lines = folder.ok(["quarantine", "list"]);
    let name = |line: &str| line.split('\t').next().unwrap().to_owned();
    lines.lines().map(name).collect()
}

/// That it succeeded, and warned of what it shows.
fn shown(run: &Run) -> &str {
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.err.contains("warning: these bytes may hold"), "{run:?}");
    &run.out
}

#[test]
fn an_empty_quarantine_is_no_failure() {
    let folder = Folder::with(&config(false));
    assert_eq!(folder.ok(["quarantine", "list"]), "");
    assert_eq!(folder.ok(["quarantine", "list", "--json"]), "[]");
    assert_eq!(folder.ok(["quarantine", "restore", "--all"]), "0");
}

#[test]
fn list_has_a_line_an_entry_and_no_byte_of_it() {
    let (folder, ids) = with_entries(3);
    let lines = folder.ok(["quarantine", "list"]);
    assert_eq!(lines.lines().count(), 3);
    for line in lines.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!(cells.len(), 6, "{line}");
        assert_eq!(cells[0].len(), 64, "{line}");
        assert!(cells[1].ends_with('Z') && cells[2].ends_with('Z'), "{line}");
        assert!(cells[4].parse::<u32>().unwrap() > 90, "{line}");
        assert!(cells[5].contains("`max_bytes` allows 90"), "{line}");
    }
    assert!(
        !lines.contains("hunter2") && !lines.contains(&ids[0]),
        "{lines}"
    );
    assert_eq!(
        folder
            .ok(["quarantine", "list", "--limit", "2"])
            .lines()
            .count(),
        2
    );
    assert_eq!(folder.ok(["count"]), "0");
    assert_eq!(folder.ok(["list"]), "");

    let json: Value = serde_json::from_str(&folder.ok(["quarantine", "list", "--json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 3);
    for key in ["name", "since", "deadline", "kept_until", "bytes", "why"] {
        assert!(!json[0][key].is_null(), "{json}");
    }
}

#[test]
fn show_has_what_is_known_and_the_bytes_and_warns_of_them() {
    let (folder, _) = with_entries(1);
    let name = &names(&folder)[0];
    for given in [name, &name[..4]] {
        let run = folder.run(["quarantine", "show", given]);
        let text = shown(&run);
        assert!(text.contains(name) && text.contains("why"), "{text}");
        assert!(
            text.contains(r#"\"user\":\"ann\""#) && text.contains("hunter2"),
            "{text}"
        );
    }
    let run = folder.run(["quarantine", "show", name, "--json"]);
    let json: Value = serde_json::from_str(shown(&run)).unwrap();
    assert_eq!(json["name"].as_str(), Some(&**name));
    assert!(
        json["shown"].as_str().unwrap().contains("hunter2"),
        "{json}"
    );

    let run = folder.run(["quarantine", "show", name, "--raw"]);
    let stored: Value = serde_json::from_str(shown(&run)).unwrap();
    assert_eq!(stored["user"], "ann");
    assert_eq!(json["bytes"], run.out.len());
}

#[test]
fn restore_puts_a_session_back_that_can_be_read_by_now() {
    let (folder, ids) = with_entries(1);
    let name = &names(&folder)[0];
    folder.write("rrss.toml", config(false));
    assert_eq!(folder.ok(["quarantine", "restore", name]), "1");
    assert_eq!(folder.ok(["get", &ids[0], "user"]), "\"ann\"");
    assert_eq!(folder.ok(["find", "user", "ann"]).lines().count(), 1);
    assert_eq!(folder.ok(["quarantine", "list"]), "");
    folder
        .run(["quarantine", "restore", name])
        .failed(1, "no such entry");
}

#[test]
fn restore_of_what_still_cannot_be_read_says_so() {
    let (folder, ids) = with_entries(1);
    let name = &names(&folder)[0];
    let run = folder.run(["quarantine", "restore", name]);
    assert_eq!((run.code, &*run.out), (0, "1\n"), "{run:?}");
    assert!(run.err.contains("still cannot be read"), "{run:?}");
    // The next look moves it aside again.
    folder.run(["get", &ids[0]]).failed(1, "no such session");
    assert_eq!(&names(&folder), std::slice::from_ref(name));
}

/// Logs somebody else in under an id.
fn take(folder: &Folder, id: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = rrss::Store::from_file(folder.path().join("rrss.toml")).unwrap();
        let mut session = rrss::Session::with_id(id.into());
        session.insert("user", "eve").unwrap();
        store.save(&mut session).await.unwrap();
        store
            .shutdown(std::time::Duration::from_secs(60))
            .await
            .unwrap();
    });
}

#[test]
fn restore_all_puts_back_what_it_can_and_tells_of_the_rest() {
    let (folder, ids) = with_entries(3);
    folder.write("rrss.toml", config(false));
    take(&folder, &ids[1]);
    let run = folder.run(["quarantine", "restore", "--all"]);
    assert_eq!((run.code, &*run.out), (75, "2\n"), "{run:?}");
    assert_eq!(
        run.err.matches("another session is stored").count(),
        1,
        "{run:?}"
    );
    for (id, user) in ids.iter().zip(["\"ann\"", "\"eve\"", "\"ann\""]) {
        assert_eq!(folder.ok(["get", id, "user"]), user);
    }
    assert_eq!(names(&folder).len(), 1);
    folder
        .run(["quarantine", "restore", &names(&folder)[0]])
        .failed(75, "another session is stored");
}

#[test]
fn names_that_are_none_are_refused_and_not_repeated() {
    let (folder, ids) = with_entries(1);
    for name in [&*ids[0], "", "abc", "ABCDEF", "../../etc/passwd", "--", "é"] {
        for command in ["show", "restore"] {
            let run = folder.run(["quarantine", command, "--", name]);
            run.failed(2, "64 hexadecimal digits");
            assert!(name.len() < 4 || !run.err.contains(name), "{run:?}");
        }
    }
    for command in ["show", "restore"] {
        let unknown = "0123456789abcdef".repeat(4);
        folder
            .run(["quarantine", command, &unknown])
            .failed(1, "no such entry");
        folder
            .run(["quarantine", command, "0123456789abcdef"])
            .failed(1, "no such entry");
    }
    folder.run(["quarantine", "restore"]).failed(2, "NAME");
    folder.run(["quarantine"]).failed(2, "Usage");
}

#[test]
fn a_backend_of_fields_has_none() {
    let steps =
        "[[step]]\ntype = \"key-mapper\"\n\n[[step]]\ntype = \"redis\"\nlayout = \"hash\"\n";
    let folder = Folder::with(steps);
    folder
        .run(["quarantine", "list"])
        .failed(78, "has no quarantine");
    folder.write(
        "rrss.toml",
        format!("[store]\non_corrupt = \"discard\"\n\n{steps}"),
    );
    folder
        .run(["check"])
        .failed(78, "keeps the fields of sessions one by one");
}

#[test]
fn check_warns_of_discard() {
    let folder = Folder::with(&config(false).replace("quarantine\"\n", "discard\"\n"));
    let run = folder.run(["check"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.err.contains("deletes what cannot be read"), "{run:?}");
    assert!(run.err.contains("`on_corrupt = \"quarantine\"`"), "{run:?}");
}
