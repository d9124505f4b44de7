//! Naming and counting what is live, by range.

use std::ops::Bound;

use rrss_core::{Cursor, KeySpace, Operation, Page, Result, StorageKey, Timestamp};

use super::engine::{Engine, failed};
use super::record::Stored;
use crate::fate::lives;

/// How many records one page looks at, at most.
const AT_ONCE: usize = 10_000;

impl Engine {
    pub(super) fn list(
        &self,
        op: &Operation,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page> {
        let (space, limit) = (op.key_space()?, limit.max(1));
        let prefix = space.prefix().as_bytes();
        let from = match cursor.map(Cursor::as_bytes) {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let (mut keys, mut last) = (Vec::new(), None);
        let range = self.sessions.range::<&[u8], _>((from, Bound::Unbounded));
        for (seen, entry) in range.enumerate() {
            let (key, value) = entry.into_inner().map_err(failed)?;
            if !key.starts_with(prefix) {
                break;
            }
            if keys.len() == limit || seen == AT_ONCE {
                let next = last.map(|last: fjall::UserKey| Cursor::from(last.to_vec()));
                return Ok(Page::new(keys, next));
            }
            if let Some(name) = live_name(space, &key, value, op.now()) {
                keys.push(StorageKey::from(name.to_owned()));
            }
            last = Some(key);
        }
        Ok(Page::new(keys, None))
    }

    pub(super) fn count(&self, op: &Operation) -> Result<u64> {
        let space = op.key_space()?;
        let mut count = 0;
        for entry in self.sessions.prefix(space.prefix()) {
            let (key, value) = entry.into_inner().map_err(failed)?;
            count += u64::from(live_name(space, &key, value, op.now()).is_some());
        }
        Ok(count)
    }
}

/// The key as text, where it is one of `space` and not past its deadline. A record that cannot be read has no
/// deadline to be past of: it is named, so that it can be found and deleted.
fn live_name<'k>(
    space: &KeySpace,
    key: &'k [u8],
    value: fjall::Slice,
    now: Timestamp,
) -> Option<&'k str> {
    let name = std::str::from_utf8(key).ok()?;
    space.middle(name)?;
    Stored::decode(value)
        .map_or(true, |stored| lives(stored.deadline, now))
        .then_some(name)
}
