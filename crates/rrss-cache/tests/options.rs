//! Options: what is accepted, and what is said of the rest.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use rrss::{ErrorKind, Store};
use rrss_cache::{Cache, OnUntracked, Options};

#[track_caller]
fn refused(toml: &str, words: &[&str]) {
    let error = toml::from_str::<Options>(toml).unwrap_err().to_string();
    for words in words {
        assert!(error.contains(words), "{toml}: {error}");
    }
}

#[test]
fn nothing_has_to_be_given() {
    let options: Options = toml::from_str("").unwrap();
    assert_eq!(options, Options::default());
    assert_eq!(options.capacity.get(), 64 * 1024 * 1024);
    assert_eq!(options.max_age.get(), Duration::from_secs(10));
    assert_eq!(options.on_untracked, OnUntracked::Bypass);
}

#[test]
fn a_cache_that_could_keep_nothing_is_refused_at_its_place() {
    refused("capacity = 0", &["keeps nothing", "67108864", "line 1"]);
    refused("max_age = 0", &["keeps nothing", "\"10s\"", "line 1"]);
    refused("max_age = '0s'", &["keeps nothing", "line 1"]);
    let never = Options {
        max_age: Duration::ZERO.into(),
        ..Options::default()
    };
    let error = Cache::new(&never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.option(), Some("max_age"));
}

#[test]
fn what_is_no_size_no_time_and_no_choice_is_refused_at_its_place() {
    for (toml, words) in [
        ("capacity = -1", ["-1", "u64"]),
        ("capacity = '64 MiB'", ["string", "u64"]),
        ("max_age = 'soon'", ["not a duration", "\"1h 30m\""]),
        ("max_age = -1", ["negative", "duration"]),
        ("on_untracked = 'ask'", ["`bypass`", "`max-age`"]),
        ("size = 5", ["size", "`capacity`"]),
    ] {
        refused(toml, &words);
        refused(toml, &["line 1"]);
    }
}

/// What is wrong with these steps.
fn misfit(steps: &str) -> String {
    let toml = format!("step = [{{ type = 'key-mapper' }}, {steps}]");
    Store::from_toml(&toml).unwrap_err().to_string()
}

#[test]
fn above_a_backend_that_tells_of_nothing_it_stands_only_where_the_file_allows_that() {
    for backend in [
        "{ type = 'memory' }",
        "{ type = 'embedded', path = 'unused' }",
    ] {
        let report = misfit(&format!(
            "{{ type = 'expiry' }}, {{ type = 'cache' }}, {{ type = 'json-codec' }}, {backend}"
        ));
        assert!(report.contains("is told of none"), "{report}");
        assert!(report.contains("on_untracked = \"max-age\""), "{report}");
    }
    let compat = misfit(
        "{ type = 'cache' }, { type = 'redis', layout = 'hash', compat = 'rrss-0.2', compat_duration = '1h' }",
    );
    assert!(compat.contains("is told of none"), "{compat}");
    Store::from_toml(
        "step = [{ type = 'key-mapper' }, { type = 'cache', on_untracked = 'max-age' }, { type = 'json-codec' }, \
         { type = 'memory' }]",
    )
    .unwrap();
}

#[test]
fn it_stands_below_what_has_to_see_every_load_and_above_the_codec() {
    let redis = "{ type = 'redis' }";
    let expiry = misfit(&format!(
        "{{ type = 'cache' }}, {{ type = 'expiry' }}, {{ type = 'json-codec' }}, {redis}"
    ));
    assert!(expiry.contains("move `expiry` above `cache`"), "{expiry}");
    let codec = misfit(&format!(
        "{{ type = 'expiry' }}, {{ type = 'json-codec' }}, {{ type = 'cache' }}, {redis}"
    ));
    assert!(codec.contains("move `cache` above `json-codec`"), "{codec}");
    let twice = misfit(&format!(
        "{{ type = 'cache' }}, {{ type = 'cache' }}, {{ type = 'json-codec' }}, {redis}"
    ));
    assert!(twice.contains("a second time"), "{twice}");
}
