//! Giving the notes of sessions that have expired, until somebody has told of them.

use std::collections::HashMap;
use std::sync::MutexGuard;
use std::time::Duration;

use fjall::UserKey;
use rrss_core::{ErrorKind, ExpiredNote, KeySpace, Operation, Result, StorageKey, Timestamp};

use super::engine::{Engine, failed, lock};
use super::notes::Expired;
use super::record::{due_key, not_due, split_due_key};
use super::sweep::entries;
use crate::fate::lives;

/// How many notes one look reads, and one batch drops, at most: others wait for a batch.
const AT_ONCE: usize = 256;

/// Which notes were given, and are not to be given again yet.
#[derive(Default)]
pub(super) struct Taken {
    /// Until when, by the key of the session.
    until: HashMap<StorageKey, Timestamp>,
    /// Where in `untold` the last look ended; see [`Engine::sweep`].
    reached: Vec<u8>,
}

/// What to give, and what to drop on the way.
struct Wanted<'a> {
    space: &'a KeySpace,
    now: Timestamp,
    until: Timestamp,
    keep: Duration,
    limit: usize,
}

/// What is to happen with an entry of `untold`.
enum Look {
    Give(ExpiredNote),
    /// It is too old, or another has taken its place.
    Drop,
    /// It is of another store, or its key has a live session.
    Leave,
}

impl Engine {
    /// As [`Backend::take_expired`](rrss_core::Backend::take_expired). It goes on where the last call ended, for the
    /// reason for which a [sweep](Self::sweep) does.
    pub(super) fn take_expired(
        &self,
        op: &Operation,
        limit: usize,
        lease: Duration,
        keep: Duration,
    ) -> Result<Vec<ExpiredNote>> {
        let now = op.now();
        let wanted = Wanted {
            space: op.key_space()?,
            now,
            until: now + lease,
            keep,
            limit: limit.min(AT_ONCE),
        };
        let mut taken = self.taken();
        taken.until.retain(|_, until| *until > now);
        let mut given = Vec::new();
        if limit == 0 {
            let keep = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
            if let Some(old) = now.as_millis().checked_sub(keep) {
                let end = not_due(Timestamp::from_millis(old));
                self.take_range(&wanted, &[], &end, &mut taken, &mut given)?;
            }
            return Ok(given);
        }
        let end = not_due(now);
        let mut from = std::mem::take(&mut taken.reached);
        if from.as_slice() >= end.as_slice() {
            from.clear();
        }
        let mut reached = self.take_range(&wanted, &from, &end, &mut taken, &mut given)?;
        if reached.is_none() && !from.is_empty() {
            // The least key after `from`: this range ends where the first one began.
            from.push(0);
            reached = self.take_range(&wanted, &[], &from, &mut taken, &mut given)?;
        }
        taken.reached = reached.map(|last| last.to_vec()).unwrap_or_default();
        Ok(given)
    }

    /// Gives what is after `after` and before `end`, and answers the last entry seen where there was enough before the
    /// end.
    fn take_range(
        &self,
        wanted: &Wanted<'_>,
        after: &[u8],
        end: &[u8],
        taken: &mut Taken,
        given: &mut Vec<ExpiredNote>,
    ) -> Result<Option<UserKey>> {
        let mut last = UserKey::from(after);
        loop {
            let entries = entries(&self.untold, &last, end, AT_ONCE)?;
            if entries.is_empty() {
                return Ok(None);
            }
            let (mut old, mut is_enough) = (Vec::new(), false);
            for entry in entries {
                is_enough = wanted.limit > 0 && given.len() == wanted.limit;
                if is_enough {
                    break;
                }
                last = entry.clone();
                match self.look(wanted, &entry)? {
                    Look::Drop => old.push(entry),
                    Look::Give(note)
                        if wanted.limit > 0 && !taken.until.contains_key(&note.key) =>
                    {
                        taken.until.insert(note.key.clone(), wanted.until);
                        given.push(note);
                    }
                    Look::Give(_) | Look::Leave => {}
                }
            }
            self.drop_untold(&old)?;
            if is_enough {
                return Ok(Some(last));
            }
        }
    }

    fn look(&self, wanted: &Wanted<'_>, entry: &[u8]) -> Result<Look> {
        let Some((due, key)) = split_due_key(entry) else {
            return Ok(Look::Drop);
        };
        let name = std::str::from_utf8(key).ok();
        let Some(name) = name.filter(|name| wanted.space.middle(name).is_some()) else {
            return Ok(Look::Leave);
        };
        let expired = match self.kept(key)? {
            Some(expired) if expired.deadline == due => expired,
            _ => return Ok(Look::Drop),
        };
        if wanted.now.since(due) >= wanted.keep.min(expired.after) {
            return Ok(Look::Drop);
        }
        let is_live = match self.stored(key) {
            Err(error) if error.kind() == ErrorKind::Corrupt => false,
            stored => stored?.is_some_and(|stored| lives(stored.deadline, wanted.now)),
        };
        Ok(match is_live {
            true => Look::Leave,
            false => Look::Give(ExpiredNote {
                key: StorageKey::from(name.to_owned()),
                deadline: due,
                note: expired.note,
            }),
        })
    }

    /// Drops what nobody has asked for in the time for which it is kept, whether anybody asks at all or not.
    pub(super) fn drop_outdated(&self, now: Timestamp) -> Result<()> {
        let end = not_due(now);
        loop {
            let entries = entries(&self.untold, &[], &end, AT_ONCE)?;
            let mut old = Vec::new();
            for entry in &entries {
                let Some((due, key)) = split_due_key(entry) else {
                    old.push(entry.clone());
                    continue;
                };
                match self.kept(key)? {
                    Some(expired) if expired.deadline != due => {}
                    Some(expired) if now.since(due) < expired.after => break,
                    _ => {}
                }
                old.push(entry.clone());
            }
            self.drop_untold(&old)?;
            if old.len() < AT_ONCE {
                return Ok(());
            }
        }
    }

    /// What is kept of the session that expired under `key`.
    fn kept(&self, key: &[u8]) -> Result<Option<Expired>> {
        let value = self.expired.get(key).map_err(failed)?;
        Ok(value.and_then(Expired::decode))
    }

    /// Drops entries of `untold`, and what is kept for them.
    fn drop_untold(&self, entries: &[UserKey]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut changes = self.changes();
        for entry in entries {
            let Some((due, key)) = split_due_key(entry) else {
                changes.drop_untold(entry, None);
                continue;
            };
            // Read again, since nobody else changes it from here on.
            let kept = self.kept(key)?.filter(|expired| expired.deadline == due);
            changes.drop_untold(entry, kept.map(|_| key));
        }
        changes.commit()
    }

    /// Drops what is kept of the sessions that expired under `keys`, and says of how many there was something.
    pub(super) fn forget_expired(&self, keys: &[StorageKey]) -> Result<u64> {
        let mut taken = self.taken();
        let mut forgotten = 0;
        for keys in keys.chunks(AT_ONCE) {
            let mut entries = Vec::with_capacity(keys.len());
            for key in keys {
                taken.until.remove(key);
                if let Some(expired) = self.kept(key.as_bytes())? {
                    entries.push(UserKey::from(due_key(expired.deadline, key.as_bytes())));
                }
            }
            entries.sort_unstable();
            entries.dedup();
            self.drop_untold(&entries)?;
            forgotten += entries.len() as u64;
        }
        Ok(forgotten)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // A look that ended in a panic has lost nothing but its place.
        lock(&self.kept.taken)
    }
}
