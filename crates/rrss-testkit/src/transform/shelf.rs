//! A backend that tests of transforms look into: what it was asked, and what it holds.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rrss_core::{Action, Backend, Cursor, Operation, Page, Record, Result, StorageKey, Written};

/// Keeps bytes by key and forgets deadlines. Clones share what it holds.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    bytes: BTreeMap<String, Bytes>,
    asked: Vec<Operation>,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The operations that came here, the latest last.
    pub(crate) fn asked(&self) -> Vec<Operation> {
        self.kept().asked.clone()
    }

    pub(crate) fn put(&self, key: &str, bytes: Bytes) {
        self.kept().bytes.insert(key.to_owned(), bytes);
    }

    /// Puts these bytes in the place of all others.
    pub(crate) fn replace_all(&self, bytes: &Bytes) {
        for stored in self.kept().bytes.values_mut() {
            stored.clone_from(bytes);
        }
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.kept().bytes.keys().cloned().collect()
    }

    /// The one key that there is.
    pub(crate) fn only_key(&self) -> String {
        let mut keys = self.keys();
        assert_eq!(keys.len(), 1, "one session was stored");
        keys.remove(0)
    }

    /// The bytes under the one key that there is.
    pub(crate) fn only(&self) -> Bytes {
        let key = self.only_key();
        self.kept().bytes[&key].clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, op: &Operation) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept();
        kept.asked.push(op.clone());
        kept
    }
}

impl Backend for Shelf {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        let kept = self.ask(op);
        let bytes = kept.bytes.get(op.key()?.as_str());
        Ok(bytes.map(|bytes| Record::new(bytes.clone(), None)))
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        let mut kept = self.ask(op);
        let (key, bytes) = (op.key()?.as_str(), op.bytes()?.clone());
        let (is_create, is_there) = (*op.action() == Action::Create, kept.bytes.contains_key(key));
        Ok(match (is_create, is_there) {
            (true, true) => Written::Taken,
            (false, false) => Written::Gone,
            _ => {
                kept.bytes.insert(key.to_owned(), bytes);
                Written::Done
            }
        })
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        let is_there = self.ask(op).bytes.contains_key(op.key()?.as_str());
        Ok(if is_there {
            Written::Done
        } else {
            Written::Gone
        })
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        let removed = self.ask(op).bytes.remove(op.key()?.as_str());
        Ok(removed.map_or(Written::Gone, |_| Written::Done))
    }

    /// All keys, of this key space or not: a step must not take them for its own.
    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        let kept = self.ask(op);
        let after = cursor.map(|cursor| String::from_utf8_lossy(cursor.as_bytes()).into_owned());
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let keys: Vec<StorageKey> = kept
            .bytes
            .range((from, Bound::Unbounded))
            .take(limit)
            .map(|(key, _)| key.clone().into())
            .collect();
        let next = keys.last().filter(|_| keys.len() == limit);
        let next = next.map(|key| Cursor::from(key.as_bytes().to_vec()));
        Ok(Page::new(keys, next))
    }

    async fn count(&self, op: &Operation) -> Result<u64> {
        Ok(self.ask(op).bytes.len() as u64)
    }

    /// Claims to have removed as many as it may.
    async fn sweep(&self, op: &Operation, limit: usize) -> Result<u64> {
        drop(self.ask(op));
        Ok(limit as u64)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}
