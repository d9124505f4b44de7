//! The step types that are known: an explicit value, or all that are linked.

use std::collections::BTreeMap;
use std::fmt;

use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::step::{Configured, ConfiguredStep, Step};

/// What is known of a step type.
#[derive(Clone, Copy)]
pub struct StepType {
    name: &'static str,
    crate_name: &'static str,
    crate_version: &'static str,
    example: &'static str,
    schema: fn(&mut SchemaGenerator) -> Schema,
    parse: fn(toml::de::ValueDeserializer<'_>) -> Result<Box<dyn ConfiguredStep>, toml::de::Error>,
}

impl StepType {
    /// The type of `S`, from the crate of this name and version.
    #[must_use]
    pub const fn of<S: Step>(crate_name: &'static str, crate_version: &'static str) -> Self {
        Self {
            name: S::TYPE,
            crate_name,
            crate_version,
            example: S::EXAMPLE,
            schema: <S::Options as JsonSchema>::json_schema,
            parse: |document| {
                Ok(Box::new(Configured::<S>::new(S::Options::deserialize(
                    document,
                )?)))
            },
        }
    }

    /// What `type = "…"` says.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The crate that it comes from.
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        self.crate_name
    }

    /// The version of that crate.
    #[must_use]
    pub fn crate_version(&self) -> &'static str {
        self.crate_version
    }

    /// A `[[step]]` table that works as it is.
    #[must_use]
    pub fn example(&self) -> String {
        match self.example {
            "" => format!("[[step]]\ntype = \"{}\"\n", self.name),
            example => example.to_owned(),
        }
    }

    /// JSON Schema (2020-12) of the options, without `type`.
    ///
    /// Descriptions are the doc comments of the options up to their first heading: what comes below, such as
    /// `# Examples`, is for readers of Rust and not for those of a file.
    pub fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        let mut schema = (self.schema)(generator);
        RecursiveTransform(cut_description).transform(&mut schema);
        schema
    }

    /// The first sentence of the doc comment of the options.
    #[must_use]
    pub fn summary(&self) -> String {
        let schema = self.schema(&mut SchemaGenerator::default());
        let text = schema
            .get("description")
            .and_then(|text| text.as_str())
            .unwrap_or_default();
        let paragraph = text
            .split("\n\n")
            .next()
            .unwrap_or_default()
            .replace('\n', " ");
        match paragraph.split_once(". ") {
            Some((sentence, _)) => format!("{sentence}."),
            None => paragraph,
        }
    }

    /// Reads the options from a table of a parsed TOML document, without `type`.
    ///
    /// # Errors
    ///
    /// What is wrong with the options, with its place in the document.
    pub fn parse(
        &self,
        document: toml::de::ValueDeserializer<'_>,
    ) -> Result<Box<dyn ConfiguredStep>, toml::de::Error> {
        (self.parse)(document)
    }
}

impl fmt::Debug for StepType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "StepType({} of {} {})",
            self.name, self.crate_name, self.crate_version
        )
    }
}

fn cut_description(schema: &mut Schema) {
    let Some(serde_json::Value::String(text)) = schema.get_mut("description") else {
        return;
    };
    if let Some(end) = text.find("\n# ") {
        text.truncate(end);
        text.truncate(text.trim_end().len());
    }
}

inventory::collect!(StepType);

/// The step types that a file may name.
///
/// # Examples
///
/// ```
/// use rrss_core::Registry;
///
/// assert!(Registry::new().get("forget").is_none());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Registry {
    types: BTreeMap<&'static str, StepType>,
    clashes: Vec<Clash>,
}

/// Two crates that claim one type name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Clash {
    /// The name that both claim.
    pub name: &'static str,
    /// The crates, in the order of their names.
    pub crates: [&'static str; 2],
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, two] = self.crates;
        write!(
            f,
            "the crates `{one}` and `{two}` both have a step type `{}`",
            self.name
        )
    }
}

impl Registry {
    /// No step types.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every step type that is linked into this program and registered with [`register!`](crate::register).
    ///
    /// A crate that is in `Cargo.toml` but never named in code is not linked: `use my_step as _;` names it.
    #[must_use]
    pub fn linked() -> Self {
        let mut registry = Self::new();
        for step_type in inventory::iter::<StepType> {
            registry.add(*step_type);
        }
        registry
    }

    /// The same, with the step type `S`; needs no linker. It says that it comes from the program itself.
    #[must_use]
    pub fn with<S: Step>(self) -> Self {
        self.with_type(StepType::of::<S>("this program", ""))
    }

    /// The same, with a step type.
    #[must_use]
    pub fn with_type(mut self, step_type: StepType) -> Self {
        self.add(step_type);
        self
    }

    fn add(&mut self, step_type: StepType) {
        let before = self.types.insert(step_type.name, step_type);
        if let Some(before) = before.filter(|before| before.crate_name != step_type.crate_name) {
            let mut crates = [before.crate_name, step_type.crate_name];
            crates.sort_unstable();
            self.clashes.push(Clash {
                name: step_type.name,
                crates,
            });
        }
    }

    /// The type of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&StepType> {
        self.types.get(name)
    }

    /// All types, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &StepType> {
        self.types.values()
    }

    /// Names that two crates claim. A registry with one cannot be trusted: a loader must report it.
    #[must_use]
    pub fn clashes(&self) -> &[Clash] {
        &self.clashes
    }
}

/// Makes a step type known to [`Registry::linked`](crate::Registry::linked): one line in the crate of the step.
///
/// # Examples
///
/// See [`Step`](crate::Step).
#[macro_export]
macro_rules! register {
    ($step:ty) => {
        $crate::inventory::submit! {
            $crate::StepType::of::<$step>(
                ::core::env!("CARGO_PKG_NAME"),
                ::core::env!("CARGO_PKG_VERSION"),
            )
        }
    };
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::{BuildContext, Error, ErrorKind, Result, Role, Shape};

    /// Does nothing, whatever
    /// happens. Really.
    ///
    /// Nothing.
    ///
    /// # Examples
    ///
    /// Rust code.
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Options {
        /// How often.
        ///
        /// # Panics
        ///
        /// Never.
        #[serde(default)]
        _times: u8,
    }

    struct Nothing;

    impl Step for Nothing {
        const TYPE: &'static str = "nothing";
        type Options = Options;

        fn shape(_: &Options) -> Shape {
            Shape::anywhere()
        }

        fn build(_: Options, _: &BuildContext) -> Result<Role> {
            Err(Error::new(ErrorKind::Unsupported, "it does nothing"))
        }
    }

    #[test]
    fn the_help_of_a_step_ends_where_the_documentation_for_rust_begins() {
        let registry = Registry::new().with::<Nothing>();
        let step = registry.get("nothing").unwrap();
        assert_eq!(step.summary(), "Does nothing, whatever happens.");
        let schema = step.schema(&mut SchemaGenerator::default());
        assert_eq!(
            schema.get("description").unwrap(),
            "Does nothing, whatever\nhappens. Really.\n\nNothing."
        );
        assert_eq!(
            schema.pointer("/properties/_times/description").unwrap(),
            "How often."
        );
    }

    #[test]
    fn two_crates_that_claim_one_name_are_both_named() {
        let registry = Registry::new()
            .with_type(StepType::of::<Nothing>("one", "1.0.0"))
            .with_type(StepType::of::<Nothing>("other", "1.0.0"));
        assert_eq!(
            registry.clashes()[0].to_string(),
            "the crates `one` and `other` both have a step type `nothing`"
        );
    }
}
