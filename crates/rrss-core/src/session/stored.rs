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
        renewed.is_new = true;
        renewed.fields.mark_unsaved();
        renewed
    }
}
