//! From a file to a plan, or to a report of every problem.

use std::env::{self, VarError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rrss_core::{BuildContext, Clock, Registry, SystemClock};

use crate::check;
use crate::corrupt;
use crate::elsewhere::{Elsewhere, Lookup};
use crate::plan::{Place, Plan, Planned, refused, warned};
use crate::read::{Unread, read_up_to};
use crate::report::{Problem, Problems, Report};
use crate::source::Source;
use crate::toml_1_1;
use crate::types::Types;

/// The largest file that is read. A configuration of thousands of steps is smaller.
const LARGEST: u64 = 1024 * 1024;

/// Reads configurations: it knows the step types, and where the values of environment variables come from.
///
/// # Examples
///
/// ```
/// use rrss_core::Registry;
/// use rrss_loader::Loader;
///
/// let loader = Loader::new(Registry::linked());
/// let report = loader.read_text("[[step]]\ntype = \"redsi\"\n").unwrap_err();
/// assert_eq!(report.problems()[0].message(), "there is no step type `redsi`");
/// assert_eq!((report.problems()[0].line(), report.problems()[0].column()), (Some(2), Some(8)));
/// ```
#[derive(Clone)]
pub struct Loader {
    registry: Registry,
    env: Arc<Lookup>,
}

impl Loader {
    /// A loader for files that name the step types of `registry`. Variables come from the environment.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            env: Arc::new(|name| env::var(name)),
        }
    }

    /// The same loader, which asks `lookup` for environment variables.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::Registry;
    /// use rrss_loader::Loader;
    ///
    /// let loader = Loader::new(Registry::linked())
    ///     .with_env(|name| (name == "REDIS_URL").then(|| "redis://localhost".to_owned()));
    /// # let _ = loader;
    /// ```
    #[must_use]
    pub fn with_env(self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            env: Arc::new(move |name| lookup(name).ok_or(VarError::NotPresent)),
            ..self
        }
    }

    /// Reads and checks a file of at most 1 MiB. Relative paths in it start in its directory.
    ///
    /// # Errors
    ///
    /// A report of every problem in the file, or of why it cannot be read.
    pub fn read_file(&self, path: impl AsRef<Path>) -> Result<Plan, Report> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let base_dir = path.parent().unwrap_or(Path::new("")).to_owned();
        let bytes = read_up_to(path, LARGEST).map_err(|unread| {
            refuse(
                Source::new(name.clone(), String::new()),
                unreadable(&unread, "file"),
            )
        })?;
        match String::from_utf8(bytes) {
            Ok(text) => self.check(Source::new(name, text), base_dir, "file"),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let bytes = error.as_bytes();
                let text = String::from_utf8_lossy(bytes).into_owned();
                Err(refuse(Source::new(name, text), not_text(bytes, at)))
            }
        }
    }

    /// Reads and checks text, which reports call `<text>`. Relative paths in it start in the current directory.
    ///
    /// # Errors
    ///
    /// A report of every problem in the text.
    pub fn read_text(&self, text: &str) -> Result<Plan, Report> {
        let source = Source::new("<text>".to_owned(), text.to_owned());
        if text.len() as u64 > LARGEST {
            let problem = unreadable(&Unread::TooLarge(Some(text.len() as u64)), "text");
            return Err(refuse(source, problem));
        }
        self.check(source, PathBuf::new(), "text")
    }

    fn check(&self, source: Source, base_dir: PathBuf, noun: &str) -> Result<Plan, Report> {
        if source.text().trim().is_empty() {
            let problem = Problem::error(&format!("the {noun} is empty"));
            return Err(refuse(
                source,
                problem.with_hint("`rrss init` writes a file that works"),
            ));
        }
        let types = Types::new(&self.registry);
        let mut checked = check::check(
            &source,
            &types,
            Elsewhere {
                env: &*self.env,
                base_dir: &base_dir,
            },
        );
        let source = Arc::new(source.masked(checked.secrets));
        for clash in self.registry.clashes() {
            checked.problems.add(|| {
                Problem::error(&clash.to_string()).with_hint(
                    "depend on one of the two crates, or ask the author of one for another name",
                )
            });
        }
        let mut steps = Vec::new();
        for step in checked.steps {
            let Some(configured) = step.configured else {
                continue;
            };
            let (line, _) = source.position(step.span.start);
            let place = Place {
                name: configured.type_name(),
                span: step.span,
                given: step.given,
                origins: step.origins,
            };
            // What a value that was set aside leaves behind may look wrong, and is not.
            if step.is_whole
                && let Err(error) = configured.check()
            {
                checked.problems.add(|| refused(&error, &place));
            }
            steps.push(Planned {
                configured,
                line,
                place,
            });
        }
        if checked.problems.found() > 0 {
            return Err(Report::new(source, checked.problems));
        }
        let ends = steps
            .iter()
            .any(|step| step.configured.shape().ends_sessions());
        let mut warnings = Problems::default();
        if !ends {
            warnings.add(never_end);
        }
        if let Some(warning) = corrupt::warning(&checked.settings, &checked.settings_given) {
            warnings.add(|| warning);
        }
        let (now, context) = (SystemClock.now(), BuildContext::in_dir(&base_dir));
        for warning in toml_1_1::warnings(source.text()) {
            warnings.add(|| warning);
        }
        for step in &steps {
            for warning in step.configured.warnings(now, &context) {
                warnings.add(|| warned(&warning, &step.place));
            }
        }
        let warnings = (warnings.found() > 0).then(|| Report::new(source.clone(), warnings));
        Ok(Plan {
            source,
            base_dir,
            settings: checked.settings,
            steps,
            warnings,
        })
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

fn refuse(source: Source, problem: Problem) -> Report {
    Report::new(Arc::new(source.masked(Vec::new())), problem.into())
}

fn never_end() -> Problem {
    Problem::warning("no step sets a deadline, so sessions never end")
        .with_hint("add a step such as `expiry`, unless they are to be kept for ever")
}

fn unreadable(unread: &Unread, noun: &str) -> Problem {
    match unread {
        Unread::Missing => {
            Problem::error("the file does not exist").with_hint("`rrss init` writes one that works")
        }
        Unread::Directory => {
            Problem::error("it is a directory").with_hint("name a file in it, such as `rrss.toml`")
        }
        Unread::TooLarge(size) => {
            let size = size.map_or(String::new(), |size| format!(" of {size} bytes"));
            Problem::error(&format!(
                "the {noun}{size} is larger than 1 MiB, the most that is read"
            ))
            .with_hint("name the configuration; it is a small file")
        }
        Unread::Failed(error) => Problem::error(&format!("the file cannot be read: {error}")),
    }
}

fn not_text(bytes: &[u8], at: usize) -> Problem {
    let wide = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    let message = format!("byte {} of the file is no UTF-8 text", at + 1);
    let replacement = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
    let hint = if wide {
        "it looks like UTF-16; save the file as UTF-8"
    } else {
        "save the file as UTF-8"
    };
    Problem::error(&message).at(replacement).with_hint(hint)
}
