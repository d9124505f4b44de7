//! A checked configuration.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rrss_core::{
    BuildContext, ConfiguredStep, Encoder, Error, Pipeline, PipelineBuilder, Role, Shape,
    Timestamp, Warning,
};
use serde_json::Value;

use crate::explain;
use crate::origin::Origin;
use crate::report::{Problem, Problems, Report};
use crate::settings::StoreSettings;
use crate::source::{Source, Span, without_passwords};
use crate::suggest::quote;

/// A checked configuration: it can be looked at, explained and built. Nothing is opened yet.
pub struct Plan {
    pub(crate) source: Arc<Source>,
    pub(crate) base_dir: PathBuf,
    pub(crate) settings: StoreSettings,
    pub(crate) steps: Vec<Planned>,
    pub(crate) warnings: Option<Report>,
}

/// A step that was read, and where it was read.
pub(crate) struct Planned {
    pub(crate) configured: Box<dyn ConfiguredStep>,
    pub(crate) line: usize,
    pub(crate) place: Place,
}

impl Plan {
    /// What `[store]` says.
    #[must_use]
    pub fn settings(&self) -> &StoreSettings {
        &self.settings
    }

    /// The steps, in the order of the file.
    pub fn steps(&self) -> impl Iterator<Item = PlannedStep<'_>> {
        self.steps.iter().map(|planned| PlannedStep { planned })
    }

    /// What is questionable in a configuration that works.
    #[must_use]
    pub fn warnings(&self) -> Option<&Report> {
        self.warnings.as_ref()
    }

    /// The pipeline as a picture in text, at most 100 columns wide: each step with what it takes and gives and
    /// with its options, the defaults included, down to the backend.
    ///
    /// Secrets are redacted, by their types. Where the file does not give a value itself, the picture says where
    /// it came from.
    #[must_use]
    pub fn explain(&self) -> String {
        explain::picture(self)
    }

    /// What would keep the steps from being built, and is not in the file: other files that it names and that are missing, or
    /// are not what they should be. They are opened and read; nothing is started. `None` where all is well.
    #[must_use]
    pub fn inspect(&self) -> Option<Report> {
        let context = self.context();
        let mut problems = Problems::default();
        for step in &self.steps {
            for error in step.configured.inspect(&context) {
                problems.add(|| refused(&error, &step.place));
            }
        }
        (problems.found() > 0).then(|| Report::new(Arc::clone(&self.source), problems))
    }

    fn context(&self) -> BuildContext {
        let context = BuildContext::in_dir(&self.base_dir);
        match &self.settings.name {
            Some(name) => context.of_store(name.clone()),
            None => context,
        }
    }

    /// Builds the steps, in the order of the file.
    ///
    /// # Errors
    ///
    /// The step that could not be built, its place in the file or that of the option which it names, and why.
    /// The report has the kind of that step's error.
    pub fn build(self) -> Result<Pipeline, Report> {
        self.build_by(PipelineBuilder::build)
    }

    /// Builds the first `count` steps alone, and never the backend: nothing that is below them is opened.
    ///
    /// # Errors
    ///
    /// As [`build`](Plan::build).
    pub fn build_encoder(self, count: usize) -> Result<Encoder, Report> {
        self.build_by(|builder| builder.build_encoder(count))
    }

    fn build_by<T>(
        self,
        build: impl FnOnce(PipelineBuilder) -> Result<T, Error>,
    ) -> Result<T, Report> {
        let failed = Arc::new(AtomicUsize::new(usize::MAX));
        let mut builder = Pipeline::builder().context(self.context());
        let mut places = Vec::new();
        for (at, planned) in self.steps.into_iter().enumerate() {
            let configured = planned.configured;
            places.push(planned.place);
            builder = builder.configured(Box::new(Watched {
                configured,
                at,
                failed: failed.clone(),
            }));
        }
        build(builder).map_err(|error| {
            let place = places.get(failed.load(Ordering::Relaxed));
            let named = || places.iter().find(|place| error.step() == Some(place.name));
            let problem = match place.or_else(named) {
                Some(place) => refused(&error, place),
                None => Problem::error(&error.to_string()),
            };
            Report::new(self.source, problem.into()).of_kind(error.kind())
        })
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
    planned: &'a Planned,
}

impl PlannedStep<'_> {
    /// What its `type` says.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.planned.configured.type_name()
    }

    /// The line of its `type`, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.planned.line
    }

    /// What it takes and gives.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.planned.configured.shape()
    }

    /// Its options, with the defaults filled in. Secrets are redacted by their types, and so are the passwords
    /// of addresses.
    #[must_use]
    pub fn options(&self) -> serde_json::Value {
        let mut options = self.planned.configured.options();
        redact(&mut options);
        options
    }

    /// What the file says of it.
    pub(crate) fn planned(&self) -> &Planned {
        self.planned
    }
}

/// A type may forget that an address has a password.
fn redact(options: &mut Value) {
    match options {
        Value::String(text) => *text = without_passwords(text),
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(entries) => entries.iter_mut().for_each(|(_, value)| redact(value)),
        _ => {}
    }
}

impl fmt::Debug for PlannedStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {})", self.name(), self.line())
    }
}

/// Where the parts of a step stand in the file.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) span: Span,
    /// The options that the file gives, and where their values stand.
    pub(crate) given: Vec<(String, Span)>,
    pub(crate) origins: Vec<Origin>,
}

impl Place {
    /// Where an option stands; where the file does not give it, the step.
    fn of(&self, option: Option<&str>) -> &Span {
        let given = self
            .given
            .iter()
            .find(|(name, _)| Some(name.as_str()) == option);
        given.map_or(&self.span, |(_, span)| span)
    }
}

/// What a step warns of.
pub(crate) fn warned(warning: &Warning, place: &Place) -> Problem {
    let hidden = |text: &str| {
        place
            .origins
            .iter()
            .fold(text.to_owned(), |text, origin| origin.hide_in(&text))
    };
    let step = quote(place.name);
    let subject = match warning.option() {
        Some(option) => format!("{} of step {step}", quote(option)),
        None => format!("step {step}"),
    };
    let message = hidden(&format!("{subject}: {}", warning.message()));
    let problem = Problem::warning(&message).at(place.of(warning.option()).clone());
    match warning.hint() {
        Some(hint) => problem.with_hint(hidden(hint)),
        None => problem,
    }
}

/// What a step says of its options, or why it could not be built.
pub(crate) fn refused(error: &Error, place: &Place) -> Problem {
    let hidden = |text: String| {
        place
            .origins
            .iter()
            .fold(text, |text, origin| origin.hide_in(&text))
    };
    let option = error
        .option()
        .and_then(|name| name.split(['.', '[']).next());
    let step = quote(place.name);
    let mut problem = match error.option() {
        Some(name) => {
            let message = format!("{} of step {step}: {}", quote(name), error.message());
            Problem::error(&hidden(message))
        }
        None => Problem::error(&hidden(format!("step {step}: {}", error.message()))),
    };
    problem = problem.at(place.of(option).clone());
    let mut cause = error.source();
    while let Some(error) = cause {
        problem = problem.with_note(hidden(format!("because: {error}")));
        cause = error.source();
    }
    problem
}

/// A step that says so when it could not be built: two steps may have one name.
struct Watched {
    configured: Box<dyn ConfiguredStep>,
    at: usize,
    failed: Arc<AtomicUsize>,
}

impl ConfiguredStep for Watched {
    fn type_name(&self) -> &'static str {
        self.configured.type_name()
    }

    fn shape(&self) -> Shape {
        self.configured.shape()
    }

    fn check(&self) -> Result<(), Error> {
        self.configured.check()
    }

    fn warnings(&self, now: Timestamp, context: &BuildContext) -> Vec<Warning> {
        self.configured.warnings(now, context)
    }

    fn options(&self) -> serde_json::Value {
        self.configured.options()
    }

    fn inspect(&self, context: &BuildContext) -> Vec<Error> {
        self.configured.inspect(context)
    }

    fn build(self: Box<Self>, context: &BuildContext) -> Result<Role, Error> {
        let Self {
            configured,
            at,
            failed,
        } = *self;
        configured
            .build(context)
            .inspect_err(|_| failed.store(at, Ordering::Relaxed))
    }
}
