//! JSON Schema of the file, for editors.

mod help;

use rrss_core::Registry;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::allowed::{Place, REMEMBERS_FILE, takes_text};
use crate::types::Types;

/// JSON Schema of `rrss.toml`, with the step types of `registry`: what an editor completes and checks by.
///
/// It accepts what a [`Loader`](crate::Loader) of the same registry accepts, as far as a schema can tell. It is of
/// [draft 7], the last that every editor of TOML understands: Taplo, and so "Even Better TOML", compiles its
/// validator without the later drafts.
///
/// [draft 7]: https://json-schema.org/draft-07
///
/// # Examples
///
/// ```
/// use rrss_core::Registry;
///
/// let schema = rrss_loader::schema(&Registry::linked());
/// assert_eq!(schema["required"][0], "step");
/// ```
#[must_use]
pub fn schema(registry: &Registry) -> Value {
    let types = Types::new(registry);
    let steps: Vec<(&str, Value)> = types
        .schemas()
        .map(|(step, options)| (step.name(), step_schema(step.name(), options, &types)))
        .collect();
    let mut definitions = Map::new();
    for (name, definition) in types.definitions() {
        definitions.insert(name.clone(), adapted(definition.clone(), &types));
    }
    definitions.insert(FROM_ENV.to_owned(), from_env());
    definitions.insert(FROM_FILE.to_owned(), from_file());
    let items = items(&steps, &definitions);
    let store = store(&adapted(types.store_schema().clone(), &types), &definitions);
    for (name, step) in steps {
        definitions.insert(definition_of(name), step);
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "rrss.toml",
        "description": "A session store, as a list of steps. The order of the steps is the order of a write.",
        "type": "object",
        "properties": {
            "store": store,
            "step": {
                "description": "A step of the store. The last one keeps the sessions.",
                "type": "array",
                "minItems": 1,
                "items": items,
            },
        },
        "required": ["step"],
        "additionalProperties": false,
        "definitions": definitions,
    })
}

/// What a step is checked by is chosen by its type, so that an error is about that type alone. What editors show stands beside it:
/// see [`help`].
fn items(steps: &[(&str, Value)], definitions: &Map<String, Value>) -> Value {
    if steps.is_empty() {
        return json!(false);
    }
    let names: Vec<&str> = steps.iter().map(|(name, _)| *name).collect();
    let types = json!({ "description": "Which step it is.", "enum": names });
    let help = help::of_steps(steps, definitions);
    let mut hovered = help.clone();
    hovered["properties"]["type"] = types.clone();
    let mut schema = json!({
        "type": "object",
        "properties": { "type": types },
        "required": ["type"],
        // Some editors take a table that lists properties for one that has no others.
        "additionalProperties": true,
        "anyOf": [help, true],
        // No table has items; but Taplo looks here for a key that the cursor is on, in an array of tables.
        "items": hovered,
    });
    let chosen = steps.iter().rev().fold(json!(true), |others, (name, _)| {
        json!({
            "if": { "properties": { "type": { "const": name } } },
            "then": { "$ref": format!("#/definitions/{}", definition_of(name)) },
            "else": others,
        })
    });
    merge(&mut schema, chosen);
    schema
}

fn store(checked: &Value, definitions: &Map<String, Value>) -> Value {
    let mut schema = json!({
        "type": "object",
        // Without it, Taplo leaves out what has alternatives.
        "properties": {},
        "anyOf": [help::of_store(checked, definitions), true],
        "if": true,
        "then": closed(checked.clone()),
    });
    if let Some(description) = checked.get("description") {
        schema["description"] = description.clone();
    }
    schema
}

/// The definition that holds the options of a step.
fn definition_of(step: &str) -> String {
    format!("step-{step}")
}

fn merge(schema: &mut Value, other: Value) {
    if let (Some(schema), Value::Object(other)) = (schema.as_object_mut(), other) {
        schema.extend(other);
    }
}

const FROM_ENV: &str = "value-from-env";
const FROM_FILE: &str = "value-from-file";

fn from_env() -> Value {
    json!({
        "description": "The value of an environment variable.",
        "type": "object",
        "properties": {
            "env": { "description": "The name of the variable.", "type": "string", "minLength": 1 },
            "default": {
                "description": "The value where the variable is not set.",
                "type": ["string", "integer", "number", "boolean"],
            },
        },
        "required": ["env"],
        "additionalProperties": false,
    })
}

fn from_file() -> Value {
    json!({
        "description": "The text of a file, without its last line break.",
        "type": "object",
        "properties": {
            "file": { "description": "The path, which starts in the directory of this file.", "type": "string" },
        },
        "required": ["file"],
        "additionalProperties": false,
    })
}

fn step_schema(name: &str, options: &Value, types: &Types) -> Value {
    let mut schema = closed(adapted(options.clone(), types));
    add_type(&mut schema, name);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".to_owned(), json!(name));
        let required = schema.entry("required").or_insert_with(|| json!([]));
        if let Some(required) = required.as_array_mut() {
            required.insert(0, json!("type"));
        }
    }
    schema
}

/// A table of options takes no others, unless its type says so: a loader never ignores a mistyped name.
fn closed(mut schema: Value) -> Value {
    let alternatives = ["allOf", "anyOf", "oneOf", "patternProperties", "$ref"];
    if let Some(schema) = schema.as_object_mut()
        && !alternatives.iter().any(|key| schema.contains_key(*key))
    {
        schema.entry("additionalProperties").or_insert(json!(false));
    }
    schema
}

/// Lets `type` stand among the options, in each alternative that takes no others.
fn add_type(schema: &mut Value, name: &str) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    for key in ["allOf", "anyOf", "oneOf"] {
        let alternatives = schema.get_mut(key).and_then(Value::as_array_mut);
        alternatives
            .into_iter()
            .flatten()
            .for_each(|each| add_type(each, name));
    }
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert("type".to_owned(), json!({ "const": name }));
    }
}

/// A schema of options as schemars made it, in draft 7 and in the words of a file.
fn adapted(schema: Value, types: &Types) -> Value {
    let Ok(mut schema) = Schema::try_from(schema) else {
        return Value::Bool(true);
    };
    for transform in &mut SchemaSettings::draft07().transforms {
        transform.transform(&mut schema);
    }
    let mut schema = schema.to_value();
    adapt(&mut schema, types, true);
    schema
}

fn adapt(schema: &mut Value, types: &Types, may_be_elsewhere: bool) {
    let takes_one = schema.is_object()
        && (takes_text(schema, types.definitions(), 0)
            || Place::new(schema, types.definitions()).takes_word());
    let Some(map) = schema.as_object_mut() else {
        return;
    };
    // Nothing that an editor knows.
    map.remove(REMEMBERS_FILE);
    without_null(map);
    plain_description(map);
    if let Some(Value::String(target)) = map.get_mut("$ref") {
        *target = target.replace("#/$defs/", "#/definitions/");
    }
    if map.get("writeOnly").is_some() {
        map.remove("default");
    }
    for key in ["properties", "patternProperties"] {
        let children = map.get_mut(key).and_then(Value::as_object_mut);
        children
            .into_iter()
            .flatten()
            .for_each(|(_, child)| adapt(child, types, true));
    }
    for key in ["items", "additionalItems", "additionalProperties"] {
        match map.get_mut(key) {
            Some(Value::Array(children)) => children
                .iter_mut()
                .for_each(|child| adapt(child, types, true)),
            Some(child) => adapt(child, types, true),
            None => {}
        }
    }
    // Alternatives for one value: that it may come from elsewhere is said once, of all of them.
    for key in ["allOf", "anyOf", "oneOf"] {
        let children = map.get_mut(key).and_then(Value::as_array_mut);
        children
            .into_iter()
            .flatten()
            .for_each(|child| adapt(child, types, false));
    }
    if takes_one && may_be_elsewhere && restricts(map) {
        let elsewhere =
            [FROM_ENV, FROM_FILE].map(|name| json!({ "$ref": format!("#/definitions/{name}") }));
        let mut said = Map::new();
        for key in [
            "title",
            "description",
            "default",
            "deprecated",
            "examples",
            "writeOnly",
        ] {
            said.extend(map.remove(key).map(|value| (key.to_owned(), value)));
        }
        let literal = std::mem::take(map);
        let mut alternatives = match (literal.len(), literal.get("anyOf")) {
            (1, Some(Value::Array(alternatives))) => alternatives.clone(),
            _ => vec![Value::Object(literal)],
        };
        alternatives.extend(elsewhere);
        said.insert("anyOf".to_owned(), Value::Array(alternatives));
        *map = said;
    }
}

/// Whether a schema refuses anything; one that does not takes tables as it is.
fn restricts(schema: &Map<String, Value>) -> bool {
    ["type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"]
        .iter()
        .any(|key| schema.contains_key(*key))
}

/// TOML has no null: what may be left out is left out.
fn without_null(schema: &mut Map<String, Value>) {
    let is_null = |value: &Value| *value == json!("null") || *value == json!({ "type": "null" });
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| !is_null(kind));
        if let [only] = &kinds[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(alternatives)) = schema.get_mut("anyOf") else {
        return;
    };
    alternatives.retain(|alternative| !is_null(alternative));
    if let [Value::Object(only)] = &mut alternatives[..] {
        let only = std::mem::take(only);
        schema.remove("anyOf");
        for (key, value) in only {
            schema.entry(key).or_insert(value);
        }
    }
}

/// The prose of a doc comment; its examples are Rust.
fn plain_description(schema: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let prose = text.split("\n# ").next().unwrap_or_default();
        let words = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let paragraphs = prose.trim().split("\n\n").map(words);
        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
}
