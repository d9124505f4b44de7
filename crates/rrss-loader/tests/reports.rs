//! Each bad file, and the whole report of it. `UPDATE_EXPECT=1` writes the reports anew; read them then.

mod steps;

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use rrss_loader::{Loader, Report};

fn loader() -> Loader {
    Loader::new(steps::registry()).with_env(|name| {
        let value = match name {
            "EMPTY" => "",
            "DATA_DIR" => "/srv/session-data",
            "ADDRESS" => "localhost:6379",
            "PORT" => "6379",
            "WORD" => "hunter2hunter2",
            "SHORT_WORD" => "hunter2",
            "TTL" => "a fortnight",
            "ALGORITHM" => "gzip-of-hunter2",
            "LINES" => "two\nlines",
            "LARGE" => "70000",
            "YES" => "yes",
            "OCTAL" => "06379",
            _ => return None,
        };
        Some(value.to_owned())
    })
}

fn files() -> Vec<PathBuf> {
    // Tests run in the directory of their crate; the whole path is elsewhere, and of another length, on every machine.
    let directory = Path::new("tests/reports");
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .expect("the reports are there")
        .map(|entry| entry.expect("a directory is readable").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    files
}

/// What a person sees: the report of the file, or that of building what it describes.
fn report(file: &Path) -> Report {
    let plan = match loader().read_file(file) {
        Ok(plan) => plan,
        Err(report) => return report,
    };
    match plan.warnings() {
        Some(warnings) => warnings.clone(),
        None => plan.build().expect_err("this file should be bad"),
    }
}

/// The directory of this crate is elsewhere on every machine.
fn anywhere(report: &str, file: &Path) -> String {
    let directory = file
        .parent()
        .expect("it is in a directory")
        .display()
        .to_string();
    report
        .replace(&format!("{directory}/"), "")
        .replace(&directory, ".")
        + "\n"
}

#[test]
fn every_bad_file_has_its_report() {
    let files = files();
    assert!(files.len() >= 30, "{} files", files.len());
    for file in files {
        let report = anywhere(&report(&file).to_string(), &file);
        expect_file![Path::new(env!("CARGO_MANIFEST_DIR")).join(file.with_extension("report"))]
            .assert_eq(&report);
    }
}

#[test]
fn a_report_shows_nothing_that_came_from_elsewhere_and_no_secret() {
    for file in files() {
        let report = report(&file);
        let shown = format!("{report}{report:?}{}", report.render(true));
        for hidden in [
            "hunter2",
            "localhost:6379\" is no",
            "/srv/session-data",
            "s3cret",
        ] {
            assert!(!shown.contains(hidden), "{}: {hidden}", file.display());
        }
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    for file in files() {
        let report = report(&file);
        let mut plain = String::new();
        let coloured = report.render(true);
        for part in coloured.split('\u{1b}').enumerate() {
            plain.push_str(match part {
                (0, text) => text,
                (_, text) => text.split_once('m').unwrap().1,
            });
        }
        assert_eq!(plain, report.to_string(), "{}", file.display());
        assert!(coloured.contains('\u{1b}'), "{}", file.display());
    }
}

#[test]
fn the_problems_of_a_report_are_in_the_order_of_the_file() {
    for file in files() {
        let report = report(&file);
        let places: Vec<_> = report
            .problems()
            .iter()
            .map(|problem| (problem.line(), problem.column()))
            .collect();
        assert!(places.is_sorted(), "{}: {places:?}", file.display());
        assert!(!places.is_empty(), "{}", file.display());
    }
}
