//! What steps and stores do with a session on its way; hosts need none of it.

use super::Session;
use crate::id::SessionId;
use crate::payload::StoredForm;
use crate::time::Timestamp;

/// What steps and stores do with a session on its way; hosts need none of it.
impl Session {
    /// The deadline that the caller asked for at the next save.
    #[must_use]
    pub fn requested_deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Takes note of when it was first stored.
    #[must_use]
    pub fn with_created_at(mut self, created_at: Option<Timestamp>) -> Self {
        self.created_at = created_at;
        self
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
        self.deadline = None;
        self.is_new = false;
        self.fields.mark_saved();
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

    /// This session's unsaved changes, made to `fresh`, which is what the store holds now: fields that both have
    /// changed get this session's values, and all others those of `fresh`.
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_core::Session;
    ///
    /// let stored = || Session::from_json(r#"{"cart":1,"theme":"dark"}"#.into(), None).unwrap().0;
    /// let mut mine = stored();
    /// mine.insert("cart", &2)?;
    ///
    /// let mut theirs = stored();
    /// theirs.insert("theme", "light")?;
    ///
    /// let merged = mine.merged_onto(theirs);
    /// assert_eq!(merged.get::<u8>("cart")?, Some(2));
    /// assert_eq!(merged.get::<String>("theme")?.as_deref(), Some("light"));
    /// # Ok::<(), rrss_core::Error>(())
    /// ```
    #[must_use]
    pub fn merged_onto(&self, mut fresh: Self) -> Self {
        for (name, value) in self.fields.pending() {
            match value {
                Some(value) => fresh.fields.insert(name, value),
                None => {
                    fresh.fields.remove(name);
                }
            }
        }
        fresh.deadline = self.deadline;
        fresh
    }
}
