//! The id of a session, from standard input or from the command line.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Read};

use clap::Args;
use rrss::SessionId;

use crate::exit::{Exit, Failure};

/// The longest id that is read from standard input, in bytes. Browsers keep no longer cookies.
const LONGEST: usize = 4_096;

/// The id of a session. Any text is one: the key-mapper refuses those that it could not have made.
#[derive(Debug, Args)]
pub(crate) struct IdArg {
    /// `-` to read the id of the session from standard input; or the id itself, which other users of the machine can then see
    /// while the command runs, and the history of the shell keeps
    // A random id may begin with a hyphen.
    #[arg(value_name = "-|ID", allow_hyphen_values = true)]
    id: OsString,
}

impl IdArg {
    /// # Errors
    ///
    /// A [`Failure`] where standard input is not one id.
    pub(crate) fn session_id(&self) -> Result<SessionId, Failure> {
        if self.id != "-" {
            return Ok(SessionId::from(&*self.id.to_string_lossy()));
        }
        let input = io::stdin();
        // Somebody who types an id ends it with a line break, not with the input.
        let one_line = input.is_terminal();
        read(input.lock(), one_line)
    }
}

fn read(input: impl BufRead, one_line: bool) -> Result<SessionId, Failure> {
    let mut input = input.take(LONGEST as u64 + 3);
    let mut bytes = Vec::new();
    let read = match one_line {
        true => input.read_until(b'\n', &mut bytes),
        false => input.read_to_end(&mut bytes),
    };
    read.map_err(|error| {
        Failure::new(Exit::Io, format!("standard input cannot be read: {error}"))
    })?;
    let refused = |message: &str| {
        Err(Failure::new(Exit::Usage, message.to_owned())
            .with_help("with `-` for the id, write one id and a line break to standard input"))
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return refused("standard input is not UTF-8 text, so it is no session id");
    };
    let id = text.strip_suffix('\n').unwrap_or(text);
    let id = id.strip_suffix('\r').unwrap_or(id);
    if id.is_empty() {
        return refused("there is no session id on standard input");
    }
    if id.contains('\n') {
        return refused("there is more than one line on standard input");
    }
    if id.len() > LONGEST {
        return refused("standard input is longer than a session id");
    }
    Ok(SessionId::from(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_an_id_with_or_without_its_end() {
        for text in ["8f14e45f", "8f14e45f\n", "8f14e45f\r\n"] {
            for one_line in [true, false] {
                assert_eq!(
                    read(text.as_bytes(), one_line).unwrap().as_str(),
                    "8f14e45f"
                );
            }
        }
        let typed = read(&b"8f14e45f\nmore\n"[..], true).unwrap();
        assert_eq!(typed.as_str(), "8f14e45f");
        let longest = "x".repeat(LONGEST) + "\r\n";
        assert_eq!(
            read(longest.as_bytes(), false).unwrap().as_str().len(),
            LONGEST
        );
    }

    #[test]
    fn what_is_no_id_is_refused_and_not_repeated() {
        let long = "hunter2".repeat(1_000);
        for text in ["", "\n", "\r\n", "hunter2\nhunter2\n", "hunter2\n\n", &long] {
            let failure = read(text.as_bytes(), false).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(!failure.text(false).contains("hunter2"));
        }
        let failure = read(&b"hunter2\xff"[..], false).unwrap_err();
        assert!(!failure.text(false).contains("hunter2"));
    }
}
