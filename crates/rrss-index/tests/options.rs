//! Options: what is accepted, and what is said of the rest.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::num::NonZeroUsize;

use rrss_core::{ErrorKind, Registry, Step, Transform};
use rrss_index::{Index, OnLimit, Options};

#[track_caller]
fn refused(toml: &str, words: &[&str]) {
    let error = toml::from_str::<Options>(toml).unwrap_err().to_string();
    for words in words {
        assert!(error.contains(words), "{toml}: {error}");
    }
}

#[test]
fn fields_alone_are_an_index_without_a_limit() {
    let options: Options = toml::from_str("fields = ['user_id', 'device']").unwrap();
    assert_eq!(options, Options::of(["user_id", "device"]));
    let index = Index::new(options).unwrap();
    let rules = Transform::index(&index).unwrap();
    assert_eq!(rules.fields, ["user_id".into(), "device".into()]);
    assert_eq!(rules.max_per_value, None);
}

#[test]
fn a_limit_ends_the_oldest_unless_it_is_to_reject() {
    for (toml, expected) in [
        ("max_per_value = 5", OnLimit::EvictOldest),
        (
            "max_per_value = 5\non_limit = 'evict-oldest'",
            OnLimit::EvictOldest,
        ),
        ("max_per_value = 5\non_limit = 'reject'", OnLimit::Reject),
    ] {
        let options = toml::from_str(&format!("fields = ['user_id']\n{toml}")).unwrap();
        let index = Index::new(options).unwrap();
        let rules = Transform::index(&index).unwrap();
        assert_eq!(rules.max_per_value, NonZeroUsize::new(5));
        assert_eq!(rules.on_limit, expected, "{toml}");
    }
}

#[test]
fn fields_must_be_given_and_each_have_a_name_of_its_own() {
    refused("", &["missing field `fields`"]);
    refused("fields = []", &["finds nothing", "\"user_id\"", "line 1"]);
    refused("fields = ['a', '']", &["empty", "\"user_id\"", "line 1"]);
    refused(
        "fields = ['a', 'b', 'a']",
        &["`a` is listed twice", "line 1"],
    );
    refused("fields = 'user_id'", &["expected a sequence"]);
    refused("fields = [1]", &["expected a string"]);
}

#[test]
fn a_limit_of_zero_or_of_no_number_is_refused_at_its_place() {
    for (toml, words) in [
        ("max_per_value = 0", ["lets nobody in", "such as 5"]),
        ("max_per_value = -1", ["-1", "usize"]),
        ("max_per_value = '5'", ["string", "usize"]),
        ("on_limit = 'ask'", ["`evict-oldest`", "`reject`"]),
        ("limit = 5", ["limit", "`max_per_value`"]),
    ] {
        let toml = format!("fields = ['user_id']\n{toml}");
        refused(&toml, &words);
        refused(&toml, &["line 2"]);
    }
}

#[test]
fn notes_are_kept_for_a_time_and_not_for_none() {
    let options: Options = toml::from_str("fields = ['user']\nkeep_expired = '1d'").unwrap();
    let index = Index::new(options).unwrap();
    let keep = Transform::index(&index).unwrap().keep_expired;
    assert_eq!(keep, Some(std::time::Duration::from_secs(86_400)));
    let index = Index::new(Options::of(["user"])).unwrap();
    assert_eq!(Transform::index(&index).unwrap().keep_expired, None);

    for (value, words) in [
        ("0", "such as \"1d\""),
        ("'0s'", "leave `keep_expired` out"),
        ("'a day'", "not a duration"),
        ("-1", "negative"),
        ("true", "a duration"),
    ] {
        let toml = format!("fields = ['user']\nkeep_expired = {value}");
        refused(&toml, &[words, "line 2"]);
    }
    let zero = Options {
        keep_expired: Some(std::time::Duration::ZERO.into()),
        ..Options::of(["user"])
    };
    let error = Index::new(zero).unwrap_err();
    assert_eq!(error.option(), Some("keep_expired"));
}

#[test]
fn what_to_do_at_a_limit_without_a_limit_is_refused() {
    let options: Options =
        toml::from_str("fields = ['user_id']\non_limit = 'evict-oldest'").unwrap();
    let error = Index::check(&options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.option(), Some("on_limit"));
    assert!(error.message().contains("add `max_per_value`"), "{error}");
}

#[test]
fn fields_that_were_written_in_code_are_checked_as_well() {
    for fields in [&[][..], &[""], &["a", "a"]] {
        let error = Index::new(Options::of(fields.iter().copied())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.option(), Some("fields"));
    }
}

#[test]
fn options_are_written_as_they_are_read() {
    for json in [
        r#"{"fields":["user_id"]}"#,
        r#"{"fields":["a","b"],"max_per_value":2,"on_limit":"reject"}"#,
    ] {
        let options: Options = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&options).unwrap(), json);
    }
}

#[test]
fn linking_the_crate_registers_the_step_with_an_example_that_works() {
    let registry = Registry::linked();
    let step = registry.get("index").unwrap();
    assert_eq!(step.crate_name(), "rrss-index");
    assert!(step.summary().starts_with("Finds sessions by the value"));

    let mut example: toml::Table = toml::from_str(&step.example()).unwrap();
    let table = example["step"][0].as_table_mut().unwrap();
    assert_eq!(table.remove("type").unwrap().as_str(), Some("index"));
    let options: Options = table.clone().try_into().unwrap();
    assert_eq!(
        Index::check(&options).err().map(|error| error.to_string()),
        None
    );
    assert_eq!(options.fields, ["user_id"]);
}
