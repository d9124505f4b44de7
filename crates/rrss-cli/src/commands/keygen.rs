//! `keygen`: a new key for the `encryption` step.

use rrss_encryption::Key;
use zeroize::Zeroizing;

use super::Context;
use crate::exit::Failure;

pub(super) fn run(context: &mut Context<'_>) -> Result<(), Failure> {
    let text = Key::generate()?.to_base64();
    let line = Zeroizing::new(format!("{}\n", *text));
    context.output.write(&line)?;
    if context.output.columns().is_some() {
        context.output.report(|_| HELP.to_owned());
    }
    Ok(())
}

const HELP: &str = "\
Put it where the processes that use the store find it and nobody else does, such as a variable, and name it in rrss.toml:

[[step]]
type = \"encryption\"
keys = [{ id = \"…\", key = { env = \"RRSS_KEY\" } }]

Whoever has it reads the sessions, and sessions whose key is lost are lost with it.
";
