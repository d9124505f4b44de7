//! Options: what is accepted, and what is said of the rest.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use rrss_core::Registry;
use rrss_key_mapper::{IdFormat, KeyMapper, Options, Template};

fn parse(toml: &str) -> Result<Options, String> {
    toml::from_str(toml).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(toml: &str, words: &[&str]) {
    let error = parse(toml).unwrap_err();
    for words in words {
        assert!(error.contains(words), "{toml}: {error}");
    }
}

#[test]
fn nothing_written_means_uuids_under_sessions() {
    let options = parse("").unwrap();
    assert_eq!(options, Options::default());
    assert_eq!(options.template.to_string(), "sessions:{id}");
    assert_eq!(options.id, IdFormat::Uuid);
}

#[test]
fn a_template_may_have_text_before_and_after_the_id() {
    for text in [
        "{id}",
        "a{id}",
        "{id}z",
        "sessions:{id}:data",
        "größe ☃ {id}",
        "a b:{id}",
    ] {
        let options = parse(&format!("template = '{text}'\nid = 'token'")).unwrap();
        assert_eq!(options.template.to_string(), text);
        assert_eq!(
            options.template.key("X").as_str(),
            text.replace("{id}", "X"),
        );
        assert_eq!(options.id, IdFormat::Token);
    }
}

#[test]
fn a_template_that_cannot_work_is_refused_at_its_place_with_what_to_write() {
    refused("template = ''", &["write `sessions:{id}`", "line 1"]);
    refused("template = 'sessions:'", &["needs `{id}`", "'sessions:'"]);
    refused("template = 'sessions:{ID}'", &["`{ID}` is not that"]);
    refused("template = 'sessions:{}'", &["`{}` is not that"]);
    refused("template = 'sessions:{ id }'", &["`{ id }` is not that"]);
    refused("template = '{id}:{id}'", &["`{id}` once"]);
    refused("template = '{app}:sessions:{id}'", &["cannot hold `{app}`"]);
    refused("template = '{id}:{field}'", &["cannot hold `{field}`"]);
    refused(
        "template = '{{sessions}}:{id}'",
        &["cannot hold `{{sessions}`"],
    );
    refused("template = '{{id}}'", &["braces besides those of `{id}`"]);
    refused("template = '}{id}{'", &["braces besides those of `{id}`"]);
    refused("template = \"a\\n{id}\"", &["control characters"]);
    refused("template = \"{id}\\u0000\"", &["control characters"]);
    refused("template = \"\\u007f\"", &["control characters"]);
    refused("template = 7", &["string"]);
}

#[test]
fn an_unknown_id_format_is_refused_with_the_known_ones() {
    refused(
        "id = 'ulid'",
        &["`uuid`, `token`, `tower-sessions`, `actix-session`"],
    );
    refused("id = 'UUID'", &["`uuid`, `token`"]);
}

#[test]
fn a_mistyped_option_is_not_ignored() {
    refused("templat = '{id}'", &["templat", "`template`"]);
}

#[test]
fn options_are_written_as_they_are_read() {
    let options = Options {
        template: "a:{id}:z".parse().unwrap(),
        id: IdFormat::Token,
        ..Options::default()
    };
    let json = serde_json::to_string(&options).unwrap();
    assert_eq!(
        json,
        r#"{"template":"a:{id}:z","id":"token","hash":"none"}"#
    );
    assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), options);
}

#[test]
fn linking_the_crate_registers_the_step_with_an_example_that_works() {
    let registry = Registry::linked();
    let step = registry.get("key-mapper").unwrap();
    assert_eq!(step.crate_name(), "rrss-key-mapper");
    assert!(
        step.summary().starts_with("Makes session ids"),
        "{}",
        step.summary()
    );

    let mut example: toml::Table = toml::from_str(&step.example()).unwrap();
    let table = &mut example["step"][0];
    assert_eq!(
        table
            .as_table_mut()
            .unwrap()
            .remove("type")
            .unwrap()
            .as_str(),
        Some(<KeyMapper as rrss_core::Step>::TYPE)
    );
    let options: Options = table.clone().try_into().unwrap();
    assert_eq!(options, Options::default());
}

#[test]
fn the_default_template_is_the_one_that_its_text_says() {
    let parsed: Template = "sessions:{id}".parse().unwrap();
    assert_eq!(parsed, Template::default());
}
