//! The places of values that nobody must see.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::allowed::Place;
use crate::elsewhere::is_reference;
use crate::source::Span;

/// The places of secrets in a table of options.
pub(crate) fn in_table(table: &DeTable<'_>, place: &Place<'_>, secrets: &mut Vec<Span>) {
    for (key, value) in table {
        if let Some(place) = place.property(key.get_ref()) {
            in_value(value, &place, secrets);
        }
    }
}

fn in_value(value: &Spanned<DeValue<'_>>, place: &Place<'_>, secrets: &mut Vec<Span>) {
    match value.get_ref() {
        DeValue::Table(table) if is_reference(table) && place.is_secret() => {
            secrets.extend(table.get("default").map(Spanned::span));
        }
        DeValue::Table(table) => in_table(table, place, secrets),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(place) = place.item(index) {
                    in_value(item, &place, secrets);
                }
            }
        }
        _ if place.is_secret() => secrets.push(value.span()),
        _ => {}
    }
}

/// The places of what may be secrets in the options of a type that is not known: what goes by one of these names.
pub(crate) fn by_name(table: &DeTable<'_>, names: &BTreeSet<&str>, secrets: &mut Vec<Span>) {
    for (key, value) in table {
        by_name_in(value, names, names.contains(&**key.get_ref()), secrets);
    }
}

fn by_name_in(
    value: &Spanned<DeValue<'_>>,
    names: &BTreeSet<&str>,
    is_secret: bool,
    secrets: &mut Vec<Span>,
) {
    match value.get_ref() {
        DeValue::Table(table) if is_secret && is_reference(table) => {
            secrets.extend(table.get("default").map(Spanned::span));
        }
        DeValue::Table(table) => {
            for (key, value) in table {
                by_name_in(
                    value,
                    names,
                    is_secret || names.contains(&**key.get_ref()),
                    secrets,
                );
            }
        }
        DeValue::Array(items) => {
            for item in items {
                by_name_in(item, names, is_secret, secrets);
            }
        }
        _ if is_secret => secrets.push(value.span()),
        _ => {}
    }
}

/// The places of what may be secrets in text that is not TOML: what stands behind one of these names, to the end
/// of its line.
pub(crate) fn in_text(text: &str, names: &BTreeSet<&str>) -> Vec<Span> {
    let mut secrets = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let value = line.match_indices(['=', ':']).find(|(at, _)| {
            let before = line[..*at]
                .trim_end_matches(|char: char| char.is_whitespace() || "\"'".contains(char));
            let named =
                before.rsplit(|char: char| !(char.is_alphanumeric() || "_-".contains(char)));
            named.take(1).any(|name| names.contains(name))
        });
        if let Some((at, _)) = value {
            secrets.push(start + at + 1..start + line.len());
        }
        start += line.len();
    }
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_broken_text_a_secret_ends_with_its_line() {
        let text = "url = \"x\"\npassword = hunter2\nkeys = [{ id = 1, \"key\" : 'hunter2\nkeyboard = 3\nkey\n= 4";
        let names = BTreeSet::from(["password", "key"]);
        let hidden: Vec<_> = in_text(text, &names)
            .into_iter()
            .map(|span| &text[span])
            .collect();
        assert_eq!(hidden, [" hunter2\n", " 'hunter2\n"]);
    }
}
