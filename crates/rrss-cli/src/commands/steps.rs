//! `steps`: the step types that a file may name.

mod describe;
mod doc;
mod options;
mod shape;

use anstyle::Style;
use rrss_core::StepType;
use serde_json::{Value, json};

use self::shape::shape;
use super::Context;
use super::check::origin;
use crate::exit::{Exit, Failure};
use crate::output::table;

pub(super) fn run(
    context: &mut Context<'_>,
    name: Option<&str>,
    json: bool,
) -> Result<(), Failure> {
    match name {
        Some(name) => one(context, name, json)?,
        None => all(context, json)?,
    }
    context.refuse_clashes()
}

fn all(context: &mut Context<'_>, json: bool) -> Result<(), Failure> {
    if json {
        let steps: Vec<Value> = context.registry.iter().map(summary).collect();
        return context.output.line(&format!("{:#}", Value::from(steps)));
    }
    let rows: Vec<[String; 4]> = context
        .registry
        .iter()
        .map(|step_type| {
            [
                step_type.name().to_owned(),
                role(step_type).unwrap_or_default().to_owned(),
                origin(step_type),
                step_type.summary(),
            ]
        })
        .collect();
    context
        .output
        .write(&table(&rows, context.output.columns()))
}

fn one(context: &mut Context<'_>, name: &str, json: bool) -> Result<(), Failure> {
    let step_type = *context
        .registry
        .get(name)
        .ok_or_else(|| unknown(context, name))?;
    if json {
        let text = format!("{:#}", describe::json(&step_type));
        return context.output.line(&text);
    }
    let bold = context.output.style(Style::new().bold());
    let text = describe::text(&step_type, bold, context.output.columns());
    context.output.write(&text)
}

/// What the list says of a step type.
fn summary(step_type: &StepType) -> Value {
    json!({
        "name": step_type.name(),
        "role": role(step_type),
        "crate": step_type.crate_name(),
        "version": step_type.crate_version(),
        "summary": step_type.summary(),
    })
}

fn role(step_type: &StepType) -> Option<&'static str> {
    shape(step_type).map(|shape| shape.role())
}

fn unknown(context: &Context<'_>, name: &str) -> Failure {
    let message = format!("this program has no step type `{name}`");
    let help = match nearest(context, name) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "`{} steps` lists those that it has; a crate that is only in Cargo.toml is not linked: name it in \
             code, with `use the_crate as _;`",
            context.program
        ),
    };
    Failure::new(Exit::Usage, message).with_help(help)
}

/// How alike two names must be for one to be a slip of the other.
const ALIKE: f64 = 0.8;

fn nearest(context: &Context<'_>, name: &str) -> Option<&'static str> {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    context
        .registry
        .iter()
        .map(|step_type| (likeness(step_type.name()), step_type.name()))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|one, two| one.0.total_cmp(&two.0))
        .map(|(_, name)| name)
}
