//! The Rust version that is declared is the one that the dependencies need, and no lower.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use rrss_tests::repository;
use serde_json::Value;

/// A package, and the packages that it is built from.
struct Package {
    name: String,
    rust_version: Option<Version>,
    is_published: bool,
    needs: Vec<String>,
}

type Version = (u32, u32, u32);

/// What cargo knows of the workspace, for this machine's platform, by package id.
fn packages() -> BTreeMap<String, Package> {
    let metadata = cargo(&[
        "metadata",
        "--format-version=1",
        "--locked",
        "--all-features",
        "--filter-platform",
        &host(),
    ]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let mut needs: BTreeMap<&str, Vec<String>> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (text(&node["id"]), normal_dependencies(node)))
        .collect();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let id = text(&package["id"]);
            let package = Package {
                name: text(&package["name"]).to_owned(),
                rust_version: package["rust_version"].as_str().map(version),
                // Cargo says `[]` for a package that goes to no registry, and nothing for one that goes to any.
                is_published: package["source"].is_null() && package["publish"].is_null(),
                needs: needs.remove(id).unwrap_or_default(),
            };
            (id.to_owned(), package)
        })
        .collect()
}

fn normal_dependencies(node: &Value) -> Vec<String> {
    let is_normal = |dependency: &&Value| {
        let kinds = dependency["dep_kinds"].as_array().unwrap();
        kinds.iter().any(|kind| kind["kind"].is_null())
    };
    let dependencies = node["deps"].as_array().unwrap().iter();
    dependencies
        .filter(is_normal)
        .map(|dependency| text(&dependency["pkg"]).to_owned())
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    run(env!("CARGO"), arguments)
}

fn host() -> String {
    let about = run("rustc", &["-vV"]);
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(repository())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("cargo writes a text there")
}

fn version(text: &str) -> Version {
    let mut parts = text.split('.').map(|part| part.parse().unwrap());
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

/// What the published crates are built from, without themselves.
fn dependencies(packages: &BTreeMap<String, Package>) -> Vec<&Package> {
    let published = packages.iter().filter(|(_, package)| package.is_published);
    let mut to_do: Vec<&String> = published.map(|(id, _)| id).collect();
    assert!(to_do.len() >= 10, "{} published crates", to_do.len());
    let mut seen: BTreeSet<&String> = to_do.iter().copied().collect();
    while let Some(id) = to_do.pop() {
        to_do.extend(packages[id].needs.iter().filter(|id| seen.insert(id)));
    }
    seen.into_iter()
        .map(|id| &packages[id])
        .filter(|package| !package.is_published)
        .collect()
}

#[test]
fn the_declared_rust_version_is_the_highest_that_a_dependency_declares() {
    let packages = packages();
    let ours = packages.values().find(|package| package.name == "rrss");
    let ours = ours.unwrap().rust_version.expect("we declare one");
    let dependencies = dependencies(&packages);
    let too_new: Vec<&str> = dependencies
        .iter()
        .filter(|package| package.rust_version > Some(ours))
        .map(|package| package.name.as_str())
        .collect();
    assert!(
        too_new.is_empty(),
        "need a newer Rust than we declare: {too_new:?}"
    );

    let highest = dependencies
        .iter()
        .max_by_key(|package| package.rust_version);
    let highest = highest.unwrap();
    println!("{} needs {:?}", highest.name, highest.rust_version.unwrap());
    assert_eq!(highest.rust_version, Some(ours), "{} sets it", highest.name);
}

#[test]
fn every_crate_of_the_workspace_declares_the_same_rust_version() {
    let packages = packages();
    let ours = packages
        .values()
        .filter(|package| package.name.starts_with("rrss"));
    let declared: BTreeSet<_> = ours.map(|package| package.rust_version).collect();
    assert_eq!(declared.len(), 1, "{declared:?}");
    assert!(!declared.contains(&None));
}
