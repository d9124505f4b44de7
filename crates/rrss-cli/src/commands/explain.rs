//! `explain`: the pipeline as a picture.

use super::Context;
use crate::args::FileArg;
use crate::exit::Failure;

pub(super) fn run(context: &mut Context<'_>, file: FileArg) -> Result<(), Failure> {
    let plan = context.plan(&context.file(file)?)?;
    context.output.line(plan.explain().trim_end())
}
