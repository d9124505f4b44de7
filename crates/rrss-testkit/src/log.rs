//! What a test's thread logs.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once, PoisonError};

use tracing::Level;
use tracing::subscriber::{DefaultGuard, set_default, set_global_default};

/// What is logged on this thread, of every level, from [`Log::listen`] on until this is dropped.
///
/// A test with a runtime of one thread, as `#[tokio::test]` makes it, hears all of its tasks.
///
/// # Examples
///
/// ```
/// use rrss_testkit::Log;
///
/// let log = Log::listen();
/// tracing::error!("the codec cannot read the session");
/// tracing::debug!("and goes on");
/// assert_eq!(log.lines(tracing::Level::ERROR), 1);
/// assert!(log.text().contains("and goes on"));
/// ```
#[derive(Debug)]
pub struct Log {
    written: Written,
    _listening: DefaultGuard,
}

impl Log {
    /// Listens from now on.
    #[must_use]
    pub fn listen() -> Self {
        // Whether a log line is of interest to anybody is asked when a thread first comes by it, and remembered: where
        // a thread that nobody listens to is the first, it would be silent for this one too. So somebody always listens.
        static EVERYWHERE: Once = Once::new();
        EVERYWHERE.call_once(|| {
            // A test that listens to all of its process has seen to it already.
            let _ = set_global_default(subscriber(io::sink));
        });
        let written = Written::default();
        let writer = written.clone();
        let _listening = set_default(subscriber(move || writer.clone()));
        Self {
            written,
            _listening,
        }
    }

    /// All that was logged so far.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes = self
            .written
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How many lines of `level` were logged so far.
    #[must_use]
    pub fn lines(&self, level: Level) -> usize {
        let text = self.text();
        text.lines()
            .filter(|line| line.contains(level.as_str()))
            .count()
    }
}

#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn subscriber<W: Write + 'static>(
    writer: impl Fn() -> W + Send + Sync + 'static,
) -> impl tracing::Subscriber + Send + Sync {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(Level::TRACE)
        .with_writer(writer)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() {
        tracing::error!("once");
    }

    #[test]
    fn what_a_thread_that_nobody_listens_to_logs_first_is_heard_here_too() {
        let log = Log::listen();
        std::thread::spawn(said).join().unwrap();
        assert_eq!(log.lines(Level::ERROR), 0);
        said();
        assert_eq!(log.lines(Level::ERROR), 1, "{}", log.text());
    }
}
