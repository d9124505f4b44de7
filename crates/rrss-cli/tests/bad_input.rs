//! Every file that cannot work gets one report and exit code 78.

mod cli;

use cli::{Folder, Run, pipeline};

const KEY: &str = "[[step]]\ntype = \"key-mapper\"\n";
const CODEC: &str = "[[step]]\ntype = \"json-codec\"\n";
const EXPIRY: &str = "[[step]]\ntype = \"expiry\"\n";
const COMPRESSION: &str = "[[step]]\ntype = \"compression\"\n";
const MEMORY: &str = "[[step]]\ntype = \"memory\"\n";

/// One report of one problem, the same from every command that reads the file.
#[track_caller]
fn refused(folder: &Folder, words: &[&str]) {
    let check = folder.run(["check"]);
    let one_report = |run: &Run| {
        run.failed(78, "rrss.toml");
        for word in words {
            assert!(run.err.contains(word), "no {word:?} in {run:?}");
        }
        let errors = run
            .err
            .lines()
            .filter(|line| line.starts_with("error"))
            .count();
        assert_eq!(errors, 1, "{run:?}");
        assert!(run.err.len() < 4_000, "a report of {} bytes", run.err.len());
    };
    one_report(&check);
    for arguments in [
        &["explain"][..],
        &["create", "a=1"],
        &["count"],
        &["check", "--connect"],
    ] {
        let run = folder.run(arguments);
        one_report(&run);
        assert_eq!(run.err, check.err);
    }
}

#[track_caller]
fn file_refused(config: &str, words: &[&str]) {
    refused(&Folder::with(config), words);
}

#[test]
fn an_unknown_step() {
    let config = format!("{KEY}{CODEC}[[step]]\ntype = \"compresion\"\n{MEMORY}");
    file_refused(&config, &["compresion", "compression", "rrss.toml:6"]);
}

#[test]
fn an_unknown_option() {
    let config = format!("{KEY}{EXPIRY}durration = \"1h\"\n{CODEC}{MEMORY}");
    file_refused(&config, &["durration", "duration", "rrss.toml:5"]);
}

#[test]
fn a_value_of_the_wrong_type() {
    let config = format!("{KEY}{EXPIRY}{CODEC}{COMPRESSION}min_bytes = \"many\"\n{MEMORY}");
    file_refused(&config, &["min_bytes", "rrss.toml:9"]);
}

#[test]
fn no_backend() {
    file_refused(
        &format!("{KEY}{EXPIRY}{CODEC}"),
        &["no step keeps the sessions"],
    );
}

#[test]
fn two_backends() {
    let config = format!("{KEY}{EXPIRY}{CODEC}{MEMORY}[[step]]\ntype = \"redis\"\n");
    file_refused(&config, &["second backend"]);
}

#[test]
fn no_codec() {
    file_refused(&format!("{KEY}{EXPIRY}{MEMORY}"), &["json-codec"]);
}

#[test]
fn two_codecs() {
    file_refused(
        &format!("{KEY}{EXPIRY}{CODEC}{CODEC}{MEMORY}"),
        &["json-codec"],
    );
}

#[test]
fn an_impossible_order() {
    let config = format!("{KEY}{EXPIRY}{COMPRESSION}{CODEC}{MEMORY}");
    file_refused(
        &config,
        &["`compression`", "takes bytes", "move `json-codec` above"],
    );
}

#[test]
fn a_template_without_id() {
    let config = format!("{KEY}template = \"sessions\"\n{EXPIRY}{CODEC}{MEMORY}");
    file_refused(&config, &["template", "{id}", "rrss.toml:3"]);
}

#[test]
fn a_bad_duration() {
    let config = format!("{KEY}{EXPIRY}duration = \"soon\"\n{CODEC}{MEMORY}");
    file_refused(&config, &["not a duration", "rrss.toml:5"]);
}

#[test]
fn a_missing_variable() {
    let backend = "[[step]]\ntype = \"redis\"\nurl = { env = \"RRSS_NOT_SET_ANYWHERE\" }\n";
    file_refused(&pipeline(backend), &["RRSS_NOT_SET_ANYWHERE"]);
}

#[test]
fn a_missing_file_of_a_value() {
    let backend = "[[step]]\ntype = \"redis\"\npassword = { file = \"no-such-file\" }\n";
    file_refused(&pipeline(backend), &["no-such-file"]);
}

#[test]
fn text_that_is_not_toml() {
    file_refused("[[step]\n", &["rrss.toml:1"]);
}

#[test]
fn a_missing_file() {
    refused(&Folder::empty(), &["does not exist", "`rrss init`"]);
}

#[test]
fn an_empty_file() {
    file_refused("", &[]);
}

#[test]
fn a_file_of_ten_megabytes() {
    file_refused(&"# a comment\n".repeat(900_000), &[]);
}

#[test]
fn a_long_line() {
    let template = "x".repeat(500_000);
    let config = format!("{KEY}template = \"{template}\"\n{EXPIRY}{CODEC}{MEMORY}");
    file_refused(&config, &["template"]);
}

#[test]
fn invalid_utf_8() {
    let folder = Folder::empty();
    folder.write("rrss.toml", b"[[step]]\ntype = \"\xff\xfe\"\n");
    refused(&folder, &["UTF-8"]);
}

#[test]
fn a_directory() {
    let folder = Folder::empty();
    std::fs::create_dir(folder.path().join("rrss.toml")).unwrap();
    refused(&folder, &["directory"]);
}

#[test]
fn every_problem_stands_in_one_report() {
    let config = format!(
        "{KEY}template = \"x\"\n{EXPIRY}duration = \"soon\"\n[[step]]\ntype = \"nothing\"\n"
    );
    let run = Folder::with(&config).run(["check"]);
    run.failed(78, "template");
    for word in ["not a duration", "nothing"] {
        assert!(run.err.contains(word), "{run:?}");
    }
}
