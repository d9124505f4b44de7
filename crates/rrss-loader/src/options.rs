//! The options of one step, or of `[store]`: every problem in them, and what is left when they are set aside.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use crate::allowed::Place;
use crate::document::{Segment, dotted, find, remove};
use crate::report::{Problem, Problems};
use crate::source::Span;
use crate::suggest::{closest, list, quote};
use crate::values::{Lookup, Origin, Resolver, is_reference};
use crate::words::{Wrong, words};

/// More than so many bad values in one step are not looked for: each costs a reading of them all.
const TRIES: usize = 64;

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
    pub(crate) elsewhere: &'a dyn Fn(&str) -> Vec<&'a str>,
}

/// What is left of options once everything that is wrong with them is reported.
pub(crate) struct Checked<T> {
    /// What they say; `None` where too much is wrong to tell.
    pub(crate) value: Option<T>,
    /// The names that were given, with the places of their values.
    pub(crate) given: Vec<(String, Span)>,
    pub(crate) origins: Vec<Origin>,
}

/// Checks options; reports go to `problems`, the places of secrets to `secrets`.
pub(crate) fn check<T>(
    options: Options<'_, '_>,
    (env, base_dir): (&Lookup, &std::path::Path),
    problems: &mut Problems,
    secrets: &mut Vec<Span>,
    parse: impl FnMut(ValueDeserializer<'_>) -> Result<T, Error>,
) -> Checked<T> {
    let mut check = Check {
        set_aside: BTreeSet::new(),
        origins: Vec::new(),
        problems,
        options,
    };
    check.names(secrets);
    let given = check.options.table.iter();
    let given = given
        .map(|(key, value)| (key.get_ref().to_string(), value.span()))
        .collect();
    let resolver = Resolver {
        env,
        base_dir,
        owner: check.options.owner,
        problems: check.problems,
        secrets,
    };
    let resolved = resolver.resolve(&mut check.options.table, check.options.place);
    check.origins = resolved.origins;
    for path in resolved.failed {
        check.set_aside(&path);
    }
    check.required();
    Checked {
        value: check.values(parse),
        given,
        origins: check.origins,
    }
}

struct Check<'a, 'i, 'p> {
    options: Options<'a, 'i>,
    problems: &'p mut Problems,
    origins: Vec<Origin>,
    /// The names of what was reported: that they are missing now is no problem of its own.
    set_aside: BTreeSet<String>,
}

impl Check<'_, '_, '_> {
    /// Reports options that do not exist. At the top of a table of options a name must be known.
    fn names(&mut self, secrets: &mut Vec<Span>) {
        let known = self.options.place.properties();
        let mut unknown = Vec::new();
        if !self.options.place.is_open() {
            let keys = self.options.table.keys();
            unknown.extend(
                keys.filter(|key| !known.contains(&**key.get_ref()))
                    .cloned(),
            );
        }
        for key in unknown {
            let name = key.get_ref();
            let meant = closest(name, known.iter().copied());
            let is_secret = |name: &str| {
                self.options
                    .place
                    .property(name)
                    .is_some_and(|place| place.is_secret())
            };
            if let Some(value) = self.options.table.remove(&**name)
                && meant.is_some_and(is_secret)
            {
                secrets.push(value.span());
            }
            let (owner, options) = (self.options.owner, &self.options);
            self.problems.add(|| {
                Problem::error(&format!("{owner} has no option {}", quote(name)))
                    .at(key.span())
                    .with_hint(options.hint_for(name, meant))
            });
            self.set_aside.insert(name.to_string());
        }
        let nested = nested_unknown(&self.options.table, self.options.place, &mut Vec::new());
        for (path, span, meant) in nested.into_iter().rev() {
            let (last, parent) = path
                .split_last()
                .map_or((&[][..], &[][..]), |(last, parent)| {
                    (std::slice::from_ref(last), parent)
                });
            let message = format!(
                "{} of {} has no entry {}",
                quote(&dotted(parent)),
                self.options.owner,
                quote(&dotted(last)),
            );
            self.problems
                .add(|| Problem::error(&message).at(span).with_hint(meant));
            self.set_aside(&path);
        }
    }

    /// Reports what must be given and is not.
    fn required(&mut self) {
        for name in self.options.place.required() {
            if self.options.table.contains_key(name) || !self.set_aside.insert(name.to_owned()) {
                continue;
            }
            let (owner, options) = (self.options.owner, &self.options);
            self.problems.add(|| {
                let problem = Problem::error(&format!("{owner} lacks the option {}", quote(name)))
                    .at(options.span.clone());
                match options
                    .place
                    .property(name)
                    .and_then(|place| place.description())
                {
                    Some(help) => problem.with_hint(format!("{}: {help}", quote(name))),
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
        for _ in 0..TRIES {
            let table = DeValue::Table(self.options.table.clone());
            let table = Spanned::new(self.options.span.clone(), table);
            let error = match parse(ValueDeserializer::from(table)) {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            let span = error.span().filter(|span| *span != self.options.span);
            let path = span.and_then(|span| self.value_at(&span, error.message()));
            match path {
                Some(path) => self.set_aside(&path),
                None => {
                    self.whole(error.message());
                    return None;
                }
            }
        }
        None
    }

    /// Reports what is wrong with the value at a place, and gives the way to it.
    fn value_at(&mut self, span: &Span, message: &str) -> Option<Vec<Segment>> {
        let found = find(&self.options.table, span)?;
        let path = dotted(&found.path);
        let mut place = Some(self.options.place.clone());
        for segment in &found.path {
            place = place.and_then(|place| match segment {
                Segment::Key(key) => place.property(key),
                Segment::Index(index) => place.item(*index),
            });
        }
        let subject = format!("{} of {}", quote(&path), self.options.owner);
        let place_of = |origin: &&Origin| origin.span == found.value.span() && origin.is_hidden();
        let origin = self.origins.iter().find(place_of);
        let secret = place.as_ref().is_some_and(Place::is_secret);
        if let Some(missing) = message.strip_prefix("missing field ") {
            // Once a value is set aside, what it was part of may lack it.
            if !self.set_aside.contains(missing.trim_matches('`')) {
                let message = format!("{subject} lacks {missing}");
                self.problems
                    .add(|| Problem::error(&message).at(span.clone()));
            }
            return Some(found.path);
        }
        let said = words(
            message,
            found.value.get_ref(),
            place.as_ref(),
            secret || origin.is_some(),
        );
        let said_wrong = match (&said.wrong, origin) {
            (Wrong::Clause(clause), None) => format!("{subject} {clause}"),
            (Wrong::Clause(clause), Some(origin)) => {
                format!(
                    "{subject}: the value of {} is not valid here: it {clause}",
                    origin.from
                )
            }
            (Wrong::Sentence(_), None) if secret => format!("{subject} is not valid"),
            (Wrong::Sentence(sentence), None) => format!("{subject}: {sentence}"),
            (Wrong::Sentence(sentence), Some(origin)) => {
                let neutral = format!("{subject}: the value of {} is not valid here", origin.from);
                if secret || origin.is_given_away_by(sentence) {
                    neutral
                } else {
                    format!("{neutral}: {sentence}")
                }
            }
        };
        let help = || {
            let help = place.as_ref()?.description()?;
            Some(format!("{}: {help}", quote(&path)))
        };
        let hint = said.hint.or_else(help);
        self.problems.add(|| {
            let problem = Problem::error(&said_wrong).at(span.clone());
            match hint {
                Some(hint) => problem.with_hint(hint),
                None => problem,
            }
        });
        Some(found.path)
    }

    /// Reports what is wrong with the options as a whole, unless it may come from what was set aside.
    fn whole(&mut self, message: &str) {
        if !self.set_aside.is_empty() {
            return;
        }
        let hidden = self
            .origins
            .iter()
            .any(|origin| origin.is_hidden() && origin.is_given_away_by(message));
        let owner = self.options.owner;
        let message = if hidden {
            format!("the options of {owner} are not valid together")
        } else {
            format!("{owner}: {message}")
        };
        let span = self.options.span.clone();
        self.problems.add(|| Problem::error(&message).at(span));
    }

    fn set_aside(&mut self, path: &[Segment]) {
        remove(&mut self.options.table, path);
        if let Some(Segment::Key(name)) = path
            .iter()
            .rev()
            .find(|part| matches!(part, Segment::Key(_)))
        {
            self.set_aside.insert(name.clone());
        }
    }
}

impl Options<'_, '_> {
    fn hint_for(&self, name: &str, meant: Option<&str>) -> String {
        let elsewhere = (self.elsewhere)(name);
        if !elsewhere.is_empty() {
            let theirs = list(elsewhere.iter().copied(), "and");
            let is = format!("{} is an option of {theirs}", quote(name));
            return match meant {
                Some(meant) => format!("{is}; {} has {}", self.owner, quote(meant)),
                None => is,
            };
        }
        let known = self.place.properties();
        match meant {
            Some(meant) => format!("did you mean {}?", quote(meant)),
            None if known.is_empty() => format!("{} takes no options", self.owner),
            None => format!("{} takes {}", self.owner, list(known, "and")),
        }
    }
}

/// Names in tables within the options that do not exist, where the schema says that no others may: the way to
/// each, the place of its key, and a hint.
fn nested_unknown(
    table: &DeTable<'_>,
    place: &Place<'_>,
    path: &mut Vec<Segment>,
) -> Vec<(Vec<Segment>, Span, String)> {
    let mut unknown = Vec::new();
    let (known, closed) = (place.properties(), !path.is_empty() && place.is_closed());
    for (key, value) in table {
        let name = key.get_ref();
        path.push(Segment::Key(name.to_string()));
        if closed && !known.contains(&**name) {
            let hint = match closest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean {}?", quote(meant)),
                None => format!("it takes {}", list(known.iter().copied(), "and")),
            };
            unknown.push((path.clone(), key.span(), hint));
        } else if let Some(place) = place.property(name) {
            nested_in(value.get_ref(), &place, path, &mut unknown);
        }
        path.pop();
    }
    unknown
}

fn nested_in(
    value: &DeValue<'_>,
    place: &Place<'_>,
    path: &mut Vec<Segment>,
    unknown: &mut Vec<(Vec<Segment>, Span, String)>,
) {
    match value {
        DeValue::Table(table) if is_reference(table) && place.takes_text() => {}
        DeValue::Table(table) => unknown.append(&mut nested_unknown(table, place, path)),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(place) = place.item(index) {
                    path.push(Segment::Index(index));
                    nested_in(item.get_ref(), &place, path, unknown);
                    path.pop();
                }
            }
        }
        _ => {}
    }
}
