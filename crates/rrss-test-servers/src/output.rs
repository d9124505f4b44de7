//! The lines that a program prints.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What a program prints, as threads read it.
#[derive(Debug, Default)]
pub(crate) struct Output {
    printed: Mutex<Printed>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Printed {
    lines: Vec<String>,
    open: usize,
}

impl Output {
    /// The lines up to now, in the order in which they were read.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lock().lines.clone()
    }

    /// Reads the stream to its end, on a thread of its own.
    pub(crate) fn collect(self: &Arc<Output>, stream: impl Read + Send + 'static) {
        self.lock().open += 1;
        let output = Arc::clone(self);
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                output.lock().lines.push(line);
                output.changed.notify_all();
            }
            output.lock().open -= 1;
            output.changed.notify_all();
        });
    }

    /// The first line that contains `text`, or why there is none.
    pub(crate) fn wait_for(&self, text: &str, limit: Duration) -> Result<String, String> {
        let start = Instant::now();
        let mut printed = self.lock();
        loop {
            if let Some(line) = printed.lines.iter().find(|line| line.contains(text)) {
                return Ok(line.clone());
            }
            let rest = limit.saturating_sub(start.elapsed());
            let failure = match (printed.open, rest) {
                (0, _) => "it ended",
                (_, Duration::ZERO) => "the time is over",
                _ => {
                    let waited = self.changed.wait_timeout(printed, rest);
                    printed = waited.expect("no thread panics while it holds the lines").0;
                    continue;
                }
            };
            return Err(format!(
                "no line with {text:?}, {failure}:\n{}",
                printed.lines.join("\n")
            ));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Printed> {
        self.printed
            .lock()
            .expect("no thread panics while it holds the lines")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_whenever_they_come() {
        let output = Arc::new(Output::default());
        let (stream, mut writer) = std::io::pipe().unwrap();
        output.collect(stream);
        let waiting = std::thread::spawn({
            let output = Arc::clone(&output);
            move || output.wait_for("three", Duration::from_secs(60))
        });
        std::io::Write::write_all(&mut writer, b"one\r\ntwo \xff\nstep three").unwrap();
        drop(writer);
        assert_eq!(waiting.join().unwrap().as_deref(), Ok("step three"));
        assert_eq!(output.lines(), ["one", "two \u{fffd}", "step three"]);
        assert_eq!(
            output.wait_for("two", Duration::ZERO).as_deref(),
            Ok("two \u{fffd}")
        );
    }

    #[test]
    fn a_line_that_never_comes_is_an_error_with_those_that_came() {
        let output = Arc::new(Output::default());
        output.collect(&b"one\ntwo"[..]);
        let failure = output
            .wait_for("three", Duration::from_secs(60))
            .unwrap_err();
        assert_eq!(failure, "no line with \"three\", it ended:\none\ntwo");

        let (stream, _writer) = std::io::pipe().unwrap();
        output.collect(stream);
        let failure = output
            .wait_for("three", Duration::from_millis(1))
            .unwrap_err();
        assert_eq!(
            failure,
            "no line with \"three\", the time is over:\none\ntwo"
        );
    }
}
