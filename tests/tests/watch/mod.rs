//! Watches what is shown to people: log lines of every level, and what a test shows.

use std::error::Error as StdError;
use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::{Arc, Mutex, Once, PoisonError};

use rrss::{ErrorKind, SessionId};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

pub(crate) const VALUE: &str = "value-Ohb4eiTh";
pub(crate) const OTHER_VALUE: &str = "other-ug5Wie1a";
pub(crate) const PASSWORD: &str = "password-aeR7lahx";
pub(crate) const WRONG_PASSWORD: &str = "wrong-oog2Mee4";

/// All that is shown to people: log lines, and what a test adds.
#[derive(Clone, Default)]
pub(crate) struct Shown(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Shown {
    type Writer = Shown;

    fn make_writer(&'a self) -> Shown {
        self.clone()
    }
}

/// What must not be shown, and what was shown.
pub(crate) struct Watch {
    pub(crate) shown: Shown,
    secrets: Vec<String>,
}

impl Watch {
    /// Logs of every thread are watched, since backends work on threads of their own.
    pub(crate) fn start() -> Watch {
        static ONCE: Once = Once::new();
        static SHOWN: Mutex<Option<Shown>> = Mutex::new(None);
        ONCE.call_once(|| {
            let shown = Shown::default();
            *SHOWN.lock().unwrap() = Some(shown.clone());
            let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE);
            subscriber.with_ansi(false).with_writer(shown).init();
        });
        let shown = SHOWN.lock().unwrap().clone().unwrap();
        let secrets = [VALUE, OTHER_VALUE, PASSWORD, WRONG_PASSWORD];
        Watch {
            shown,
            secrets: secrets.map(str::to_owned).to_vec(),
        }
    }

    /// An id is a secret, and so is a part of it that is long enough to be looked for.
    pub(crate) fn hide(&mut self, id: &SessionId) {
        // As it is, and as the bytes of its UUID are printed.
        for id in [id.as_str().to_owned(), id.as_str().replace('-', "")] {
            self.secrets
                .extend((0..=id.len() - 12).map(|at| id[at..at + 12].to_owned()));
        }
    }

    pub(crate) fn hide_text(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }

    pub(crate) fn see(&self, text: &str) {
        self.shown
            .0
            .lock()
            .unwrap()
            .extend_from_slice(text.as_bytes());
    }

    pub(crate) fn see_debug(&self, value: &dyn Debug) {
        self.see(&format!("{value:?}\n{value:#?}\n"));
    }

    /// Display and Debug of an error and of each of its causes.
    pub(crate) fn see_error(&self, error: &rrss::Error, kind: ErrorKind) {
        assert_eq!(error.kind(), kind, "{error}");
        let mut text = String::new();
        let mut level: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(error) = level {
            writeln!(text, "{error}\n{error:?}\n{error:#?}").unwrap();
            level = error.source();
        }
        self.see(&text);
    }

    /// Fails with the line, and without the secret, where one was shown.
    pub(crate) fn ends(self, proof: &str) {
        let shown = self.shown.0.lock().unwrap().clone();
        let shown = String::from_utf8_lossy(&shown);
        assert!(shown.contains(proof), "nothing with {proof:?} was shown");
        for secret in &self.secrets {
            if let Some(line) = shown.lines().find(|line| line.contains(secret.as_str())) {
                panic!("a secret is shown in: {line}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "a secret is shown in: the pin is value-")]
fn a_secret_that_is_shown_is_found() {
    let watch = Watch {
        shown: Shown::default(),
        secrets: vec![VALUE.to_owned()],
    };
    watch.see(&format!("good\nthe pin is {VALUE}\n"));
    watch.ends("good");
}
