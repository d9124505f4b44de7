//! The commands on the file: init, check, explain, schema.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;

use std::fs;
use std::path::Path;

use cli::{Folder, pipeline};
use serde_json::Value;

const EXAMPLE: &str = include_str!("../src/init/rrss.toml.example");

#[test]
fn the_example_of_the_repository_is_what_init_writes() {
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rrss.toml.example");
    assert_eq!(fs::read_to_string(copy).unwrap(), EXAMPLE);
    let folder = Folder::empty();
    assert_eq!(folder.run(["init"]).code, 0);
    assert_eq!(folder.read("rrss.toml"), EXAMPLE);
}

#[test]
fn what_init_writes_works_as_it_is() {
    let folder = Folder::empty();
    let run = folder.run(["init"]);
    assert_eq!((run.code, &*run.out), (0, ""), "{run:?}");
    assert!(run.err.contains("wrote rrss.toml"), "{run:?}");
    let check = folder.ok(["check"]);
    assert!(check.starts_with("rrss.toml: ok\n"), "{check}");
    let id = folder.ok(["create", "user=ann"]);
    assert_eq!(folder.ok(["get", &id]), r#"{"user":"ann"}"#);
    assert!(folder.path().join("data/sessions").is_dir());
}

#[test]
fn init_never_overwrites_without_force() {
    let folder = Folder::with("mine");
    folder.run(["init"]).failed(2, "rrss.toml is there already");
    assert_eq!(folder.read("rrss.toml"), "mine");
    assert_eq!(folder.run(["init", "--force"]).code, 0);
    assert_eq!(folder.read("rrss.toml"), EXAMPLE);
}

#[test]
fn init_writes_the_file_that_is_named() {
    let folder = Folder::empty();
    assert_eq!(folder.run(["init", "argument.toml"]).code, 0);
    assert_eq!(folder.run(["init", "--config", "option.toml"]).code, 0);
    let mut command = folder.command(["init"]);
    assert_eq!(
        cli::run(command.env("RRSS_CONFIG", "variable.toml")).code,
        0
    );
    for name in ["argument.toml", "option.toml", "variable.toml"] {
        assert_eq!(folder.read(name), EXAMPLE);
    }
    assert!(!folder.path().join("rrss.toml").exists());
}

#[test]
fn init_says_why_it_cannot_write() {
    let folder = Folder::empty();
    folder
        .run(["init", "no/such/folder/rrss.toml"])
        .failed(74, "no/such/folder/rrss.toml");
}

#[test]
fn check_prints_a_line_a_step_with_its_shape_and_crate() {
    let folder = Folder::embedded();
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        "rrss.toml: ok\n\
         \x20 key-mapper   id → key           rrss-key-mapper {version}\n\
         \x20 expiry       sets the deadline  rrss-expiry {version}\n\
         \x20 json-codec   session → bytes    rrss-json-codec {version}\n\
         \x20 compression  bytes → bytes      rrss-compression {version}\n\
         \x20 embedded     bytes → stored     rrss-persistence {version}"
    );
    assert_eq!(folder.ok(["check"]), expected);
    assert!(
        !folder.path().join("data").exists(),
        "checking opens nothing"
    );
}

#[test]
fn check_with_connect_reaches_the_backend() {
    let folder = Folder::embedded();
    let said = folder.ok(["check", "--connect"]);
    let millis = said
        .lines()
        .find_map(|line| line.strip_prefix("embedded answered in "))
        .and_then(|rest| rest.strip_suffix(" ms"));
    assert!(said.ends_with("done"), "{said}");
    assert!(millis.unwrap().parse::<f64>().unwrap() >= 0.0, "{said}");
}

#[test]
fn check_warns_of_sessions_that_never_end() {
    let folder = Folder::with(
        "[[step]]\ntype = \"key-mapper\"\n[[step]]\ntype = \"json-codec\"\n[[step]]\ntype = \"memory\"\n",
    );
    let run = folder.run(["check"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.starts_with("rrss.toml: ok\n"), "{run:?}");
    assert!(
        run.err.contains("warning") && run.err.contains("expiry"),
        "{run:?}"
    );
}

#[test]
fn check_and_explain_take_a_file_as_an_argument() {
    let folder = Folder::empty();
    folder.write("other.toml", pipeline("[[step]]\ntype = \"memory\"\n"));
    assert!(
        folder
            .ok(["check", "other.toml"])
            .starts_with("other.toml: ok\n")
    );
    assert!(folder.ok(["explain", "other.toml"]).contains("memory"));
}

#[test]
fn explain_shows_every_step_and_no_secret() {
    let folder = Folder::with(&pipeline(
        "[[step]]\ntype = \"redis\"\nurl = { env = \"REDIS_URL\" }\n",
    ));
    folder.write(
        "split.toml",
        pipeline("[[step]]\ntype = \"redis\"\nhost = \"example.org\"\npassword = \"hunter2\"\n"),
    );
    let mut command = folder.command(["explain"]);
    command.env("REDIS_URL", "redis://ann:hunter2@example.org:7000/3");
    let run = cli::run(&mut command);
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
    for text in [run.out, folder.ok(["explain", "split.toml"])] {
        for word in [
            "key-mapper",
            "expiry",
            "json-codec",
            "compression",
            "redis",
            "example.org",
        ] {
            assert!(text.contains(word), "{text}");
        }
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn the_schema_accepts_what_init_writes_and_refuses_a_slip() {
    let folder = Folder::empty();
    let schema: Value = serde_json::from_str(&folder.ok(["schema"])).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let example: Value = toml::from_str(EXAMPLE).unwrap();
    assert!(schema.is_valid(&example));
    let slip: Value = toml::from_str(&EXAMPLE.replace("min_bytes", "minbytes")).unwrap();
    assert!(!schema.is_valid(&slip));
}

#[test]
fn an_embedded_store_that_another_process_has_open_is_said_so() {
    let folder = Folder::embedded();
    let store = rrss::Store::from_file(folder.path().join("rrss.toml")).unwrap();
    for arguments in [&["count"][..], &["check", "--connect"]] {
        let run = folder.run(arguments);
        assert!([69, 78].contains(&run.code), "{run:?}");
        assert!(run.err.contains("another process"), "{run:?}");
    }
    drop(store);
    assert_eq!(folder.ok(["count"]), "0");
}

#[cfg(unix)]
#[test]
fn check_warns_of_a_directory_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::empty();
    assert_eq!(folder.run(["init"]).code, 0);
    folder.ok(["create", "user=ann"]);
    let sessions = folder.path().join("data/sessions");
    let check = folder.run(["check"]);
    assert!(!check.err.contains("chmod"), "{check:?}");
    fs::set_permissions(&sessions, PermissionsExt::from_mode(0o755)).unwrap();
    let check = folder.run(["check"]);
    assert_eq!(check.code, 0, "{check:?}");
    assert!(check.err.contains("chmod 700 "), "{check:?}");
}
