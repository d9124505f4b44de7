//! The options of a step, as a person reads them: from the JSON Schema of its options.

use std::sync::LazyLock;

use rrss_core::DurationOption;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// One option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepOption {
    pub(super) name: String,
    /// What may stand there, in words or as TOML.
    pub(super) kind: String,
    /// `None` where there is none, or where it is that the option is left out.
    pub(super) default: Option<Value>,
    pub(super) required: bool,
    pub(super) help: String,
    /// The values that have a help of their own, as TOML.
    pub(super) values: Vec<(String, String)>,
}

impl StepOption {
    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "default": self.default,
            "required": self.required,
            "help": self.help,
        })
    }
}

/// The options of a schema of a struct.
pub(super) fn options(schema: &Value) -> Vec<StepOption> {
    let required = schema["required"].as_array();
    let required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    properties
        .iter()
        .map(|(name, schema)| StepOption {
            name: name.clone(),
            kind: kind(schema),
            default: schema
                .get("default")
                .filter(|default| !default.is_null())
                .cloned(),
            required: required(name),
            help: schema["description"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            values: values(schema),
        })
        .collect()
}

/// The schema of a duration; it is inlined without its name.
static DURATION: LazyLock<Value> =
    LazyLock::new(|| DurationOption::json_schema(&mut SchemaGenerator::default()).to_value());

fn kind(schema: &Value) -> String {
    if let Some(value) = schema.get("const") {
        return toml(value);
    }
    if let Some(values) = schema["enum"].as_array() {
        return either(values.iter().filter(|value| !value.is_null()).map(toml));
    }
    if schema["anyOf"] == DURATION["anyOf"] {
        return "duration, such as \"1h 30m\" or seconds".to_owned();
    }
    for several in ["oneOf", "anyOf"] {
        if let Some(schemas) = schema[several].as_array() {
            return either(schemas.iter().filter(|schema| !is_null(schema)).map(kind));
        }
    }
    match &schema["type"] {
        Value::String(name) => named(name, schema),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str);
            either(
                names
                    .filter(|name| *name != "null")
                    .map(|name| named(name, schema)),
            )
        }
        _ => "any value".to_owned(),
    }
}

fn named(name: &str, schema: &Value) -> String {
    match name {
        "string" if schema["writeOnly"] == true => "text, secret".to_owned(),
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" => table(schema),
        number => match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
            (Some(least), Some(most)) => format!("{number} from {least} to {most}"),
            (Some(least), None) if least > 0 => format!("{number} from {least}"),
            _ => number.to_owned(),
        },
    }
}

fn table(schema: &Value) -> String {
    match schema["properties"].as_object() {
        Some(properties) if !properties.is_empty() => {
            let names: Vec<&str> = properties.keys().map(String::as_str).collect();
            format!("table of {}", names.join(", "))
        }
        _ => "table".to_owned(),
    }
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null" || schema.get("const").is_some_and(Value::is_null)
}

fn either(kinds: impl Iterator<Item = String>) -> String {
    let mut unique: Vec<String> = Vec::new();
    for kind in kinds {
        if !unique.contains(&kind) {
            unique.push(kind);
        }
    }
    unique.join(" or ")
}

fn values(schema: &Value) -> Vec<(String, String)> {
    let none = Vec::new();
    let schemas = schema["oneOf"].as_array().unwrap_or(&none);
    schemas
        .iter()
        .filter_map(|schema| {
            let help = schema["description"].as_str()?;
            Some((toml(schema.get("const")?), help.to_owned()))
        })
        .collect()
}

/// A value as TOML, on one line.
pub(super) fn toml(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(toml).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name} = {}", toml(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rrss_core::Secret;
    use schemars::generate::SchemaSettings;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    struct Options {
        algorithm: Algorithm,
        every: DurationOption,
        maybe: Option<DurationOption>,
        level: Option<u8>,
        names: Vec<String>,
        password: Option<Secret>,
        /// Whether it is on.
        on: bool,
    }

    #[derive(Default, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Algorithm {
        /// Small.
        #[default]
        Zstd,
        /// Fast.
        Lz4,
    }

    impl Default for Options {
        fn default() -> Self {
            Self {
                algorithm: Algorithm::Zstd,
                every: Duration::from_secs(60).into(),
                maybe: None,
                level: None,
                names: vec!["a".to_owned()],
                password: None,
                on: true,
            }
        }
    }

    fn all<T: JsonSchema>() -> Vec<StepOption> {
        let settings =
            SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        options(&T::json_schema(&mut SchemaGenerator::new(settings)).to_value())
    }

    #[track_caller]
    fn shown(name: &str) -> (String, Option<String>) {
        let option = all::<Options>()
            .into_iter()
            .find(|option| option.name == name)
            .unwrap();
        (option.kind, option.default.as_ref().map(toml))
    }

    #[test]
    fn types_and_defaults_are_shown_as_they_stand_in_a_file() {
        let duration = "duration, such as \"1h 30m\" or seconds";
        for (name, kind, default) in [
            ("algorithm", r#""zstd" or "lz4""#, Some(r#""zstd""#)),
            ("every", duration, Some(r#""1m""#)),
            ("maybe", duration, None),
            ("level", "integer from 0 to 255", None),
            ("names", "list of text", Some(r#"["a"]"#)),
            ("password", "text, secret", None),
            ("on", "true or false", Some("true")),
        ] {
            assert_eq!(
                shown(name),
                (kind.to_owned(), default.map(str::to_owned)),
                "{name}"
            );
        }
    }

    #[test]
    fn values_with_a_help_of_their_own_keep_it() {
        let options = all::<Options>();
        let pair = |value: &str, help: &str| (value.to_owned(), help.to_owned());
        assert_eq!(
            options[0].values,
            [pair(r#""zstd""#, "Small."), pair(r#""lz4""#, "Fast.")]
        );
        let on = options.iter().find(|option| option.name == "on").unwrap();
        assert_eq!(on.help, "Whether it is on.");
    }

    #[test]
    fn an_option_without_a_default_is_required() {
        #[derive(Deserialize, JsonSchema)]
        struct Needs {
            #[allow(dead_code, reason = "the schema alone is looked at")]
            keys: Vec<u32>,
        }
        let options = all::<Needs>();
        assert!(options[0].required);
        assert_eq!(options[0].default, None);
    }
}
