//! The session: a map from field name to JSON value, with an id.

mod fields;
mod raw_object;
mod scan;
mod stored;
mod value;

use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::fields::Fields;
pub use self::value::MAX_DEPTH;
use self::value::{check, to_json};
use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::payload::StoredForm;
use crate::time::Timestamp;

/// A session: fields by name, each a JSON value, owned by one browser.
///
/// A session is an immutable base, as it was read, and the changes made to it. Loading scans the stored text
/// and builds no values: [`get`](Session::get) decodes the one field that it is asked for, and a save copies the
/// unchanged fields as bytes. Without changes there is nothing to save. A clone shares the base.
///
/// # Examples
///
/// ```
/// use rrss_core::Session;
///
/// let mut session = Session::new();
/// session.insert("user_id", &42)?;
/// session.insert("cart", &["tea", "milk"])?;
///
/// assert_eq!(session.get::<u64>("user_id")?, Some(42));
/// assert_eq!(session.get::<Vec<String>>("cart")?.unwrap(), ["tea", "milk"]);
/// assert_eq!(session.get::<String>("theme")?, None);
/// assert!(session.is_new() && session.is_modified());
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Session {
    id: Option<SessionId>,
    fields: Fields,
    /// The bytes that the backend held when this was loaded or last saved; `None` while it is new.
    stored: Option<StoredForm>,
    is_new: bool,
    created_at: Option<Timestamp>,
    written_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    /// The deadline that the caller chose; it stays with the session.
    own_deadline: Option<Timestamp>,
    /// Whether the caller chose it, or let go of it, since the session was loaded or last saved.
    is_deadline_changed: bool,
    is_renewed: bool,
    /// The id of a rotation whose answer was lost.
    rotating_to: Option<Box<SessionId>>,
}

impl Session {
    /// A new session without fields. It gets its id when it is first saved.
    #[must_use]
    pub fn new() -> Self {
        Self {
            id: None,
            fields: Fields::empty(),
            stored: None,
            is_new: true,
            created_at: None,
            written_at: None,
            expires_at: None,
            own_deadline: None,
            is_deadline_changed: false,
            is_renewed: false,
            rotating_to: None,
        }
    }

    /// A new session that is to be stored under an id of the caller's: for adapters to frameworks that make
    /// the ids themselves. The `key-mapper` refuses ids that are not of its own form.
    #[must_use]
    pub fn with_id(id: SessionId) -> Self {
        Self {
            id: Some(id),
            ..Self::new()
        }
    }

    /// A session over the text of a JSON object; what a codec makes of stored bytes.
    ///
    /// The second part is the raw JSON of the field called `reserved`, which is not among the session's
    /// fields: a codec may keep what it must know of a session there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] where `text` is not one JSON object in UTF-8.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::Session;
    ///
    /// let (session, meta) = Session::from_json(r#"{"$":{"v":1},"theme":"dark"}"#.into(), Some("$"))?;
    /// assert_eq!(session.get_raw("theme"), Some(r#""dark""#));
    /// assert_eq!(session.len(), 1);
    /// assert_eq!(meta.unwrap(), r#"{"v":1}"#);
    /// # Ok::<(), rrss_core::Error>(())
    /// ```
    pub fn from_json(text: Bytes, reserved: Option<&str>) -> Result<(Self, Option<Bytes>)> {
        let (fields, apart) = Fields::scan(text, reserved)?;
        Ok((
            Self {
                fields,
                ..Self::new()
            },
            apart,
        ))
    }

    /// The id; `None` until the session is first saved, unless the caller gave it one.
    #[must_use]
    pub fn id(&self) -> Option<&SessionId> {
        self.id.as_ref()
    }

    /// The value of a field, decoded; `None` where there is no such field.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Value`] where the field is not a `T`; the message names the field, not its value.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(raw) = self.fields.get(name) else {
            return Ok(None);
        };
        serde_json::from_str(raw).map(Some).map_err(|_| {
            // serde_json's message may quote the value, so it is not kept as the source.
            Error::new(
                ErrorKind::Value,
                format!(
                    "the field `{name}` does not decode as {}",
                    std::any::type_name::<T>()
                ),
            )
        })
    }

    /// The raw JSON text of a field's value.
    #[must_use]
    pub fn get_raw(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// Sets a field. Setting it to the value that it has already is no change, and so no reason to save; but it is a write:
    /// where the session is saved for another reason, and another request has changed the field, this value stays.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Value`] where `value` does not serialise to JSON that can be read again: a map whose keys are not text, a
    /// number that is not finite, or lists that are nested deeper than [`MAX_DEPTH`], say.
    pub fn insert<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        self.fields.insert(name, &to_json(name, value)?);
        Ok(())
    }

    /// Sets a field to a value that is JSON text already; it is stored as it is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Value`] where `json` is not one JSON value, or one that does not decode: nested deeper than [`MAX_DEPTH`],
    /// with a key of an object that occurs twice, half a surrogate pair, or a number that no `f64` can hold.
    pub fn insert_raw(&mut self, name: &str, json: &str) -> Result<()> {
        check(name, json)?;
        // White space as RFC 8259 has it.
        self.fields
            .insert(name, json.trim_matches([' ', '\t', '\n', '\r']));
        Ok(())
    }

    /// Sets a field, on the condition that nobody else changes it before this session is saved: where somebody has, the
    /// save answers [`ErrorKind::Conflict`] and stores nothing, even where the store merges changes.
    ///
    /// `Store::update_field` repeats the calculation of the value instead.
    ///
    /// # Errors
    ///
    /// As [`insert`](Session::insert).
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::Session;
    ///
    /// let mut session = Session::new();
    /// session.insert_if_unchanged("seat", "12A")?;
    /// assert_eq!(session.get::<String>("seat")?.as_deref(), Some("12A"));
    /// # Ok::<(), rrss_core::Error>(())
    /// ```
    pub fn insert_if_unchanged<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<()> {
        self.fields.insert(name, &to_json(name, value)?);
        self.fields.guard(name);
        Ok(())
    }

    /// Removes a field and says whether there was one. Removing what is not there is no change, but a write, as
    /// [`insert`](Session::insert) has it.
    pub fn remove(&mut self, name: &str) -> bool {
        self.fields.remove(name)
    }

    /// Whether there is a field called `name`.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.fields.get(name).is_some()
    }

    /// The names of the fields: those read, in their stored order, then the new ones.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name)
    }

    /// Names and raw JSON values, in the order of [`keys`](Session::keys).
    pub fn iter_raw(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter()
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all fields that it has. The session itself stays, empty, until it is deleted; a field that another request adds
    /// before this is saved stays too.
    pub fn clear(&mut self) {
        self.fields.clear();
    }

    /// Whether it was never stored.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Whether a field, or the deadline, was changed since it was loaded or last saved.
    #[must_use]
    pub fn is_modified(&self) -> bool {
        self.is_deadline_changed || self.fields.pending().next().is_some()
    }

    /// Whether its deadline was moved by loading it, as a sliding expiry does when that is due.
    #[must_use]
    pub fn is_renewed(&self) -> bool {
        self.is_renewed
    }

    /// Whether a save has to store a deadline of its own, or that there is none any more.
    #[must_use]
    pub fn is_deadline_modified(&self) -> bool {
        self.is_deadline_changed
    }

    /// The changes that a save has to store: name, and raw JSON or `None` for a removed field.
    pub fn changes(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.fields.pending()
    }

    /// When it was first stored; `None` for a new session, or where the stored form does not tell.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.created_at
    }

    /// When it was last saved; `None` for a new session, or where the stored form does not tell.
    #[must_use]
    pub fn written_at(&self) -> Option<Timestamp> {
        self.written_at
    }

    /// The deadline: the instant after which the store never returns it again. `None` where it has none, or
    /// where the backend does not tell it with a load.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Gives it a deadline of its own from the next save on, in place of those that the `expiry` step would choose: for
    /// a login that is to be kept for long, or a computer that others use. It stays with the session, through later saves
    /// and rotations, until it is changed or [given up](Session::clear_expires_at). A deadline in the past ends the
    /// session at that save.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::{Session, Timestamp};
    ///
    /// let mut session = Session::new();
    /// session.set_expires_at(Timestamp::from_millis(1_800_000_000_000));
    /// assert_eq!(session.own_deadline(), Some(Timestamp::from_millis(1_800_000_000_000)));
    /// ```
    pub fn set_expires_at(&mut self, deadline: Timestamp) {
        if self.own_deadline != Some(deadline) {
            self.own_deadline = Some(deadline);
            self.is_deadline_changed = true;
        }
    }

    /// Leaves the deadline to the `expiry` step again, from the next save on.
    pub fn clear_expires_at(&mut self) {
        self.is_deadline_changed |= self.own_deadline.take().is_some();
    }

    /// The deadline of its own that it has been given; see [`set_expires_at`](Session::set_expires_at).
    #[must_use]
    pub fn own_deadline(&self) -> Option<Timestamp> {
        self.own_deadline
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("fields", &self.fields)
            .field("is_new", &self.is_new)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_mismatch_names_the_field_and_not_its_value() {
        let mut session = Session::new();
        session.insert("pin", "hunter2").unwrap();
        let error = session.get::<u32>("pin").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(error.to_string().contains("`pin`"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn debug_shows_no_value_and_no_id() {
        let mut session = Session::with_id("secret-id".into());
        session.insert("pin", "hunter2").unwrap();
        let debug = format!("{session:?}");
        assert!(
            !debug.contains("hunter2") && !debug.contains("secret-id"),
            "{debug}"
        );
    }

    #[test]
    fn a_stored_session_is_neither_new_nor_modified() {
        let mut session = Session::new();
        session.insert("a", &1).unwrap();
        session.mark_stored("id".into(), None, None);
        assert!(!session.is_new() && !session.is_modified());
    }

    #[test]
    fn values_round_trip_exactly() {
        let mut session = Session::new();
        for (name, json) in [
            ("nul", r#""\u0000""#),
            ("emoji", "\"☃🦀\""),
            ("big", "18446744073709551615"),
            ("small", "-9223372036854775808"),
            ("fraction", "1.10"),
        ] {
            session.insert_raw(name, json).unwrap();
            assert_eq!(session.get_raw(name), Some(json));
        }
        assert_eq!(session.get::<u64>("big").unwrap(), Some(u64::MAX));
        assert_eq!(session.get::<i64>("small").unwrap(), Some(i64::MIN));
        assert_eq!(session.get::<String>("nul").unwrap().as_deref(), Some("\0"));
    }

    #[test]
    fn text_that_is_not_json_is_refused_and_changes_nothing() {
        let mut session = Session::new();
        assert_eq!(
            session.insert_raw("a", "{").unwrap_err().kind(),
            ErrorKind::Value
        );
        assert_eq!(
            session.insert_raw("a", "1,\"b\":2").unwrap_err().kind(),
            ErrorKind::Value
        );
        assert!(!session.is_modified());
    }
}
