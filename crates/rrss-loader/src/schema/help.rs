//! The part of the schema that editors complete and explain by, apart from the part that they check by.
//!
//! Taplo, the language server of "Even Better TOML", offers everything that stands in any alternative, whatever a file says
//! already, and takes the description of nothing that has alternatives. So what it is to show is laid out here without any, once for
//! each name, and accepts everything.

use serde_json::{Map, Value, json};

use super::{FROM_ENV, FROM_FILE};

/// Where types that contain themselves stop being followed.
const DEEPEST: usize = 8;

/// What editors show of the options of steps, by name: the text of each step that has the option, behind the name of the step.
pub(super) fn of_steps(steps: &[(&str, Value)], definitions: &Map<String, Value>) -> Value {
    let mut all = Map::new();
    for (step, schema) in steps {
        let options = schema.get("properties").and_then(Value::as_object);
        for (name, option) in options.into_iter().flatten() {
            if name == "type" {
                continue;
            }
            let mut help = of_value(option, definitions, 0);
            let text = help.get("description").and_then(Value::as_str);
            let text = format!("`{step}`: {}", text.unwrap_or("an option of its own"));
            help.insert("description".to_owned(), text.into());
            match all.get_mut(name).and_then(Value::as_object_mut) {
                Some(other) => add(other, &help),
                None => drop(all.insert(name.clone(), help.into())),
            }
        }
    }
    json!({ "properties": all })
}

/// What editors show of the options of `[store]`.
pub(super) fn of_store(schema: &Value, definitions: &Map<String, Value>) -> Value {
    let help = of_value(schema, definitions, 0);
    json!({ "properties": help.get("properties").cloned().unwrap_or_else(|| json!({})) })
}

/// Two steps have an option of one name: both texts, and what holds for both.
fn add(one: &mut Map<String, Value>, other: &Map<String, Value>) {
    let texts = [&*one, other].map(|help| help["description"].as_str().unwrap_or_default());
    let both = texts.join("\n\n");
    one.retain(|key, value| other.get(key) == Some(value));
    one.insert("description".to_owned(), both.into());
}

/// What an editor shows of one value: its text, its default, what may be chosen, and what is in it.
fn of_value(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let mut help = Map::new();
    let mut parts = Vec::new();
    lay_out(schema, definitions, 0, &mut parts);
    let mut choices = Vec::new();
    for part in parts {
        for key in ["title", "description", "default", "deprecated"] {
            if let Some(said) = part.get(key) {
                // The outermost says it of this option; those within say it of their types.
                help.entry(key).or_insert_with(|| said.clone());
            }
        }
        let listed = part.get("enum").and_then(Value::as_array);
        choices.extend(
            listed
                .into_iter()
                .flatten()
                .chain(part.get("const"))
                .cloned(),
        );
        if part.get("type") == Some(&json!("boolean")) {
            help.insert("type".to_owned(), json!("boolean"));
        }
        if depth == DEEPEST {
            continue;
        }
        let properties = part.get("properties").and_then(Value::as_object);
        if let Some(properties) = properties.filter(|properties| !properties.is_empty()) {
            let inner = properties.iter().map(|(name, property)| {
                let help = of_value(property, definitions, depth + 1);
                (name.clone(), Value::Object(help))
            });
            help.insert("properties".to_owned(), Value::Object(inner.collect()));
        }
        if let Some(items) = part.get("items").filter(|items| items.is_object()) {
            let items = of_value(items, definitions, depth + 1);
            help.insert("items".to_owned(), Value::Object(items));
        }
    }
    // A title is the name of a type in the program.
    help.remove("title");
    if !choices.is_empty() {
        help.insert("enum".to_owned(), choices.into());
    }
    help
}

/// A schema with its references followed and its alternatives behind it; but not that it may come from elsewhere.
fn lay_out<'s>(
    schema: &'s Value,
    definitions: &'s Map<String, Value>,
    depth: usize,
    parts: &mut Vec<&'s Value>,
) {
    if depth > DEEPEST {
        return;
    }
    parts.push(schema);
    let target = schema.get("$ref").and_then(Value::as_str);
    if let Some(name) = target.and_then(|target| target.rsplit('/').next())
        && ![FROM_ENV, FROM_FILE].contains(&name)
        && let Some(target) = definitions.get(name)
    {
        lay_out(target, definitions, depth + 1, parts);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        let alternatives = schema.get(key).and_then(Value::as_array);
        for alternative in alternatives.into_iter().flatten() {
            lay_out(alternative, definitions, depth + 1, parts);
        }
    }
}
