//! What a command that takes long shows meanwhile.

use std::pin::pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often it moves while nothing is reported.
const BEAT: Duration = Duration::from_millis(100);

/// Whether a command tells how far it is, or that it runs alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    Yes,
    No,
}

impl Counts {
    fn template(self) -> &'static str {
        match self {
            Self::Yes => "{spinner} {msg}: {human_pos} so far, {elapsed}",
            Self::No => "{spinner} {msg}, {elapsed}",
        }
    }
}

/// A line on standard error that says what is being done; it is erased when this is dropped.
///
/// The thread that does the work draws it. Another would wait for the lock of standard error, which a command holds to
/// its end.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// One that nobody sees.
    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// One on the terminal that standard error is.
    pub(crate) fn drawn(doing: &'static str, counts: Counts) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
            .with_style(style(counts.template()))
            .with_message(doing);
        bar.tick();
        Self(bar)
    }

    /// Does `work`, and shows that time passes.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if self.0.is_hidden() {
            return work.await;
        }
        loop {
            match tokio::time::timeout(BEAT, work.as_mut()).await {
                Ok(done) => return done,
                Err(_) => self.0.tick(),
            }
        }
    }

    /// Shows a bar from here on: how much there is to do is known.
    pub(crate) fn out_of(&self, total: u64) {
        let style = style("{spinner} {msg}: [{bar:30}] {human_pos} of {human_len}, {elapsed}");
        self.0.set_style(style.progress_chars("=> "));
        self.0.set_length(total);
    }

    /// Says how far it is.
    pub(crate) fn reached(&self, count: u64) {
        self.0.set_position(count);
    }

    /// Does what writes to the terminal itself.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars("|/-\\ ")
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
