//! What the JSON Schema of a step's options says of a place in them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::document::Segment;

/// A place in options: everything that their schema says of it, whatever the alternatives.
#[derive(Clone)]
pub(crate) struct Place<'s> {
    definitions: &'s Map<String, Value>,
    /// The schemas that stand at this place, as they were written.
    tops: Vec<&'s Value>,
    /// The same, with references followed and alternatives laid side by side.
    parts: Vec<&'s Value>,
}

/// What schemas of types say that deserialise from `{ file = "path", text = "…" }` too, as `rrss_core::Secret` does.
pub(crate) const REMEMBERS_FILE: &str = "x-remembers-file";

/// Where references of a type to itself stop being followed.
const DEEPEST: usize = 16;

impl<'s> Place<'s> {
    pub(crate) fn new(schema: &'s Value, definitions: &'s Map<String, Value>) -> Self {
        Self::of(vec![schema], definitions)
    }

    fn of(tops: Vec<&'s Value>, definitions: &'s Map<String, Value>) -> Self {
        let mut place = Self {
            definitions,
            tops: Vec::new(),
            parts: Vec::new(),
        };
        tops.iter().for_each(|top| place.lay_out(top, 0));
        Self { tops, ..place }
    }

    fn lay_out(&mut self, schema: &'s Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        self.parts.push(schema);
        if let Some(target) = referred(schema, self.definitions) {
            self.lay_out(target, depth + 1);
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            for alternative in array(schema, key) {
                self.lay_out(alternative, depth + 1);
            }
        }
    }

    /// The place of an option, or of an entry of a table. `None`: nothing is said of it.
    pub(crate) fn property(&self, name: &str) -> Option<Self> {
        let named = self.all(|part| part.get("properties").and_then(|all| all.get(name)));
        self.or_nothing(if named.is_empty() {
            self.all(|part| {
                part.get("additionalProperties")
                    .filter(|any| any.is_object())
            })
        } else {
            named
        })
    }

    /// The place at the end of a way from here.
    pub(crate) fn at(&self, path: &[Segment]) -> Option<Self> {
        let step = |place: Self, segment: &Segment| match segment {
            Segment::Key(name) => place.property(name),
            Segment::Index(index) => place.item(*index),
        };
        path.iter().try_fold(self.clone(), step)
    }

    /// The place of an element of a list.
    pub(crate) fn item(&self, index: usize) -> Option<Self> {
        self.or_nothing(self.all(|part| {
            let first = part.get("prefixItems").and_then(|items| items.get(index));
            first.or_else(|| part.get("items").filter(|items| items.is_object()))
        }))
    }

    fn all(&self, find: impl Fn(&'s Value) -> Option<&'s Value>) -> Vec<&'s Value> {
        self.parts.iter().filter_map(|part| find(part)).collect()
    }

    fn or_nothing(&self, tops: Vec<&'s Value>) -> Option<Self> {
        (!tops.is_empty()).then(|| Self::of(tops, self.definitions))
    }

    /// The names of the options that are known here.
    pub(crate) fn properties(&self) -> BTreeSet<&'s str> {
        let tables = self
            .parts
            .iter()
            .filter_map(|part| part.get("properties")?.as_object());
        tables
            .flat_map(|table| table.keys().map(String::as_str))
            .collect()
    }

    /// The names of what must be given, whatever the alternative.
    pub(crate) fn required(&self) -> impl Iterator<Item = &'s str> {
        let tops = self.tops.iter().flat_map(|top| array(top, "required"));
        tops.filter_map(Value::as_str)
    }

    /// Whether names besides the known ones are said to be welcome.
    pub(crate) fn is_open(&self) -> bool {
        let welcome =
            |part: &Value, key: &str| part.get(key).is_some_and(|any| *any != Value::Bool(false));
        self.parts.iter().any(|part| {
            part.as_bool() == Some(true)
                || welcome(part, "additionalProperties")
                || welcome(part, "unevaluatedProperties")
                || part.get("patternProperties").is_some()
        })
    }

    /// Whether names besides the known ones are said to be refused.
    pub(crate) fn is_closed(&self) -> bool {
        let refused =
            |part: &Value, key: &str| part.get(key).is_some_and(|any| *any == Value::Bool(false));
        self.takes_table()
            && !self.is_open()
            && self
                .parts
                .iter()
                .filter(|part| takes(part, "object"))
                .all(|part| {
                    refused(part, "additionalProperties") || refused(part, "unevaluatedProperties")
                })
    }

    /// Whether text may stand here.
    pub(crate) fn takes_text(&self) -> bool {
        self.tops
            .iter()
            .any(|top| takes_text(top, self.definitions, 0))
    }

    /// Whether a number, or `true` or `false`, may stand here.
    pub(crate) fn takes_word(&self) -> bool {
        let kinds = ["integer", "number", "boolean"];
        let mut parts = self.parts.iter();
        parts.any(|part| kinds.iter().any(|kind| names_type(part, kind)))
    }

    /// Whether a table may stand here.
    pub(crate) fn takes_table(&self) -> bool {
        self.parts.iter().any(|part| takes(part, "object"))
    }

    /// Whether nobody must see what stands here.
    pub(crate) fn is_secret(&self) -> bool {
        self.parts.iter().any(|part| {
            part.get("writeOnly")
                .is_some_and(|only| *only == Value::Bool(true))
        })
    }

    /// Whether what stands here takes, with the text of a file, the path of it, to read it again later.
    pub(crate) fn remembers_file(&self) -> bool {
        self.parts.iter().any(|part| {
            part.get(REMEMBERS_FILE)
                .is_some_and(|does| *does == Value::Bool(true))
        })
    }

    /// The texts that may stand here, where only some may.
    pub(crate) fn choices(&self) -> Vec<&'s str> {
        let listed = self
            .parts
            .iter()
            .flat_map(|part| array(part, "enum").iter().chain(part.get("const")));
        listed.filter_map(Value::as_str).collect()
    }

    /// The first sentence of what the help says of this place, on one line.
    pub(crate) fn description(&self) -> Option<String> {
        let said = self
            .tops
            .iter()
            .find_map(|top| top.get("description")?.as_str())?;
        let paragraph = said.split("\n\n").next().unwrap_or_default();
        let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let end = line.find(". ").map_or(line.len(), |at| at + 1);
        Some(line[..end].to_owned())
    }

    /// What may stand here, in words.
    pub(crate) fn kind(&self) -> String {
        let choices = self.choices();
        if !choices.is_empty() {
            return crate::suggest::list(choices, "or");
        }
        let kinds: Vec<&str> = KINDS
            .iter()
            .filter(|(kind, _)| self.parts.iter().any(|part| names_type(part, kind)))
            .map(|(_, words)| *words)
            .collect();
        kinds.join(" or ")
    }
}

const KINDS: [(&str, &str); 6] = [
    ("boolean", "`true` or `false`"),
    ("integer", "a whole number"),
    ("number", "a number"),
    ("string", "text"),
    ("array", "a list"),
    ("object", "a table"),
];

/// Whether a schema takes text. One that says nothing of types takes everything.
pub(crate) fn takes_text(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    let Some(schema_map) = schema.as_object() else {
        return schema.as_bool() == Some(true);
    };
    if schema_map.contains_key("type") && !names_type(schema, "string") {
        return false;
    }
    if let Some(target) = referred(schema, definitions)
        && !takes_text(target, definitions, depth + 1)
    {
        return false;
    }
    if let Some(only) = schema_map.get("const")
        && !only.is_string()
    {
        return false;
    }
    if schema_map.contains_key("enum") && !array(schema, "enum").iter().any(Value::is_string) {
        return false;
    }
    let of = |alternative: &Value| takes_text(alternative, definitions, depth + 1);
    ["anyOf", "oneOf"]
        .iter()
        .all(|key| !schema_map.contains_key(*key) || array(schema, key).iter().any(of))
        && array(schema, "allOf").iter().all(of)
}

fn takes(schema: &Value, kind: &str) -> bool {
    names_type(schema, kind) || (kind == "object" && schema.get("properties").is_some())
}

fn names_type(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == kind,
        Some(Value::Array(kinds)) => kinds.iter().any(|each| each == kind),
        _ => false,
    }
}

fn array<'s>(schema: &'s Value, key: &str) -> &'s [Value] {
    schema
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// What a `$ref` of a schema stands for.
fn referred<'s>(schema: &Value, definitions: &'s Map<String, Value>) -> Option<&'s Value> {
    let target = schema.get("$ref")?.as_str()?;
    definitions.get(target.rsplit('/').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn text(schema: &Value, expected: bool) {
        let definitions = json!({ "Url": { "type": "string" }, "Port": { "type": "integer" } });
        let definitions = definitions.as_object().unwrap();
        assert_eq!(
            Place::new(schema, definitions).takes_text(),
            expected,
            "{schema}"
        );
    }

    #[test]
    fn text_is_told_from_everything_else() {
        text(&json!(true), true);
        text(&json!({}), true);
        text(&json!({ "type": ["string", "null"] }), true);
        text(
            &json!({ "$ref": "#/$defs/Url", "description": "where" }),
            true,
        );
        text(
            &json!({ "oneOf": [{ "const": "zstd" }, { "const": "lz4" }] }),
            true,
        );
        text(
            &json!({ "anyOf": [{ "type": "integer" }, { "type": "string" }] }),
            true,
        );
        text(&json!({ "enum": ["a", "b"] }), true);
        text(&json!(false), false);
        text(&json!({ "type": "integer" }), false);
        text(&json!({ "$ref": "#/$defs/Port" }), false);
        text(
            &json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }] }),
            false,
        );
        text(&json!({ "enum": [1, 2] }), false);
        text(&json!({ "allOf": [{ "type": "object" }, {}] }), false);
    }
}
