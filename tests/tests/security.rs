//! SECURITY.md and docs/security.md: what they say is so.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::Path;

use rrss::Registry;
use rrss_loader::Loader;
use rrss_tests::repository;

/// All Rust files below a folder, in one text.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != "target" {
                sources(&path, text);
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// The rows of the table of requirements: their names, and the tests that they name.
fn requirements(document: &str) -> Vec<(&str, Option<&str>)> {
    let rows = document.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix("|")?.split(" | ");
        let (name, _, test) = (cells.next()?, cells.next()?, cells.next()?);
        let test = test
            .trim()
            .strip_prefix('`')
            .and_then(|test| test.strip_suffix('`'));
        name.starts_with(|first: char| first.is_ascii_digit())
            .then_some((name, test))
    });
    rows.collect()
}

#[test]
fn every_requirement_that_rrss_meets_has_a_test_and_the_test_is_there() {
    let document = fs::read_to_string(repository().join("docs/security.md")).unwrap();
    let mut text = String::new();
    for folder in ["crates", "tests"] {
        sources(&repository().join(folder), &mut text);
    }
    let requirements = requirements(&document);
    assert!(requirements.len() > 20, "{}", requirements.len());
    let mut named = 0;
    for (requirement, test) in requirements {
        match test {
            Some(test) => {
                assert!(
                    text.contains(&format!("fn {test}(")),
                    "{requirement}: {test}"
                );
                named += 1;
            }
            None => assert!(
                document.contains(&format!("| {requirement} | yours |")),
                "{requirement}"
            ),
        }
    }
    assert!(named > 17, "{named}");
}

#[test]
fn the_store_for_logins_passes_the_loader_without_a_warning() {
    let document = fs::read_to_string(repository().join("SECURITY.md")).unwrap();
    let (_, rest) = document.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let loader = Loader::new(Registry::linked()).with_env(|name| match name {
        "RRSS_KEY" => Some("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned()),
        "REDIS_URL" => Some("redis://localhost".to_owned()),
        _ => None,
    });
    let plan = loader
        .read_text(text)
        .unwrap_or_else(|report| panic!("{report}"));
    assert!(plan.warnings().is_none());
    assert_eq!(plan.steps().count(), 6);
}
