//! How many sessions one value of an indexed field may have.
//!
//! No backend can count and save in one operation on every layout of servers, so the store looks before the save and
//! again behind it. Whoever looks last sees all, and so more than the limit never stay. Ending the oldest then is the
//! same for all who look: those that were there before go first, and of those that came at the same moment the one that
//! was written first.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;

use futures_util::future::try_join_all;
use rrss_core::{
    Error, ErrorKind, IndexKey, IndexRules, OnLimit, Result, Session, SessionId, Timestamp,
};

use super::Store;
use super::find::{PAGE, PASSES, Seen, SessionInfo};

/// What a save adds to values that may have only so many sessions. Most saves add nothing; a login does.
#[derive(Default)]
pub(super) struct Added {
    values: Vec<AddedValue>,
}

impl Added {
    /// The session as it is before the save, where the save may have to be taken back.
    pub(super) fn before(&self, session: &Session) -> Option<Session> {
        (!self.values.is_empty()).then(|| session.clone())
    }
}

struct AddedValue {
    entry: IndexKey,
    /// The other sessions that had the value before the save.
    there: HashSet<SessionId>,
    /// When these were looked for.
    looked_at: Timestamp,
}

impl Store {
    /// What saving `session` adds; where it would be too much and the policy is to refuse, nothing is to be saved.
    pub(super) async fn check_limit(&self, session: &Session) -> Result<Added> {
        let mut added = Added::default();
        let Some((rules, max)) = self.limit() else {
            return Ok(added);
        };
        for entry in added_entries(session, rules)? {
            let looked_at = self.now();
            let mut there = self.all_named(&entry).await?;
            if let Some(own) = session.id() {
                there.remove(own);
                there.remove(&SessionId::private(own.digest()));
            }
            added.values.push(AddedValue {
                entry,
                there,
                looked_at,
            });
        }
        if rules.on_limit == OnLimit::Reject && !added.values.is_empty() {
            for AddedValue { entry, there, .. } in &added.values {
                // What has ended may still be named, so too many names are not yet too many sessions.
                if there.len() >= max.get() && self.read(entry, there).await?.len() >= max.get() {
                    return Err(full(entry, max));
                }
            }
        }
        Ok(added)
    }

    /// Sees, once `session` is saved, that no value has more sessions than it may have. Where that cannot be seen, or there is
    /// one too many and the policy is to refuse, the save is taken back, and the session is as it was `before`.
    pub(super) async fn enforce_or_undo(
        &self,
        added: Added,
        before: Option<Session>,
        session: &mut Session,
    ) -> Result<()> {
        let Some(before) = before else {
            return Ok(());
        };
        let failed = match self.enforce_limit(added, session).await {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        let is_rotated = before.id().is_some() && before.id() != session.id();
        match self.take_back(before.clone(), session).await {
            Ok(()) => Err(failed),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "a save that was to be taken back, since the limit of sessions could not be kept, may be stored"
                );
                // The old id of a rotated session opens nothing any more.
                if !is_rotated {
                    *session = before;
                }
                Err(failed.in_doubt())
            }
        }
    }

    async fn enforce_limit(&self, added: Added, session: &Session) -> Result<()> {
        let Some((rules, max)) = self.limit() else {
            return Ok(());
        };
        for value in added.values {
            for _ in 0..PASSES {
                if self.enforce_for(&value, rules, max, session).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Ends what one value has too many; `false` where one of these was gone by then, so that it is to be counted again.
    async fn enforce_for(
        &self,
        value: &AddedValue,
        rules: &IndexRules,
        max: NonZeroUsize,
        session: &Session,
    ) -> Result<bool> {
        let AddedValue {
            entry,
            there,
            looked_at,
        } = value;
        let (named, live) = self.live_beyond(entry, max).await?;
        let too_many = live.len().saturating_sub(max.get());
        if too_many == 0 {
            return Ok(true);
        }
        if rules.on_limit == OnLimit::Reject {
            return Err(full(entry, max));
        }
        let own = session
            .id()
            .and_then(|id| live.iter().find(|session| session.is(id)));
        let saved_at = own.and_then(SessionInfo::written_at).unwrap_or(self.now());
        let moment = *looked_at..=saved_at;
        let mut have_ended = true;
        let oldest = oldest_first(live, there, &moment);
        for oldest in oldest.into_iter().take(too_many) {
            let oldest = oldest.into_session();
            have_ended &= self.end_where_it_is(entry, oldest, &named).await?;
        }
        Ok(have_ended)
    }

    /// The ids that `entry` names, and the live sessions among them where these are more than `max`; else none need to be
    /// looked at.
    async fn live_beyond(
        &self,
        entry: &IndexKey,
        max: NonZeroUsize,
    ) -> Result<(HashSet<SessionId>, Vec<SessionInfo>)> {
        let mut known = HashSet::new();
        loop {
            let named = self.all_named(entry).await?;
            if named.len() <= max.get() {
                return Ok((named, Vec::new()));
            }
            let live = self.read(entry, &named).await?;
            // One that is gone may have been rotated since it was named, and go on under an id that was not.
            let ended = named.len() > live.len();
            let is_new = named.iter().any(|id| !known.contains(id));
            if !ended || !is_new {
                return Ok((named, live));
            }
            known.extend(named);
        }
    }

    pub(super) fn has_limit(&self) -> bool {
        self.limit().is_some()
    }

    fn limit(&self) -> Option<(&IndexRules, NonZeroUsize)> {
        let rules = self.inner.pipeline.index()?;
        Some((rules, rules.max_per_value?))
    }

    /// The ids of all sessions that `entry` names, unread.
    pub(super) async fn all_named(&self, entry: &IndexKey) -> Result<HashSet<SessionId>> {
        let (mut ids, mut cursor) = (HashSet::new(), None);
        loop {
            let page = self.named(entry, cursor, PAGE).await?;
            ids.extend(page.ids);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(ids);
            }
        }
    }

    /// The live sessions among those that `entry` names.
    pub(super) async fn read(
        &self,
        entry: &IndexKey,
        ids: &HashSet<SessionId>,
    ) -> Result<Vec<SessionInfo>> {
        let ids: Vec<&SessionId> = ids.iter().collect();
        let mut live = Vec::with_capacity(ids.len());
        for some in ids.chunks(PAGE) {
            let seen = try_join_all(some.iter().map(|id| self.look(entry, id))).await?;
            live.extend(seen.into_iter().filter_map(Seen::live));
        }
        Ok(live)
    }

    /// Undoes a save that was one too many: `session` is stored as it was `before`, and has its changes still to save.
    async fn take_back(&self, before: Session, session: &mut Session) -> Result<()> {
        if before.is_new() {
            self.end(session.clone()).await?;
            *session = before;
            return Ok(());
        }
        // What others have saved to it meanwhile stays.
        let mut undone = session.clone();
        for (name, _) in before.changes() {
            undone.copy_field(name, before.stored_raw(name));
        }
        match (before.id(), session.id().cloned()) {
            // It goes back to the id that its holder knows.
            (Some(old), Some(new)) if *old != new => {
                self.move_to(&mut undone, &new, Some(old.clone())).await?;
            }
            _ => {
                self.update(&mut undone).await?;
            }
        }
        *session = before.merged_onto(undone);
        Ok(())
    }
}

/// The entries that `session` has and the stored one, as far as it is known, has not.
fn added_entries(session: &Session, rules: &IndexRules) -> Result<Vec<IndexKey>> {
    let mut entries = Vec::new();
    for field in &rules.fields {
        let stored = session.stored_raw(field).filter(|_| !session.is_new());
        let changed = session.get_raw(field).filter(|raw| Some(*raw) != stored);
        let Some(raw) = changed else { continue };
        let entry = IndexKey::of(field.clone(), raw)?;
        let before = stored.and_then(|raw| IndexKey::of(field.clone(), raw).ok().flatten());
        entries.extend(entry.filter(|entry| Some(entry) != before.as_ref()));
    }
    Ok(entries)
}

/// Those that were `there` first, by when they were created; then those that came since, by when they were written, so
/// that two that came at once agree which of them is older.
///
/// One that was there may have come at once all the same: written in the `moment` from the look to the save. It counts among
/// those that came, for who came a little earlier did not see it there; and were it first here and last there, all could be ended.
fn oldest_first(
    mut live: Vec<SessionInfo>,
    there: &HashSet<SessionId>,
    moment: &RangeInclusive<Timestamp>,
) -> Vec<SessionInfo> {
    live.sort_by_cached_key(|session| {
        let at_once = session
            .written_at()
            .is_some_and(|written| moment.contains(&written));
        let came = at_once || !session.is_one_of(there);
        let since = if came {
            session.written_at()
        } else {
            session.created_at()
        };
        (came, since, session.handle())
    });
    live
}

fn full(entry: &IndexKey, max: NonZeroUsize) -> Error {
    let sessions = if max.get() == 1 {
        "session"
    } else {
        "sessions"
    };
    Error::new(
        ErrorKind::TooLarge,
        format!(
            "the value of the field `{}` has {max} {sessions} already, which is what `max_per_value` allows; end one of \
             them first, or set `on_limit = \"evict-oldest\"`",
            entry.field()
        ),
    )
}
