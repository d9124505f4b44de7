//! The check of a whole document.

use std::collections::BTreeSet;

use rrss_core::ConfiguredStep;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::composition;
use crate::corrupt;
use crate::document::kind;
use crate::elsewhere::Elsewhere;
use crate::options::{self, Options};
use crate::origin::Origin;
use crate::report::{Problem, Problems};
use crate::secrets;
use crate::settings::StoreSettings;
use crate::source::{Source, Span};
use crate::suggest::{closest, list, quote};
use crate::syntax;
use crate::types::Types;

/// What a document says, and everything that is wrong with it.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) settings: StoreSettings,
    /// What `[store]` gives, and where the values stand.
    pub(crate) settings_given: Vec<(String, Span)>,
    pub(crate) steps: Vec<CheckedStep>,
    pub(crate) problems: Problems,
    /// The places of values that nobody must see.
    pub(crate) secrets: Vec<Span>,
}

/// A step of a document.
pub(crate) struct CheckedStep {
    pub(crate) name: String,
    /// Where its type stands, or the head of its table.
    pub(crate) span: Span,
    /// `None` where too much is wrong to tell.
    pub(crate) configured: Option<Box<dyn ConfiguredStep>>,
    pub(crate) given: Vec<(String, Span)>,
    pub(crate) origins: Vec<Origin>,
    /// Whether no option was set aside.
    pub(crate) is_whole: bool,
}

pub(crate) fn check(source: &Source, types: &Types, elsewhere: Elsewhere<'_>) -> Checked {
    let mut check = Check {
        types,
        secret_names: types.secret_names(),
        elsewhere,
        done: Checked::default(),
    };
    let text = source.text();
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        check.document(document.into_inner(), source);
    } else {
        check.done.secrets = secrets::in_text(text, &check.secret_names);
        let broken = syntax::report(text, &errors, &check.done.secrets, &mut check.done.problems);
        check.sound_steps(document.into_inner(), &broken);
    }
    check.done
}

struct Check<'a> {
    types: &'a Types,
    secret_names: BTreeSet<&'a str>,
    elsewhere: Elsewhere<'a>,
    done: Checked,
}

impl Check<'_> {
    fn document(&mut self, document: DeTable<'_>, source: &Source) {
        let mut steps = None;
        let mut meant_steps = false;
        for (key, value) in document {
            match key.get_ref().as_ref() {
                "step" => steps = Some(value),
                "store" => self.store(value, key.span()),
                name => {
                    let meant = closest(name, ["step", "store"]);
                    meant_steps |= meant == Some("step");
                    let problem = self.unknown_at_top(name, value.get_ref(), meant);
                    self.done.problems.add(|| problem.at(key.span()));
                }
            }
        }
        let is_list = match steps {
            Some(steps) => self.steps(steps),
            None => {
                if !meant_steps {
                    self.done.problems.add(no_step);
                }
                false
            }
        };
        if is_list {
            composition::report(&self.done.steps, source, &mut self.done.problems);
            let Checked {
                settings,
                settings_given,
                steps,
                problems,
                ..
            } = &mut self.done;
            if let Some(misfit) = corrupt::misfit(settings, settings_given, steps) {
                problems.add(|| misfit);
            }
        }
    }

    /// Of text that is not all TOML, the steps that no error of syntax lies in.
    fn sound_steps(&mut self, mut document: DeTable<'_>, broken: &[Span]) {
        let Some(DeValue::Array(tables)) = document.remove("step").map(Spanned::into_inner) else {
            return;
        };
        let starts: Vec<usize> = tables.iter().map(|table| table.span().start).collect();
        for (at, table) in tables.into_iter().enumerate() {
            let next = starts.get(at + 1).copied().unwrap_or(usize::MAX);
            if !broken
                .iter()
                .any(|error| (starts[at]..next).contains(&error.start))
            {
                self.step(table);
            }
        }
    }

    fn unknown_at_top(&self, name: &str, value: &DeValue<'_>, meant: Option<&str>) -> Problem {
        let is_table = matches!(value, DeValue::Table(_) | DeValue::Array(_));
        let thing = if is_table { "table" } else { "value" };
        let problem = Problem::error(&format!("a file has no {thing} {}", quote(name)));
        if let Some(meant) = meant {
            return problem.with_hint(format!("did you mean {}?", quote(meant)));
        }
        if name == "type" || !self.types.with_option(name).is_empty() {
            return problem.with_hint("put it below the `[[step]]` that it belongs to");
        }
        if self.types.get(name).is_some() {
            return problem.with_hint(format!("write a step as `[[step]]` with type = \"{name}\""));
        }
        problem.with_hint("at the top of a file stand `[store]` and `[[step]]`, and nothing else")
    }

    fn store(&mut self, value: Spanned<DeValue<'_>>, key: Span) {
        let span = value.span();
        let table = match value.into_inner() {
            DeValue::Table(table) => table,
            DeValue::Array(_) => {
                return self.done.problems.add(|| {
                    Problem::error("there is one `store`, not a list of them")
                        .at(key)
                        .with_hint("write `[store]`, with one bracket")
                });
            }
            other => {
                let message = format!("`store` must be a table, not {}", kind(&other));
                return self.done.problems.add(|| Problem::error(&message).at(span));
            }
        };
        let place = self.types.store();
        secrets::in_table(&table, &place, &mut self.done.secrets);
        let options = Options {
            owner: "`[store]`",
            table,
            span,
            place: &place,
            others: &|name| self.types.with_option(name),
        };
        let (problems, secrets) = (&mut self.done.problems, &mut self.done.secrets);

        let parse = |document: ValueDeserializer<'_>| StoreSettings::deserialize(document);
        let checked = options::check(options, self.elsewhere, problems, secrets, parse);
        self.done.settings = checked.value.unwrap_or_default();
        self.done.settings_given = checked.given;
    }

    /// Checks what `step` holds, and says whether it is a list.
    fn steps(&mut self, steps: Spanned<DeValue<'_>>) -> bool {
        let span = steps.span();
        match steps.into_inner() {
            DeValue::Array(tables) if tables.is_empty() => {
                self.done.problems.add(|| no_step().at(span));
                false
            }
            DeValue::Array(tables) => {
                tables.into_iter().for_each(|table| self.step(table));
                true
            }
            DeValue::Table(table) => {
                self.done.problems.add(|| {
                    Problem::error("`step` is one table, but the steps of a file are a list")
                        .at(span.clone())
                        .with_hint("write `[[step]]`, with two brackets")
                });
                if table.contains_key("type") {
                    self.step(Spanned::new(span, DeValue::Table(table)));
                }
                false
            }
            other => {
                let message = format!("`step` must be a list of tables, not {}", kind(&other));
                self.done.problems.add(|| {
                    let problem = Problem::error(&message).at(span);
                    problem.with_hint("write each step as `[[step]]`")
                });
                false
            }
        }
    }

    fn step(&mut self, table: Spanned<DeValue<'_>>) {
        let head = table.span();
        let mut step = CheckedStep {
            name: String::new(),
            span: head.clone(),
            configured: None,
            given: Vec::new(),
            origins: Vec::new(),
            is_whole: true,
        };
        match table.into_inner() {
            DeValue::Table(mut table) => {
                let said = self.type_of(&mut table, &head);
                let known = said.as_ref().and_then(|(name, _)| self.types.get(name));
                match known {
                    Some((_, place)) => secrets::in_table(&table, &place, &mut self.done.secrets),
                    None => secrets::by_name(&table, &self.secret_names, &mut self.done.secrets),
                }
                if let Some((name, span)) = said {
                    step.span = span;
                    self.options(&mut step, &name, table);
                    step.name = name;
                }
            }
            other => {
                let message = format!("a step must be a table, not {}", kind(&other));
                self.done.problems.add(|| Problem::error(&message).at(head));
            }
        }
        self.done.steps.push(step);
    }

    fn type_of(&mut self, table: &mut DeTable<'_>, head: &Span) -> Option<(String, Span)> {
        let Some(value) = table.remove("type") else {
            let like = closest("type", table.keys().map(|key| key.get_ref().as_ref()));
            let like = like.and_then(|like| table.get_key_value(like));
            let problem = Problem::error("a step does not say its `type`");
            let problem = match like {
                Some((key, _)) => problem.at(key.span()).with_hint("did you mean `type`?"),
                None => problem.at(head.clone()).with_hint(self.types_there_are()),
            };
            self.done.problems.add(|| problem);
            return None;
        };
        let span = value.span();
        match value.into_inner() {
            DeValue::String(name) => Some((name.into_owned(), span)),
            other => {
                let message = format!("the `type` of a step must be text, not {}", kind(&other));
                let hint = self.types_there_are();
                self.done
                    .problems
                    .add(|| Problem::error(&message).at(span).with_hint(hint));
                None
            }
        }
    }

    fn options(&mut self, step: &mut CheckedStep, name: &str, table: DeTable<'_>) {
        let Some((step_type, place)) = self.types.get(name) else {
            let hint = match closest(name, self.types.names()) {
                Some(meant) => format!("did you mean {}?", quote(meant)),
                None => self.types_there_are(),
            };
            self.done.problems.add(|| {
                Problem::error(&format!("there is no step type {}", quote(name)))
                    .at(step.span.clone())
                    .with_note(format!(
                        "a step of another crate is there once code names that crate: `use {} as _;`",
                        crate_of(name)
                    ))
                    .with_hint(hint)
            });
            return;
        };
        let options = Options {
            owner: &format!("step {}", quote(name)),
            table,
            span: step.span.clone(),
            place: &place,
            others: &|name| self.types.with_option(name),
        };
        let (problems, secrets) = (&mut self.done.problems, &mut self.done.secrets);

        let checked = options::check(options, self.elsewhere, problems, secrets, |document| {
            step_type.parse(document)
        });
        step.configured = checked.value;
        step.given = checked.given;
        step.origins = checked.origins;
        step.is_whole = checked.is_whole;
    }

    fn types_there_are(&self) -> String {
        let names: Vec<_> = self.types.names().collect();
        match names[..] {
            [] => "this program has no step types".to_owned(),
            _ => format!("the types are {}", list(names, "and")),
        }
    }
}

fn no_step() -> Problem {
    Problem::error("no step is listed").with_hint("`rrss init` writes a file that works")
}

/// What `use` would say, if a crate were called as its step is.
fn crate_of(name: &str) -> String {
    let is_word = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    if name.starts_with(|char: char| char.is_ascii_alphabetic()) && name.chars().all(is_word) {
        name.replace('-', "_")
    } else {
        "my_step".to_owned()
    }
}
