//! The invariants of ARCHITECTURE.md that hold between crates, and that no single crate can test.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use rrss::{ErrorKind, Session, Store, StoreBuilder};
use rrss_tests::repository;

/// The packages that `package` is built from, itself left out; `depth` 1 names those in its own manifest.
fn tree(package: &str, depth: u8) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--all-features", "--package", package])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--depth", &depth.to_string()])
        .current_dir(repository())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{package}: {said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let names = lines.lines().filter_map(|line| line.split(' ').next());
    let names: BTreeSet<String> = names.skip(1).map(str::to_owned).collect();
    assert!(!names.is_empty(), "{package} has dependencies");
    names
}

fn contains_none_of(package: &str, names: &BTreeSet<String>, foreign: &[&str]) {
    for name in foreign {
        assert!(!names.contains(*name), "{package} depends on {name}");
    }
}

#[test]
fn the_core_depends_on_no_backend_no_framework_and_no_toml_writer() {
    let names = tree("rrss-core", u8::MAX);
    assert!(
        names.contains("tokio") && names.contains("serde_json"),
        "{names:?}"
    );
    let backends = ["redis", "fjall", "lsm-tree"];
    let frameworks = ["axum", "axum-core", "http", "hyper", "tower", "cookie"];
    let writers = ["toml_writer", "toml_edit"];
    contains_none_of("rrss-core", &names, &backends);
    contains_none_of("rrss-core", &names, &frameworks);
    contains_none_of("rrss-core", &names, &writers);
    assert!(
        names.iter().all(|name| !name.starts_with("rrss")),
        "{names:?}"
    );
}

#[test]
fn the_facade_without_features_depends_on_the_core_alone() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--package",
            "rrss",
            "--no-default-features",
        ])
        .args([
            "--edges", "normal", "--prefix", "none", "--format", "{p}", "--depth", "1",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let ours: Vec<&str> = lines
        .lines()
        .skip(1)
        .filter_map(|line| line.split(' ').next())
        .filter(|name| name.starts_with("rrss"))
        .collect();
    assert_eq!(ours, ["rrss-core"]);
}

#[test]
fn steps_depend_on_the_core_alone_and_know_no_backend() {
    for package in [
        "rrss-key-mapper",
        "rrss-expiry",
        "rrss-index",
        "rrss-cache",
        "rrss-json-codec",
        "rrss-legacy-read",
        "rrss-compression",
        "rrss-encryption",
    ] {
        let own = tree(package, 1);
        let ours: Vec<_> = own.iter().filter(|name| name.starts_with("rrss")).collect();
        assert_eq!(ours, ["rrss-core"], "{package}");
        contains_none_of(
            package,
            &tree(package, u8::MAX),
            &["redis", "fjall", "axum", "http"],
        );
    }
}

#[test]
fn backends_know_no_codec_no_cookie_and_no_framework() {
    let own = tree("rrss-persistence", 1);
    let foreign = [
        "serde_json",
        "zstd",
        "lz4_flex",
        "cookie",
        "http",
        "axum",
        "toml",
        "uuid",
    ];
    contains_none_of("rrss-persistence", &own, &foreign);
    let ours: Vec<_> = own.iter().filter(|name| name.starts_with("rrss")).collect();
    assert_eq!(ours, ["rrss-core"]);
}

#[test]
fn a_step_of_a_users_own_uses_the_core_alone() {
    let source = fs::read_to_string(repository().join("examples/custom-step/src/lib.rs")).unwrap();
    let words = source.split(|char: char| !char.is_alphanumeric() && char != '_');
    let ours: BTreeSet<&str> = words.filter(|word| word.starts_with("rrss")).collect();
    assert_eq!(ours, ["rrss_core"].into());
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    KeyMapper,
    Expiry,
    JsonCodec,
    Compression,
    Memory,
}

use Part::*;

impl Part {
    const ALL: [Part; 5] = [KeyMapper, Expiry, JsonCodec, Compression, Memory];

    fn add(self, store: StoreBuilder) -> StoreBuilder {
        match self {
            KeyMapper => store.step::<rrss::KeyMapper>(Default::default()),
            Expiry => store.step::<rrss::Expiry>(Default::default()),
            JsonCodec => store.step::<rrss::JsonCodec>(Default::default()),
            Compression => store.step::<rrss::Compression>(Default::default()),
            Memory => store.step::<rrss::Memory>(Default::default()),
        }
    }
}

/// Every order of every choice of parts, each part at most twice in a row of five.
fn rows(row: &mut Vec<Part>, check: &mut impl FnMut(&[Part])) {
    check(row);
    if row.len() == Part::ALL.len() {
        return;
    }
    for part in Part::ALL {
        if row.iter().filter(|other| **other == part).count() < 2 {
            row.push(part);
            rows(row, check);
            row.pop();
        }
    }
}

/// What DESIGN asks of a row of these steps, said another way than the check says it.
fn can_work(row: &[Part]) -> bool {
    let places = |part| {
        row.iter()
            .enumerate()
            .filter(move |(_, other)| **other == part)
            .map(|(at, _)| at)
    };
    let one = |part| match places(part).collect::<Vec<_>>()[..] {
        [at] => Some(at),
        _ => None,
    };
    let at_most_one = |part| places(part).count() <= 1;
    let (Some(_), Some(codec), Some(memory)) = (one(KeyMapper), one(JsonCodec), one(Memory)) else {
        return false;
    };
    memory == row.len() - 1
        && at_most_one(Expiry)
        && at_most_one(Compression)
        && places(Compression).all(|at| at > codec)
}

#[tokio::test]
async fn a_pipeline_is_built_if_and_only_if_it_can_work() {
    let (mut good, mut bad) = (Vec::new(), 0);
    rows(&mut Vec::new(), &mut |row| {
        let store = row
            .iter()
            .fold(Store::builder(), |store, part| part.add(store))
            .build();
        match (store, can_work(row)) {
            (Ok(store), true) => good.push(store),
            (Err(error), false) => {
                assert_eq!(error.kind(), ErrorKind::Config, "{row:?}: {error}");
                bad += 1;
            }
            (Ok(_), false) => panic!("{row:?} was built"),
            (Err(error), true) => panic!("{row:?} was not built: {error}"),
        }
    });
    println!("{} rows work, {bad} do not", good.len());
    assert!(good.len() > 10 && bad > 1000);
    for store in good {
        let mut session = Session::new();
        session.insert("user", "ann").unwrap();
        store.save(&mut session).await.unwrap();
        let loaded = store.load(session.id().unwrap()).await.unwrap().unwrap();
        assert_eq!(loaded.get::<String>("user").unwrap().unwrap(), "ann");
    }
}
