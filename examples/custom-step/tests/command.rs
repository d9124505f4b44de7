//! The step, used from TOML through the command of this crate.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::path::Path;
use std::process::{Command, Output};

fn run(config: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_custom-step"))
        .arg("--config")
        .arg(config)
        .args(args)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_step_works_from_toml() {
    let folder = std::env::temp_dir().join(format!("rrss-custom-step-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let config = folder.join("rrss.toml");
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("rrss.toml"),
        &config,
    )
    .unwrap();
    let created = run(&config, &["create", "user=ann", "password=hunter2"]);
    assert!(created.status.success(), "{}", text(&created.stderr));
    let got = run(&config, &["get", text(&created.stdout).trim()]);
    assert_eq!(text(&got.stdout).trim(), r#"{"user":"ann"}"#);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_step_is_listed_and_is_in_the_schema() {
    let config = Path::new("unused.toml");
    assert!(text(&run(config, &["steps"]).stdout).contains("Never stores some fields."));
    assert!(
        text(&run(config, &["steps", "forget"]).stdout)
            .contains("The names of the fields to leave out.")
    );
    assert!(text(&run(config, &["schema"]).stdout).contains(r#""forget""#));
}

#[test]
fn the_hint_of_a_mistyped_name_knows_the_step() {
    let folder = std::env::temp_dir().join(format!("rrss-custom-step-typo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let config = folder.join("rrss.toml");
    std::fs::write(&config, "[[step]]\ntype = \"forgot\"\n").unwrap();
    let checked = run(&config, &["check"]);
    assert_eq!(checked.status.code(), Some(78));
    assert!(
        text(&checked.stderr).contains("did you mean `forget`?"),
        "{}",
        text(&checked.stderr)
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_step_is_at_most_thirty_lines() {
    let source = include_str!("../src/lib.rs");
    let code = source
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("use ") && !line.starts_with("#!"));
    assert!(code.count() <= 30);
}
