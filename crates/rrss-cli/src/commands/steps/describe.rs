//! All about one step type.

use anstyle::Style;
use rrss_core::StepType;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::doc::paragraphs;
use super::options::{StepOption, options, toml};
use super::shape::shape;
use crate::commands::check::origin;
use crate::output::wrapped;

/// For a person.
pub(super) fn text(step_type: &StepType, bold: Style, columns: Option<usize>) -> String {
    let schema = schema(step_type);
    let shape = shape(step_type).map(|shape| format!("{}, {shape}, ", shape.role()));
    let mut text = format!(
        "{bold}{}{bold:#}: {}from {}\n",
        step_type.name(),
        shape.unwrap_or_default(),
        origin(step_type)
    );
    for paragraph in paragraphs(comment(&schema)) {
        text += &format!("\n{}\n", wrapped(&paragraph, 0, columns));
    }
    text += &format!("\n{bold}Options{bold:#}\n");
    let options = options(&schema);
    if options.is_empty() {
        text += "  none\n";
    }
    for option in &options {
        text += &entry(option, bold, columns);
    }
    text += &format!("\n{bold}Example{bold:#}\n");
    for line in step_type.example().trim().lines() {
        text += format!("  {line}").trim_end();
        text.push('\n');
    }
    text
}

fn entry(option: &StepOption, bold: Style, columns: Option<usize>) -> String {
    let state = match (&option.default, option.required) {
        (Some(default), _) => format!(" (default: {})", toml(default)),
        (None, true) => " (required)".to_owned(),
        (None, false) => String::new(),
    };
    let mut text = format!("  {bold}{}{bold:#}: {}{state}\n", option.name, option.kind);
    for paragraph in paragraphs(&option.help) {
        text += &format!("      {}\n", wrapped(&paragraph, 6, columns));
    }
    for (value, help) in &option.values {
        let help = paragraphs(help).join(" ");
        text += &format!(
            "      {}\n",
            wrapped(&format!("{value}: {help}"), 8, columns)
        );
    }
    text
}

/// For a program.
pub(super) fn json(step_type: &StepType) -> Value {
    let schema = schema(step_type);
    let options: Vec<Value> = options(&schema).iter().map(StepOption::json).collect();
    let mut value = super::summary(step_type);
    value["shape"] = shape(step_type).map(|shape| shape.to_string()).into();
    value["description"] = paragraphs(comment(&schema)).join("\n\n").into();
    value["options"] = options.into();
    value["example"] = step_type.example().into();
    value["schema"] = schema;
    value
}

/// The schema of the options, with everything that it refers to in its place.
fn schema(step_type: &StepType) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    step_type
        .schema(&mut SchemaGenerator::new(settings))
        .to_value()
}

/// The doc comment of the options.
fn comment(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}
