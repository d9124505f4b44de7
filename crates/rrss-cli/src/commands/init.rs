//! `init`: writes a commented file that works as it is.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::Context;
use crate::args::FileArg;
use crate::exit::{Exit, Failure};

const EXAMPLE: &str = include_str!("../init/rrss.toml.example");

pub(super) fn run(context: &mut Context<'_>, file: FileArg, force: bool) -> Result<(), Failure> {
    let file = context.file(file)?;
    write(&file, force).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(
            Exit::Usage,
            format!("{} is there already, and was left as it is", file.display()),
        )
        .with_help("name another file, or replace this one with --force"),
        _ => Failure::new(
            Exit::Io,
            format!("writing {} failed: {error}", file.display()),
        ),
    })?;
    let (program, file) = (&context.program, file.display());
    let next = format!(
        "wrote {file}\n\
         `{program} check {file}` says whether it is good; `{program} schema > rrss.schema.json` lets an editor \
         complete it\n"
    );
    context.output.report(|_| next);
    Ok(())
}

fn write(file: &Path, force: bool) -> io::Result<()> {
    if force {
        return fs::write(file, EXAMPLE);
    }
    File::create_new(file)?.write_all(EXAMPLE.as_bytes())
}
