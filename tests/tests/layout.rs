//! The shape of the repository: a reader who knows one crate knows all.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::{Path, PathBuf};

use rrss::Registry;
use rrss_core::StepType;
use rrss_tests::repository;

/// The folders of the packages of the workspace.
fn packages() -> Vec<PathBuf> {
    let mut found = vec![repository().join("tests")];
    for parent in ["crates", "examples"] {
        let entries = fs::read_dir(repository().join(parent)).unwrap();
        found.extend(
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.is_dir()),
        );
    }
    assert!(found.len() > 10);
    found.sort();
    found
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn name(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

fn has_tests(folder: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(folder.join("tests")) else {
        return false;
    };
    entries.any(|entry| {
        entry
            .unwrap()
            .path()
            .extension()
            .is_some_and(|end| end == "rs")
    })
}

#[test]
fn every_crate_has_a_readme_that_begins_with_its_name() {
    for folder in packages() {
        let readme = read(folder.join("README.md"));
        let title = readme.lines().next().unwrap_or_default();
        let expected = match name(&folder) {
            "tests" => "# rrss-tests".to_owned(),
            name => format!("# {name}"),
        };
        assert_eq!(title, expected);
        assert!(readme.lines().count() > 3, "{title}");
    }
}

#[test]
fn the_readme_of_every_library_is_its_documentation() {
    for folder in packages() {
        let library = folder.join("src/lib.rs");
        if library.exists() {
            let first = read(&library);
            let first = first.lines().next().unwrap();
            assert_eq!(
                first,
                r#"#![doc = include_str!("../README.md")]"#,
                "{}",
                name(&folder)
            );
        }
    }
}

#[test]
fn every_manifest_inherits_from_the_workspace() {
    for folder in packages() {
        let manifest = read(folder.join("Cargo.toml"));
        for line in [
            "version.workspace = true",
            "edition.workspace = true",
            "rust-version.workspace = true",
            "license.workspace = true",
            "repository.workspace = true",
            "[lints]\nworkspace = true",
        ] {
            assert!(manifest.contains(line), "{}: {line}", name(&folder));
        }
        assert!(manifest.contains("\ndescription = \""), "{}", name(&folder));
        let for_tests = ["rrss-test-servers", "rrss-weather"];
        let is_published =
            folder.starts_with(repository().join("crates")) && !for_tests.contains(&name(&folder));
        assert_eq!(
            !manifest.contains("publish = false"),
            is_published,
            "{}",
            name(&folder)
        );
    }
}

#[test]
fn every_step_crate_has_the_same_shape() {
    let registry = Registry::linked();
    let names: Vec<&str> = registry.iter().map(StepType::crate_name).collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        let folder = repository().join("crates").join(name);
        for file in ["Cargo.toml", "README.md", "src/lib.rs"] {
            assert!(folder.join(file).is_file(), "{name}: {file}");
        }
        assert!(has_tests(&folder), "{name}: tests");
    }
    for step in registry.iter() {
        let crate_folder = repository().join("crates").join(step.crate_name());
        // The persistence crate has one such folder for each backend.
        let source = match step.crate_name() {
            "rrss-persistence" => crate_folder.join("src").join(step.name()),
            _ => crate_folder.join("src"),
        };
        for file in ["options.rs", "step.rs"] {
            assert!(source.join(file).is_file(), "{}: {file}", step.name());
        }
        assert!(
            step.crate_name().ends_with(step.name()) || step.crate_name() == "rrss-persistence"
        );
    }
}

#[test]
fn what_two_workspaces_say_of_their_packages_is_the_same() {
    let read = |file: &str| -> toml::Table { read(repository().join(file)).parse().unwrap() };
    let (one, other) = (
        read("Cargo.toml"),
        read("crates/rrss-pavex-session/Cargo.toml"),
    );
    let [one, other] = [&one, &other].map(|manifest| &manifest["workspace"]);
    assert_eq!(one["lints"], other["lints"]);
    for (name, value) in other["package"].as_table().unwrap() {
        assert_eq!(one["package"].get(name), Some(value), "{name}");
    }
}
