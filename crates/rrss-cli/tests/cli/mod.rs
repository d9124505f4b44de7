//! Runs the real binary in a folder of its own.

#![allow(dead_code, reason = "each test file uses a part of this")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// After this a run counts as hung, on a machine however busy.
const HUNG: Duration = Duration::from_secs(300);

/// What of the machine's environment would change what a run prints or reads.
const VARIABLES: [&str; 7] = [
    "RRSS_CONFIG",
    "REDIS_URL",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "CI",
    "RUST_BACKTRACE",
];

/// A folder with the files that a test writes, in which the binary runs.
pub(crate) struct Folder(TempDir);

/// What one run printed, and its exit code.
#[derive(PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With an `rrss.toml`.
    pub(crate) fn with(config: &str) -> Self {
        let folder = Self::empty();
        folder.write("rrss.toml", config);
        folder
    }

    /// With an `rrss.toml` that keeps sessions in this folder.
    pub(crate) fn embedded() -> Self {
        Self::with(&pipeline(
            "[[step]]\ntype = \"embedded\"\npath = \"data\"\n",
        ))
    }

    /// The same, in which sessions are found by the fields `user` and `tenant`.
    pub(crate) fn indexed() -> Self {
        Self::with(&indexed(&pipeline(
            "[[step]]\ntype = \"embedded\"\npath = \"data\"\n",
        )))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The binary, to be run in this folder.
    pub(crate) fn command<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rrss"));
        command.args(arguments).current_dir(self.path());
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the binary in this folder.
    #[track_caller]
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        run(&mut self.command(arguments))
    }

    /// Runs the binary in this folder with a standard input.
    #[track_caller]
    pub(crate) fn fed<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Run {
        let file = self.write("standard-input", input);
        let input = fs::File::open(file).unwrap();
        let mut command = self.command(arguments);
        command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        finish(command.spawn().unwrap())
    }

    /// Runs the binary, which must succeed and report nothing, and answers what it printed without the last
    /// line break.
    #[track_caller]
    pub(crate) fn ok<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> String {
        let run = self.run(arguments);
        assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
        run.out.strip_suffix('\n').unwrap_or(&run.out).to_owned()
    }
}

impl Run {
    /// That it failed with this code, printed no result, and said this.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, words: &str) {
        assert_eq!((self.code, &*self.out), (code, ""), "{self:?}");
        assert!(self.err.contains(words), "{self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, out, err } = self;
        write!(f, "exit code {code}\n--- out\n{out}\n--- err\n{err}\n---")
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Run {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    finish(command.spawn().unwrap())
}

/// Waits for the end of a run.
#[track_caller]
pub(crate) fn finish(mut child: Child) -> Run {
    let out = child.stdout.take().map(read_all);
    let err = child.stderr.take().map(read_all);
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > HUNG {
            child.kill().unwrap();
            panic!("it still ran after {HUNG:?}");
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = |reader: Option<thread::JoinHandle<String>>| {
        reader.map_or_else(String::new, |reader| reader.join().unwrap())
    };
    Run {
        code: status.code().expect("it ends by itself"),
        out: text(out),
        err: text(err),
    }
}

fn read_all(mut stream: impl std::io::Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    })
}

/// A file whose steps end with this backend.
pub(crate) fn pipeline(backend: &str) -> String {
    format!(
        "[[step]]\ntype = \"key-mapper\"\n\n[[step]]\ntype = \"expiry\"\nduration = \"1h\"\n\n\
         [[step]]\ntype = \"json-codec\"\n\n[[step]]\ntype = \"compression\"\n\n{backend}"
    )
}

/// The file with a step more: sessions are found by the fields `user` and `tenant`.
pub(crate) fn indexed(config: &str) -> String {
    let codec = "[[step]]\ntype = \"json-codec\"\n";
    let index = "[[step]]\ntype = \"index\"\nfields = [\"user\", \"tenant\"]\n\n";
    config.replace(codec, &format!("{index}{codec}"))
}

/// A file with Redis at this URL, and limits that a busy machine does not reach.
pub(crate) fn redis_pipeline(url: &str) -> String {
    redis_within("60s", url)
}

/// A file with Redis at this URL, and limits that have to run out.
pub(crate) fn impatient_pipeline(url: &str) -> String {
    redis_within("500ms", url)
}

fn redis_within(limit: &str, url: &str) -> String {
    pipeline(&format!(
        "[[step]]\ntype = \"redis\"\nurl = \"{url}\"\ntimeout = \"{limit}\"\nconnect_timeout = \"{limit}\"\n"
    ))
}

/// An id of the right form that no session has.
pub(crate) const UNKNOWN_ID: &str = "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60";

/// Ids that the key-mapper cannot have made. An argument cannot hold a NUL.
pub(crate) fn malformed_ids() -> Vec<String> {
    [
        "",
        "a",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f6",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f600",
        "8F14E45F-CEEA-467F-A3D4-1B2C3D4E5F60",
        "8f14e45fceea467fa3d41b2c3d4e5f60",
        "../../../../etc/passwd",
        "*",
        " 8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
        "8f14e45f ceea 467f a3d4 1b2c3d4e5f60",
        "8f14e45f-ceea-467f-a3d4-1b2c3d4e5f6é",
        "８f14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
        "-x",
        "--",
        "--no-such-option",
        "sessions:8f14e45f-ceea-467f-a3d4-1b2c3d4e5f60",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["x".repeat(100_000)])
    .collect()
}
