//! A checked configuration.

use std::fmt;
use std::path::PathBuf;

use rrss_core::{BuildContext, ConfiguredStep, Pipeline, Shape};

use crate::report::{Problem, Report};
use crate::settings::StoreSettings;

/// A checked configuration: it can be looked at, explained and built. Nothing is opened yet.
pub struct Plan {
    pub(crate) file: String,
    pub(crate) base_dir: PathBuf,
    pub(crate) settings: StoreSettings,
    pub(crate) steps: Vec<(Box<dyn ConfiguredStep>, usize)>,
    pub(crate) warnings: Option<Report>,
}

impl Plan {
    /// What `[store]` says.
    #[must_use]
    pub fn settings(&self) -> &StoreSettings {
        &self.settings
    }

    /// The steps, in the order of the file.
    pub fn steps(&self) -> impl Iterator<Item = PlannedStep<'_>> {
        self.steps.iter().map(|(step, line)| PlannedStep {
            step: &**step,
            line: *line,
        })
    }

    /// What is questionable in a configuration that works.
    #[must_use]
    pub fn warnings(&self) -> Option<&Report> {
        self.warnings.as_ref()
    }

    /// The pipeline as a picture in text.
    #[must_use]
    pub fn explain(&self) -> String {
        let lines: Vec<String> = self
            .steps()
            .map(|step| format!("{}: {}", step.name(), step.shape()))
            .collect();
        lines.join("\n")
    }

    /// Builds the steps.
    ///
    /// # Errors
    ///
    /// A step that could not be built, with its place in the file.
    pub fn build(self) -> Result<Pipeline, Report> {
        let mut builder = Pipeline::builder().context(BuildContext::in_dir(self.base_dir));
        for (step, _) in self.steps {
            builder = builder.configured(step);
        }
        builder
            .build()
            .map_err(|error| Report::new(self.file, vec![Problem::error(error.to_string())]))
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps()).finish()
    }
}

/// A step of a [`Plan`].
#[derive(Clone, Copy)]
pub struct PlannedStep<'a> {
    step: &'a dyn ConfiguredStep,
    line: usize,
}

impl PlannedStep<'_> {
    /// What its `type` says.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.step.type_name()
    }

    /// The line of its `type`, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// What it takes and gives.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.step.shape()
    }

    /// Its options, with the defaults filled in and secrets redacted by their types.
    #[must_use]
    pub fn options(&self) -> serde_json::Value {
        self.step.options()
    }
}

impl fmt::Debug for PlannedStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (line {}): {}",
            self.name(),
            self.line,
            self.options()
        )
    }
}
