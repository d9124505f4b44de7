//! The `compression` step of a file, and the dictionaries that it names.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use rrss_compression::{Compression, Options};
use rrss_core::{BuildContext, Error, Step};
use rrss_loader::Plan;

/// The `compression` step of a file.
pub(super) struct Compressing {
    /// How many steps stand above it.
    pub(super) above: usize,
    /// The line of its `type`, from 1.
    pub(super) line: usize,
    /// Its options, with paths as the file has them.
    pub(super) options: Options,
}

impl Compressing {
    /// That of a plan, where it has one.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let mut steps = plan.steps().enumerate();
        let (above, step) = steps.find(|(_, step)| step.name() == Compression::TYPE)?;
        Some(Self {
            above,
            line: step.line(),
            // A step of another crate may have taken the name.
            options: serde_json::from_value(step.options()).ok()?,
        })
    }

    /// Its options, with paths as they start in the current directory.
    pub(super) fn resolved(&self, config: &Path) -> Options {
        let mut options = self.options.clone();
        for path in &mut options.dictionary {
            *path = resolved(config, path);
        }
        options
    }
}

/// Where a path leads that stands in the file `config`.
pub(super) fn resolved(config: &Path, path: &Path) -> PathBuf {
    BuildContext::in_dir(folder(config)).resolve(path)
}

/// The folder that the paths in the file `config` start in.
pub(super) fn folder(config: &Path) -> &Path {
    config.parent().unwrap_or(Path::new(""))
}

/// A dictionary that keeps a good file from becoming a store.
pub(super) struct Warning {
    place: String,
    error: Error,
}

/// What is wrong with the dictionaries of a plan. They are read here, as the store would read them.
pub(super) fn warnings(config: &Path, plan: &Plan) -> Vec<Warning> {
    let Some(step) = Compressing::of(plan) else {
        return Vec::new();
    };
    let options = step.resolved(config);
    let built = |dictionary: Vec<PathBuf>| {
        Compression::new(Options {
            dictionary,
            ..options.clone()
        })
    };
    let each = options.dictionary.iter();
    let mut errors: Vec<Error> = each
        .filter_map(|path| built(vec![path.clone()]).err())
        .collect();
    if errors.is_empty() {
        errors.extend(built(options.dictionary.clone()).err());
    }
    let place = format!("{}:{}", config.display(), step.line);
    let warnings = errors.into_iter().map(|error| Warning {
        place: place.clone(),
        error,
    });
    warnings.collect()
}

impl Warning {
    pub(super) fn text(&self, colour: bool) -> String {
        let style = if colour {
            AnsiColor::Yellow.on_default().bold()
        } else {
            Style::new()
        };
        let message = self.error.message();
        let mut text = format!("{style}warning:{style:#} {message}\n --> {}\n", self.place);
        let mut cause = std::error::Error::source(&self.error);
        while let Some(error) = cause {
            let _ = writeln!(text, "  = note: because: {error}");
            cause = error.source();
        }
        text + "  = help: no store is built from this file until it is there\n"
    }
}
