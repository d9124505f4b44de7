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
    state: State,
    /// Whether it is to be refused where others have changed the field in the meantime.
    if_unchanged: bool,
}

/// How the value of a change compares with what is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A save has stored it.
    Saved,
    /// The caller has written the value that is stored. It is no reason to save, and counts where changes are merged.
    Rewritten,
    /// It differs.
    Changed,
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

    /// Sets a field. The value that it has already is no change, but it is a write.
    pub(crate) fn insert(&mut self, name: &str, value: &str) {
        self.write(name, Some(value));
    }

    /// Sets or removes a field where its value differs; what is equal is no write.
    pub(crate) fn copy(&mut self, name: &str, value: Option<&str>) {
        if self.get(name) != value {
            self.write(name, value);
        }
    }

    /// Lets a field be stored only if nobody else changes it, whether it has a value or not.
    pub(crate) fn guard(&mut self, name: &str) {
        if self.change(name).is_none() {
            self.rewrite(name);
        }
        if let Some(change) = self.changes.iter_mut().find(|change| &*change.name == name) {
            change.if_unchanged = true;
        }
    }

    /// Takes the value that a field has, or that it has none, for written.
    pub(crate) fn rewrite(&mut self, name: &str) {
        if self
            .change(name)
            .is_some_and(|change| change.state != State::Saved)
        {
            return;
        }
        let value = self.get(name).map(Arc::<str>::from);
        self.write(name, value.as_deref());
    }

    /// The fields that are to be stored only if nobody else has changed them.
    pub(crate) fn guarded(&self) -> impl Iterator<Item = &str> {
        self.changes
            .iter()
            .filter(|change| change.if_unchanged)
            .map(|change| &*change.name)
    }

    /// Removes a field, and says whether there was one. It is a write in any case.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let found = self.get(name).is_some();
        self.write(name, None);
        found
    }

    pub(crate) fn clear(&mut self) {
        let names: Vec<String> = self.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            self.write(&name, None);
        }
    }

    /// The changes that are not stored yet: name, and the new value or `None` for a removed field.
    pub(crate) fn pending(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.in_states(|state| state == State::Changed)
    }

    /// What was written since the session was loaded or last saved, also where it is the value that is stored.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.in_states(|state| state != State::Saved)
    }

    fn in_states(
        &self,
        are_wanted: impl Fn(State) -> bool,
    ) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.changes
            .iter()
            .filter(move |change| are_wanted(change.state))
            .map(|change| (&*change.name, change.value.as_deref()))
    }

    /// Takes back all that was written and is not stored yet.
    pub(crate) fn revert(&mut self) {
        self.changes.retain_mut(|change| match &change.saved {
            Some(saved) => {
                change.value.clone_from(saved);
                change.state = State::Saved;
                change.if_unchanged = false;
                true
            }
            None => false,
        });
    }

    /// Takes note that all that was written is stored now.
    pub(crate) fn mark_saved(&mut self) {
        self.changes.retain_mut(|change| {
            // What was written as the base has it leaves nothing to remember.
            let is_as_base = change.state == State::Rewritten && change.saved.is_none();
            change.saved = Some(change.value.clone());
            change.state = State::Saved;
            change.if_unchanged = false;
            !is_as_base
        });
    }

    /// Takes note that nothing of this is stored: every field becomes a pending change.
    pub(crate) fn mark_unsaved(&mut self) {
        let all: Vec<Change> = self
            .iter()
            .map(|(name, value)| Change {
                name: name.into(),
                value: Some(value.into()),
                saved: None,
                state: State::Changed,
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

    fn write(&mut self, name: &str, value: Option<&str>) {
        let state = match self.stored(name) == value {
            true => State::Rewritten,
            false => State::Changed,
        };
        let value = value.map(Arc::from);
        match self.changes.iter_mut().find(|change| &*change.name == name) {
            Some(change) => {
                change.value = value;
                change.state = state;
            }
            None => self.changes.push(Change {
                name: name.into(),
                value,
                saved: None,
                state,
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
            fields.write(name, value);
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
    fn a_field_is_guarded_until_it_is_saved() {
        let mut fields = fields(r#"{"a":1,"b":2}"#);
        fields.insert("a", "1");
        fields.guard("a");
        fields.guard("missing");
        fields.insert("b", "3");
        assert_eq!(fields.guarded().collect::<Vec<_>>(), ["a", "missing"]);
        fields.mark_saved();
        assert_eq!(fields.guarded().count(), 0);
    }

    #[test]
    fn what_was_written_is_remembered_until_it_is_saved_also_where_it_changes_nothing() {
        let mut fields = fields(r#"{"a":1,"b":2}"#);
        fields.insert("a", "1");
        fields.remove("missing");
        fields.insert("b", "3");
        fields.insert("b", "2");
        fields.copy("a", Some("1"));
        fields.copy("other", None);
        let written = [("a", Some("1")), ("missing", None), ("b", Some("2"))];
        assert_eq!(fields.written().collect::<Vec<_>>(), written);
        assert_eq!((pending(&fields), fields.len()), (vec![], 2));
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
        let mut reverted = fields.clone();
        reverted.revert();
        assert_eq!(reverted.written().count(), 0);
        fields.mark_saved();
        assert_eq!(fields.written().count(), 0);
        assert!(fields.changes.is_empty(), "the base says it all");
    }

    #[test]
    fn unsaved_fields_are_all_pending() {
        let mut fields = fields(r#"{"a":1,"b":2}"#);
        fields.insert("b", "3");
        fields.mark_unsaved();
        assert_eq!(pending(&fields), [("a", Some("1")), ("b", Some("3"))]);
    }
}
