//! The shape of a step type, which depends on options: those of its example.

use rrss_core::{Shape, StepType};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// The shape with the options of the example, or with none; `None` where the step accepts neither.
pub(super) fn shape(step_type: &StepType) -> Option<Shape> {
    let example = step_type.example();
    let tables = [options(&example), Some(DeTable::new())];
    tables.into_iter().flatten().find_map(|table| {
        let table = Spanned::new(0..0, DeValue::Table(table));
        let step = step_type.parse(ValueDeserializer::from(table)).ok()?;
        Some(step.shape())
    })
}

/// The first `[[step]]` of the example, without its `type`.
fn options(example: &str) -> Option<DeTable<'_>> {
    let mut document = DeTable::parse(example).ok()?.into_inner();
    let DeValue::Array(steps) = document.remove("step")?.into_inner() else {
        return None;
    };
    let DeValue::Table(mut table) = steps.into_iter().next()?.into_inner() else {
        return None;
    };
    table.remove("type");
    for (_, value) in &mut table {
        resolve(value);
    }
    Some(table)
}

/// Some text, which a key may be too: base64 of 32 bytes.
const TEXT: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Puts the default of `{ env = …, default = … }` in its place, and some text where there is none: what the
/// machine has in the variable or file does not matter here.
fn resolve(value: &mut Spanned<DeValue<'_>>) {
    match value.get_mut() {
        DeValue::Table(table) if table.contains_key("env") || table.contains_key("file") => {
            let default = table.remove("default").map(Spanned::into_inner);
            *value.get_mut() = default.unwrap_or_else(|| DeValue::String(TEXT.into()));
        }
        DeValue::Table(table) => table.iter_mut().for_each(|(_, value)| resolve(value)),
        DeValue::Array(values) => values.iter_mut().for_each(resolve),
        _ => {}
    }
}
