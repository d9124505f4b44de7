//! ChromeDriver, through which a test drives a real browser.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::Process;
use crate::{port, program};

/// How long ChromeDriver may take to be ready.
const LIMIT: Duration = Duration::from_secs(60);

/// A running ChromeDriver, which speaks [WebDriver](https://www.w3.org/TR/webdriver2/).
///
/// Dropped, it ends with every browser that it started, and their profiles are removed.
///
/// # Examples
///
/// ```
/// use rrss_test_servers::Chromedriver;
///
/// let driver = Chromedriver::start();
/// assert!(driver.url().starts_with("http://127.0.0.1:"));
/// assert!(Chromedriver::BROWSER_ARGUMENTS.contains(&"--headless"));
/// ```
#[derive(Debug)]
pub struct Chromedriver {
    port: u16,
    // Before the folder that it works in, so that it ends first.
    _process: Process,
    folder: TempDir,
}

impl Chromedriver {
    /// What Chromium is to be started with in a test, for `goog:chromeOptions` → `args`: without a window,
    /// as root too, and with no traffic of its own.
    pub const BROWSER_ARGUMENTS: [&str; 9] = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ];

    /// Starts ChromeDriver on a free port and returns when it is ready for a session.
    ///
    /// # Panics
    ///
    /// When its program is missing, saying how to install it, or when it does not start, with what it said.
    pub fn start() -> Chromedriver {
        let program = program::find("ChromeDriver", "RRSS_CHROMEDRIVER", || {
            program::in_path("chromedriver")
        });
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let log = folder.path().join("chromedriver.log");
        let start = Instant::now();
        loop {
            let port = port::free();
            let output = File::create(&log).expect("a temporary folder can be written to");
            let mut process = Process::spawn(
                Command::new(&program)
                    .arg(format!("--port={port}"))
                    .current_dir(folder.path())
                    // A killed browser leaves its profile where it made it.
                    .env("TMPDIR", folder.path())
                    .env("HOME", folder.path())
                    .stdout(Stdio::from(
                        output.try_clone().expect("a file can be shared"),
                    ))
                    .stderr(Stdio::from(output)),
            );
            while process.ended().is_none() {
                if is_ready(port) {
                    return Chromedriver {
                        port,
                        _process: process,
                        folder,
                    };
                }
                if start.elapsed() > LIMIT {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            // It ends at once where another process took its port meanwhile.
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            assert!(
                start.elapsed() < LIMIT,
                "{} does not start:\n{said}",
                program.display()
            );
        }
    }

    /// The address as `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder in which the browsers keep their profiles.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Whether [`/status`](https://www.w3.org/TR/webdriver2/#status) says that a session can begin.
fn is_ready(port: u16) -> bool {
    get(port, "/status").is_ok_and(|answer| answer.contains(r#""ready":true"#))
}

fn get(port: u16, path: &str) -> io::Result<String> {
    exchange(
        port,
        &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"),
    )
}

/// Sends one HTTP request and returns the body of the answer.
fn exchange(port: u16, request: &str) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = BufReader::new(stream);
    // ChromeDriver keeps the connection open whatever it is asked, so the length says where the body ends.
    let mut length = 0;
    let mut line = String::new();
    while answer.read_line(&mut line)? > "\r\n".len() {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value
                .trim()
                .parse()
                .map_err(|_| io::ErrorKind::InvalidData)?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    String::from_utf8(body).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::io::ErrorKind;

    fn new_session(driver: &Chromedriver) -> String {
        let body = format!(
            r#"{{"capabilities":{{"alwaysMatch":{{"goog:chromeOptions":{{"args":{:?}}}}}}}}}"#,
            Chromedriver::BROWSER_ARGUMENTS
        );
        let request = format!(
            "POST /session HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            driver.port(),
            body.len()
        );
        exchange(driver.port(), &request).unwrap()
    }

    /// The processes that run and have `text` in their command line.
    fn processes_with(text: &str) -> HashSet<String> {
        let output = Command::new("ps")
            .args(["-A", "-o", "pid=,args="])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter(|line| line.contains(text))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_browser_starts_and_ends_with_its_driver() {
        let driver = Chromedriver::start();
        let answer = new_session(&driver);
        assert!(answer.contains(r#""browserName":"chrome"#), "{answer}");

        let (port, folder) = (driver.port(), driver.folder().to_owned());
        let profile = folder.to_str().unwrap().to_owned();
        assert!(!processes_with(&profile).is_empty());

        drop(driver);

        assert!(!folder.exists());
        let refused = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        // The kernel ends killed processes in its own time, and crash handlers follow their browser.
        let start = Instant::now();
        while !processes_with(&profile).is_empty() {
            assert!(start.elapsed() < LIMIT, "{:?}", processes_with(&profile));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn two_drivers_run_side_by_side() {
        let drivers = [Chromedriver::start(), Chromedriver::start()];
        assert_ne!(drivers[0].url(), drivers[1].url());
        for driver in drivers {
            assert!(is_ready(driver.port()));
            assert_eq!(driver.url(), format!("http://127.0.0.1:{}", driver.port()));
        }
    }
}
