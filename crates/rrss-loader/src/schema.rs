//! JSON Schema of the file, for editors.

use rrss_core::Registry;
use schemars::SchemaGenerator;
use serde_json::{Value, json};

/// JSON Schema (2020-12) of `rrss.toml`, with the step types of `registry`.
#[must_use]
pub fn schema(registry: &Registry) -> Value {
    let mut generator = SchemaGenerator::default();
    let steps: Vec<Value> = registry
        .iter()
        .map(|step| step.schema(&mut generator).to_value())
        .collect();
    json!({ "type": "object", "properties": { "step": { "type": "array", "items": { "anyOf": steps } } } })
}
