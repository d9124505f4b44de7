//! A program of the workspace, run as a person would run it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::output::Output;
use crate::process::Process;

/// How long a program may take to end when asked to.
const END_LIMIT: Duration = Duration::from_secs(60);

/// A running program, which ends when this value is dropped.
///
/// # Examples
///
/// ```
/// use rrss_test_servers::App;
///
/// let mut app = App::builder("sh")
///     .args(["-c", "echo listening on http://127.0.0.1:$PORT/; exec sleep 60"])
///     .env("PORT", "3000")
///     .start();
/// assert_eq!(app.url(), "http://127.0.0.1:3000");
/// app.kill_hard();
/// ```
#[derive(Debug)]
pub struct App {
    process: Process,
    output: Arc<Output>,
    ready: String,
}

impl App {
    /// Settings for a program to start, such as `env!("CARGO_BIN_EXE_counter")`.
    pub fn builder(program: impl AsRef<OsStr>) -> AppBuilder {
        AppBuilder {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            variables: BTreeMap::new(),
            folder: None,
            ready: "http://".to_owned(),
            limit: Duration::from_secs(60),
        }
    }

    /// The first address in the line that said that the program is ready: scheme, host and port, with no
    /// slash at its end.
    ///
    /// # Panics
    ///
    /// When there is none in it.
    pub fn url(&self) -> String {
        url_in(&self.ready)
            .unwrap_or_else(|| panic!("no address in {:?}", self.ready))
            .to_owned()
    }

    /// The program's process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What the program has printed up to now, line by line, standard error among standard output.
    pub fn lines(&self) -> Vec<String> {
        self.output.lines()
    }

    /// Waits until the program has printed a line that contains `text`, and returns it.
    ///
    /// # Panics
    ///
    /// With all that it printed, when it has ended or `limit` has passed without that line.
    pub fn wait_for(&self, text: &str, limit: Duration) -> String {
        self.output
            .wait_for(text, limit)
            .unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// Asks the program to end (`SIGTERM`) and says how it ended; after a minute it is killed.
    pub fn stop(&mut self) -> ExitStatus {
        self.process.terminate(END_LIMIT)
    }

    /// Kills the program (`SIGKILL`), as `kill -9` does: nothing of it runs any more.
    pub fn kill_hard(&mut self) -> ExitStatus {
        self.process.kill()
    }
}

/// Settings for an [`App`] to start; see [`App::builder`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `start`"]
pub struct AppBuilder {
    program: OsString,
    arguments: Vec<OsString>,
    variables: BTreeMap<OsString, Option<OsString>>,
    folder: Option<PathBuf>,
    ready: String,
    limit: Duration,
}

impl AppBuilder {
    /// Adds an argument.
    pub fn arg(self, argument: impl AsRef<OsStr>) -> AppBuilder {
        self.args([argument])
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> AppBuilder {
        self.arguments.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
        self
    }

    /// Sets an environment variable; the others are those of the test.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> AppBuilder {
        self.variables
            .insert(name.as_ref().to_owned(), Some(value.as_ref().to_owned()));
        self
    }

    /// Takes an environment variable of the test away from the program.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> AppBuilder {
        self.variables.insert(name.as_ref().to_owned(), None);
        self
    }

    /// The folder that the program works in; that of the test otherwise.
    pub fn folder(mut self, folder: impl AsRef<Path>) -> AppBuilder {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// The text by which the program says that it is ready; `http://` otherwise.
    pub fn ready_when(mut self, text: &str) -> AppBuilder {
        text.clone_into(&mut self.ready);
        self
    }

    /// How long the program may take until it is ready; a minute otherwise.
    pub fn within(mut self, limit: Duration) -> AppBuilder {
        self.limit = limit;
        self
    }

    /// Starts the program and returns when it says that it is ready.
    ///
    /// # Panics
    ///
    /// When it cannot be started, ends before, or is not ready in time, with all that it printed.
    pub fn start(&self) -> App {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let mut process = Process::spawn(&mut command);
        let output = Arc::new(Output::default());
        let (stdout, stderr) = process.take_output();
        output.collect(stdout);
        output.collect(stderr);
        let ready = output
            .wait_for(&self.ready, self.limit)
            .unwrap_or_else(|failure| {
                panic!("{}: {failure}", self.program.display());
            });
        App {
            process,
            output,
            ready,
        }
    }
}

fn url_in(line: &str) -> Option<&str> {
    let from = ["http://", "https://"]
        .iter()
        .filter_map(|scheme| line.find(scheme))
        .min()?;
    let url = &line[from..];
    let host = url.find("://")? + 3;
    let end = url[host..]
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-.:[]".contains(c)))
        .map_or(url.len(), |end| host + end);
    Some(url[..end].trim_end_matches(['.', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn shell(script: &str) -> AppBuilder {
        App::builder("sh").args(["-c", script])
    }

    #[test]
    fn the_address_is_taken_out_of_its_line() {
        for (line, url) in [
            (
                "listening on http://127.0.0.1:3000",
                Some("http://127.0.0.1:3000"),
            ),
            (
                "open http://localhost:3000/, then sign in",
                Some("http://localhost:3000"),
            ),
            (
                "at https://[::1]:8443/path?q=1.",
                Some("https://[::1]:8443"),
            ),
            (
                "\u{1b}[1mhttp://127.0.0.1:3000\u{1b}[0m.",
                Some("http://127.0.0.1:3000"),
            ),
            ("see http://127.0.0.1:3000.", Some("http://127.0.0.1:3000")),
            ("ready", None),
        ] {
            assert_eq!(url_in(line), url, "{line:?}");
        }
    }

    #[test]
    fn both_outputs_are_lines_and_later_ones_can_be_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let app = shell(
            "pwd; echo \"$GREETING [$GONE]\" >&2; echo ready; sleep 0.1; echo later; sleep 600",
        )
        .folder(folder.path())
        .env("GREETING", "hello")
        .env("GONE", "x")
        .env_remove("GONE")
        .ready_when("ready")
        .start();
        let limit = Duration::from_secs(60);
        assert_eq!(app.wait_for("hello", limit), "hello []");
        assert_eq!(app.wait_for("later", limit), "later");
        let lines = app.lines();
        assert_eq!(lines.len(), 4);
        let pwd = folder.path().canonicalize().unwrap();
        assert!(
            lines.contains(&pwd.to_str().unwrap().to_owned()),
            "{lines:?}"
        );
    }

    #[test]
    fn stop_lets_the_program_end_in_its_own_way() {
        let mut app =
            shell("trap 'echo bye; exit 7' TERM; echo http://; while :; do sleep 0.01; done")
                .start();
        assert_eq!(app.stop().code(), Some(7));
        assert_eq!(app.wait_for("bye", Duration::from_secs(60)), "bye");
    }

    #[test]
    fn kill_hard_does_not() {
        let builder =
            shell("trap 'echo bye' TERM EXIT; echo http://; while :; do sleep 0.01; done");
        let mut app = builder.start();
        assert_eq!(app.kill_hard().signal(), Some(9));
        assert_eq!(app.lines(), ["http://"]);
        assert_ne!(builder.start().id(), app.id());
    }

    #[test]
    #[should_panic(expected = "no line with \"http://\", it ended:\nbad configuration")]
    fn a_program_that_ends_before_it_is_ready_panics_with_its_output() {
        shell("echo bad configuration >&2; exit 78").start();
    }

    #[test]
    #[should_panic(expected = "no line with \"http://\", the time is over:\nstill busy")]
    fn a_program_that_is_not_ready_in_time_panics_with_its_output() {
        let app = shell("echo still busy; sleep 600")
            .ready_when("still busy")
            .start();
        app.wait_for("http://", Duration::from_millis(10));
    }
}
