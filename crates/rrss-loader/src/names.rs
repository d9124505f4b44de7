//! Names in options that do not exist.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::allowed::Place;
use crate::document::Segment;
use crate::elsewhere::is_reference;
use crate::source::Span;
use crate::suggest::closest;

/// A name in options, or in a table within them, that does not exist.
pub(crate) struct Unknown<'a> {
    /// The way to it; its last part is the name.
    pub(crate) path: Vec<Segment>,
    pub(crate) span: Span,
    pub(crate) value: Span,
    /// What it may have been meant to be.
    pub(crate) meant: Option<&'a str>,
    /// Whether nobody must see the value of what was meant.
    pub(crate) is_secret: bool,
    /// The names that there are.
    pub(crate) known: BTreeSet<&'a str>,
}

/// The names that do not exist. Of options every name must be known, unless their type says that others are
/// welcome: a mistyped one must not be ignored. In tables within them others are refused where the type says so.
pub(crate) fn unknown<'a>(table: &DeTable<'_>, place: &Place<'a>) -> Vec<Unknown<'a>> {
    let mut unknown = Vec::new();
    in_table(
        table,
        place,
        !place.is_open(),
        &mut Vec::new(),
        &mut unknown,
    );
    unknown
}

fn in_table<'a>(
    table: &DeTable<'_>,
    place: &Place<'a>,
    is_closed: bool,
    path: &mut Vec<Segment>,
    unknown: &mut Vec<Unknown<'a>>,
) {
    let known = place.properties();
    for (key, value) in table {
        let name = key.get_ref();
        path.push(Segment::Key(name.to_string()));
        if is_closed && !known.contains(&**name) {
            let meant = closest(name, known.iter().copied());
            unknown.push(Unknown {
                path: path.clone(),
                span: key.span(),
                value: value.span(),
                is_secret: meant
                    .and_then(|meant| place.property(meant))
                    .is_some_and(|place| place.is_secret()),
                meant,
                known: known.clone(),
            });
        } else if let Some(place) = place.property(name) {
            in_value(value, &place, path, unknown);
        }
        path.pop();
    }
}

fn in_value<'a>(
    value: &Spanned<DeValue<'_>>,
    place: &Place<'a>,
    path: &mut Vec<Segment>,
    unknown: &mut Vec<Unknown<'a>>,
) {
    match value.get_ref() {
        DeValue::Table(table) if is_reference(table) && place.takes_text() => {}
        DeValue::Table(table) => in_table(table, place, place.is_closed(), path, unknown),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(place) = place.item(index) {
                    path.push(Segment::Index(index));
                    in_value(item, &place, path, unknown);
                    path.pop();
                }
            }
        }
        _ => {}
    }
}
