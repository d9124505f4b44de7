//! From text to a plan, or to a report of every problem.

use std::env::{self, VarError};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rrss_core::{Registry, check_composition};
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::plan::Plan;
use crate::report::{Problem, Report};
use crate::settings::StoreSettings;

type Lookup = dyn Fn(&str) -> Result<String, VarError> + Send + Sync;

/// Reads configurations: it knows the step types, and where the values of environment variables come from.
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
    #[must_use]
    pub fn with_env(self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            env: Arc::new(move |name| lookup(name).ok_or(VarError::NotPresent)),
            ..self
        }
    }

    /// Reads and checks a file. Relative paths in it start at its directory.
    ///
    /// # Errors
    ///
    /// A report of every problem in the file.
    pub fn read_file(&self, path: impl AsRef<Path>) -> Result<Plan, Report> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|error| Report::new(file.clone(), vec![Problem::error(error.to_string())]))?;
        self.check(file, path.parent().unwrap_or(path).to_owned(), &text)
    }

    /// Reads and checks text, which reports call `<text>`. Relative paths in it start in the current directory.
    ///
    /// # Errors
    ///
    /// A report of every problem in the text.
    pub fn read_text(&self, text: &str) -> Result<Plan, Report> {
        self.check("<text>".to_owned(), PathBuf::new(), text)
    }

    fn check(&self, file: String, base_dir: PathBuf, text: &str) -> Result<Plan, Report> {
        let refuse = |message: String| Report::new(file.clone(), vec![Problem::error(message)]);
        let document = DeTable::parse(text).map_err(|error| refuse(error.message().to_owned()))?;
        let mut document = document.into_inner();
        let mut steps = Vec::new();
        if let Some(DeValue::Array(tables)) = document.remove("step").map(toml::Spanned::into_inner)
        {
            for value in tables {
                let span = value.span();
                let DeValue::Table(mut table) = value.into_inner() else {
                    return Err(refuse("`step` must be tables: `[[step]]`".to_owned()));
                };
                let name = table.remove("type");
                let name = name
                    .as_ref()
                    .and_then(|name| name.get_ref().as_str())
                    .ok_or_else(|| refuse("a step says no `type`".to_owned()))?;
                let step_type = self
                    .registry
                    .get(name)
                    .ok_or_else(|| refuse(format!("there is no step type `{name}`")))?;
                let line = 1 + text[..span.start].matches('\n').count();
                let options = toml::Spanned::new(span, DeValue::Table(table));
                let step = step_type
                    .parse(ValueDeserializer::from(options))
                    .map_err(|error| refuse(format!("`{name}`: {}", error.message())))?;
                steps.push((step, line));
            }
        }
        let shapes: Vec<_> = steps
            .iter()
            .map(|(step, _)| (step.type_name(), step.shape()))
            .collect();
        if let Some(misfit) = check_composition(&shapes).first() {
            return Err(refuse(format!("{misfit}: {}", misfit.hint())));
        }
        let _ = (&self.env, Problem::warning(""));
        Ok(Plan {
            file,
            base_dir,
            settings: StoreSettings::default(),
            steps,
            warnings: None,
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
