//! Sessions found, and ended, by the value of a field.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;

use std::collections::BTreeSet;

use cli::{Folder, UNKNOWN_ID};
use rrss::{Handle, SessionId};
use serde_json::Value;

fn handle(id: &str) -> String {
    Handle::of(&SessionId::from(id)).to_string()
}

fn handles(found: &str) -> BTreeSet<&str> {
    found
        .lines()
        .map(|line| line.split('\t').next().unwrap())
        .collect()
}

#[test]
fn find_prints_a_line_a_session_with_its_handle_and_neither_ids_nor_values() {
    let folder = Folder::indexed();
    let ids = ["laptop", "phone"].map(|device| {
        folder.ok([
            "create",
            "user=ann",
            &format!("device={device}"),
            "pin=hunter2",
        ])
    });
    folder.ok(["create", "user=bob"]);

    let found = folder.ok(["find", "user", "ann"]);
    let expected: Vec<String> = ids.iter().map(|id| handle(id)).collect();
    assert_eq!(
        handles(&found),
        expected.iter().map(String::as_str).collect()
    );
    for line in found.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let [_, created, written, deadline] = cells[..] else {
            panic!("{line}")
        };
        for instant in [created, written, deadline] {
            assert!(humantime::parse_rfc3339(instant).is_ok(), "{line}");
        }
        assert!(created <= written && written < deadline, "{line}");
    }
    let created = found.lines().map(|line| line.split('\t').nth(1));
    assert!(created.is_sorted(), "{found}");
    let json = folder.ok(["find", "user", "ann", "--json"]);
    for secret in ["hunter2", "laptop", &ids[0], &ids[1]] {
        assert!(
            !found.contains(secret) && !json.contains(secret),
            "{secret}"
        );
    }
}

#[test]
fn find_prints_json_for_programs() {
    let folder = Folder::indexed();
    let id = folder.ok(["create", "user=ann"]);
    let line = folder.ok(["find", "user", "ann"]);
    let cells: Vec<&str> = line.split('\t').collect();
    let json: Value = serde_json::from_str(&folder.ok(["find", "user", "ann", "--json"])).unwrap();
    let expected = serde_json::json!([{
        "handle": handle(&id),
        "created_at": cells[1],
        "written_at": cells[2],
        "expires_at": cells[3],
    }]);
    assert_eq!(json, expected);
    let json: Value =
        serde_json::from_str(&folder.ok(["find", "user", "ann", "--json", "--ids"])).unwrap();
    assert_eq!(json[0]["id"], *id);
}

#[test]
fn a_session_without_a_deadline_ends_never() {
    let config = "step = [{ type = \"key-mapper\" }, { type = \"index\", fields = [\"user\"] }, \
                  { type = \"json-codec\" }, { type = \"embedded\", path = \"data\" }]\n";
    let folder = Folder::with(config);
    folder.ok(["create", "user=ann"]);
    assert!(folder.ok(["find", "user", "ann"]).ends_with("\tnever"));
    let json: Value = serde_json::from_str(&folder.ok(["find", "user", "ann", "--json"])).unwrap();
    assert_eq!(json[0]["expires_at"], Value::Null);
}

#[test]
fn ids_are_printed_where_they_are_asked_for_and_name_the_sessions() {
    let folder = Folder::indexed();
    let ids: BTreeSet<String> = (0..3).map(|_| folder.ok(["create", "user=ann"])).collect();
    let found = folder.ok(["find", "user", "ann", "--ids"]);
    let mut printed = BTreeSet::new();
    for line in found.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!((cells.len(), cells[0]), (5, &*handle(cells[4])), "{line}");
        assert!(folder.ok(["show", cells[4]]).contains(cells[0]));
        printed.insert(cells[4].to_owned());
    }
    assert_eq!(printed, ids);
}

#[test]
fn a_limit_stops_and_more_than_a_page_is_found() {
    let folder = Folder::indexed();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut expected = runtime.block_on(async {
        let store = rrss::Store::from_file(folder.path().join("rrss.toml")).unwrap();
        let mut handles = BTreeSet::new();
        for _ in 0..300 {
            let mut session = rrss::Session::new();
            session.insert("user", "ann").unwrap();
            store.save(&mut session).await.unwrap();
            handles.insert(Handle::of(session.id().unwrap()).to_string());
        }
        store
            .shutdown(std::time::Duration::from_secs(60))
            .await
            .unwrap();
        handles
    });
    for limit in [1, 128, 129, 299, 300, 301] {
        let found = folder.ok(["find", "user", "ann", "--limit", &limit.to_string()]);
        assert_eq!(found.lines().count(), limit.min(300));
        assert_eq!(handles(&found).len(), limit.min(300));
    }
    for arguments in [
        &["find", "user", "ann"][..],
        &["find", "user", "ann", "--ids"],
    ] {
        let found = folder.ok(arguments);
        assert!(handles(&found).into_iter().eq(&expected), "{arguments:?}");
    }

    let one = expected.pop_first().unwrap();
    assert_eq!(folder.ok(["revoke", "user", "ann", "--handle", &one]), "1");
    assert_eq!(folder.ok(["revoke", "user", "ann"]), "299");
    assert_eq!(folder.ok(["count"]), "0");
}

#[test]
fn a_value_is_found_as_json_and_as_text() {
    let folder = Folder::indexed();
    let id = folder.ok(["create", "user=42", r#"tenant="-t=1""#]);
    for value in ["42", r#""42""#, " 42 "] {
        assert_eq!(
            handles(&folder.ok(["find", "user", value])),
            [&*handle(&id)].into()
        );
    }
    assert_eq!(
        handles(&folder.ok(["find", "tenant", "-t=1"])),
        [&*handle(&id)].into()
    );
    assert_eq!(folder.ok(["find", "user", "42.0"]), "");
}

#[test]
fn finding_and_ending_nobody_is_done() {
    let folder = Folder::indexed();
    folder.ok(["create", "user=ann"]);
    assert_eq!(folder.ok(["find", "user", "bob"]), "");
    assert_eq!(folder.ok(["find", "user", "bob", "--ids"]), "");
    assert_eq!(folder.ok(["find", "user", "bob", "--json"]), "[]");
    assert_eq!(folder.ok(["revoke", "user", "bob"]), "0");
    assert_eq!(folder.ok(["count"]), "1");
}

#[test]
fn revoke_ends_the_sessions_of_the_value_and_prints_how_many() {
    let folder = Folder::indexed();
    let ids = [(); 3].map(|()| folder.ok(["create", "user=ann"]));
    let other = folder.ok(["create", "user=bob"]);
    assert_eq!(folder.ok(["revoke", "user", "ann"]), "3");
    for id in &ids {
        folder.run(["get", id]).failed(1, "no such session");
    }
    assert_eq!(folder.ok(["list"]), other);
    assert_eq!(folder.ok(["revoke", "user", "ann"]), "0");
}

#[test]
fn revoke_with_a_handle_ends_that_session_of_that_value_alone() {
    let folder = Folder::indexed();
    let [one, two] = [(); 2].map(|()| folder.ok(["create", "user=ann"]));
    let other = folder.ok(["create", "user=bob"]);
    for handle in [handle(&other), handle(UNKNOWN_ID)] {
        folder
            .run(["revoke", "user", "ann", "--handle", &handle])
            .failed(1, "no such session");
    }
    assert_eq!(folder.ok(["count"]), "3");
    let ending = ["revoke", "user", "ann", "--handle", &handle(&one)].map(str::to_owned);
    assert_eq!(folder.ok(&ending), "1");
    folder.run(["get", &one]).failed(1, "no such session");
    folder.ok(["get", &two]);
    folder.run(&ending).failed(1, "no such session");
}

#[test]
fn an_id_in_place_of_a_handle_is_exit_2_and_is_not_repeated() {
    let folder = Folder::indexed();
    let id = folder.ok(["create", "user=ann"]);
    for given in [&*id, "", "-h", "not a handle"] {
        let run = folder.run(["revoke", "user", "ann", "--handle", given]);
        run.failed(2, "not a handle of a session");
        assert!(!run.err.contains(&id), "{run:?}");
    }
    folder.ok(["get", &id]);
}

#[test]
fn a_field_that_is_not_indexed_is_exit_78_and_says_what_to_add() {
    for (folder, hint) in [
        (
            Folder::embedded(),
            "put a step `index` with `fields = [\"email\"]`",
        ),
        (
            Folder::indexed(),
            "add it to the `fields` of the step `index`",
        ),
    ] {
        folder.ok(["create", "email=ann@example.org"]);
        for arguments in [
            &["find", "email", "ann@example.org"][..],
            &["find", "email", "ann@example.org", "--ids", "--json"],
            &["revoke", "email", "ann@example.org"],
            &[
                "revoke",
                "email",
                "ann@example.org",
                "--handle",
                &handle(UNKNOWN_ID),
            ],
        ] {
            let run = folder.run(arguments);
            run.failed(78, hint);
            assert!(!run.err.contains("example.org"), "{run:?}");
        }
        assert_eq!(folder.ok(["count"]), "1");
    }
}

#[test]
fn a_value_that_no_session_is_found_by_is_exit_65_and_is_not_repeated() {
    let folder = Folder::indexed();
    for value in ["null", r#"["hunter2"]"#, r#"{"pin":"hunter2"}"#] {
        for command in ["find", "revoke"] {
            let run = folder.run([command, "user", value]);
            run.failed(65, "`user`");
            assert!(!run.err.contains("hunter2"), "{run:?}");
        }
    }
}

#[test]
fn a_command_line_that_is_wrong_is_exit_2() {
    let folder = Folder::indexed();
    for arguments in [
        &["find"][..],
        &["find", "user"],
        &["find", "user", "ann", "extra"],
        &["find", "user", "ann", "--limit", "0"],
        &["revoke", "user"],
        &["revoke", "user", "ann", "--handle"],
        &["show"],
    ] {
        folder.run(arguments).failed(2, "error: ");
    }
}

#[test]
fn reindex_lets_sessions_be_found_by_a_field_that_is_new_to_the_index() {
    let folder = Folder::indexed();
    folder.ok(["create", "user=ann", "team=blue"]);
    folder.ok(["create", "user=bob", "team=blue"]);
    folder.ok(["create", "cart=tea"]);
    let config = folder.read("rrss.toml");
    folder.write(
        "rrss.toml",
        config.replace("fields = [\"user\"", "fields = [\"team\", \"user\""),
    );
    assert_eq!(folder.ok(["find", "team", "blue"]), "");

    assert_eq!(folder.ok(["reindex"]), "indexed     3\nunreadable  0");
    assert_eq!(folder.ok(["find", "team", "blue"]).lines().count(), 2);
    assert_eq!(
        folder.ok(["reindex", "--json"]),
        r#"{"indexed":3,"unreadable":0}"#
    );
    assert_eq!(folder.ok(["revoke", "team", "blue"]), "2");
    assert_eq!(folder.ok(["count"]), "1");
}

#[test]
fn reindex_without_an_index_names_the_step_that_is_missing() {
    let folder = Folder::embedded();
    let run = folder.run(["reindex"]);
    assert_eq!(run.code, 78, "{run:?}");
    assert!(run.err.contains("put a step `index`"), "{run:?}");
}
