//! Which sessions have which value of an indexed field.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use rrss_core::IndexKey;

/// The keys of the sessions of each entry, in the order of the keys. An entry without sessions is not kept.
#[derive(Default)]
pub(super) struct Entries(BTreeMap<IndexKey, BTreeSet<Arc<str>>>);

impl Entries {
    pub(super) fn insert(&mut self, entries: &[IndexKey], key: &Arc<str>) {
        for entry in entries {
            match self.0.get_mut(entry) {
                Some(keys) => drop(keys.insert(Arc::clone(key))),
                None => drop(
                    self.0
                        .insert(entry.clone(), BTreeSet::from([Arc::clone(key)])),
                ),
            }
        }
    }

    pub(super) fn remove(&mut self, entries: &[IndexKey], key: &str) {
        for entry in entries {
            if let Some(keys) = self.0.get_mut(entry) {
                keys.remove(key);
                if keys.is_empty() {
                    self.0.remove(entry);
                }
            }
        }
    }

    /// The keys of `entry` from `from` on.
    pub(super) fn keys(
        &self,
        entry: &IndexKey,
        from: Bound<&str>,
    ) -> impl Iterator<Item = &Arc<str>> {
        let keys = self.0.get(entry).into_iter();
        keys.flat_map(move |keys| keys.range::<str, _>((from, Bound::Unbounded)))
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> BTreeSet<(IndexKey, Arc<str>)> {
        let all = self.0.iter();
        all.flat_map(|(entry, keys)| keys.iter().map(|key| (entry.clone(), Arc::clone(key))))
            .collect()
    }
}
