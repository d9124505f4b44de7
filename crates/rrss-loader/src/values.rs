//! Values that come from elsewhere: `{ env = "NAME", default = "…" }` and `{ file = "path" }`.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::allowed::Place;
use crate::document::{Segment, at, dotted};
use crate::elsewhere::{Elsewhere, Fetched, Wrong, is_reference};
use crate::origin::{From, Origin};
use crate::report::{Problem, Problems};
use crate::suggest::quote;

/// Puts the values that come from elsewhere into a table of options.
pub(crate) struct Resolver<'a> {
    pub(crate) elsewhere: Elsewhere<'a>,
    /// Whose options they are: "step `redis`".
    pub(crate) owner: &'a str,
    pub(crate) problems: &'a mut Problems,
}

/// What was found while resolving.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) origins: Vec<Origin>,
    /// The ways to values that could not be had; they are reported.
    pub(crate) failed: Vec<Vec<Segment>>,
    /// The ways to texts that may stand for a number, or for `true` or `false`: see [`put_words`].
    pub(crate) words: Vec<(Vec<Segment>, String)>,
}

/// Puts numbers and truth values into the place of the texts that stand for them.
pub(crate) fn put_words<'w>(table: &mut DeTable<'w>, words: &'w [(Vec<Segment>, String)]) {
    for (path, text) in words {
        let Ok(word) = DeValue::parse(text) else {
            continue;
        };
        let is_word = matches!(
            word.get_ref(),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_)
        );
        if let Some(value) = at(table, path)
            && is_word
        {
            *value.get_mut() = word.into_inner();
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve(mut self, table: &mut DeTable<'_>, place: &Place<'_>) -> Resolved {
        let mut resolved = Resolved::default();
        self.in_table(table, place, &mut Vec::new(), &mut resolved);
        // From the last to the first, so that removing one leaves the places of the others in a list.
        resolved.failed.reverse();
        resolved
    }

    fn in_table(
        &mut self,
        table: &mut DeTable<'_>,
        place: &Place<'_>,
        path: &mut Vec<Segment>,
        out: &mut Resolved,
    ) {
        for (key, value) in table.iter_mut() {
            let Some(place) = place.property(key.get_ref()) else {
                continue;
            };
            path.push(Segment::Key(key.get_ref().to_string()));
            self.in_value(value, &place, path, out);
            path.pop();
        }
    }

    fn in_value(
        &mut self,
        value: &mut Spanned<DeValue<'_>>,
        place: &Place<'_>,
        path: &mut Vec<Segment>,
        out: &mut Resolved,
    ) {
        let span = value.span();
        match value.get_mut() {
            DeValue::Table(table)
                if is_reference(table) && (place.takes_text() || place.takes_word()) =>
            {
                let is_text_alone = !place.takes_word();
                match self.elsewhere.fetch(table, &span, is_text_alone) {
                    Ok((Fetched::Default(default), _, span)) => {
                        *value = Spanned::new(span, default);
                    }
                    Ok((Fetched::Text(text), from, span)) => {
                        if place.takes_word() {
                            out.words.push((path.clone(), text.trim().to_owned()));
                        }
                        let given = match &from {
                            From::File(path) if place.remembers_file() => {
                                self.elsewhere.with_file(path, &text, &span)
                            }
                            _ => DeValue::String(Cow::Owned(text.clone())),
                        };
                        out.origins.push(Origin {
                            path: dotted(path),
                            span: span.clone(),
                            from,
                            value: text,
                        });
                        *value = Spanned::new(span, given);
                    }
                    Err(wrong) => {
                        self.report(path, wrong);
                        out.failed.push(path.clone());
                    }
                }
            }
            DeValue::Table(table) if is_reference(table) && !place.takes_table() => {
                let must = place.kind();
                let wrong = Wrong::at(&span, "`env` and `file` give one value".to_owned());
                self.report(
                    path,
                    wrong.with_hint(format!(
                        "it must be {must}; write it here, with `env` or `file` for what is in it"
                    )),
                );
                out.failed.push(path.clone());
            }
            DeValue::Table(table) => self.in_table(table, place, path, out),
            DeValue::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Some(place) = place.item(index) {
                        path.push(Segment::Index(index));
                        self.in_value(item, &place, path, out);
                        path.pop();
                    }
                }
            }
            _ => {}
        }
    }

    fn report(&mut self, path: &[Segment], wrong: Wrong) {
        let owner = self.owner;
        self.problems.add(|| {
            let option = quote(&dotted(path));
            let problem = Problem::error(&format!("{option} of {owner}: {}", wrong.message));
            let problem = problem.at(wrong.span);
            match wrong.hint {
                Some(hint) => problem.with_hint(hint),
                None => problem,
            }
        });
    }
}
