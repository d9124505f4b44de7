//! The options of one step, or of `[store]`: every problem in them, and what is left when they are set aside.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use crate::allowed::Place;
use crate::document::{Found, Segment, dotted, find, remove, size};
use crate::elsewhere::Elsewhere;
use crate::names::{self, Unknown};
use crate::origin::Origin;
use crate::report::{Problem, Problems};
use crate::source::Span;
use crate::suggest::{list, quote};
use crate::values::{Resolver, put_words};
use crate::words::{Words, Wrong, words};

/// More than so many bad values in one step are not looked for: each costs a reading of them all.
const TRIES: usize = 64;

/// In tables and lists with thousands of values fewer are looked for, so that no file keeps the loader busy.
const READ: usize = 500_000;

/// A table of options that is to be checked.
pub(crate) struct Options<'a, 'i> {
    /// Whose they are: "step `redis`", "`[store]`".
    pub(crate) owner: &'a str,
    /// The options, without `type`.
    pub(crate) table: DeTable<'i>,
    /// Where to point at what is missing in them.
    pub(crate) span: Span,
    pub(crate) place: &'a Place<'a>,
    /// Whose else an option of this name may be.
    pub(crate) others: &'a dyn Fn(&str) -> Vec<&'a str>,
}

/// What is left of options once everything that is wrong with them is reported.
pub(crate) struct Checked<T> {
    /// What they say; `None` where too much is wrong to tell.
    pub(crate) value: Option<T>,
    /// The names that were given, with the places of their values.
    pub(crate) given: Vec<(String, Span)>,
    pub(crate) origins: Vec<Origin>,
    /// Whether nothing was set aside: only then do they say what goes together.
    pub(crate) is_whole: bool,
}

/// Checks options; reports go to `problems`, and to `secrets` the places of what may be a mistyped secret.
pub(crate) fn check<T>(
    options: Options<'_, '_>,
    elsewhere: Elsewhere<'_>,
    problems: &mut Problems,
    secrets: &mut Vec<Span>,
    parse: impl FnMut(ValueDeserializer<'_>) -> Result<T, Error>,
) -> Checked<T> {
    #[allow(
        clippy::needless_late_init,
        reason = "what is put into `check` has to live longer than it"
    )]
    let words;
    let mut check = Check {
        set_aside: BTreeSet::new(),
        origins: Vec::new(),
        whole: DeTable::new(),
        problems,
        options,
    };
    check.names(secrets);
    let given = check.options.table.iter();
    let given = given.map(|(key, value)| (key.get_ref().to_string(), value.span()));
    let given = given.collect();
    let resolver = Resolver {
        elsewhere,
        owner: check.options.owner,
        problems: check.problems,
    };
    let resolved = resolver.resolve(&mut check.options.table, check.options.place);
    check.origins = resolved.origins;
    words = resolved.words;
    put_words(&mut check.options.table, &words);
    check.whole = check.options.table.clone();
    for path in resolved.failed {
        check.set_aside(&path);
    }
    check.required();
    let value = check.values(parse);
    Checked {
        value,
        given,
        is_whole: check.set_aside.is_empty(),
        origins: check.origins,
    }
}

/// What to do about a value that is not valid.
enum Hint {
    Say(String),
    /// The help of the option says it.
    Help,
    None,
}

struct Check<'a, 'i, 'p> {
    options: Options<'a, 'i>,
    problems: &'p mut Problems,
    origins: Vec<Origin>,
    /// The options before values were set aside: in it, the elements of a list keep their numbers.
    whole: DeTable<'i>,
    /// The names of what was reported: that they are missing now is no problem of its own.
    set_aside: BTreeSet<String>,
}

impl Check<'_, '_, '_> {
    /// Reports options that do not exist.
    fn names(&mut self, secrets: &mut Vec<Span>) {
        let unknown = names::unknown(&self.options.table, self.options.place);
        for unknown in unknown.into_iter().rev() {
            let options = &self.options;
            self.problems.add(|| options.unknown(&unknown));
            if unknown.is_secret {
                secrets.push(unknown.value);
            }
            self.set_aside.extend(unknown.meant.map(str::to_owned));
            self.set_aside(&unknown.path);
        }
    }

    /// Reports what must be given and is not.
    fn required(&mut self) {
        for name in self.options.place.required() {
            let is_given = self.options.table.contains_key(name);
            if is_given || !self.set_aside.insert(name.to_owned()) {
                continue;
            }
            let (owner, options) = (self.options.owner, &self.options);
            self.problems.add(|| {
                let message = format!("{owner} lacks the option {}", quote(name));
                let problem = Problem::error(&message).at(options.span.clone());
                let place = options.place.property(name);
                match place.and_then(|place| place.description()) {
                    Some(help) => problem.with_help(&quote(name), &help),
                    None => problem.with_hint(format!("add {name} = …")),
                }
            });
        }
    }

    /// Reads the options; a value that is not valid is reported and set aside, and the others are read again.
    fn values<T>(
        &mut self,
        mut parse: impl FnMut(ValueDeserializer<'_>) -> Result<T, Error>,
    ) -> Option<T> {
        let tries = (READ / size(&self.options.table)).clamp(1, TRIES);
        for _ in 0..tries {
            let table = DeValue::Table(self.options.table.clone());
            let table = Spanned::new(self.options.span.clone(), table);
            let error = match parse(ValueDeserializer::from(table)) {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            let span = error.span().filter(|span| *span != self.options.span);
            match span.and_then(|span| self.value(&span, error.message())) {
                Some(path) => self.set_aside(&path),
                None => {
                    self.together(error.message());
                    return None;
                }
            }
        }
        let message = format!(
            "{} may have other problems; mend these first",
            self.options.owner
        );
        let span = self.options.span.clone();
        self.problems.add(|| Problem::error(&message).at(span));
        None
    }

    /// Reports what is wrong with the value at a place, and gives the way to it.
    fn value(&mut self, span: &Span, message: &str) -> Option<Vec<Segment>> {
        let left = find(&self.options.table, span)?.path;
        let found = find(&self.whole, span)?;
        let path = quote(&dotted(&found.path));
        let subject = format!("{path} of {}", self.options.owner);
        if let Some(missing) = message.strip_prefix("missing field ") {
            // Once a value is set aside, what it was part of may lack it.
            if !self.set_aside.contains(missing.trim_matches('`')) {
                let message = format!("{subject} lacks {missing}");
                self.problems
                    .add(|| Problem::error(&message).at(span.clone()));
            }
            return Some(left);
        }
        let place = self.options.place.at(&found.path);
        let (message, hint) = self.invalid(&subject, message, &found, place.as_ref());
        self.problems.add(|| {
            let problem = Problem::error(&message).at(span.clone());
            match (hint, place.and_then(|place| place.description())) {
                (Hint::Say(hint), _) => problem.with_hint(hint),
                (Hint::Help, Some(help)) => problem.with_help(&path, &help),
                (Hint::Help | Hint::None, _) => problem,
            }
        });
        Some(left)
    }

    /// What is wrong with a value, and what to do, without saying what must not be seen.
    fn invalid(
        &self,
        subject: &str,
        message: &str,
        found: &Found<'_, '_>,
        place: Option<&Place<'_>>,
    ) -> (String, Hint) {
        let from = |origin: &&Origin| origin.span == found.value.span() && origin.is_hidden();
        let origin = self.origins.iter().find(from);
        let is_secret = place.is_some_and(Place::is_secret);
        let is_hidden = is_secret || origin.is_some();
        let Words { wrong, hint } = words(message, found.value.get_ref(), place, is_hidden);
        let hint = hint.map_or(Hint::Help, Hint::Say);
        let neutral = match origin {
            Some(origin) => format!("{subject}: the value of {} is not valid here", origin.from),
            None => format!("{subject} is not valid"),
        };
        let gives_away = |text: &str| origin.is_some_and(|origin| origin.is_given_away_by(text));
        match (wrong, origin) {
            (Wrong::Clause(clause), None) => (format!("{subject} {clause}"), hint),
            (Wrong::Clause(clause), Some(_)) => (format!("{neutral}: it {clause}"), hint),
            (Wrong::Sentence(sentence), _) if is_secret || gives_away(&sentence) => (neutral, hint),
            (Wrong::Sentence(sentence), origin) => {
                // The type's own words may say what to do: "a duration of zero …; write …".
                let hint = if sentence.contains("; ") {
                    Hint::None
                } else {
                    hint
                };
                let subject = if origin.is_some() { &neutral } else { subject };
                (format!("{subject}: {sentence}"), hint)
            }
        }
    }

    /// Reports what is wrong with the options together, unless it may come from what was set aside.
    fn together(&mut self, message: &str) {
        if !self.set_aside.is_empty() {
            return;
        }
        let gives_away = |origin: &Origin| origin.is_hidden() && origin.is_given_away_by(message);
        let owner = self.options.owner;
        let message = if self.origins.iter().any(gives_away) {
            format!("the options of {owner} are not valid together")
        } else {
            format!("{owner}: {message}")
        };
        let span = self.options.span.clone();
        self.problems.add(|| Problem::error(&message).at(span));
    }

    fn set_aside(&mut self, path: &[Segment]) {
        remove(&mut self.options.table, path);
        let name = path.iter().rev().find_map(|segment| match segment {
            Segment::Key(name) => Some(name.clone()),
            Segment::Index(_) => None,
        });
        self.set_aside.extend(name);
    }
}

impl Options<'_, '_> {
    fn unknown(&self, unknown: &Unknown<'_>) -> Problem {
        let Some((last, parent)) = unknown.path.split_last() else {
            return Problem::error("a name is empty");
        };
        let (owner, name) = (self.owner, dotted(std::slice::from_ref(last)));
        let message = match parent {
            [] => format!("{owner} has no option {}", quote(&name)),
            _ => format!(
                "{} of {owner} has no entry {}",
                quote(&dotted(parent)),
                quote(&name)
            ),
        };
        let others = match parent {
            [] => (self.others)(&name),
            _ => Vec::new(),
        };
        let theirs = list(others.iter().copied(), "and");
        let known = list(unknown.known.iter().copied(), "and");
        let hint = match unknown.meant.map(quote) {
            Some(meant) if others.is_empty() => format!("did you mean {meant}?"),
            Some(meant) => format!(
                "{} is an option of {theirs}; {owner} has {meant}",
                quote(&name)
            ),
            None if !others.is_empty() => format!("{} is an option of {theirs}", quote(&name)),
            None if known.is_empty() => format!("{owner} takes no options"),
            None if parent.is_empty() => format!("{owner} takes {known}"),
            None => format!("it takes {known}"),
        };
        Problem::error(&message)
            .at(unknown.span.clone())
            .with_hint(hint)
    }
}
