//! What steps and stores do with a session on its way; hosts need none of it.

use super::Session;
use crate::id::SessionId;
use crate::payload::StoredForm;
use crate::time::Timestamp;
use crate::together::Together;

/// What steps and stores do with a session on its way; hosts need none of it.
impl Session {
    /// Takes note of when it was first stored.
    #[must_use]
    pub fn with_created_at(mut self, created_at: Option<Timestamp>) -> Self {
        self.created_at = created_at;
        self
    }

    /// Takes note of when it was last saved.
    #[must_use]
    pub fn with_written_at(mut self, written_at: Option<Timestamp>) -> Self {
        self.written_at = written_at;
        self
    }

    /// Takes note of the deadline of its own that it was stored with.
    #[must_use]
    pub fn with_own_deadline(mut self, deadline: Option<Timestamp>) -> Self {
        self.own_deadline = deadline;
        self.is_deadline_changed = false;
        self
    }

    /// The raw JSON of a field as it was when this session was loaded or last saved, whatever was changed since.
    #[must_use]
    pub fn stored_raw(&self, name: &str) -> Option<&str> {
        self.fields.stored(name)
    }

    /// The fields that are to be stored only if nobody else has changed them; see
    /// [`insert_if_unchanged`](Session::insert_if_unchanged).
    pub fn guarded_fields(&self) -> impl Iterator<Item = &str> {
        self.fields.guarded()
    }

    /// The bytes that the backend held when this session was loaded or last saved.
    #[must_use]
    pub fn stored(&self) -> Option<&StoredForm> {
        self.stored.as_ref()
    }

    /// Takes note that a backend holds this session now, under `id`, as the bytes `stored`, until `expires_at`.
    pub fn mark_stored(
        &mut self,
        id: SessionId,
        stored: Option<StoredForm>,
        expires_at: Option<Timestamp>,
    ) {
        self.id = Some(id);
        self.stored = stored;
        self.expires_at = expires_at;
        self.is_deadline_changed = false;
        self.is_renewed = false;
        self.is_new = false;
        self.rotating_to = None;
        self.fields.mark_saved();
    }

    /// Takes note of when it was saved.
    pub fn mark_written(&mut self, at: Timestamp) {
        self.written_at = Some(at);
    }

    /// Takes note that its deadline was moved, and nothing else.
    pub fn mark_renewed(&mut self, expires_at: Timestamp) {
        self.expires_at = Some(expires_at);
        self.is_renewed = true;
    }

    /// The id that a rotation was to give it, where the answer was lost and nobody could tell whether it did.
    #[must_use]
    pub fn rotating_to(&self) -> Option<&SessionId> {
        self.rotating_to.as_deref()
    }

    /// Takes note of the id of a rotation whose answer was lost; `None` once it is known what became of it.
    pub fn mark_rotating(&mut self, id: Option<SessionId>) {
        self.rotating_to = id.map(Box::new);
    }

    /// A new session with the same fields and creation time, and no id: what a rotation stores.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let mut renewed = self.clone();
        renewed.id = None;
        renewed.stored = None;
        renewed.expires_at = None;
        renewed.is_new = true;
        renewed.fields.mark_unsaved();
        renewed
    }

    /// This session with its changes, as a rotation stores it: under `id`, or under one that is still to be made. What is
    /// [stored](Session::stored_raw) of it under the old id stays known.
    #[must_use]
    pub fn rotated_to(&self, id: Option<SessionId>) -> Self {
        Self { id, ..self.clone() }
    }

    /// The same as [`renewed`](Session::renewed), under an id that the caller made.
    #[must_use]
    pub fn renewed_as(&self, id: SessionId) -> Self {
        Self {
            id: Some(id),
            ..self.renewed()
        }
    }

    /// What this session has written and not saved yet, made to `fresh`, which is what the store holds now: fields that were
    /// written here get this session's values, also where that is the value that the field had, and all others those of
    /// `fresh`.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::Session;
    ///
    /// let stored = || Session::from_json(r#"{"cart":1,"role":"user","theme":"dark"}"#.into(), None).unwrap().0;
    /// let mut mine = stored();
    /// mine.insert("cart", &2)?;
    /// mine.insert("role", "user")?;
    ///
    /// let mut theirs = stored();
    /// theirs.insert("role", "admin")?;
    /// theirs.insert("theme", "light")?;
    ///
    /// let merged = mine.merged_onto(theirs);
    /// assert_eq!(merged.get::<u8>("cart")?, Some(2));
    /// assert_eq!(merged.get::<String>("role")?.as_deref(), Some("user"));
    /// assert_eq!(merged.get::<String>("theme")?.as_deref(), Some("light"));
    /// # Ok::<(), rrss_core::Error>(())
    /// ```
    #[must_use]
    pub fn merged_onto(&self, mut fresh: Self) -> Self {
        for (name, value) in self.fields.written() {
            match value {
                Some(value) => fresh.fields.insert(name, value),
                None => {
                    fresh.fields.remove(name);
                }
            }
        }
        for name in self.fields.guarded() {
            fresh.fields.guard(name);
        }
        if self.is_deadline_changed {
            fresh.own_deadline = self.own_deadline;
            fresh.is_deadline_changed = true;
        }
        fresh
    }

    /// Takes all fields of a group for written where one of them was, and for guarded where one of them is: see [`Together`].
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::{Session, Together};
    ///
    /// let together = Together::new([["user_id", "role"]])?;
    /// let (mut session, _) = Session::from_json(r#"{"user_id":1,"role":"user"}"#.into(), None)?;
    /// session.insert("user_id", &2)?;
    /// session.write_together(&together);
    /// let written: Vec<_> = session.written().collect();
    /// assert_eq!(written, [("user_id", Some("2")), ("role", Some(r#""user""#))]);
    /// # Ok::<(), rrss_core::Error>(())
    /// ```
    pub fn write_together(&mut self, together: &Together) {
        for group in together.groups() {
            let is_in = |name: &str| group.iter().any(|field| field == name);
            if self.fields.guarded().any(is_in) {
                group.iter().for_each(|name| self.fields.guard(name));
            }
            if self.fields.written().any(|(name, _)| is_in(name)) {
                group.iter().for_each(|name| self.fields.rewrite(name));
            }
        }
    }

    /// What was written since the session was loaded or last saved, with the raw JSON or `None` for a removed field: the
    /// [changes](Session::changes), and the fields that were given the value which they had.
    pub fn written(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.fields.written()
    }

    /// Gives a field the raw JSON that another session has under that name, or takes the field away. What differs counts as
    /// written.
    pub fn copy_field(&mut self, name: &str, raw: Option<&str>) {
        self.fields.copy(name, raw);
    }

    /// The session as it was when it was loaded or last saved.
    #[must_use]
    pub fn without_changes(&self) -> Self {
        let mut unchanged = self.clone();
        unchanged.fields.revert();
        unchanged
    }

    /// Gives it exactly the fields of `other`, and its own deadline. Only what differs counts as written.
    pub fn copy_fields_of(&mut self, other: &Self) {
        let gone: Vec<String> = self
            .keys()
            .filter(|name| !other.contains_key(name))
            .map(str::to_owned)
            .collect();
        for name in gone {
            self.fields.copy(&name, None);
        }
        for (name, value) in other.iter_raw() {
            self.fields.copy(name, Some(value));
        }
        if self.own_deadline != other.own_deadline {
            self.own_deadline = other.own_deadline;
            self.is_deadline_changed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(json: &'static str) -> Session {
        let (mut session, _) = Session::from_json(json.into(), None).unwrap();
        session.mark_stored("id".into(), None, None);
        session
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_deadline_of_its_own_stays_until_it_is_given_up() {
        let mut session = stored("{}");
        session.set_expires_at(at(5));
        assert!(session.is_modified());
        session.mark_stored("id".into(), None, Some(at(5)));
        assert_eq!(session.own_deadline(), Some(at(5)));
        session.set_expires_at(at(5));
        assert!(!session.is_modified(), "it has that deadline");
        assert_eq!(session.renewed().own_deadline(), Some(at(5)));
        session.clear_expires_at();
        assert!(session.is_modified());
        assert_eq!(session.own_deadline(), None);
    }

    #[test]
    fn a_merge_keeps_the_deadline_of_the_side_that_changed_it() {
        let mut mine = stored(r#"{"a":1}"#);
        let theirs = stored(r#"{"a":1}"#).with_own_deadline(Some(at(9)));
        assert_eq!(mine.merged_onto(theirs.clone()).own_deadline(), Some(at(9)));
        mine.set_expires_at(at(5));
        let merged = mine.merged_onto(theirs);
        assert_eq!(merged.own_deadline(), Some(at(5)));
        assert!(merged.is_modified());
    }

    #[test]
    fn a_merge_keeps_the_condition_of_a_guarded_field() {
        let mut mine = stored(r#"{"a":1}"#);
        mine.insert_if_unchanged("a", &2).unwrap();
        let merged = mine.merged_onto(stored(r#"{"a":1,"b":1}"#));
        assert_eq!(merged.guarded_fields().collect::<Vec<_>>(), ["a"]);
        assert_eq!(merged.stored_raw("a"), Some("1"));
    }

    #[test]
    fn a_merge_keeps_what_was_written_and_takes_the_rest() {
        let mut mine = stored(r#"{"a":1,"b":1,"c":1}"#);
        mine.insert("a", &1).unwrap();
        mine.remove("d");
        mine.insert("c", &2).unwrap();
        let merged = mine.merged_onto(stored(r#"{"a":2,"b":2,"c":1,"d":2}"#));
        let changes: Vec<_> = merged.changes().collect();
        assert_eq!(changes, [("a", Some("1")), ("d", None), ("c", Some("2"))]);
        assert_eq!(merged.get_raw("b"), Some("2"));
    }

    #[test]
    fn a_group_is_written_and_guarded_whole_or_not_at_all() {
        let together = Together::new([["a", "b"], ["c", "d"]]).unwrap();
        let mut session = stored(r#"{"a":1,"c":1}"#);
        session.insert_if_unchanged("b", &2).unwrap();
        session.write_together(&together);
        let written: Vec<_> = session.written().collect();
        assert_eq!(written, [("b", Some("2")), ("a", Some("1"))]);
        assert_eq!(session.guarded_fields().collect::<Vec<_>>(), ["b", "a"]);
        session.remove("d");
        session.write_together(&together);
        assert!(session.written().any(|field| field == ("c", Some("1"))));
        assert_eq!(session.guarded_fields().count(), 2);
        assert_eq!(session.changes().collect::<Vec<_>>(), [("b", Some("2"))]);
    }

    #[test]
    fn copied_fields_are_those_of_the_other_and_no_more() {
        let mut copy = stored(r#"{"a":1,"b":2}"#);
        copy.copy_fields_of(&stored(r#"{"b":2,"c":3}"#));
        let changes: Vec<_> = copy.changes().collect();
        assert_eq!(changes, [("a", None), ("c", Some("3"))]);
    }
}
