//! The documents of the repository: their examples work, their links lead somewhere, and nothing in them is of one
//! person's machine.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use rrss::{
    Cache, Compression, Embedded, Encryption, Expiry, Index, JsonCodec, KeyMapper, LegacyRead,
    Memory, Redis, Registry,
};
use rrss_loader::{Loader, schema};
use rrss_tests::repository;
use serde_json::Value;

/// The steps that every rrss has.
fn built_in() -> Registry {
    Registry::new()
        .with::<KeyMapper>()
        .with::<Expiry>()
        .with::<Index>()
        .with::<Cache>()
        .with::<JsonCodec>()
        .with::<LegacyRead>()
        .with::<Compression>()
        .with::<Encryption>()
        .with::<Memory>()
        .with::<Embedded>()
        .with::<Redis>()
}

/// The steps that the program has for which a file is meant.
fn registry_of(file: &Path) -> Registry {
    if file.parent().unwrap().ends_with("custom-step") {
        built_in().with::<custom_step::Forget>()
    } else {
        built_in()
    }
}

/// Every file of the repository whose name `is_wanted`, without what builds and runs have made.
fn files(is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                if ![".git", "target", "data"].contains(&name.as_str()) {
                    folders.push(entry.path());
                }
            } else if is_wanted(&name) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of stores that the repository has.
fn configurations() -> Vec<PathBuf> {
    let is_configuration = |name: &str| {
        name == "rrss.toml.example" || (name.starts_with("rrss") && name.ends_with(".toml"))
    };
    let found = files(is_configuration);
    for expected in [
        "rrss.toml.example",
        "examples/counter/rrss.toml",
        "examples/counter/rrss.redis.toml",
        "examples/custom-step/rrss.toml",
    ] {
        assert!(found.contains(&repository().join(expected)), "{expected}");
    }
    found
}

/// What the schema has against a text of TOML.
fn against_schema(registry: &Registry, text: &str) -> Vec<String> {
    let schema = schema(registry);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let document: Value = toml::from_str(text).unwrap();
    let errors = validator.iter_errors(&document);
    errors.map(|error| error.to_string()).collect()
}

#[test]
fn every_file_of_a_store_passes_the_loader() {
    for file in configurations() {
        let plan = Loader::new(registry_of(&file)).read_file(&file);
        let plan = plan.unwrap_or_else(|report| panic!("{report}"));
        assert!(plan.warnings().is_none(), "{}", file.display());
    }
}

#[test]
fn every_file_of_a_store_agrees_with_the_schema() {
    for file in configurations() {
        let errors = against_schema(&registry_of(&file), &read(&file));
        assert!(errors.is_empty(), "{}: {errors:?}", file.display());
    }
}

#[test]
fn a_slip_in_a_file_is_seen_by_the_loader_and_by_the_schema() {
    for file in configurations() {
        let (good, registry) = (read(&file), registry_of(&file));
        for (right, wrong) in [
            (r#"type = "key-mapper""#, r#"type = "key-maper""#),
            (r#"type = "json-codec""#, "type = \"json-codec\"\nspeed = 1"),
            (
                r#"type = "json-codec""#,
                "type = \"json-codec\"\nmax_bytes = \"much\"",
            ),
            (r#"type = "json-codec""#, ""),
        ] {
            assert!(good.contains(right), "{}", file.display());
            let text = good.replacen(right, wrong, 1);
            assert!(
                Loader::new(registry.clone()).read_text(&text).is_err(),
                "{text}"
            );
            assert!(!against_schema(&registry, &text).is_empty(), "{text}");
        }
    }
}

#[test]
fn a_file_with_a_step_of_a_users_own_needs_that_step() {
    let file = repository().join("examples/custom-step/rrss.toml");
    assert!(Loader::new(built_in()).read_file(&file).is_err());
    assert!(!against_schema(&built_in(), &read(&file)).is_empty());
}

/// The fenced blocks of a text whose fence says `language`, first word.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines
            .by_ref()
            .take_while(|line| line.trim() != "```")
            .collect();
        if info.split([',', ' ']).next() == Some(language) {
            found.push(block.join("\n"));
        }
    }
    found
}

fn readme(language: &str) -> String {
    let blocks = blocks(&read(repository().join("README.md")), language);
    blocks
        .into_iter()
        .next()
        .expect("the README has an example")
}

fn lines_of_code(text: &str) -> usize {
    text.lines().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn the_toml_of_the_readme_is_a_store_in_at_most_12_lines() {
    let text = readme("toml");
    assert!(lines_of_code(&text) <= 12, "{text}");
    let plan = Loader::new(built_in()).read_text(&text);
    let plan = plan.unwrap_or_else(|report| panic!("{report}"));
    assert!(plan.steps().count() >= 3);
    let errors = against_schema(&built_in(), &text);
    assert!(errors.is_empty(), "{errors:?}");
}

// That it compiles and runs is tested with the documentation of this crate.
#[test]
fn the_rust_of_the_readme_has_at_most_12_lines() {
    let text = readme("rust");
    assert!(lines_of_code(&text) <= 12, "{text}");
    assert!(text.contains("store.save("), "{text}");
}

#[test]
fn no_file_names_a_place_on_the_machine_of_one_person() {
    // In parts, so that this file names none either.
    let places = [
        ["/ho", "me/"].concat(),
        ["/Us", "ers/"].concat(),
        ["/ro", "ot/"].concat(),
        ["C:", "\\"].concat(),
        format!("{}/", repository().display()),
    ];
    for file in files(|_| true) {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        for place in &places {
            let line = text.lines().position(|line| line.contains(place));
            assert_eq!(line, None, "{} names {place}", file.display());
        }
    }
}

/// Where the links of a text lead: inline ones, and definitions such as `[name]: target`.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        // What stands between two backticks is code as well.
        let prose: String = line.split('`').step_by(2).collect();
        let inline = prose
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', ' ']).next());
        found.extend(inline.map(str::to_owned));
        if let Some((_, target)) = prose.split_once("]: ").filter(|_| prose.starts_with('[')) {
            found.push(target.trim().to_owned());
        }
    }
    found
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    let mut checked = 0;
    for file in files(|name| Path::new(name).extension() == Some(OsStr::new("md"))) {
        for link in links(&read(&file)) {
            // Items of Rust, as `Store::load` or `crate::Step`, are rustdoc's to check.
            let is_item = link.contains("::") || !link.contains(['.', '/']);
            if link.contains("://") || link.starts_with(['#', '<']) || is_item {
                continue;
            }
            let target = link.split('#').next().unwrap();
            let target = file.parent().unwrap().join(target);
            assert!(target.exists(), "{}: {link}", file.display());
            checked += 1;
        }
    }
    assert!(checked > 5, "{checked} links");
}

/// What sign-out everywhere depends on.
const SIGN_OUT: [&str; 3] = [
    "Sign-out everywhere ends every session that has its index entry.",
    "A Redis Cluster that fails over without its last writes, and a server that evicts keys (a `maxmemory-policy` other than \
     `noeviction`), can lose the entry of a session that lives: `find` and `revoke` then miss it.",
    "A session in use gets its entry back within two minutes, and `rrss reindex` puts back the entries of all sessions.",
];

#[test]
fn what_sign_out_everywhere_depends_on_is_said_in_the_same_words_wherever_it_is_promised() {
    for document in [
        "README.md",
        "docs/security.md",
        "docs/semantics.md",
        "crates/rrss-index/README.md",
        "crates/rrss-persistence/README.md",
    ] {
        let text = fs::read_to_string(repository().join(document)).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        for sentence in SIGN_OUT {
            assert!(text.contains(sentence), "{document}: {sentence}");
        }
    }
}
