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
    assert_eq!(
        (options.renew_after, options.absolute, options.jitter),
        (None, None, None)
    );
}

#[test]
fn every_option_may_be_given() {
    let options: Options = toml::from_str(
        "duration = '1h'\nrenew = 'load'\nrenew_after = 60\nabsolute = '1h'\njitter = '250ms'",
    )
    .unwrap();
    assert_eq!(options.renew, Renew::Load);
    let given = [options.renew_after, options.absolute, options.jitter];
    assert_eq!(
        given.map(|option| option.unwrap().get()),
        [
            Duration::from_secs(60),
            Duration::from_secs(3_600),
            Duration::from_millis(250)
        ]
    );
    Expiry::new(options).unwrap();
}

/// What is said of options each of which is good on its own, and of which one.
#[track_caller]
fn do_not_go_together(toml: &str, option: &str, words: &[&str]) {
    let options: Options = toml::from_str(toml).unwrap();
    let error = Expiry::new(options.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{toml}");
    assert_eq!(error.option(), Some(option), "{toml}: {error}");
    for words in words {
        assert!(error.to_string().contains(words), "{toml}: {error}");
    }
    let checked = <Expiry as rrss_core::Step>::check(&options).unwrap_err();
    assert_eq!(checked.to_string(), error.to_string());
}

#[test]
fn a_longest_life_below_the_duration_is_refused() {
    do_not_go_together(
        "absolute = '6d'",
        "absolute",
        &["6d", "7d", "write 7d or more"],
    );
    do_not_go_together(
        "duration = '1s'\nabsolute = '999ms'",
        "absolute",
        &["999ms"],
    );
    let equal: Options = toml::from_str("absolute = '7d'").unwrap();
    Expiry::new(equal).unwrap();
}

#[test]
fn renew_after_goes_with_renewal_on_load_alone_and_is_below_the_duration() {
    do_not_go_together(
        "renew_after = '1h'",
        "renew_after",
        &["write `renew = \"load\"`"],
    );
    for late in ["7d", "8d"] {
        do_not_go_together(
            &format!("renew = 'load'\nrenew_after = '{late}'"),
            "renew_after",
            &[late, "write less than 7d"],
        );
    }
}

#[test]
fn jitter_leaves_something_of_the_duration_and_room_for_a_renewal() {
    for much in ["7d", "8d"] {
        do_not_go_together(
            &format!("jitter = '{much}'"),
            "jitter",
            &[much, "write less than 7d"],
        );
    }
    do_not_go_together(
        "duration = '10h'\nrenew = 'load'\njitter = '9h'",
        "jitter",
        &["lives 1h", "after 1h", "a smaller `jitter`"],
    );
    do_not_go_together(
        "duration = '10h'\nrenew = 'load'\njitter = '1h'\nrenew_after = '9h'",
        "renew_after",
        &["lives 9h", "a smaller `renew_after`"],
    );
    for toml in [
        "duration = '10h'\njitter = '9h 59m'",
        "duration = '10h'\nrenew = 'load'\njitter = '1h'\nrenew_after = '8h 59m'",
    ] {
        let options: Options = toml::from_str(toml).unwrap();
        Expiry::new(options).unwrap();
    }
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
        refused(
            &format!("renew_after = {zero}"),
            &["makes every load a write", "such as \"1h\"", "line 1"],
        );
        refused(
            &format!("absolute = {zero}"),
            &["as it is created", "such as \"30d\"", "line 1"],
        );
        refused(
            &format!("jitter = {zero}"),
            &["leave it out", "such as \"10m\"", "line 1"],
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
    refused("renew = 'never'", &["`write` or `load`"]);
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
        (
            "renew_after",
            Options {
                renew: Renew::Load,
                renew_after: Some(zero),
                ..Options::default()
            },
        ),
        (
            "absolute",
            Options {
                absolute: Some(zero),
                ..Options::default()
            },
        ),
        (
            "jitter",
            Options {
                jitter: Some(zero),
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
    let toml =
        "duration = '1d'\nrenew = 'load'\nrenew_after = '2h'\nabsolute = '30d'\njitter = '5m'";
    let options: Options = toml::from_str(toml).unwrap();
    let json = serde_json::to_string(&options).unwrap();
    assert_eq!(
        json,
        r#"{"duration":"1d","resolution":"10m","renew":"load","renew_after":"2h","absolute":"30d","jitter":"5m"}"#
    );
    assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), options);
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

#[test]
fn the_options_that_the_example_shows_as_comments_work_too() {
    let example = Registry::linked().get("expiry").unwrap().example();
    let all = example
        .replace("renew = \"write\"", "renew = \"load\"")
        .replace("\n# ", "\n");
    let mut example: toml::Table = toml::from_str(&all).unwrap();
    let table = example["step"][0].as_table_mut().unwrap();
    table.remove("type");
    let options: Options = table.clone().try_into().unwrap();
    assert!(options.renew_after.is_some() && options.absolute.is_some());
    assert!(options.jitter.is_some());
    Expiry::new(options).unwrap();
}
