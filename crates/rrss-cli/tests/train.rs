//! `train` from a file: what it takes, writes and says, and what it refuses.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cli;
#[path = "cli/shop.rs"]
mod shop;

use std::fs;

use cli::{Folder, pipeline};
use serde_json::Value;

const MEMORY: &str = "[[step]]\ntype = \"memory\"\n";

/// A folder with sessions in a file.
fn folder() -> Folder {
    let folder = Folder::with(&pipeline(MEMORY));
    folder.write("sessions.jsonl", shop::lines(500));
    folder
}

const FROM: [&str; 5] = ["train", "--from", "sessions.jsonl", "--out", "new.dict"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    FROM.iter().chain(more).copied().collect()
}

fn id_of(folder: &Folder, name: &str) -> u32 {
    let bytes = fs::read(folder.path().join(name)).unwrap();
    u32::from_le_bytes(bytes[4..8].try_into().unwrap())
}

#[test]
fn the_report_has_a_bar_for_each_way_to_store_the_sessions() {
    let folder = folder();
    let report = folder.ok(FROM);
    let head = format!(
        "with the id {}, trained on 400 sessions",
        id_of(&folder, "new.dict")
    );
    assert!(report.contains(&head), "{report}");
    let bars: Vec<(&str, usize)> = report
        .lines()
        .filter(|line| line.contains('█'))
        .map(|line| {
            (
                line.trim().split("  ").next().unwrap(),
                line.matches('█').count(),
            )
        })
        .collect();
    let [("plain", 30), ("zstd alone", alone), ("new.dict", trained)] = bars[..] else {
        panic!("{report}")
    };
    assert!(trained < alone && alone < 30, "{report}");
    assert!(
        report.contains("Bytes stored of each of 100 others"),
        "{report}"
    );
    assert!(
        report.contains("None of them is stored in more bytes than it has."),
        "{report}"
    );
    assert!(
        report.contains("Every process must be able to read new.dict"),
        "{report}"
    );
    assert!(
        report.contains("Keep new.dict as you keep the store"),
        "{report}"
    );
}

#[test]
fn the_lines_that_it_prints_are_a_good_configuration() {
    let folder = folder();
    let report = folder.ok(FROM);
    let lines = "\nmin_bytes = 64\ndictionary = \"new.dict\"\n";
    assert!(report.contains(lines), "{report}");
    assert!(
        report.contains("`compression` step of rrss.toml, line 12:"),
        "{report}"
    );
    let step = "type = \"compression\"\n";
    let config = folder
        .read("rrss.toml")
        .replace(step, &format!("{step}{lines}"));
    folder.write("rrss.toml", &config);
    assert!(folder.ok(["check"]).starts_with("rrss.toml: ok"));

    let second = folder.run([
        "train",
        "--from",
        "sessions.jsonl",
        "--size",
        "2048",
        "--out",
        "second.dict",
    ]);
    assert_eq!(second.code, 0, "{second:?}");
    let both = "dictionary = [\"second.dict\", \"new.dict\"]";
    assert!(second.out.contains(both), "{second:?}");
    assert!(
        second
            .out
            .contains("`dictionary = [\"new.dict\", \"second.dict\"]`"),
        "{second:?}"
    );
    assert!(second.out.contains("  new.dict "), "{second:?}");
    let config = config.replace("dictionary = \"new.dict\"", both);
    folder.write("rrss.toml", config);
    folder.ok(["check"]);
}

#[test]
fn a_file_without_the_step_and_one_with_lz4_are_told_what_to_write() {
    let folder = folder();
    let config = folder.read("rrss.toml");
    let step = "[[step]]\ntype = \"compression\"\n";
    folder.write("rrss.toml", config.replace(step, ""));
    let report = folder.ok(FROM);
    let told = "rrss.toml has no `compression` step. Put this below the step `json-codec`:\n\n[[step]]\n\
                type = \"compression\"\n";
    assert!(report.contains(told), "{report}");

    folder.write(
        "rrss.toml",
        config.replace(step, &format!("{step}algorithm = \"lz4\"\n")),
    );
    let report = folder.ok(with(&["--force"]));
    assert!(
        report.contains("line 12:\n\nalgorithm = \"zstd\"\n"),
        "{report}"
    );
    assert!(report.contains("dictionary = \"new.dict\""), "{report}");
}

#[test]
fn a_file_whose_dictionaries_are_for_reading_alone_is_told_to_write_again() {
    let folder = folder();
    folder.ok([
        "train",
        "--from",
        "sessions.jsonl",
        "--size",
        "2048",
        "--out",
        "old.dict",
    ]);
    let step = "type = \"compression\"\n";
    let reading = format!("{step}dictionary = \"old.dict\"\nwrite_with_dictionary = false\n");
    folder.write(
        "rrss.toml",
        folder.read("rrss.toml").replace(step, &reading),
    );
    let report = folder.ok(FROM);
    let lines = "dictionary = [\"new.dict\", \"old.dict\"]\nwrite_with_dictionary = true\n";
    assert!(report.contains(lines), "{report}");
    assert!(
        !report.contains("  old.dict "),
        "it compresses nothing now: {report}"
    );
}

#[test]
fn paths_are_printed_as_the_configuration_names_them() {
    let folder = folder();
    fs::create_dir(folder.path().join("etc")).unwrap();
    fs::create_dir(folder.path().join("etc/dicts")).unwrap();
    fs::copy(
        folder.path().join("rrss.toml"),
        folder.path().join("etc/rrss.toml"),
    )
    .unwrap();
    let dictionary = |out: &str| {
        let arguments = [
            "train",
            "--config",
            "etc/rrss.toml",
            "--from",
            "sessions.jsonl",
            "--json",
            "--out",
            out,
        ];
        let report: Value = serde_json::from_str(&folder.ok(arguments)).unwrap();
        report["dictionary"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(dictionary("etc/a.dict"), "a.dict");
    assert_eq!(dictionary("etc/../etc/dicts/b.dict"), "dicts/b.dict");
    let elsewhere = dictionary("c.dict");
    let real = fs::canonicalize(folder.path().join("c.dict")).unwrap();
    assert_eq!(elsewhere, real.to_str().unwrap());
}

#[test]
fn json_has_the_figures_and_nothing_else_is_printed() {
    let folder = folder();
    let report: Value = serde_json::from_str(&folder.ok(with(&["--json"]))).unwrap();
    assert_eq!(report["file"], "new.dict");
    assert_eq!(report["id"], id_of(&folder, "new.dict"));
    assert_eq!(
        report["bytes"],
        fs::read(folder.path().join("new.dict")).unwrap().len()
    );
    assert_eq!(
        (&report["trained_on"], &report["held_out"]),
        (&400.into(), &100.into())
    );
    assert_eq!(
        (&report["level"], &report["left_out"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        report["dictionary"],
        Value::from(vec![Value::from("new.dict")])
    );
    let stored = &report["stored"];
    let figure = |kind: &str, name: &str| stored[kind][name].as_f64().unwrap();
    assert!((figure("plain", "bytes") / 100.0 - figure("plain", "mean")).abs() < 0.01);
    for kind in ["zstd", "trained"] {
        let ratio = figure(kind, "bytes") / figure("plain", "bytes");
        assert!((ratio - figure(kind, "ratio")).abs() < 0.000_1, "{report}");
        assert_eq!(stored[kind]["larger"], 0);
    }
    assert_eq!(stored["current"], Value::Null);
}

#[test]
fn the_same_file_gives_the_same_dictionary() {
    let folder = folder();
    folder.ok(FROM);
    let first = fs::read(folder.path().join("new.dict")).unwrap();
    folder.ok(with(&["--force"]));
    assert_eq!(fs::read(folder.path().join("new.dict")).unwrap(), first);
}

#[test]
fn the_size_is_kept() {
    let folder = folder();
    folder.ok(with(&["--size", "2000"]));
    let length = fs::metadata(folder.path().join("new.dict")).unwrap().len();
    assert!((1_000..=2_000).contains(&length), "{length}");
    let run = folder.run(with(&["--force", "--size", "1048576"]));
    run.failed(65, "for a dictionary of 1048576 bytes");
    assert!(
        run.err.contains("help: put more sessions into the file"),
        "{run:?}"
    );
}

#[cfg(unix)]
#[test]
fn the_file_is_for_this_user_alone_and_nothing_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let path = folder.write("new.dict", "old");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    folder.ok(with(&["--force"]));
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["new.dict", "rrss.toml", "sessions.jsonl"]);
}

#[test]
fn the_store_is_not_opened_for_sessions_of_a_file() {
    let folder = Folder::embedded();
    folder.write("sessions.jsonl", shop::lines(500));
    folder.ok(FROM);
    assert!(!folder.path().join("data").exists());
}

#[test]
fn help_says_that_it_holds_pieces_of_sessions() {
    let help = Folder::empty().ok(["train", "--help"]);
    let help: Vec<&str> = help.split_whitespace().collect();
    let help = help.join(" ");
    for words in [
        "consists of pieces of sessions",
        "as you keep the store",
        "mode 0600",
    ] {
        assert!(help.contains(words), "{help}");
    }
}
