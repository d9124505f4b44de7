//! `schema`: JSON Schema of the file, from the steps of this program.

use super::Context;
use crate::exit::Failure;

pub(super) fn run(context: &mut Context<'_>) -> Result<(), Failure> {
    context.refuse_clashes()?;
    let schema = rrss_loader::schema(&context.registry);
    context.output.line(&format!("{schema:#}"))
}
