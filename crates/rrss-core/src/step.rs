//! What a step author writes: a type name, options, a shape, and how to build the step.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::around::{Around, DynAround};
use crate::backend::{Backend, DynBackend};
use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::time::Timestamp;
use crate::transform::Transform;
use crate::warning::Warning;

/// A type of step: what `type = "…"` in `rrss.toml` names.
///
/// The doc comment of the options struct is the help of the step, and those of its fields the help of its
/// options: in the command line tool, in the schema and in editors. Deny unknown fields, so that a mistyped
/// option is not ignored, and validate values as they are deserialised, so that a report points at them.
///
/// # Examples
///
/// A complete step of a user's own:
///
/// ```
/// use rrss_core::{BuildContext, Operation, Result, Role, Shape, Step, Transform};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// /// Never stores some fields.
/// #[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields, default)]
/// pub struct Options {
///     /// The names of the fields to leave out.
///     fields: Vec<String>,
/// }
///
/// struct Forget(Options);
///
/// impl Step for Forget {
///     const TYPE: &'static str = "forget";
///     type Options = Options;
///
///     fn shape(_: &Options) -> Shape {
///         Shape::on_session()
///     }
///
///     fn build(options: Options, _: &BuildContext) -> Result<Role> {
///         Ok(Role::transform(Forget(options)))
///     }
/// }
///
/// impl Transform for Forget {
///     fn before(&self, op: &mut Operation) -> Result<()> {
///         if let Some(session) = op.session_mut() {
///             for name in &self.0.fields {
///                 session.remove(name);
///             }
///         }
///         Ok(())
///     }
/// }
///
/// rrss_core::register!(Forget);
///
/// let registry = rrss_core::Registry::linked();
/// assert_eq!(registry.get("forget").unwrap().summary(), "Never stores some fields.");
/// ```
pub trait Step: Sized + 'static {
    /// What `type = "…"` says: lower case, words joined by hyphens.
    const TYPE: &'static str;

    /// A `[[step]]` table that works as it is, for `rrss steps`. Empty: one is made of the type alone.
    const EXAMPLE: &'static str = "";

    /// What may stand in the step's table besides `type`.
    type Options: Serialize + DeserializeOwned + JsonSchema + Send + 'static;

    /// What the step takes and gives; it may depend on the options. Nothing is opened here.
    fn shape(options: &Self::Options) -> Shape;

    /// Whether the options go together, where their types cannot say so: two options of which a file may give one.
    /// It is asked when a file is read, before [`build`](Step::build), and opens nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config); [`Error::with_option`](crate::Error::with_option) makes a
    /// report on a file point at the option.
    fn check(options: &Self::Options) -> Result<()> {
        let _ = options;
        Ok(())
    }

    /// What is questionable at `now` in options that were checked: what works, and yet somebody should know of, such as an
    /// option that lets more in for a while. It is asked when a file is read; `rrss check` shows it, and a store logs it
    /// when it is built.
    fn warnings(options: &Self::Options, now: Timestamp) -> Vec<Warning> {
        let _ = (options, now);
        Vec::new()
    }

    /// What would keep a step with these options from being built, and lies outside of them: a file that is missing, or is not
    /// what it should be. `rrss check` asks it. It opens and reads such files, and starts, makes and connects to nothing.
    ///
    /// [`Error::with_option`](crate::Error::with_option) makes a report on a file point at the option.
    fn inspect(options: &Self::Options, context: &BuildContext) -> Vec<Error> {
        let _ = (options, context);
        Vec::new()
    }

    /// What is questionable at `now` of the options where the step is to be built: what [`warnings`](Step::warnings) says,
    /// and what is so of the files that the options name. It may look at these, and changes nothing.
    fn warnings_in(
        options: &Self::Options,
        now: Timestamp,
        context: &BuildContext,
    ) -> Vec<Warning> {
        let _ = context;
        Self::warnings(options, now)
    }

    /// Builds the step, from options that were checked.
    ///
    /// # Errors
    ///
    /// What could not be opened. [`Error::with_option`](crate::Error::with_option)
    /// makes a report on a file point at the option.
    fn build(options: Self::Options, context: &BuildContext) -> Result<Role>;
}

/// A built step, in one of the three roles.
#[non_exhaustive]
pub enum Role {
    /// Two synchronous hooks.
    #[doc(hidden)]
    Transform(Arc<dyn Transform>),
    /// Wraps what is below.
    #[doc(hidden)]
    #[allow(
        private_interfaces,
        reason = "the erased twin is made by `Role::around` alone"
    )]
    Around(Arc<dyn DynAround>),
    /// Keeps the sessions.
    #[doc(hidden)]
    #[allow(
        private_interfaces,
        reason = "the erased twin is made by `Role::backend` alone"
    )]
    Backend(Arc<dyn DynBackend>),
}

impl Role {
    /// A step of two synchronous hooks.
    pub fn transform(transform: impl Transform) -> Self {
        Self::Transform(Arc::new(transform))
    }

    /// A step that wraps everything below it.
    pub fn around(around: impl Around) -> Self {
        Self::Around(Arc::new(around))
    }

    /// The step that keeps the sessions.
    pub fn backend(backend: impl Backend) -> Self {
        Self::Backend(Arc::new(backend))
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transform(_) => "Role::Transform",
            Self::Around(_) => "Role::Around",
            Self::Backend(_) => "Role::Backend",
        })
    }
}

/// What a step may know of its surroundings when it is built.
#[derive(Debug, Clone, Default)]
pub struct BuildContext {
    base_dir: Option<PathBuf>,
    store_name: Option<Arc<str>>,
}

impl BuildContext {
    /// The surroundings of a file in `dir`: relative paths in its options start there.
    pub fn in_dir(dir: impl Into<PathBuf>) -> Self {
        Self {
            base_dir: Some(dir.into()),
            ..Self::default()
        }
    }

    /// The same surroundings, in a store of this name.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::BuildContext;
    ///
    /// let context = BuildContext::in_dir("/etc/shop").of_store("shop");
    /// assert_eq!(context.store_name(), Some("shop"));
    /// ```
    #[must_use]
    pub fn of_store(self, name: impl Into<Arc<str>>) -> Self {
        Self {
            store_name: Some(name.into()),
            ..self
        }
    }

    /// The name of the store that the step is built for: what `name` of `[store]` says; `None` where it has none.
    #[must_use]
    pub fn store_name(&self) -> Option<&str> {
        self.store_name.as_deref()
    }

    /// The place that an option's `path` means: relative to the file that it stands in.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        match &self.base_dir {
            Some(dir) => dir.join(path),
            None => path.to_owned(),
        }
    }
}

/// A step type together with its options: checked, not yet built.
pub trait ConfiguredStep: Send {
    /// The step's type.
    fn type_name(&self) -> &'static str;

    /// What the step takes and gives with these options.
    fn shape(&self) -> Shape;

    /// Whether the options go together.
    ///
    /// # Errors
    ///
    /// See [`Step::check`].
    fn check(&self) -> Result<()>;

    /// What is questionable at `now` in options that go together; see [`Step::warnings_in`].
    fn warnings(&self, now: Timestamp, context: &BuildContext) -> Vec<Warning>;

    /// What would keep the step from being built, besides its options; see [`Step::inspect`].
    fn inspect(&self, context: &BuildContext) -> Vec<Error>;

    /// The options with their defaults, secrets redacted by their types.
    fn options(&self) -> serde_json::Value;

    /// Builds the step.
    ///
    /// # Errors
    ///
    /// See [`Step::build`].
    fn build(self: Box<Self>, context: &BuildContext) -> Result<Role>;
}

/// The one implementation of [`ConfiguredStep`].
pub(crate) struct Configured<S: Step>(S::Options);

impl<S: Step> Configured<S> {
    pub(crate) fn new(options: S::Options) -> Self {
        Self(options)
    }
}

impl<S: Step> ConfiguredStep for Configured<S> {
    fn type_name(&self) -> &'static str {
        S::TYPE
    }

    fn shape(&self) -> Shape {
        S::shape(&self.0)
    }

    fn options(&self) -> serde_json::Value {
        serde_json::to_value(&self.0).unwrap_or_default()
    }

    fn check(&self) -> Result<()> {
        S::check(&self.0)
    }

    fn warnings(&self, now: Timestamp, context: &BuildContext) -> Vec<Warning> {
        S::warnings_in(&self.0, now, context)
    }

    fn inspect(&self, context: &BuildContext) -> Vec<Error> {
        S::inspect(&self.0, context)
    }

    fn build(self: Box<Self>, context: &BuildContext) -> Result<Role> {
        S::check(&self.0)?;
        S::build(self.0, context)
    }
}
