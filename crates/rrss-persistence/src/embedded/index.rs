//! The index: the sessions that a value has, and the values that a session has; see the [module](super).

use std::ops::Bound;

use fjall::{OwnedWriteBatch, Slice};
use rrss_core::{
    Cursor, Error, ErrorKind, IndexKey, KeySpace, Operation, Page, Result, StorageKey, Timestamp,
};

use super::engine::{Engine, failed};
use super::record::Stored;
use crate::fate::lives;

/// Stands between texts: no text has it, since it is not a byte of UTF-8 (RFC 3629, section 1).
const SEPARATOR: u8 = 0xff;

/// The longest key that the engine takes.
const LONGEST_KEY: usize = u16::MAX as usize;

/// How many entries one page looks at, at most. Each costs a look at its session.
const AT_ONCE: usize = 1_000;

impl Engine {
    /// Names the sessions of an entry. It reads that entry's range alone; what was removed there passes by too, until
    /// the engine has compacted it away.
    pub(super) fn find(
        &self,
        op: &Operation,
        entry: &IndexKey,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page> {
        let (space, limit) = (op.key_space()?, limit.max(1));
        let entry = entry.storage_key(space);
        let first = index_key(entry.as_bytes(), b"");
        let end = index_key(entry.as_bytes(), &[SEPARATOR]);
        if end.len() > LONGEST_KEY {
            return Ok(Page::new(Vec::new(), None));
        }
        let from = match cursor.map(Cursor::as_bytes) {
            Some(after) if is_key_of(entry.as_bytes(), after) => {
                Bound::Excluded(index_key(entry.as_bytes(), after))
            }
            _ => Bound::Included(first.clone()),
        };
        let (mut keys, mut last) = (Vec::new(), None);
        let range = self.index.range((from, Bound::Excluded(end)));
        for (seen, found) in range.enumerate() {
            let found = found.key().map_err(failed)?;
            if keys.len() == limit || seen == AT_ONCE {
                return Ok(Page::new(keys, last.map(Cursor::from)));
            }
            let key = &found[first.len()..];
            if let Some(name) = self.live_name(space, key, op.now())? {
                keys.push(StorageKey::from(name.to_owned()));
            }
            last = Some(key.to_vec());
        }
        Ok(Page::new(keys, None))
    }

    /// The key as text, where it is one of `space` and not past its deadline; as a listing has it, also where its
    /// record cannot be read.
    fn live_name<'k>(
        &self,
        space: &KeySpace,
        key: &'k [u8],
        now: Timestamp,
    ) -> Result<Option<&'k str>> {
        let name = std::str::from_utf8(key).ok();
        let Some(name) = name.filter(|name| space.middle(name).is_some()) else {
            return Ok(None);
        };
        match self.stored(key) {
            Ok(stored) => Ok(stored
                .filter(|stored| lives(stored.deadline, now))
                .map(|_| name)),
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(Some(name)),
            Err(error) => Err(error),
        }
    }

    /// What a write of `op` changes in the index, in place of what was stored `before`.
    ///
    /// One that says nothing of the index, since its pipeline has none or its session no value, leaves the entries
    /// of a live session as they are: they may be stale then, and none is missing. What is left of a dead one is no
    /// part of its successor.
    pub(super) fn entries_to_write(
        &self,
        op: &Operation,
        key: &[u8],
        before: Option<&Stored>,
    ) -> Result<EntryChanges> {
        let replaces_live = before.is_some_and(|before| lives(before.deadline, op.now()));
        if op.index.is_empty() && (replaces_live || before.is_none()) {
            return Ok(EntryChanges::default());
        }
        let after = entries_of(op, key)?;
        let before = match before {
            Some(_) => self.indexed.get(key).map_err(failed)?,
            None => None,
        };
        Ok(EntryChanges { before, after })
    }

    /// What the end of a session changes in the index. Entries that cannot be read do not keep it from ending.
    pub(super) fn entries_to_remove(&self, key: &[u8]) -> Result<EntryChanges> {
        match self.indexed.get(key).map_err(failed) {
            Ok(before) => Ok(EntryChanges {
                before,
                after: None,
            }),
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(EntryChanges::default()),
            Err(error) => Err(error),
        }
    }
}

/// The entries that a session had and those that it is to have, as `indexed` holds them.
///
/// Whoever changes a session reads this before the batch has anything of the change: others share the batch, and are
/// done even if the reading fails.
#[derive(Default)]
pub(super) struct EntryChanges {
    before: Option<Slice>,
    after: Option<Slice>,
}

impl EntryChanges {
    /// Adds what differs; mostly nothing does.
    pub(super) fn add_to(self, batch: &mut OwnedWriteBatch, engine: &Engine, key: &[u8]) {
        if self.before == self.after {
            return;
        }
        let (before, after) = (split(self.before.as_ref()), split(self.after.as_ref()));
        for entry in before.iter().filter(|entry| !after.contains(entry)) {
            batch.remove(&engine.index, index_key(entry, key));
        }
        for entry in after.iter().filter(|entry| !before.contains(entry)) {
            batch.insert(&engine.index, index_key(entry, key), b"");
        }
        match self.after {
            Some(after) => batch.insert(&engine.indexed, key, after),
            None => batch.remove(&engine.indexed, key),
        }
    }
}

/// The value of `indexed` for what `op` puts into the index: each entry once, in order, so that the same entries
/// are the same bytes. `None` where there is none.
fn entries_of(op: &Operation, key: &[u8]) -> Result<Option<Slice>> {
    if op.index.put.is_empty() {
        return Ok(None);
    }
    let space = op.key_space()?;
    let mut entries: Vec<StorageKey> = op
        .index
        .put
        .iter()
        .map(|entry| entry.storage_key(space))
        .collect();
    entries.sort_unstable();
    entries.dedup();
    let entries: Vec<&[u8]> = entries.iter().map(StorageKey::as_bytes).collect();
    if let Some(longest) = entries.iter().map(|entry| entry.len()).max()
        && longest + 1 + key.len() > LONGEST_KEY
    {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the `embedded` backend keeps index entries of up to {LONGEST_KEY} bytes, the session's key \
                 included; shorten the name of the field or the keys"
            ),
        ));
    }
    Ok(Some(entries.join(&SEPARATOR).into()))
}

/// Takes a value of `indexed` apart.
fn split(entries: Option<&Slice>) -> Vec<&[u8]> {
    entries.map_or_else(Vec::new, |entries| {
        entries.split(|byte| *byte == SEPARATOR).collect()
    })
}

/// The key of `index` for the session under `key`.
fn index_key(entry: &[u8], key: &[u8]) -> Vec<u8> {
    [entry, &[SEPARATOR], key].concat()
}

/// Whether `key` is text that can follow `entry` in the index: a cursor that is anything else is not from here.
fn is_key_of(entry: &[u8], key: &[u8]) -> bool {
    entry.len() + 1 + key.len() <= LONGEST_KEY && std::str::from_utf8(key).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rrss_core::{Action, Deadline, Payload};

    use super::*;
    use crate::embedded::Options;

    fn engine() -> (Engine, tempfile::TempDir) {
        let dir = tempfile::TempDir::new().unwrap();
        let engine = Engine::open(&Options::at(dir.path()), Arc::default());
        (engine.unwrap(), dir)
    }

    fn write(key: &str, values: &[u32]) -> Operation {
        let mut op = Operation::new(Action::Create, Timestamp::from_millis(0));
        op.key = Some(StorageKey::from(key.to_owned()));
        op.key_space = Some(KeySpace::new("s:", ""));
        op.deadline = Deadline::At(Timestamp::from_millis(100));
        op.payload = Payload::Bytes("{}".into());
        for value in values {
            let entry = IndexKey::of("n", &value.to_string()).unwrap();
            op.index.put.extend(entry);
        }
        op
    }

    fn carry_out(engine: &Engine, op: &Operation) {
        let mut changes = engine.changes();
        let record = Stored::encode(op.bytes().unwrap());
        changes.write(op, record).unwrap();
        changes.commit().unwrap();
    }

    fn items(engine: &Engine, key: &str, changes: EntryChanges) -> usize {
        let mut batch = engine.database.batch();
        changes.add_to(&mut batch, engine, key.as_bytes());
        batch.len()
    }

    #[test]
    fn a_write_changes_only_what_differs() {
        let (engine, _dir) = engine();
        let items_of = |values: &[u32], before: Option<&Stored>| {
            let op = write("s:1", values);
            let changes = engine.entries_to_write(&op, b"s:1", before).unwrap();
            items(&engine, "s:1", changes)
        };
        assert_eq!(items_of(&[], None), 0);
        assert_eq!(items_of(&[1, 2], None), 3);
        carry_out(&engine, &write("s:1", &[1, 2]));

        let mut stored = engine.stored(b"s:1").unwrap().unwrap();
        for (values, expected) in [
            (&[1, 2][..], 0),
            (&[2, 1, 2], 0),
            (&[], 0),
            (&[1], 2),
            (&[1, 3], 3),
            (&[3, 4], 5),
        ] {
            assert_eq!(items_of(values, Some(&stored)), expected, "{values:?}");
        }
        stored.deadline = Some(Timestamp::from_millis(0));
        assert_eq!(items_of(&[], Some(&stored)), 3, "what a dead one has left");
        assert_eq!(items_of(&[1, 2], Some(&stored)), 0);
    }

    #[test]
    fn the_end_of_a_session_costs_in_its_own_entries() {
        let (engine, _dir) = engine();
        for n in 0..500 {
            carry_out(&engine, &write(&format!("s:{n}"), &[1, n]));
        }
        carry_out(&engine, &write("s:none", &[]));
        let items_of = |key: &str| {
            let changes = engine.entries_to_remove(key.as_bytes()).unwrap();
            items(&engine, key, changes)
        };
        assert_eq!(items_of("s:7"), 3);
        assert_eq!(items_of("s:1"), 2);
        assert_eq!(items_of("s:none"), 0);
        assert_eq!(items_of("s:nobody"), 0);
    }
}
