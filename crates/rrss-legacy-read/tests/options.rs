//! Options: what is accepted, and what is said of the rest.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss_core::Registry;
use rrss_legacy_read::{Format, LegacyRead, Options};

#[track_caller]
fn refused(toml: &str, words: &[&str]) {
    let error = toml::from_str::<Options>(toml).unwrap_err().to_string();
    for words in words {
        assert!(error.contains(words), "{toml}: {error}");
    }
}

#[test]
fn each_format_has_a_name() {
    for (name, format) in [
        ("tower-sessions", Format::TowerSessions),
        ("actix-session", Format::ActixSession),
    ] {
        let options: Options = toml::from_str(&format!("format = '{name}'")).unwrap();
        assert_eq!(options, Options::of(format));
    }
}

#[test]
fn a_format_must_be_named_and_known() {
    refused("", &["format"]);
    refused(
        "format = 'axum-session'",
        &["`tower-sessions` or `actix-session`"],
    );
}

#[test]
fn a_mistyped_option_is_not_ignored() {
    refused(
        "format = 'tower-sessions'\nformats = []",
        &["formats", "`format`"],
    );
}

#[test]
fn the_step_is_known_by_its_type() {
    let registry = Registry::new().with::<LegacyRead>();
    assert!(registry.get("legacy-read").is_some());
}
