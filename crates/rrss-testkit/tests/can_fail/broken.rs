//! A backend with one flaw, or with none.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::entries::Entries;
use crate::flaw::Flaw;
use bytes::Bytes;
use rrss_core::{
    Action, Backend, Cursor, Deadline, Error, ErrorKind, Guard, IndexKey, KeySpace, Operation,
    Page, Record, Result, StorageKey, Timestamp, Written,
};

/// A backend with this flaw.
pub(crate) struct Broken {
    flaw: Flaw,
    kept: Mutex<Kept>,
    turn: tokio::sync::Mutex<()>,
    pauses: AtomicU64,
}

#[derive(Default)]
struct Kept {
    sessions: BTreeMap<String, Stored>,
    entries: Entries,
    first_deadlines: BTreeMap<String, Timestamp>,
    writes: u64,
}

#[derive(Clone)]
struct Stored {
    bytes: Bytes,
    deadline: Option<Timestamp>,
}

impl Stored {
    fn lives(&self, now: Timestamp) -> bool {
        self.deadline.is_none_or(|deadline| now < deadline)
    }
}

impl Broken {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            kept: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            pauses: AtomicU64::new(0),
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_down(&self, about: &str) -> Result<()> {
        if self.has(Flaw::IsDownAndNamesKeys) {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("there is no way to {about}"),
            ));
        }
        Ok(())
    }

    fn key(&self, op: &Operation) -> Result<String> {
        let key = op.key()?.as_str();
        self.is_down(key)?;
        Ok(if self.has(Flaw::FoldsCase) {
            key.to_lowercase()
        } else {
            key.to_owned()
        })
    }

    fn lives(&self, stored: &Stored, now: Timestamp) -> bool {
        let ignores = [Flaw::IgnoresDeadlines, Flaw::FindsAndShowsExpired];
        ignores.contains(&self.flaw) || stored.lives(now)
    }

    fn live(&self, key: &str, now: Timestamp) -> Option<Stored> {
        let kept = self.kept();
        kept.sessions
            .get(key)
            .filter(|stored| self.lives(stored, now))
            .cloned()
    }

    /// One change at a time, unless that is the flaw.
    async fn turn(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        if self.has(Flaw::ChecksThenActs) {
            return None;
        }
        Some(self.turn.lock().await)
    }

    /// Between the look at what is there and the change of it, where another comes in: waits a while for one.
    async fn pause(&self) {
        let gives_way = [
            Flaw::ChecksThenActs,
            Flaw::FindPrunesHastily,
            Flaw::SweepPrunesHastily,
        ];
        if !gives_way.contains(&self.flaw) {
            return;
        }
        let came = self.pauses.fetch_add(1, Ordering::SeqCst) + 1;
        for _ in 0..50 {
            tokio::task::yield_now().await;
            if self.pauses.load(Ordering::SeqCst) > came {
                break;
            }
        }
        // Two that met would go on in the same order each time.
        for _ in 0..came.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60 {
            tokio::task::yield_now().await;
        }
    }

    fn deadline(&self, op: &Operation, kept: Option<Timestamp>) -> Option<Timestamp> {
        match op.deadline {
            Deadline::Keep => kept,
            Deadline::Never if self.has(Flaw::EndsTheEndless) => {
                Some(op.now() + Duration::from_secs(60))
            }
            Deadline::Never => None,
            Deadline::At(at) if self.has(Flaw::RoundsToSeconds) => Some(Timestamp::from_millis(
                at.as_millis().div_ceil(1_000) * 1_000,
            )),
            Deadline::At(at) => Some(at),
        }
    }

    /// Puts and removes what a change that was done says.
    fn index(&self, op: &Operation, deadline: Option<Timestamp>) -> Result<()> {
        if op.index.is_empty() {
            return Ok(());
        }
        let mut kept = self.kept();
        let skips = match self.flaw {
            Flaw::IndexesNoUpdates => *op.action() == Action::Update,
            Flaw::UpdateLeavesEntries => {
                *op.action() == Action::Update && op.index.removed.is_empty()
            }
            // But the first, so that there is a deadline to leave.
            Flaw::TouchLeavesEntries => *op.action() == Action::Touch && kept.writes > 2,
            Flaw::CreatesKeepNoEntriesOfOldKeys => {
                kept.writes > 1 && *op.action() == Action::Create
            }
            _ => false,
        };
        if !skips {
            kept.entries.put(self.flaw, op, deadline)?;
        }
        kept.entries.remove(self.flaw, op)
    }

    /// What a change that is refused does to the index all the same.
    fn index_refused(&self, op: &Operation) -> Result<()> {
        let mut kept = self.kept();
        match self.flaw {
            Flaw::RefusedChangesRemoveEntries => kept.entries.remove(self.flaw, op),
            Flaw::RefusedCreatesRemoveEntries if *op.action() == Action::Create => {
                kept.entries.forget(op.key()?.as_str());
                Ok(())
            }
            Flaw::RefusedUpdatesTakeEntriesBack => {
                let mut back = op.clone();
                back.index.removed = std::mem::take(&mut back.index.put);
                kept.entries.remove(self.flaw, &back)
            }
            _ => Ok(()),
        }
    }

    fn put(&self, key: &str, bytes: Bytes, deadline: Option<Timestamp>) {
        let mut kept = self.kept();
        if self.has(Flaw::StoresNothing) {
            return;
        }
        kept.writes += 1;
        if let Some(deadline) = deadline {
            kept.first_deadlines
                .entry(key.to_owned())
                .or_insert(deadline);
        }
        kept.sessions
            .insert(key.to_owned(), Stored { bytes, deadline });
    }
}

impl Backend for Broken {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        let key = self.key(op)?;
        let Some(mut stored) = self.live(&key, op.now()) else {
            let empty = self.has(Flaw::AnswersEmptyForUnknown);
            return Ok(empty.then(|| Record::new(Bytes::new(), None)));
        };
        if self.has(Flaw::CutsLongBytes) {
            stored.bytes.truncate(4_096);
        }
        if self.has(Flaw::RenewsOnRead) && stored.deadline.is_some() {
            let later = op.now() + Duration::from_secs(60);
            self.put(&key, stored.bytes.clone(), Some(later));
        }
        match self.flaw {
            Flaw::TellsAnotherDeadline => stored.deadline = Some(op.now()),
            Flaw::HidesTheDeadline => stored.deadline = None,
            Flaw::TellsADeadlineOfTheEndless => {
                stored
                    .deadline
                    .get_or_insert(op.now() + Duration::from_secs(60));
            }
            _ => {}
        }
        Ok(Some(Record::new(stored.bytes, stored.deadline)))
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        let _turn = self.turn().await;
        if self.entries_come_first() {
            self.index(op, op.deadline.instant())?;
            self.pause().await;
        }
        let written = self.write_alone(op).await?;
        if written != Written::Done {
            self.index_refused(op)?;
        } else if !self.entries_come_first() {
            self.index_written(op)?;
        }
        Ok(written)
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        let _turn = self.turn().await;
        let touched = self.touch_alone(op).await?;
        if touched == Written::Done {
            self.index_written(op)?;
        }
        Ok(touched)
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        let _turn = self.turn().await;
        let deleted = self.delete_alone(op).await?;
        if self.has(Flaw::ForgetsDeletes) {
            return Ok(deleted);
        }
        if deleted == Written::Done {
            self.index(op, None)?;
        } else {
            self.index_refused(op)?;
        }
        Ok(deleted)
    }

    async fn find(
        &self,
        op: &Operation,
        entry: &IndexKey,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page> {
        self.is_down("find")?;
        let mut kept = self.kept();
        if self.has(Flaw::FindPrunesHastily) {
            let Kept {
                sessions, entries, ..
            } = &mut *kept;
            entries.prune(|key| sessions.contains_key(key));
        }
        kept.entries.find(self.flaw, op, entry, cursor, limit)
    }

    fn keeps_index(&self) -> bool {
        true
    }

    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        self.is_down("list")?;
        let space = op.key_space()?;
        let space = match space.prefix().find(['*', '?', '[', '\\']) {
            Some(at) if self.has(Flaw::TakesPatterns) => {
                &KeySpace::new(&space.prefix()[..at], space.suffix())
            }
            _ => space,
        };
        let kept = self.kept();
        let after = cursor.map(|cursor| String::from_utf8_lossy(cursor.as_bytes()).into_owned());
        let (from, skip) = match after {
            Some(after) if self.has(Flaw::PagesByPosition) => {
                (Bound::Unbounded, after.parse().expect("it is a number"))
            }
            Some(after) => (Bound::Excluded(after), 0),
            None => (Bound::Unbounded, 0),
        };
        let keys: Vec<StorageKey> = kept
            .sessions
            .range((from, Bound::Unbounded))
            .filter(|(key, _)| self.has(Flaw::IgnoresKeySpaces) || space.middle(key).is_some())
            .filter(|(_, stored)| self.has(Flaw::ListsExpired) || self.lives(stored, op.now()))
            .map(|(key, _)| StorageKey::from(key.clone()))
            .skip(skip)
            .take(limit)
            .collect();
        let next = match keys.last() {
            Some(_) if self.has(Flaw::ListsOnePage) => None,
            Some(_) if self.has(Flaw::PagesByPosition) => Some((skip + keys.len()).to_string()),
            last => last.map(|key| key.as_str().to_owned()),
        };
        Ok(Page::new(
            keys,
            next.map(|next| Cursor::from(next.into_bytes())),
        ))
    }

    async fn count(&self, op: &Operation) -> Result<u64> {
        if self.has(Flaw::ListsEntries) {
            let kept = self.kept();
            return Ok((kept.sessions.len() + kept.entries.places().count()) as u64);
        }
        if self.has(Flaw::CountsWrites) {
            return Ok(self.kept().writes);
        }
        Ok(self.list(op, None, usize::MAX).await?.keys.len() as u64)
    }

    async fn sweep(&self, op: &Operation, limit: usize) -> Result<u64> {
        let _turn = match self.flaw {
            Flaw::SweepPrunesHastily => None,
            _ => self.turn().await,
        };
        let limit = match self.flaw {
            Flaw::SweepsNothing => return Ok(0),
            Flaw::SweepsWithoutLimit => usize::MAX,
            _ => limit,
        };
        let past: Vec<String> = {
            let kept = self.kept();
            let is_past = |(key, stored): &(&String, &Stored)| match self.flaw {
                Flaw::SweepsLive => true,
                Flaw::SweepsByFirstDeadline => {
                    let first = kept.first_deadlines.get(*key);
                    first.is_some_and(|first| *first <= op.now())
                }
                _ => !stored.lives(op.now()),
            };
            let past = kept.sessions.iter().filter(is_past);
            past.map(|(key, _)| key.clone()).take(limit).collect()
        };
        self.pause().await;
        let mut kept = self.kept();
        for key in &past {
            kept.sessions.remove(key);
            if !self.has(Flaw::EntriesNeverEnd) {
                kept.entries.forget(key);
            }
        }
        kept.entries.sweep(op.now());
        if self.has(Flaw::SweepPrunesHastily) {
            let Kept {
                sessions, entries, ..
            } = &mut *kept;
            entries.prune(|key| sessions.contains_key(key));
        }
        let twice = if self.has(Flaw::CountsSweptTwice) {
            2
        } else {
            1
        };
        Ok(past.len() as u64 * twice)
    }

    fn needs_sweep(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<()> {
        self.is_down("ping")?;
        if self.has(Flaw::CannotBePinged) {
            return Err(Error::new(ErrorKind::Unsupported, "there is no ping"));
        }
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        if self.has(Flaw::ForgetsAtClose) {
            self.kept().sessions.clear();
        }
        Ok(())
    }
}
impl Broken {
    fn entries_come_first(&self) -> bool {
        self.has(Flaw::FindPrunesHastily) || self.has(Flaw::SweepPrunesHastily)
    }

    /// Carries out what a write or a touch that was done says of the index.
    fn index_written(&self, op: &Operation) -> Result<()> {
        let key = self.key(op)?;
        let stored = self.kept().sessions.get(&key).cloned();
        match stored {
            Some(stored) => self.index(op, stored.deadline),
            None if self.has(Flaw::PastDeadlinesLeaveEntries) => self.index(op, None),
            None => {
                self.kept().entries.forget(&key);
                Ok(())
            }
        }
    }

    async fn write_alone(&self, op: &Operation) -> Result<Written> {
        let (key, bytes, now) = (self.key(op)?, op.bytes()?.clone(), op.now());
        let is_past = op.deadline.is_past(now);
        if is_past && self.has(Flaw::PastDeadlinesComeFirst) {
            self.kept().sessions.remove(&key);
            return Ok(Written::Done);
        }
        let live = self.live(&key, now);
        let expired = self.kept().sessions.get(&key).cloned();
        self.pause().await;
        let is_create = *op.action() == Action::Create;
        if is_create {
            let is_taken = match self.flaw {
                Flaw::CreatesOverLive => false,
                Flaw::RefusesExpiredKeys => expired.is_some(),
                _ => live.is_some(),
            };
            if is_taken {
                return Ok(Written::Taken);
            }
        } else {
            let is_there = match self.flaw {
                Flaw::Revives => true,
                Flaw::RevivesWhatWasLoaded if matches!(op.guard, Guard::Unchanged(_)) => true,
                Flaw::RevivesExpired => expired.is_some(),
                _ => live.is_some(),
            };
            if !is_there {
                return Ok(Written::Gone);
            }
            if let Guard::Unchanged(loaded) = &op.guard {
                let is_same = live
                    .as_ref()
                    .is_none_or(|live| live.bytes == loaded.as_bytes());
                if !is_same && !self.has(Flaw::ForgetsWhatWasLoaded)
                    || self.has(Flaw::RefusesWhatWasLoaded)
                {
                    return Ok(Written::Changed);
                }
            }
        }
        if is_past && self.has(Flaw::RefusesPastDeadlines) {
            return Ok(Written::Gone);
        }
        if is_past && !self.has(Flaw::IgnoresDeadlines) {
            self.kept().sessions.remove(&key);
            return Ok(Written::Done);
        }
        let before = match self.flaw {
            Flaw::InheritsDeadlines => expired.as_ref(),
            Flaw::UpdateDropsTheDeadline => None,
            _ => live.as_ref(),
        };
        let before_deadline = before.and_then(|stored| stored.deadline);
        let deadline = if self.has(Flaw::UpdateLeavesTheDeadline) && !is_create {
            before_deadline
        } else {
            self.deadline(op, before_deadline)
        };
        let bytes = match &live {
            Some(live) if self.has(Flaw::UpdateAppends) => {
                [&live.bytes[..], &bytes].concat().into()
            }
            _ => bytes,
        };
        if self.has(Flaw::WritesInTwoParts) {
            let rest = live.map(|live| live.bytes).unwrap_or_default();
            let half = bytes.len() / 2;
            let mut mixed = bytes[..half].to_vec();
            mixed.extend(rest.get(half..).unwrap_or_default());
            self.put(&key, mixed.into(), deadline);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.put(&key, bytes, deadline);
        Ok(Written::Done)
    }

    async fn touch_alone(&self, op: &Operation) -> Result<Written> {
        let key = self.key(op)?;
        let Some(mut live) = self.live(&key, op.now()) else {
            if self.has(Flaw::TouchCreates) {
                self.put(&key, Bytes::new(), op.deadline.instant());
            }
            return Ok(Written::Gone);
        };
        if let Guard::Unchanged(loaded) = &op.guard
            && loaded.as_bytes() != &*live.bytes
            && !self.has(Flaw::ForgetsWhatWasLoaded)
        {
            return Ok(Written::Changed);
        }
        self.pause().await;
        if op.deadline.is_past(op.now()) {
            let refuses = self.has(Flaw::RefusesPastDeadlines);
            if !refuses {
                self.kept().sessions.remove(&key);
            }
            return Ok(if refuses {
                Written::Gone
            } else {
                Written::Done
            });
        }
        if self.has(Flaw::TouchEmpties) {
            live.bytes = Bytes::new();
        }
        let deadline = if self.has(Flaw::TouchDropsTheDeadline) {
            None
        } else {
            self.deadline(op, live.deadline)
        };
        if !self.has(Flaw::TouchDoesNothing) {
            self.put(&key, live.bytes, deadline);
        }
        Ok(Written::Done)
    }

    async fn delete_alone(&self, op: &Operation) -> Result<Written> {
        let key = self.key(op)?;
        let live = self.live(&key, op.now());
        if let Guard::Unchanged(loaded) = &op.guard {
            match &live {
                Some(_) if self.has(Flaw::RefusesToDeleteWhatWasLoaded) => {
                    return Ok(Written::Changed);
                }
                Some(live)
                    if loaded.as_bytes() != &*live.bytes && !self.has(Flaw::DeletesWhatChanged) =>
                {
                    return Ok(Written::Changed);
                }
                None if self.has(Flaw::DeletesWhatIsGone) => return Ok(Written::Done),
                _ => {}
            }
        }
        self.pause().await;
        if self.has(Flaw::DeletesByPrefix) {
            self.kept()
                .sessions
                .retain(|other, _| !other.starts_with(&key));
        } else if !self.has(Flaw::ForgetsDeletes) {
            self.kept().sessions.remove(&key);
        }
        if self.has(Flaw::SaysThatItDeleted) {
            return Ok(Written::Done);
        }
        Ok(live.map_or(Written::Gone, |_| Written::Done))
    }
}
