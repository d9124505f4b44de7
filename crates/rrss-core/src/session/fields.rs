//! The fields of a session: an immutable base and the changes made to it.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::raw_object::RawObject;
use crate::error::Result;

/// Fields as raw JSON: what was read, and what has been inserted or removed since.
///
/// Reading looks at the changes first and then at the base; writing copies the base's unchanged values as
/// bytes. Nothing here parses a value.
#[derive(Clone)]
pub(crate) struct Fields {
    base: RawObject,
    changes: Vec<Change>,
}

#[derive(Clone)]
struct Change {
    name: Arc<str>,
    /// The value now; `None` where the field was removed.
    value: Option<Arc<str>>,
    /// The value as stored, where that is no longer the base's because this session was saved since.
    saved: Option<Option<Arc<str>>>,
    /// Whether it is to be refused where others have changed the field meanwhile.
    if_unchanged: bool,
}

impl Change {
    fn is_pending(&self) -> bool {
        self.saved.as_ref() != Some(&self.value)
    }
}

impl Fields {
    pub(crate) fn empty() -> Self {
        Self {
            base: RawObject::empty(),
            changes: Vec::new(),
        }
    }

    pub(crate) fn scan(text: Bytes, reserved: Option<&str>) -> Result<(Self, Option<Bytes>)> {
        let (base, apart) = RawObject::scan(text, reserved)?;
        Ok((
            Self {
                base,
                changes: Vec::new(),
            },
            apart,
        ))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        match self.change(name) {
            Some(change) => change.value.as_deref(),
            None => self.base.get(name),
        }
    }

    /// The base's fields in their order, with their present values, then the new ones.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let old = self
            .base
            .iter()
            .filter_map(|(name, value)| match self.change(name) {
                Some(change) => change.value.as_deref().map(|value| (name, value)),
                None => Some((name, value)),
            });
        let new = self.changes.iter().filter_map(|change| {
            let value = change.value.as_deref()?;
            self.base
                .get(&change.name)
                .is_none()
                .then_some((&*change.name, value))
        });
        old.chain(new)
    }

    pub(crate) fn len(&self) -> usize {
        let mut fields = self.base.len();
        for change in &self.changes {
            match (self.base.get(&change.name), &change.value) {
                (None, Some(_)) => fields += 1,
                (Some(_), None) => fields -= 1,
                _ => {}
            }
        }
        fields
    }

    /// The value of a field as it was when this session was loaded or last saved.
    pub(crate) fn stored(&self, name: &str) -> Option<&str> {
        match self.change(name).and_then(|change| change.saved.as_ref()) {
            Some(saved) => saved.as_deref(),
            None => self.base.get(name),
        }
    }

    /// Sets a field; the value that it has already is no change.
    pub(crate) fn insert(&mut self, name: &str, value: &str) {
        if self.get(name) != Some(value) {
            self.put(name, Some(value));
        }
    }

    /// Sets a field, to be stored only if nobody else changes it.
    pub(crate) fn insert_if_unchanged(&mut self, name: &str, value: &str) {
        self.insert(name, value);
        if let Some(change) = self.changes.iter_mut().find(|change| &*change.name == name) {
            change.if_unchanged = change.is_pending();
        }
    }

    /// The fields that are to be stored only if nobody else has changed them.
    pub(crate) fn guarded(&self) -> impl Iterator<Item = &str> {
        self.changes
            .iter()
            .filter(|change| change.if_unchanged)
            .map(|change| &*change.name)
    }

    /// Removes a field, and says whether there was one.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let found = self.get(name).is_some();
        if found {
            self.put(name, None);
        }
        found
    }

    pub(crate) fn clear(&mut self) {
        let names: Vec<String> = self.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            self.put(&name, None);
        }
    }

    /// The changes that are not stored yet: name, and the new value or `None` for a removed field.
    pub(crate) fn pending(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.changes
            .iter()
            .filter(|change| change.is_pending())
            .map(|change| (&*change.name, change.value.as_deref()))
    }

    /// Takes back all changes that are not stored yet.
    pub(crate) fn revert(&mut self) {
        self.changes.retain_mut(|change| match &change.saved {
            Some(saved) => {
                change.value.clone_from(saved);
                change.if_unchanged = false;
                true
            }
            None => false,
        });
    }

    /// Takes note that all changes are stored now.
    pub(crate) fn mark_saved(&mut self) {
        for change in &mut self.changes {
            change.saved = Some(change.value.clone());
            change.if_unchanged = false;
        }
    }

    /// Takes note that nothing of this is stored: every field becomes a pending change.
    pub(crate) fn mark_unsaved(&mut self) {
        let all: Vec<Change> = self
            .iter()
            .map(|(name, value)| Change {
                name: name.into(),
                value: Some(value.into()),
                saved: None,
                if_unchanged: false,
            })
            .collect();
        *self = Self {
            base: RawObject::empty(),
            changes: all,
        };
    }

    fn change(&self, name: &str) -> Option<&Change> {
        self.changes.iter().find(|change| &*change.name == name)
    }

    fn put(&mut self, name: &str, value: Option<&str>) {
        let in_base = self.base.get(name);
        match self.changes.iter().position(|change| &*change.name == name) {
            // Back to what the base holds, with nothing saved in between: no change at all.
            Some(at) if self.changes[at].saved.is_none() && in_base == value => {
                self.changes.swap_remove(at);
            }
            Some(at) => self.changes[at].value = value.map(Arc::from),
            None => self.changes.push(Change {
                name: name.into(),
                value: value.map(Arc::from),
                saved: None,
                if_unchanged: false,
            }),
        }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Fields({} fields, {} changed)",
            self.len(),
            self.pending().count()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &'static str) -> Fields {
        Fields::scan(Bytes::from_static(json.as_bytes()), None)
            .unwrap()
            .0
    }

    fn pending(fields: &Fields) -> Vec<(&str, Option<&str>)> {
        fields.pending().collect()
    }

    #[test]
    fn the_value_that_a_field_has_already_is_no_change() {
        let mut fields = fields(r#"{"a":1,"b":2}"#);
        fields.insert("a", "1");
        assert!(!fields.remove("missing"));
        assert_eq!(pending(&fields), []);
    }

    #[test]
    fn a_change_taken_back_is_no_change() {
        let mut fields = fields(r#"{"a":1}"#);
        fields.insert("a", "2");
        fields.insert("a", "1");
        fields.insert("new", "1");
        fields.remove("new");
        assert_eq!(pending(&fields), []);
        fields.remove("a");
        fields.insert("a", "1");
        assert_eq!(pending(&fields), []);
    }

    #[test]
    fn the_length_is_the_number_of_fields_that_iterating_shows() {
        let mut fields = fields(r#"{"a":1,"b":2,"a":3}"#);
        assert_eq!(fields.len(), 2);
        let steps: [(&str, Option<&str>, usize); 6] = [
            ("a", Some("4"), 2),
            ("c", Some("5"), 3),
            ("b", None, 2),
            ("c", None, 1),
            ("b", Some("6"), 2),
            ("a", None, 1),
        ];
        for (name, value, left) in steps {
            fields.put(name, value);
            assert_eq!(fields.len(), left);
            assert_eq!(fields.iter().count(), left);
        }
    }

    #[test]
    fn iterating_shows_present_values_in_the_order_of_the_base() {
        let mut fields = fields(r#"{"a":1,"b":2,"c":3}"#);
        fields.insert("d", "4");
        fields.insert("b", "20");
        fields.remove("c");
        assert_eq!(
            fields.iter().collect::<Vec<_>>(),
            [("a", "1"), ("b", "20"), ("d", "4")]
        );
        assert_eq!(fields.len(), 3);
    }

    #[test]
    fn after_a_save_only_later_changes_are_pending() {
        let mut fields = fields(r#"{"a":1}"#);
        fields.insert("a", "2");
        fields.insert("b", "1");
        fields.mark_saved();
        assert_eq!(pending(&fields), []);
        fields.insert("a", "1");
        assert_eq!(
            pending(&fields),
            [("a", Some("1"))],
            "the base's value is not the stored one any more"
        );
        fields.insert("a", "2");
        assert_eq!(pending(&fields), []);
        fields.remove("b");
        assert_eq!(pending(&fields), [("b", None)]);
    }

    #[test]
    fn clearing_removes_every_field() {
        let mut fields = fields(r#"{"a":1,"b":2}"#);
        fields.insert("c", "3");
        fields.clear();
        assert_eq!(fields.len(), 0);
        assert_eq!(
            fields
                .pending()
                .filter(|(_, value)| value.is_some())
                .count(),
            0
        );
        assert_eq!(fields.get("a"), None);
    }

    #[test]
    fn the_stored_value_of_a_field_is_that_of_the_last_save() {
        let mut fields = fields(r#"{"a":1}"#);
        fields.insert("a", "2");
        fields.insert("b", "1");
        assert_eq!((fields.stored("a"), fields.stored("b")), (Some("1"), None));
        fields.mark_saved();
        fields.remove("a");
        assert_eq!(
            (fields.stored("a"), fields.stored("b")),
            (Some("2"), Some("1"))
        );
    }

    #[test]
    fn reverting_leaves_what_is_stored() {
        let mut fields = fields(r#"{"a":1}"#);
        fields.insert("b", "1");
        fields.mark_saved();
        fields.insert("a", "2");
        fields.remove("b");
        fields.insert("c", "1");
        fields.revert();
        assert_eq!(pending(&fields), []);
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "1")]);
    }

    #[test]
    fn a_field_is_guarded_until_it_is_saved_or_as_it_was() {
        let mut fields = fields(r#"{"a":1,"b":2}"#);
        fields.insert_if_unchanged("a", "1");
        assert_eq!(fields.guarded().count(), 0, "it has that value");
        fields.insert_if_unchanged("a", "2");
        fields.insert("b", "3");
        assert_eq!(fields.guarded().collect::<Vec<_>>(), ["a"]);
        fields.mark_saved();
        assert_eq!(fields.guarded().count(), 0);
    }

    #[test]
    fn unsaved_fields_are_all_pending() {
        let mut fields = fields(r#"{"a":1,"b":2}"#);
        fields.insert("b", "3");
        fields.mark_unsaved();
        assert_eq!(pending(&fields), [("a", Some("1")), ("b", Some("3"))]);
    }
}
