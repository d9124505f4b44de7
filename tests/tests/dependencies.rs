//! What the dependencies say of themselves; licences, sources and versions are held by `scripts/deny`.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;
use std::process::Command;

use rrss_tests::repository;
use serde_json::Value;

/// Those that look for a maintainer, and why they are there all the same.
const KNOWN: [(&str, &str); 5] = [
    ("rmp", "of rmp-serde"),
    (
        "rmp-serde",
        "reads what the stores of tower-sessions wrote, and nothing else reads it so",
    ),
    (
        "security-framework",
        "the certificates of macOS, for rustls",
    ),
    ("security-framework-sys", "of security-framework"),
    (
        "urlencoding",
        "of axum-login, in tests and an example alone",
    ),
];

/// The names and manifests of all packages that are not ours.
fn manifests() -> Vec<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--all-features",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success());
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let foreign = packages.filter(|package| !package["source"].is_null());
    foreign
        .map(|package| {
            let text = |key: &str| package[key].as_str().unwrap().to_owned();
            (text("name"), text("manifest_path"))
        })
        .collect()
}

/// Which of the words of
/// [`badges.maintenance`](https://doc.rust-lang.org/cargo/reference/manifest.html#the-badges-section) a manifest has.
fn maintenance(manifest: &str) -> Option<String> {
    let manifest: toml::Table = toml::from_str(manifest).unwrap();
    let status = manifest.get("badges")?.get("maintenance")?.get("status")?;
    status.as_str().map(str::to_owned)
}

fn is_abandoned(status: &str) -> bool {
    ["deprecated", "looking-for-maintainer"].contains(&status)
}

#[test]
fn no_dependency_calls_itself_deprecated_or_looks_for_a_maintainer() {
    let manifests = manifests();
    assert!(manifests.len() > 200, "{}", manifests.len());
    let mut abandoned: Vec<_> = manifests
        .iter()
        .filter(|(_, path)| {
            let manifest = fs::read_to_string(path).unwrap();
            maintenance(&manifest).is_some_and(|status| is_abandoned(&status))
        })
        .map(|(name, _)| name.as_str())
        .collect();
    abandoned.sort_unstable();
    assert_eq!(abandoned, KNOWN.map(|(name, _)| name));
}

#[test]
fn what_a_manifest_says_of_its_maintenance_is_read() {
    let manifest = "[package]\nname = \"old\"\n[badges.maintenance]\nstatus = \"deprecated\"\n";
    assert!(is_abandoned(&maintenance(manifest).unwrap()));
    assert_eq!(maintenance("[package]\nname = \"new\"\n"), None);
}
