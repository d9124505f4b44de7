//! `check`: says that a file is good, or reports every problem in it.

use std::time::Instant;

use anstyle::AnsiColor;
use rrss_core::{Registry, StepType};
use rrss_loader::Plan;

use super::Context;
use super::store::with_store;
use crate::args::FileArg;
use crate::exit::Failure;
use crate::output::table;

pub(super) fn run(context: &mut Context<'_>, file: FileArg, connect: bool) -> Result<(), Failure> {
    let file = context.file(file)?;
    let plan = context.plan(&file)?;
    let good = context.output.style(AnsiColor::Green.on_default().bold());
    context
        .output
        .line(&format!("{}: {good}ok{good:#}", file.display()))?;
    context.output.write(&steps(&plan, &context.registry))?;
    if let Some(warnings) = plan.warnings().cloned() {
        context
            .output
            .report(|colour| warnings.render(colour).trim_end().to_owned() + "\n");
    }
    #[cfg(feature = "train")]
    for warning in super::dictionaries::warnings(&file, &plan) {
        context.output.report(|colour| warning.text(colour));
    }
    if connect {
        reach(context, plan)?;
    }
    Ok(())
}

/// One line a step: its name, what it takes and gives, and the crate that it comes from.
fn steps(plan: &Plan, registry: &Registry) -> String {
    let rows: Vec<[String; 3]> = plan
        .steps()
        .map(|step| {
            let origin = registry.get(step.name()).map_or_else(String::new, origin);
            [
                format!("  {}", step.name()),
                step.shape().to_string(),
                origin,
            ]
        })
        .collect();
    table(&rows, None)
}

/// The crate of a step type, and its version where it is known.
pub(super) fn origin(step_type: &StepType) -> String {
    let origin = format!("{} {}", step_type.crate_name(), step_type.crate_version());
    origin.trim_end().to_owned()
}

fn reach(context: &mut Context<'_>, plan: Plan) -> Result<(), Failure> {
    let backend = plan.steps().last().map_or("backend", |step| step.name());
    with_store(plan, async |store| {
        let began = Instant::now();
        store.ping().await?;
        let millis = began.elapsed().as_secs_f64() * 1_000.0;
        context
            .output
            .line(&format!("{backend} answered in {millis:.1} ms"))
    })
}
