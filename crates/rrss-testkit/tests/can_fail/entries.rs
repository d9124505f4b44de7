//! The index of a backend with one flaw, or with none.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::flaw::Flaw;
use rrss_core::{Cursor, IndexKey, Operation, Page, Result, StorageKey, Timestamp};

/// Which keys each entry names, and until when.
#[derive(Default)]
pub(crate) struct Entries(BTreeMap<String, BTreeMap<String, Option<Timestamp>>>);

impl Entries {
    /// Where an entry is kept.
    fn place(flaw: Flaw, op: &Operation, entry: &IndexKey) -> Result<String> {
        let place = op.key_space()?;
        let place = match flaw {
            Flaw::FindIgnoresKeySpaces => entry.storage_key(&rrss_core::KeySpace::default()),
            _ => entry.storage_key(place),
        };
        let place = place.as_str();
        Ok(match flaw {
            Flaw::MixesFields => place[place.len() - 64..].to_owned(),
            Flaw::MixesValues => place[..place.len() - 64].to_owned(),
            _ => place.to_owned(),
        })
    }

    pub(crate) fn put(
        &mut self,
        flaw: Flaw,
        op: &Operation,
        deadline: Option<Timestamp>,
    ) -> Result<()> {
        let key = op.key()?.as_str();
        let deadline = match (flaw, deadline) {
            (Flaw::EntriesNeverEnd, _) => None,
            (Flaw::EntriesOfTheEndlessEnd, None) => Some(op.now() + Duration::from_secs(60)),
            _ => deadline,
        };
        let most = if flaw == Flaw::IndexesOneEntry {
            1
        } else {
            usize::MAX
        };
        for entry in op.index.put.iter().take(most) {
            let named = self.0.entry(Self::place(flaw, op, entry)?).or_default();
            named.insert(key.to_owned(), deadline);
            if flaw == Flaw::EntriesEndTogether {
                let first = named.values().flatten().min().copied();
                named.values_mut().for_each(|until| *until = first);
            }
        }
        Ok(())
    }

    pub(crate) fn remove(&mut self, flaw: Flaw, op: &Operation) -> Result<()> {
        if flaw == Flaw::NeverRemovesEntries {
            return Ok(());
        }
        let key = op.key()?.as_str();
        let also = op.index.put.iter();
        let also = also.filter(|_| flaw == Flaw::RemovesWhatItPuts);
        for entry in op.index.removed.iter().chain(also) {
            if let Some(named) = self.0.get_mut(&Self::place(flaw, op, entry)?) {
                named.remove(key);
            }
        }
        Ok(())
    }

    /// Takes `key` out, whatever names it.
    pub(crate) fn forget(&mut self, key: &str) {
        for named in self.0.values_mut() {
            named.remove(key);
        }
    }

    /// Takes out what is past its deadline.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        for named in self.0.values_mut() {
            named.retain(|_, until| until.is_none_or(|until| now < until));
        }
    }

    /// Takes out what names no session that lives.
    pub(crate) fn prune(&mut self, lives: impl Fn(&str) -> bool) {
        for named in self.0.values_mut() {
            named.retain(|key, _| lives(key));
        }
    }

    pub(crate) fn find(
        &self,
        flaw: Flaw,
        op: &Operation,
        entry: &IndexKey,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page> {
        let all: BTreeMap<String, Option<Timestamp>>;
        let named = match flaw {
            Flaw::FindsNothing => None,
            Flaw::FindsAll => {
                all = self
                    .0
                    .values()
                    .flatten()
                    .map(|(key, until)| (key.clone(), *until))
                    .collect();
                Some(&all)
            }
            _ => self.0.get(&Self::place(flaw, op, entry)?),
        };
        let after = cursor.map(|cursor| String::from_utf8_lossy(cursor.as_bytes()).into_owned());
        let keys: Vec<String> = named
            .into_iter()
            .flatten()
            .filter(|(_, until)| {
                flaw == Flaw::FindsAndShowsExpired || until.is_none_or(|until| op.now() < until)
            })
            .map(|(key, _)| key.clone())
            .collect();
        let begin = match &after {
            None => 0,
            Some(after) if flaw == Flaw::FindPagesByPosition => after.parse().expect("a number"),
            Some(after) => keys.partition_point(|key| key <= after),
        };
        let end = keys.len().min(begin.saturating_add(limit));
        let page: Vec<String> = keys.get(begin..end).unwrap_or_default().to_vec();
        let next = match page.last() {
            _ if flaw == Flaw::FindsOnePage => None,
            Some(_) if flaw == Flaw::FindPagesByPosition => Some(end.to_string()),
            last => last.cloned(),
        };
        Ok(Page::new(
            page.into_iter().map(StorageKey::from).collect(),
            next.map(|next| Cursor::from(next.into_bytes())),
        ))
    }

    /// The places that hold anything.
    pub(crate) fn places(&self) -> impl Iterator<Item = &String> {
        let places = self.0.iter();
        places
            .filter(|(_, named)| !named.is_empty())
            .map(|(place, _)| place)
    }
}
