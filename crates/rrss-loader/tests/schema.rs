//! The schema says what the loader does.

mod steps;

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use proptest::prelude::*;
use rrss_core::{BuildContext, Registry, Result, Role, Shape, Step, StepType, Transform};
use rrss_loader::{Loader, schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

fn files(directory: &str) -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(directory);
    let paths = fs::read_dir(directory)
        .expect("the files are there")
        .map(|entry| entry.expect("a directory is readable").path());
    let is_toml = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    };
    let mut files: Vec<_> = paths
        .filter(is_toml)
        .filter_map(|path| {
            let name = path.file_stem()?.to_string_lossy().into_owned();
            Some((name, fs::read_to_string(path).ok()?))
        })
        .collect();
    files.sort();
    files
}

fn as_json(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(text).ok()?;
    serde_json::to_value(table).ok()
}

fn validator() -> Validator {
    let schema = schema(&steps::registry());
    jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{error}"));
    jsonschema::validator_for(&schema).expect("a schema of its draft")
}

#[test]
fn what_the_loader_accepts_the_schema_accepts() {
    let validator = validator();
    for (name, text) in files("good") {
        let value = as_json(&text).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn mistyped_names_and_wrong_types_are_refused_by_the_schema_too() {
    let validator = validator();
    // What a schema cannot tell: the order of steps, the rules of a type's own, what is outside of the file.
    let beyond = [
        "backend-missing",
        "backend-not-last",
        "backends-two",
        "bad-duration",
        "build-fails-",
        "codec-",
        "env-missing",
        "env-value-invalid",
        "file-value",
        "key-mapper-missing",
        "no-deadline",
        "on-corrupt-discard",
        "on-corrupt-of-fields",
        "template-without-id",
        "toml-1-1",
    ];
    let mut refused = 0;
    for (name, text) in files("reports") {
        let Some(value) = as_json(&text) else {
            continue;
        };
        let is_beyond =
            beyond.iter().any(|beyond| name.starts_with(beyond)) && name != "bad-duration";
        assert_eq!(validator.is_valid(&value), is_beyond, "{name}");
        refused += usize::from(!is_beyond);
    }
    assert!(refused >= 20, "{refused}");
}

#[test]
fn a_duration_that_the_loader_accepts_the_schema_accepts() {
    let validator = validator();
    let durations = [
        "0s",
        "1.5h",
        "2M",
        "1h30m",
        " 1 h ",
        "1month 2µs",
        "90 days",
    ];
    for duration in durations {
        let text = format!("[[step]]\ntype = \"expiry\"\nduration = \"{duration}\"\n");
        let report = Loader::new(steps::registry()).read_text(&text).unwrap_err();
        let [problem] = report.problems() else {
            panic!("{report}");
        };
        assert_eq!(
            problem.message(),
            "no step keeps the sessions",
            "{duration}"
        );
        assert!(validator.is_valid(&as_json(&text).unwrap()), "{duration}");
    }
}

#[test]
fn the_schema_is_of_a_draft_that_every_editor_of_toml_understands() {
    let schema = schema(&steps::registry());
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    let text = schema.to_string();
    for later in [
        "$defs",
        "prefixItems",
        "unevaluatedProperties",
        "dependentSchemas",
        "\"null\"",
    ] {
        assert!(!text.contains(later), "{later}");
    }
}

#[test]
fn options_have_their_help_their_defaults_and_may_come_from_elsewhere() {
    let schema = schema(&steps::registry());
    let expiry = &schema["definitions"]["step-expiry"];
    assert_eq!(expiry["description"], "Gives sessions a deadline.");
    assert_eq!(expiry["additionalProperties"], false);
    assert_eq!(expiry["required"], json!(["type"]));
    assert_eq!(expiry["properties"]["type"], json!({ "const": "expiry" }));
    let duration = &expiry["properties"]["duration"];
    assert_eq!(duration["description"], "How long a session lives.");
    assert_eq!(duration["default"], "7d");
    assert_eq!(
        duration["anyOf"][2],
        json!({ "$ref": "#/definitions/value-from-env" })
    );
    let redis = &schema["definitions"]["step-redis"];
    assert_eq!(redis["required"], json!(["type", "url"]));
    let port = &redis["properties"]["port"];
    assert_eq!(port["anyOf"][0]["type"], "integer");
    assert_eq!(
        port["anyOf"][1],
        json!({ "$ref": "#/definitions/value-from-env" })
    );
    assert!(redis["properties"]["password"].get("default").is_none());
}

#[test]
fn what_editors_show_has_each_name_once_with_the_text_of_each_step() {
    let schema = schema(&steps::registry());
    let items = &schema["properties"]["step"]["items"];
    let shown = &items["anyOf"][0]["properties"];
    let algorithm = &shown["algorithm"];
    assert_eq!(algorithm["description"], "`compression`: How to compress.");
    assert_eq!(algorithm["enum"], json!(["zstd", "lz4"]));
    let key = &shown["keys"]["items"]["properties"]["key"];
    assert_eq!(key, &json!({ "description": "The key itself." }));
    assert!(shown.get("type").is_none(), "it is offered beside them");
    let name = &schema["properties"]["store"]["anyOf"][0]["properties"]["name"];
    let text = name["description"].as_str().unwrap();
    assert!(text.starts_with("What the store is called"), "{text}");
}

/// Lets in so many requests.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RateLimitOptions {
    /// How many in a minute.
    per_minute: u32,
    /// Rules that hold others.
    rules: Vec<Rule>,
}

/// A type that contains itself.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// Whom it is for.
    name: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

struct RateLimit;

impl Transform for RateLimit {}

impl Step for RateLimit {
    const TYPE: &'static str = "rate-limit";
    type Options = RateLimitOptions;

    fn shape(_: &RateLimitOptions) -> Shape {
        Shape::anywhere()
    }

    fn build(_: RateLimitOptions, _: &BuildContext) -> Result<Role> {
        Ok(Role::transform(Self))
    }
}

#[test]
fn a_step_of_ones_own_is_in_the_schema_and_in_the_hint_of_a_mistyped_name() {
    let registry = steps::registry().with::<RateLimit>();
    let validator = jsonschema::validator_for(&schema(&registry)).unwrap();
    let with = |step: Value| json!({ "step": [step] });
    let nested = json!([{ "name": "a", "rules": [{ "name": { "env": "B" } }] }]);
    assert!(validator.is_valid(&with(
        json!({ "type": "rate-limit", "per_minute": 60, "rules": nested })
    )));
    assert!(!validator.is_valid(&with(json!({ "type": "rate-limit", "per_hour": 60 }))));
    assert!(!validator.is_valid(&with(
        json!({ "type": "rate-limit", "rules": [{ "nmae": "a" }] })
    )));
    let unknown = with(json!({ "type": "rate-limit" }));
    assert!(
        !jsonschema::validator_for(&schema(&steps::registry()))
            .unwrap()
            .is_valid(&unknown)
    );

    let text = "[[step]]\ntype = \"rate-limits\"\n\n[[step]]\ntype = \"rate-limit\"\n\
                rules = [{ name = { env = \"A\", default = \"b\" }, rules = [{ nmae = 1 }] }]\n";
    let report = Loader::new(registry)
        .with_env(|_| None)
        .read_text(text)
        .unwrap_err();
    let hints: Vec<_> = report
        .problems()
        .iter()
        .filter_map(|problem| problem.hint())
        .collect();
    assert_eq!(
        hints,
        ["did you mean `rate-limit`?", "did you mean `name`?"],
        "{report}"
    );
}

#[test]
fn two_crates_with_one_type_are_reported_even_for_a_good_file() {
    let registry =
        steps::registry().with_type(StepType::of::<steps::Memory>("other-memory", "1.0.0"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/good/smallest.toml");
    let report = Loader::new(registry).read_file(file).unwrap_err();
    let [problem] = report.problems() else {
        panic!("{report}");
    };
    assert_eq!(
        problem.message(),
        "the crates `other-memory` and `this program` both have a step type `memory`"
    );
    assert!(problem.hint().is_some());
    assert_eq!(problem.line(), None);
}

#[test]
fn an_empty_registry_has_a_schema_and_refuses_every_step() {
    let schema = schema(&Registry::new());
    jsonschema::validator_for(&schema).unwrap();
    let report = Loader::new(Registry::new())
        .read_text("[[step]]\ntype = 'x'\n")
        .unwrap_err();
    assert_eq!(
        report.problems()[0].hint(),
        Some("this program has no step types")
    );
}

/// JSON has no infinite numbers; they do not matter here.
fn finite(value: toml::Value) -> Value {
    match value {
        toml::Value::Float(number) => json!(if number.is_finite() { number } else { 0.5 }),
        toml::Value::Array(items) => items.into_iter().map(finite).collect(),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| (key, finite(value)));
            Value::Object(entries.collect())
        }
        other => serde_json::to_value(other).expect("TOML has a form in JSON"),
    }
}

/// Values and names that may take the place of others in a file.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{ env = \"A\" }".to_owned()),
        Just("{ env = \"NOT_SET\", default = \"1h\" }".to_owned()),
        Just("{ file = \"tests/good/secrets/key\" }".to_owned()),
        Just("{ id = 1, key = \"x\" }".to_owned()),
        "(type|url|keys|key|id|template|name|tls|nodes|duration|level|ratio|min_bytes|password|file|env)",
        "\"(key-mapper|redis|encryption|compression|expiry|memory|json-codec|uuid|zstd|1h|\\{id\\})\"",
        "-?[0-9]{1,6}(\\.[0-9])?",
        "(true|false|\\[\\]|\\{\\}|1979-05-27|nan)",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutant_of_a_good_file_is_accepted_by_the_loader_and_refused_by_the_schema(
        file in 0..4_usize,
        at in any::<prop::sample::Index>(),
        piece in piece(),
    ) {
        let (_, text) = &files("good")[file];
        let is_part = |char: char| char.is_alphanumeric() || "_-\"{}:$./%@".contains(char);
        let mut parts: Vec<&str> = text.split_inclusive(|char| !is_part(char)).collect();
        let at = at.index(parts.len());
        let end = parts[at].trim_end_matches(is_part).chars().last().map(String::from);
        let replaced = piece + end.as_deref().unwrap_or_default();
        parts[at] = &replaced;
        let text = parts.concat();
        let loader = Loader::new(steps::registry()).with_env(|name| match name {
            "NOT_SET" => None,
            "ID_FORMAT" => Some("token".to_owned()),
            "ALGORITHM" => Some("lz4".to_owned()),
            "TEMPLATE" => Some("{id}".to_owned()),
            "REDIS_URL" => Some("redis://localhost".to_owned()),
            _ => Some("1h".to_owned()),
        });
        let text = text.replace("\"secrets/", "\"tests/good/secrets/");
        if loader.read_text(&text).is_ok() {
            let value = finite(toml::Value::Table(toml::from_str(&text).unwrap()));
            let errors: Vec<_> = validator().iter_errors(&value).map(|error| error.to_string()).collect();
            prop_assert!(errors.is_empty(), "{}\n{:#?}", text, errors);
        }
    }
}
