//! How many sessions one value of an indexed field may have.

use std::num::NonZeroUsize;

use rrss_core::{Error, ErrorKind, IndexKey, OnLimit, Result, Session, SessionId};

use super::Store;
use super::find::{PAGE, SessionInfo};

/// What a save adds to values that may have only so many sessions. Most saves add nothing; a login does.
#[derive(Debug, Default)]
pub(super) struct Added {
    entries: Vec<IndexKey>,
    /// The session as it was, where the save may have to be taken back.
    before: Option<Session>,
}

impl Store {
    /// What saving `session` adds; where it would be too much and the policy is to refuse, nothing is to be saved.
    pub(super) async fn check_limit(&self, session: &Session) -> Result<Added> {
        let Some((rules, max)) = self
            .inner
            .pipeline
            .index()
            .and_then(|rules| Some((rules, rules.max_per_value?)))
        else {
            return Ok(Added::default());
        };
        let mut added = Added::default();
        for field in &rules.fields {
            let stored = session.stored_raw(field).filter(|_| !session.is_new());
            let now = session.get_raw(field);
            if let Some(raw) = now.filter(|_| now != stored)
                && let Some(entry) = IndexKey::of(field.clone(), raw)?
            {
                added.entries.push(entry);
            }
        }
        if rules.on_limit == OnLimit::Reject && !added.entries.is_empty() {
            added.before = Some(session.clone());
            for entry in &added.entries {
                if self.others(entry, session.id(), max).await?.len() >= max.get() {
                    return Err(full(entry, max));
                }
            }
        }
        Ok(added)
    }

    /// Sees, once `session` is saved, that no value has more sessions than it may have. Others may have logged in at
    /// the same moment.
    pub(super) async fn enforce_limit(&self, added: Added, session: &mut Session) -> Result<()> {
        let Some(max) = self
            .inner
            .pipeline
            .index()
            .and_then(|rules| rules.max_per_value)
        else {
            return Ok(());
        };
        for entry in &added.entries {
            let others = self.others(entry, session.id(), max).await?;
            // With this one, it would be one too many.
            let Some(too_many) = (others.len() + 1).checked_sub(max.get()).filter(|&n| n > 0)
            else {
                continue;
            };
            match &added.before {
                None => self.end_oldest(others, too_many).await?,
                Some(before) => {
                    self.take_back(before.clone(), session).await?;
                    return Err(full(entry, max));
                }
            }
        }
        Ok(())
    }

    /// The sessions of `entry` but the one called `own`; none where there are fewer entries than would matter, which
    /// costs no more than the look.
    async fn others(
        &self,
        entry: &IndexKey,
        own: Option<&SessionId>,
        max: NonZeroUsize,
    ) -> Result<Vec<SessionInfo>> {
        let first = self.entries(entry, None, PAGE).await?;
        let is_other = |id: &&SessionId| Some(*id) != own;
        if first.next.is_none() && first.ids.iter().filter(is_other).count() < max.get() {
            return Ok(Vec::new());
        }
        let (mut others, mut cursor) = (Vec::new(), None);
        loop {
            let found = self.found(entry, cursor, PAGE).await?;
            others.extend(found.sessions.into_iter().filter(|other| other.id() != own));
            cursor = found.next;
            if cursor.is_none() {
                break;
            }
        }
        // A page of a listing may name a session again.
        others.sort_by_key(|other| (other.created_at(), other.handle()));
        others.dedup_by_key(|other| other.handle());
        Ok(others)
    }

    /// Two saves at once choose the same ones.
    async fn end_oldest(&self, sorted: Vec<SessionInfo>, too_many: usize) -> Result<()> {
        for oldest in sorted.into_iter().take(too_many) {
            self.end(oldest.into_session()).await?;
        }
        Ok(())
    }

    /// Undoes a save that others have made one too many meanwhile; `session` is then as it was.
    async fn take_back(&self, before: Session, session: &mut Session) -> Result<()> {
        if before.is_new() {
            self.end(session.clone()).await?;
        } else {
            let mut undone = session.clone();
            undone.copy_fields_of(&before.without_changes());
            if undone.is_modified() {
                self.update(&mut undone).await?;
            }
        }
        *session = before;
        Ok(())
    }
}

fn full(entry: &IndexKey, max: NonZeroUsize) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!(
            "the value of the field `{}` has {max} sessions already, which is what `max_per_value` allows; end one of \
             them first, or set `on_limit = \"evict-oldest\"`",
            entry.field()
        ),
    )
}
