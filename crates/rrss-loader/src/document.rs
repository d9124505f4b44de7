//! The parsed document: places of values in it, and the removal of bad ones.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::source::Span;

/// The value that lies at `span`, and the way to it: `keys[1].id`.
pub(crate) struct Found<'t, 'i> {
    pub(crate) path: Vec<Segment>,
    pub(crate) value: &'t Spanned<DeValue<'i>>,
}

/// One part of the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

/// The way to a value, as a person writes it: `keys[1].id`.
pub(crate) fn dotted(path: &[Segment]) -> String {
    let mut shown = String::new();
    for segment in path {
        match segment {
            Segment::Key(key) => {
                if !shown.is_empty() {
                    shown.push('.');
                }
                shown.push_str(key);
            }
            Segment::Index(index) => shown.push_str(&format!("[{index}]")),
        }
    }
    shown
}

/// The innermost value of a table whose place, or the place of whose key, is `span` or encloses it.
pub(crate) fn find<'t, 'i>(table: &'t DeTable<'i>, span: &Span) -> Option<Found<'t, 'i>> {
    table.iter().find_map(|(key, value)| {
        let mut found = if key.span() == *span {
            Found {
                path: Vec::new(),
                value,
            }
        } else {
            find_in(value, span)?
        };
        found
            .path
            .insert(0, Segment::Key(key.get_ref().to_string()));
        Some(found)
    })
}

fn find_in<'t, 'i>(value: &'t Spanned<DeValue<'i>>, span: &Span) -> Option<Found<'t, 'i>> {
    let here = || Found {
        path: Vec::new(),
        value,
    };
    if value.span() == *span {
        return Some(here());
    }
    let within = match value.get_ref() {
        DeValue::Table(table) => find(table, span),
        DeValue::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            let mut found = find_in(item, span)?;
            found.path.insert(0, Segment::Index(index));
            Some(found)
        }),
        _ => None,
    };
    within.or_else(|| encloses(&value.span(), span).then(here))
}

fn encloses(outer: &Span, inner: &Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The value at the end of a path.
pub(crate) fn at<'t, 'i>(
    table: &'t mut DeTable<'i>,
    path: &[Segment],
) -> Option<&'t mut Spanned<DeValue<'i>>> {
    let (first, rest) = path.split_first()?;
    let Segment::Key(key) = first else {
        return None;
    };
    let found = table.get_mut(key.as_str())?;
    rest.iter()
        .try_fold(found, |value, segment| match (value.get_mut(), segment) {
            (DeValue::Table(table), Segment::Key(key)) => table.get_mut(key.as_str()),
            (DeValue::Array(items), Segment::Index(index)) => items.get_mut(*index),
            _ => None,
        })
}

/// Removes the value at the end of a path. An element of a list goes alone, and those behind it move up.
pub(crate) fn remove(table: &mut DeTable<'_>, path: &[Segment]) {
    match path {
        [Segment::Key(key)] => drop(table.remove(key.as_str())),
        [Segment::Key(key), rest @ ..] => {
            if let Some(value) = table.get_mut(key.as_str()) {
                remove_in(value.get_mut(), rest);
            }
        }
        _ => {}
    }
}

fn remove_in(value: &mut DeValue<'_>, path: &[Segment]) {
    match (value, path) {
        (DeValue::Table(table), path) => remove(table, path),
        (DeValue::Array(items), [Segment::Index(index), rest @ ..]) => {
            if !rest.is_empty() {
                if let Some(item) = items.get_mut(*index) {
                    remove_in(item.get_mut(), rest);
                }
                return;
            }
            let kept = std::mem::replace(items, DeArray::new())
                .into_iter()
                .enumerate();
            *items = kept
                .filter(|(at, _)| at != index)
                .map(|(_, item)| item)
                .collect();
        }
        _ => {}
    }
}

/// How many values there are in a table, itself included.
pub(crate) fn size(table: &DeTable<'_>) -> usize {
    1 + table
        .iter()
        .map(|(_, value)| size_of(value.get_ref()))
        .sum::<usize>()
}

fn size_of(value: &DeValue<'_>) -> usize {
    match value {
        DeValue::Table(table) => size(table),
        DeValue::Array(items) => {
            1 + items
                .iter()
                .map(|item| size_of(item.get_ref()))
                .sum::<usize>()
        }
        _ => 1,
    }
}

/// What a value is, in a word or two.
pub(crate) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
