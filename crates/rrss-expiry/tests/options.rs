//! Options: what is accepted, and what is said of the rest.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use rrss_core::{ErrorKind, Registry};
use rrss_expiry::{Expiry, Options, Renew};

#[track_caller]
fn refused(toml: &str, words: &[&str]) {
    let error = toml::from_str::<Options>(toml).unwrap_err().to_string();
    for words in words {
        assert!(error.contains(words), "{toml}: {error}");
    }
}

#[test]
fn nothing_written_means_a_week_counted_from_the_last_change() {
    let options: Options = toml::from_str("").unwrap();
    assert_eq!(options, Options::default());
    assert_eq!(options.duration.get(), Duration::from_secs(604_800));
    assert_eq!(options.resolution.get(), Duration::from_secs(600));
    assert_eq!(options.renew, Renew::Write);
}

#[test]
fn durations_are_seconds_or_text() {
    let options: Options = toml::from_str("duration = 3600\nresolution = '250ms'").unwrap();
    assert_eq!(options.duration.get(), Duration::from_secs(3_600));
    assert_eq!(options.resolution.get(), Duration::from_millis(250));
}

#[test]
fn a_duration_of_zero_is_refused_at_its_place() {
    for zero in ["0", "'0s'", "'0ms 0s'"] {
        refused(
            &format!("duration = {zero}"),
            &[
                "ends every session as it is saved",
                "such as \"7d\"",
                "line 1",
            ],
        );
        refused(
            &format!("resolution = {zero}"),
            &["sweeps without a pause", "such as \"10m\"", "line 1"],
        );
    }
}

#[test]
fn what_is_no_duration_is_refused() {
    refused("duration = 'a week'", &["duration"]);
    refused("duration = -1", &["negative"]);
    refused("duration = true", &["duration"]);
    refused("resolution = 1.5", &["duration"]);
}

#[test]
fn an_unknown_policy_or_option_is_not_ignored() {
    refused("renew = 'never'", &["`write`"]);
    refused("durration = '7d'", &["durration", "`duration`"]);
}

#[test]
fn zero_in_code_is_refused_when_the_step_is_built() {
    let zero = Duration::ZERO.into();
    for (option, options) in [
        (
            "duration",
            Options {
                duration: zero,
                ..Options::default()
            },
        ),
        (
            "resolution",
            Options {
                resolution: zero,
                ..Options::default()
            },
        ),
    ] {
        let error = Expiry::new(options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.option(), Some(option));
    }
}

#[test]
fn options_are_written_as_they_are_read() {
    let json = serde_json::to_string(&Options::default()).unwrap();
    assert_eq!(
        json,
        r#"{"duration":"7d","resolution":"10m","renew":"write"}"#
    );
    assert_eq!(
        serde_json::from_str::<Options>(&json).unwrap(),
        Options::default()
    );
}

#[test]
fn linking_the_crate_registers_the_step_with_an_example_that_works() {
    let registry = Registry::linked();
    let step = registry.get("expiry").unwrap();
    assert_eq!(step.crate_name(), "rrss-expiry");
    assert!(step.summary().starts_with("Gives sessions a deadline"));

    let mut example: toml::Table = toml::from_str(&step.example()).unwrap();
    let table = example["step"][0].as_table_mut().unwrap();
    assert_eq!(table.remove("type").unwrap().as_str(), Some("expiry"));
    let options: Options = table.clone().try_into().unwrap();
    assert_eq!(options, Options::default());
}
