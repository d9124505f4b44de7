//! Every option that is one value comes from the environment, whatever its type.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss::Registry;
use rrss::loader::{Loader, Report};
use serde_json::Value;

/// What is wrong with an option that is written so, where the variable `VALUE` has this value.
fn wrong(step: &str, option: &str, written: &str, value: &str) -> Vec<String> {
    let value = value.to_owned();
    let loader = Loader::new(Registry::linked())
        .with_env(move |name| (name == "VALUE").then(|| value.clone()));
    let text = format!("[[step]]\ntype = \"{step}\"\n{option} = {written}\n");
    let problems = |report: Report| {
        let problems = report.problems().iter();
        problems
            .map(|problem| problem.message().to_owned())
            .collect()
    };
    let found: Vec<String> = loader
        .read_text(&text)
        .map_or_else(problems, |_| Vec::new());
    let about = format!("`{option}` of step `{step}`");
    found
        .into_iter()
        .filter(|message| message.contains(&about))
        .collect()
}

const FROM_ENV: &str = "{ env = \"VALUE\" }";

#[test]
fn each_option_that_is_one_value_may_come_from_the_environment() {
    let mut seen = Vec::new();
    for step in Registry::linked().iter() {
        let schema = rrss::loader::schema(&Registry::linked());
        let options = &schema["definitions"][format!("step-{}", step.name())]["properties"];
        for (option, said) in options.as_object().unwrap() {
            let default = &said["default"];
            let good = match default {
                Value::Number(_) | Value::Bool(_) => default.to_string(),
                Value::String(text) => text.clone(),
                _ => continue,
            };
            // Alone it may lack another option, and then it does in either form.
            let in_file = wrong(step.name(), option, &default.to_string(), "");
            let from_env = wrong(step.name(), option, FROM_ENV, &good);
            assert_eq!(from_env, in_file, "{good}");
            if !said["default"].is_string() {
                let refused = wrong(step.name(), option, FROM_ENV, "hunter2");
                assert_eq!(refused.len(), 1, "{} {option}: {refused:?}", step.name());
                assert!(!refused[0].contains("hunter2"), "{refused:?}");
            }
            seen.push(format!("{}.{option}", step.name()));
        }
    }
    for option in [
        "json-codec.max_bytes",
        "compression.write_with_dictionary",
        "expiry.duration",
    ] {
        assert!(seen.iter().any(|seen| seen == option), "{option}: {seen:?}");
    }
}

#[test]
fn numbers_durations_dates_and_truth_values_have_the_same_form_as_in_a_file() {
    for (step, option, values) in [
        ("redis", "port", &["6379", " 6379\n"][..]),
        ("redis", "timeout", &["5", "250ms", "1h 30m"]),
        ("redis", "tls", &["true", "false"]),
        ("compression", "level", &["3", "+3"]),
        ("expiry", "jitter", &["1h"]),
        (
            "key-mapper",
            "accept_raw_keys_until",
            &["2099-12-24", "2099-12-24T18:00:00Z"],
        ),
        ("index", "max_per_value", &["5"]),
    ] {
        for value in values {
            // Alone it may lack another option, but it is read.
            let found = wrong(step, option, FROM_ENV, value);
            let is_read = |message: &String| !message.contains("is not valid here");
            assert!(found.iter().all(is_read), "{value:?}: {found:?}");
        }
    }
    for (step, option, value) in [
        ("redis", "port", "six"),
        ("redis", "port", "06379"),
        ("redis", "port", "70000"),
        ("redis", "port", "6379 # default"),
        ("redis", "tls", "yes"),
        ("redis", "tls", "1"),
        ("redis", "timeout", "soon"),
        ("compression", "level", "3.0"),
        ("compression", "level", "[3]"),
    ] {
        assert_eq!(
            wrong(step, option, FROM_ENV, value).len(),
            1,
            "{step}.{option} = {value}"
        );
    }
}
