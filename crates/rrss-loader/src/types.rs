//! The step types of a registry, with the schemas of their options.

use std::collections::{BTreeMap, BTreeSet};

use rrss_core::{Registry, StepType};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::allowed::Place;
use crate::settings::StoreSettings;

/// What may be in a file: the options of each step type, and those of `[store]`.
pub(crate) struct Types {
    steps: BTreeMap<&'static str, (StepType, Value)>,
    store: Value,
    /// What types that contain themselves refer to; everything else stands where it is used.
    definitions: Map<String, Value>,
}

impl Types {
    pub(crate) fn new(registry: &Registry) -> Self {
        let settings =
            SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let mut generator = SchemaGenerator::new(settings);
        let steps = registry
            .iter()
            .map(|step| (step.name(), (*step, step.schema(&mut generator).to_value())))
            .collect();
        let store = StoreSettings::json_schema(&mut generator).to_value();
        Self {
            steps,
            store,
            definitions: generator.take_definitions(false),
        }
    }

    /// The type of this name, and what its options may be.
    pub(crate) fn get(&self, name: &str) -> Option<(StepType, Place<'_>)> {
        let (step_type, schema) = self.steps.get(name)?;
        Some((*step_type, Place::new(schema, &self.definitions)))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.steps.keys().copied()
    }

    /// The types with the schemas of their options, in the order of their names.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = (&StepType, &Value)> {
        self.steps
            .values()
            .map(|(step_type, schema)| (step_type, schema))
    }

    /// What `[store]` may hold.
    pub(crate) fn store(&self) -> Place<'_> {
        Place::new(&self.store, &self.definitions)
    }

    pub(crate) fn store_schema(&self) -> &Value {
        &self.store
    }

    pub(crate) fn definitions(&self) -> &Map<String, Value> {
        &self.definitions
    }

    /// The names of options, and of what they hold, that nobody must see the values of.
    pub(crate) fn secret_names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        let steps = self.steps.values().map(|(_, schema)| schema);
        for schema in steps.chain(self.definitions.values()).chain([&self.store]) {
            secret_names(schema, &mut names);
        }
        names
    }

    /// The types that have an option of this name.
    pub(crate) fn with_option(&self, name: &str) -> Vec<&'static str> {
        let has = |schema| {
            Place::new(schema, &self.definitions)
                .properties()
                .contains(name)
        };
        let steps = self.steps.iter().filter(|(_, (_, schema))| has(schema));
        steps.map(|(name, _)| *name).collect()
    }
}

fn secret_names<'s>(schema: &'s Value, names: &mut BTreeSet<&'s str>) {
    match schema {
        Value::Object(map) => {
            let properties = map.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                if property.to_string().contains("\"writeOnly\":true") {
                    names.insert(name);
                }
            }
            map.values().for_each(|value| secret_names(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| secret_names(value, names)),
        _ => {}
    }
}
