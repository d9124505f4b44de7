//! `check`: says that a file is good, or reports every problem in it and in the files that it names.

use std::time::Instant;

use anstyle::AnsiColor;
use rrss::Examination;
use rrss_core::{Registry, Severity, StepType};
use rrss_loader::Plan;

use super::Context;
use super::store::with_store;
use crate::args::FileArg;
use crate::exit::{Exit, Failure};
use crate::output::table;

pub(super) fn run(context: &mut Context<'_>, file: FileArg, connect: bool) -> Result<(), Failure> {
    let file = context.file(file)?;
    let plan = context.plan(&file)?;
    if let Some(report) = plan.inspect() {
        return Err(report.into());
    }
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
    if let Some(note) = hashed_alone(&plan) {
        context.output.report(|_| note.to_owned());
    }
    if connect {
        reach(context, plan)?;
    }
    Ok(())
}

/// What becomes of sessions that were stored before ids were hashed. Whether there are any, a file does not say.
fn hashed_alone(plan: &Plan) -> Option<&'static str> {
    let key_mapper = plan.steps().find(|step| step.name() == "key-mapper")?;
    let options = key_mapper.options();
    let is_hashed = options.get("hash").is_some_and(|hash| hash == "sha256");
    (is_hashed && options.get("accept_raw_keys_until").is_none()).then_some(
        "note: `key-mapper` hashes ids, so sessions that were stored before it did are not found; where there are some, set \
         `accept_raw_keys_until`\n",
    )
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

/// Whether the store works with what it reaches: see [`Store::examine`](rrss::Store::examine).
fn reach(context: &mut Context<'_>, plan: Plan) -> Result<(), Failure> {
    let backend = plan.steps().last().map_or("backend", |step| step.name());
    with_store(plan, async |store| {
        let began = Instant::now();
        store.ping().await?;
        let millis = began.elapsed().as_secs_f64() * 1_000.0;
        context
            .output
            .line(&format!("{backend} answered in {millis:.1} ms"))?;
        let examination = store.examine().await?;
        context.output.write(&findings(&examination))?;
        let warnings = advice(&examination);
        if !warnings.is_empty() {
            context.output.report(|_| warnings);
        }
        verdict(&examination)
    })
}

/// One line for each thing that was found, and one for the operations that were tried.
fn findings(examination: &Examination) -> String {
    let mut rows: Vec<[String; 3]> = Vec::new();
    for finding in &examination.findings {
        let mark = mark(finding.severity).to_owned();
        let found = finding.found.clone();
        rows.push([format!("  {}", finding.topic), found, mark]);
    }
    for tried in &examination.tried {
        let (done, severity) = match tried.error {
            None => ("done", Severity::Fine),
            Some(_) => ("failed", Severity::Fatal),
        };
        let (done, mark) = (done.to_owned(), mark(severity).to_owned());
        rows.push([format!("  {}", tried.operation), done, mark]);
    }
    table(&rows, None)
}

/// How a line is marked.
fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Fine => "",
        Severity::Warning => "warning",
        _ => "error",
    }
}

/// What to do about what is not as it should be.
fn advice(examination: &Examination) -> String {
    let mut text = String::new();
    for finding in &examination.findings {
        if finding.severity == Severity::Fine {
            continue;
        }
        let word = mark(finding.severity);
        text += &format!("{word}: {}: {}\n", finding.topic, finding.found);
        if let Some(advice) = &finding.advice {
            text += &format!("  help: {advice}\n");
        }
    }
    text
}

fn verdict(examination: &Examination) -> Result<(), Failure> {
    if let Some(error) = examination.first_error() {
        return Err(Failure::from(error.clone()));
    }
    if examination.is_passed() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Config,
        "the backend lacks something that this pipeline needs",
    ))
}
