//! Files that cannot be read, or need not be.

mod steps;

use std::fs;
use std::path::Path;

use rrss_loader::{Loader, Report};

fn refused(path: &Path) -> Report {
    Loader::new(steps::registry())
        .read_file(path)
        .expect_err("this file should be bad")
}

#[track_caller]
fn says(path: &Path, words: &str, hint: Option<&str>) {
    let report = refused(path);
    let [problem] = report.problems() else {
        panic!("{report}");
    };
    assert!(problem.message().contains(words), "{report}");
    assert_eq!(problem.hint(), hint, "{report}");
    let place = format!("--> {}", path.display());
    assert!(report.to_string().contains(&place), "{report}");
    assert!(
        report
            .to_string()
            .ends_with(": 1 problem; nothing was started"),
        "{report}"
    );
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let within = |name: &str| directory.path().join(name);
    says(
        &within("none.toml"),
        "the file does not exist",
        Some("`rrss init` writes one that works"),
    );
    says(
        directory.path(),
        "it is a directory",
        Some("name a file in it, such as `rrss.toml`"),
    );
    fs::write(within("a-file"), "").unwrap();
    says(
        &within("a-file/rrss.toml"),
        "the file cannot be read: ",
        None,
    );
    let report = refused(Path::new("nul\0.toml")).to_string();
    assert!(report.contains("cannot be read"), "{report}");
    assert!(report.contains("nul\\u{0}.toml"), "{report}");
}

#[test]
fn a_file_of_more_than_a_mebibyte_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rrss.toml");
    let line = "# a comment of thirty-two bytes\n";
    fs::write(&path, line.repeat(10 * 1024 * 1024 / line.len())).unwrap();
    says(
        &path,
        "the file of 10485760 bytes is larger than 1 MiB",
        Some("name the configuration; it is a small file"),
    );
    fs::write(&path, line.repeat(1024 * 1024 / line.len())).unwrap();
    assert_eq!(refused(&path).problems()[0].message(), "no step is listed");
    let long = Loader::new(steps::registry())
        .read_text(&line.repeat(40_000))
        .unwrap_err();
    assert!(
        long.problems()[0].message().contains("larger than 1 MiB"),
        "{long}"
    );
}

#[test]
fn a_large_file_with_nothing_right_in_it_is_reported_in_part() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rrss.toml");
    for (text, found) in [
        (
            "[[step]]\ntype = \"nonesuch\"\n".repeat(30_000),
            "30000 problems",
        ),
        (
            "[[step]]\ntype = \"memory\"\n".to_owned() + &numbered("option", 60_000),
            "60002 problems",
        ),
        (
            "[[step]]\ntype = \"key-mapper\"\nid = \"".to_owned() + &"x".repeat(1_000_000) + "\"\n",
            "2 problems",
        ),
        (
            "[[step]]\ntype = \"compression\"\ndictionaries = [".to_owned()
                + &"1,".repeat(500_000)
                + "]\n",
            "2 problems",
        ),
        ("a.".repeat(500_000) + "b = 1\n", "1 problem;"),
        ("[".repeat(1_000_000), "1 problem;"),
        ("\"\n".repeat(500_000), "10 problems"),
    ] {
        fs::write(&path, text).unwrap();
        let report = refused(&path);
        let shown = report.to_string();
        assert!(
            shown.lines().last().unwrap().contains(found),
            "{}",
            shown.lines().last().unwrap()
        );
        assert!(shown.len() < 200_000, "{found}: {}", shown.len());
    }
}

fn numbered(name: &str, count: usize) -> String {
    (0..count)
        .map(|number| format!("{name}_{number} = 1\n"))
        .collect()
}
