//! The `compression` step of a file, and the dictionaries that it names.

use std::path::{Path, PathBuf};

use rrss_compression::{Compression, Options};
use rrss_core::{BuildContext, Step};
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
