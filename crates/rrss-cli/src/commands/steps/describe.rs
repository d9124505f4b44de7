//! All about one step type.

use anstyle::Style;
use rrss_core::StepType;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::options::{StepOption, options};
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
    for paragraph in description(&schema).split("\n\n") {
        text += &format!("\n{}\n", wrapped(&joined(paragraph), 0, columns));
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
        (Some(default), _) => format!(" (default: {default})"),
        (None, true) => " (required)".to_owned(),
        (None, false) => String::new(),
    };
    let mut text = format!("  {bold}{}{bold:#}: {}{state}\n", option.name, option.kind);
    for paragraph in option.help.split("\n\n").filter(|help| !help.is_empty()) {
        text += &format!("      {}\n", wrapped(&joined(paragraph), 6, columns));
    }
    for (value, help) in &option.values {
        let help = joined(&format!("{value}: {help}"));
        text += &format!("      {}\n", wrapped(&help, 8, columns));
    }
    text
}

/// For a program.
pub(super) fn json(step_type: &StepType) -> Value {
    let schema = schema(step_type);
    let options: Vec<Value> = options(&schema).iter().map(StepOption::json).collect();
    let mut value = super::summary(step_type);
    value["shape"] = shape(step_type).map(|shape| shape.to_string()).into();
    value["description"] = description(&schema).into();
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

/// The doc comment of the options up to its first heading: what follows is for those who write Rust.
fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .take_while(|line| !line.starts_with("# "))
        .collect();
    lines.join("\n").trim().to_owned()
}

/// A paragraph of a doc comment, on one line.
fn joined(paragraph: &str) -> String {
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    words.join(" ")
}
