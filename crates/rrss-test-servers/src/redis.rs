//! One Redis or Valkey server.

mod builder;
mod commands;
mod flavor;
mod role;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use self::builder::RedisServerBuilder;
pub use self::flavor::Flavor;
use self::role::Role;
use crate::port;
use crate::process::Process;
use crate::resp::{Connection, Reply};

/// How long a server may take to answer its first `PING`, and to end when asked to.
const LIMIT: Duration = Duration::from_secs(60);

/// A running Redis or Valkey server with an empty keyspace, which ends when this value is dropped.
///
/// It listens on a free port of 127.0.0.1, keeps its files in a temporary folder, and saves nothing.
///
/// Every method panics where the server does not do what it should: a test can do nothing else then.
///
/// # Examples
///
/// ```
/// use rrss_test_servers::{Flavor, RedisServer};
///
/// let mut server = RedisServer::start(Flavor::Valkey);
/// server.command(&["SET", "greeting", "hello"]);
/// assert_eq!(server.command(&["GET", "greeting"]), "hello");
///
/// server.restart();
/// assert_eq!(server.command(&["GET", "greeting"]), "(nil)");
/// ```
pub struct RedisServer {
    flavor: Flavor,
    role: Role,
    port: u16,
    password: Option<String>,
    arguments: Vec<String>,
    paused: AtomicBool,
    // Before the folder that it works in, so that it ends first.
    process: Option<Process>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server with the settings that most tests want.
    pub fn start(flavor: Flavor) -> RedisServer {
        RedisServer::builder(flavor).start()
    }

    /// Settings for a server to start.
    pub fn builder(flavor: Flavor) -> RedisServerBuilder {
        RedisServerBuilder::new(flavor)
    }

    /// Which of the servers this is.
    pub fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// The address as `redis://127.0.0.1:PORT`, with the password in front of the host where there is one.
    pub fn url(&self) -> String {
        match &self.password {
            Some(password) => {
                format!(
                    "redis://:{}@{}:{}",
                    percent_encoded(password),
                    self.host(),
                    self.port
                )
            }
            None => format!("redis://{}:{}", self.host(), self.port),
        }
    }

    /// The host, always `127.0.0.1`.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port, the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that the server works in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the server as an administrator would (`SIGTERM`); its port refuses connections then.
    pub fn stop(&mut self) {
        *self.paused.get_mut() = false;
        if let Some(mut process) = self.process.take() {
            process.terminate(LIMIT);
        }
    }

    /// Kills the server (`SIGKILL`); its port refuses connections then.
    pub fn kill(&mut self) {
        *self.paused.get_mut() = false;
        self.process = None;
    }

    /// Starts the server again, on the same port and in the same folder; one that runs is stopped first.
    ///
    /// Its keys are gone, unless it was built with `appendonly`.
    pub fn restart(&mut self) {
        self.stop();
        let start = Instant::now();
        while let Err(output) = self.launch() {
            assert!(
                start.elapsed() < LIMIT,
                "port {} was taken while the server was stopped: {output}",
                self.port
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the process (`SIGSTOP`): connections are still accepted, by the kernel, and nothing is answered.
    pub fn pause(&self) {
        self.running().signal("STOP");
        self.paused.store(true, Ordering::Relaxed);
    }

    /// Lets a paused server go on (`SIGCONT`); it answers then what was asked meanwhile.
    pub fn resume(&self) {
        self.running().signal("CONT");
        self.paused.store(false, Ordering::Relaxed);
    }

    /// Whether the server was neither stopped nor killed.
    pub(crate) fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Whether the server runs and is not paused.
    pub(crate) fn answers(&self) -> bool {
        self.runs() && !self.paused.load(Ordering::Relaxed)
    }

    /// The port of the cluster bus, where the server is the node of a cluster.
    pub(crate) fn bus_port(&self) -> Option<u16> {
        self.role.bus_port()
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("the server was stopped")
    }

    /// Chooses the port anew, and that of the cluster bus.
    fn choose_ports(&mut self) {
        self.port = port::free();
        self.role.choose_port_beside(self.port);
    }

    /// Starts the process and waits until it answers, or returns what it said where its port is taken.
    fn launch(&mut self) -> Result<(), String> {
        let log = self.log();
        let output = File::create(&log).expect("a temporary folder can be written to");
        let program = self.flavor.program();
        let mut process = Process::spawn(
            Command::new(&program)
                .current_dir(self.folder.path())
                .args(self.role.arguments())
                .args(["--port", &self.port.to_string(), "--bind", self.host()])
                .args([
                    "--protected-mode",
                    "no",
                    "--daemonize",
                    "no",
                    "--loglevel",
                    "warning",
                ])
                .args(["--save", "", "--appendonly", "no"])
                .args(&self.arguments)
                .stdout(Stdio::from(
                    output.try_clone().expect("a file can be shared"),
                ))
                .stderr(Stdio::from(output)),
        );
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            if process.ended().is_some() {
                let said = said();
                if said.contains("Address already in use") {
                    return Err(said);
                }
                panic!("{} ended at once:\n{said}", program.display());
            }
            if self.answering_process() == Some(process.id()) {
                self.process = Some(process);
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!(
            "{} does not answer on port {}:\n{}",
            program.display(),
            self.port,
            said()
        );
    }

    /// The id of the process that answers on the port, which may be another server's.
    fn answering_process(&self) -> Option<u32> {
        let mut connection = Connection::open(self.port, self.password.as_deref()).ok()?;
        let Reply::Text(pong) = connection.send(&["PING"]).ok()? else {
            return None;
        };
        let Reply::Bulk(info) = connection.send(&["INFO", "server"]).ok()? else {
            return None;
        };
        let info = String::from_utf8(info).ok()?;
        let id = info
            .lines()
            .find_map(|line| line.strip_prefix("process_id:"))?;
        if pong == "PONG" {
            id.trim_end().parse().ok()
        } else {
            None
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}:{}", self.flavor, self.host(), self.port)
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
