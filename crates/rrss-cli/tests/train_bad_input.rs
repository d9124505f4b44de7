//! What `train` refuses, with what it says and its exit code.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;
#[path = "cli/shop.rs"]
mod shop;

use std::fs;

use cli::{Folder, Run, pipeline};

const MEMORY: &str = "[[step]]\ntype = \"memory\"\n";

fn folder() -> Folder {
    let folder = Folder::with(&pipeline(MEMORY));
    folder.write("sessions.jsonl", shop::lines(300));
    folder
}

/// Trains from a file with this content, which must fail and write nothing.
#[track_caller]
fn refused(content: impl AsRef<[u8]>, code: i32, words: &str) -> Run {
    let folder = Folder::with(&pipeline(MEMORY));
    folder.write("sessions.jsonl", content);
    let run = folder.run(["train", "--from", "sessions.jsonl", "--out", "new.dict"]);
    run.failed(code, words);
    assert!(!folder.path().join("new.dict").exists(), "{run:?}");
    run
}

#[test]
fn a_line_that_is_no_object_is_named_by_its_number_and_not_quoted() {
    for line in [
        "hunter2",
        "\"hunter2\"",
        "[\"hunter2\"]",
        "{\"pin\":\"hunter2\"",
        "{\"pin\":hunter2}",
        "{\"pin\":\"hunter2\"} {}",
        "null",
    ] {
        let text = shop::lines(2) + "\n" + line + "\n" + &shop::lines(200);
        let run = refused(text, 65, "line 4 of sessions.jsonl is not a JSON object");
        assert!(!run.err.contains("hunter2"), "{run:?}");
    }
    let mut bytes = shop::lines(200).into_bytes();
    bytes.extend(b"{\"pin\":\"\xff\"}");
    refused(bytes, 65, "line 201 of sessions.jsonl is not a JSON object");
}

#[test]
fn a_session_that_the_codec_would_not_store_is_named_by_its_line() {
    let line = "{\"$rrss\":{\"created\":1},\"pin\":\"hunter2\"}\n";
    let run = refused(
        shop::lines(150) + line,
        65,
        "line 151 of sessions.jsonl is refused",
    );
    assert!(run.err.contains("`$rrss` is reserved"), "{run:?}");
    assert!(!run.err.contains("hunter2"), "{run:?}");
}

#[test]
fn too_few_sessions_and_none_are_refused_and_what_to_do_is_said() {
    for nothing in ["", "\n\n", " \r\n"] {
        refused(nothing, 65, "sessions.jsonl has no sessions");
    }
    let run = refused(shop::lines(99), 65, "100 sessions or more");
    assert!(run.err.contains("here are 99"), "{run:?}");
    assert!(
        run.err.contains("help: put more sessions into the file"),
        "{run:?}"
    );
    let run = refused(
        "{\"a\":1}\n".repeat(150),
        65,
        "must be 10 times as many bytes",
    );
    assert!(run.err.contains("sample more sessions"), "{run:?}");
}

#[test]
fn a_dictionary_that_saves_nothing_is_not_written() {
    // Too short for any dictionary: they are stored as they are.
    let run = refused(
        "{}\n".repeat(400),
        65,
        "saves nothing on sessions that it was not trained on",
    );
    assert!(run.err.contains("too little in common"), "{run:?}");
}

#[test]
fn a_store_without_sessions_is_refused() {
    for folder in [Folder::with(&pipeline(MEMORY)), Folder::embedded()] {
        let run = folder.run(["train", "--out", "new.dict"]);
        run.failed(65, "the store has no sessions");
        assert!(run.err.contains("--from FILE"), "{run:?}");
        assert!(!folder.path().join("new.dict").exists());
    }
}

#[test]
fn a_wrong_command_line_is_exit_2() {
    let folder = folder();
    for arguments in [
        &["--out", "a", "--sample", "0"][..],
        &["--out", "a", "--sample", "-1"],
        &["--out", "a", "--sample", "many"],
        &["--out", "a", "--size", "0"],
        &["--out", "a", "--size", "1023"],
        &["--out", "a", "--size", "1048577"],
        &["--out", "a", "--from", "sessions.jsonl", "--sample", "5"],
        &["--from", "sessions.jsonl"],
        &["--out"],
        &["a"],
        &[],
    ] {
        let run = folder.run(["train"].iter().chain(arguments));
        run.failed(2, "error: ");
        assert!(!folder.path().join("a").exists());
    }
}

#[test]
fn a_file_of_sessions_that_cannot_be_read_is_exit_74() {
    let folder = folder();
    for name in ["gone.jsonl", "."] {
        let run = folder.run(["train", "--from", name, "--out", "new.dict"]);
        run.failed(74, &format!("reading {name} failed"));
    }
}

#[test]
fn a_target_that_cannot_be_written_is_refused_before_sessions_are_read() {
    let folder = folder();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let to = |out: &str| folder.run(["train", "--from", "not-even-there", "--out", out]);
    for name in ["folder", "folder/", ".", "..", "/", "no-folder/"] {
        to(name).failed(2, "is a folder");
    }
    to("sessions.jsonl").failed(2, "sessions.jsonl is there already, and was left as it is");
    for name in ["no/such/folder/new.dict", "sessions.jsonl/new.dict"] {
        to(name).failed(74, &format!("writing {name} failed"));
    }
    assert_eq!(folder.read("sessions.jsonl"), shop::lines(300));
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_never_replaced() {
    let folder = folder();
    let path = folder.path().join("socket");
    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    for more in [&["--force"][..], &[]] {
        let arguments = ["train", "--from", "sessions.jsonl", "--out", "socket"];
        let run = folder.run(arguments.iter().chain(more));
        run.failed(2, "socket is no regular file, and was left as it is");
    }
    assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
    drop(socket);
}

/// Nobody may make files there, the superuser included.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_nobody_may_write_to_is_exit_74() {
    let run = folder().run([
        "train",
        "--from",
        "sessions.jsonl",
        "--out",
        "/proc/new.dict",
    ]);
    run.failed(74, "writing /proc/new.dict failed");
}

#[test]
fn a_dictionary_in_use_is_never_replaced() {
    let folder = folder();
    folder.ok(["train", "--from", "sessions.jsonl", "--out", "used.dict"]);
    let bytes = fs::read(folder.path().join("used.dict")).unwrap();
    let step = "type = \"compression\"\n";
    let used = format!("{step}dictionary = [\"used.dict\"]\n");
    folder.write("rrss.toml", folder.read("rrss.toml").replace(step, &used));
    for out in ["used.dict", "./used.dict"] {
        for more in [&["--force"][..], &[]] {
            let arguments = [
                "train",
                "--from",
                "sessions.jsonl",
                "--out",
                out,
                "--size",
                "2048",
            ];
            let run = folder.run(arguments.iter().chain(more));
            run.failed(2, "is a dictionary that the configuration names");
            assert!(run.err.contains("the new one first"), "{run:?}");
        }
    }
    assert_eq!(fs::read(folder.path().join("used.dict")).unwrap(), bytes);

    let run = folder.run(["train", "--from", "sessions.jsonl", "--out", "same.dict"]);
    run.failed(65, "give the dictionary that `used.dict` is already");
    assert!(!folder.path().join("same.dict").exists());
}

#[test]
fn a_file_that_names_its_first_dictionary_already_can_be_trained_for() {
    let folder = folder();
    let step = "type = \"compression\"\n";
    let config = folder
        .read("rrss.toml")
        .replace(step, &format!("{step}dictionary = \"new.dict\"\n"));
    folder.write("rrss.toml", config);
    let report = folder.ok(["train", "--from", "sessions.jsonl", "--out", "new.dict"]);
    assert!(report.contains("\ndictionary = \"new.dict\"\n"), "{report}");
    folder.ok(["check"]);
}

#[test]
fn a_backend_that_keeps_fields_has_nothing_to_compress() {
    let folder = folder();
    folder.write(
        "rrss.toml",
        "[[step]]\ntype = \"key-mapper\"\n[[step]]\ntype = \"expiry\"\n\
         [[step]]\ntype = \"redis\"\nurl = \"redis://localhost:1\"\nlayout = \"hash\"\n",
    );
    let run = folder.run(["train", "--from", "sessions.jsonl", "--out", "new.dict"]);
    run.failed(78, "no step of this file makes bytes of sessions");
}

#[test]
fn check_refuses_every_dictionary_that_a_store_could_not_be_built_with() {
    let folder = folder();
    folder.ok(["train", "--from", "sessions.jsonl", "--out", "good.dict"]);
    folder.write("empty.dict", "");
    folder.write("text.dict", "{}");
    fs::copy(
        folder.path().join("good.dict"),
        folder.path().join("twin.dict"),
    )
    .unwrap();
    let config = folder.read("rrss.toml");
    let warnings = |dictionaries: &str| {
        let step = "type = \"compression\"\n";
        folder.write(
            "rrss.toml",
            config.replace(step, &format!("{step}dictionary = {dictionaries}\n")),
        );
        let run = folder.run(["check"]);
        let is_good = run.code == 0 && run.out.starts_with("rrss.toml: ok\n");
        assert!(is_good || (run.code, &*run.out) == (78, ""), "{run:?}");
        run.err
    };
    assert_eq!(warnings("\"good.dict\""), "");
    let said = warnings("[\"good.dict\", \"gone.dict\", \"empty.dict\", \"text.dict\"]");
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    for (line, words) in lines.iter().zip([
        "`gone.dict` could not be read",
        "`empty.dict` is empty",
        "`text.dict` is no",
    ]) {
        assert!(line.contains(words), "{said}");
    }
    assert_eq!(lines.len(), 3, "{said}");
    assert!(said.contains("\n  --> rrss.toml:13:14\n"), "{said}");
    assert!(said.contains("= note: because: "), "{said}");
    let twins = warnings("[\"good.dict\", \"twin.dict\"]");
    assert!(twins.contains("`twin.dict` has the id"), "{twins}");
}

#[test]
fn check_warns_of_a_level_that_stores_more_with_a_dictionary_than_the_first() {
    let folder = folder();
    folder.ok(["train", "--from", "sessions.jsonl", "--out", "good.dict"]);
    let config = folder.read("rrss.toml");
    for (options, warned) in [
        ("level = 5\ndictionary = \"good.dict\"", true),
        ("level = 8\ndictionary = \"good.dict\"", true),
        ("level = 3\ndictionary = \"good.dict\"", false),
        ("level = 9\ndictionary = \"good.dict\"", false),
        ("dictionary = \"good.dict\"", false),
        ("level = 5", false),
        (
            "level = 5\nwrite_with_dictionary = false\ndictionary = \"good.dict\"",
            false,
        ),
    ] {
        let step = "type = \"compression\"\n";
        folder.write(
            "rrss.toml",
            config.replace(step, &format!("{step}{options}\n")),
        );
        let run = folder.run(["check"]);
        assert_eq!(run.code, 0, "{run:?}");
        let said = run
            .err
            .contains("`level` of step `compression`: with a dictionary");
        assert_eq!(said, warned, "{options}: {run:?}");
    }
}

#[test]
fn check_refuses_a_certificate_that_is_not_there() {
    let folder = Folder::with(
        "[[step]]\ntype = \"key-mapper\"\n[[step]]\ntype = \"expiry\"\n[[step]]\ntype = \"json-codec\"\n\
         [[step]]\ntype = \"redis\"\nurl = \"rediss://localhost:1\"\ncacert = \"gone.pem\"\n",
    );
    let run = folder.run(["check"]);
    run.failed(78, "`cacert` of step `redis`");
    assert!(run.err.contains("rrss.toml:10:10"), "{run:?}");
}
