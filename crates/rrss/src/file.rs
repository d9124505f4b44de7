//! Stores from TOML.

use std::path::Path;

use rrss_core::{Registry, Result};
use rrss_loader::{Loader, Plan};

use crate::store::{Parts, Store};

impl Store {
    /// A store from a file, with the step types that are linked into this program.
    ///
    /// Backends connect at their first operation; `embedded` opens its files here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) with a report of every problem in the file, each at its
    /// place; else the error of a step that could not be built.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_plan(Loader::new(Registry::linked()).read_file(path)?)
    }

    /// A store from TOML text. Relative paths in it start in the current directory.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Store::from_file).
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::from_plan(Loader::new(Registry::linked()).read_text(text)?)
    }

    /// A store from a configuration that a [`Loader`] has checked: with a registry or an environment of your own.
    ///
    /// # Errors
    ///
    /// The error of a step that could not be built.
    pub fn from_plan(plan: Plan) -> Result<Self> {
        let settings = plan.settings();
        let parts = Parts {
            name: settings.name.clone(),
            conflict: settings.conflict,
            together: settings.together.clone(),
            on_corrupt: settings.on_corrupt,
            quarantine_for: settings.quarantine_for.get(),
            rotated_for: settings.rotated_for.get(),
            ..Parts::default()
        };
        if let Some(warnings) = plan.warnings() {
            tracing::warn!("{warnings}");
        }
        let pipeline = plan.build()?;
        parts.check(&pipeline)?;
        Ok(Self::with_parts(pipeline, parts))
    }
}
