//! A backend that keeps notes of sessions, with one flaw or with none.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rrss_core::{
    Action, Backend, Cursor, Deadline, ExpiredNote, IndexKey, NoteChange, Operation, Page, Record,
    Result, StorageKey, Timestamp, Written,
};

use crate::broken::Broken;
use crate::flaw::Flaw;

/// What can be wrong with notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoteFlaw {
    None,
    GivesNothing,
    GivesTheLive,
    GivesAtTheFirstDeadline,
    GivesAtTheLastDeadline,
    KeepsTheFirstNote,
    TellsNow,
    PastDeadlinesTellNothing,
    RefusedDeletesRemoveNotes,
    LateDeletesRemoveNotes,
    DeletesLeaveNotes,
    TellsOfAll,
    EndlessOnesEnd,
    ListsNotes,
    KeepsForEver,
    DropsAll,
    GivesAllAtOnce,
    GivesOneOnly,
    MixesKeySpaces,
    LeasesNothing,
    LeasesForEver,
    ForgetsNothing,
    TakingNoneClaims,
}

/// A backend with this flaw.
pub(crate) struct Noting {
    flaw: NoteFlaw,
    sessions: Broken,
    notes: Mutex<BTreeMap<String, Kept>>,
}

#[derive(Clone)]
struct Kept {
    note: Bytes,
    deadline: Option<Timestamp>,
    turn: Timestamp,
}

impl Noting {
    pub(crate) fn new(flaw: NoteFlaw) -> Self {
        Self {
            flaw,
            sessions: Broken::new(Flaw::None),
            notes: Mutex::default(),
        }
    }

    fn has(&self, flaw: NoteFlaw) -> bool {
        self.flaw == flaw
    }

    fn notes(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out what a change that was done says of the note.
    fn note(&self, op: &Operation) -> Result<()> {
        let key = op.key()?.as_str();
        let mut notes = self.notes();
        let before = notes.get(key).cloned();
        let note = match &op.index.note {
            NoteChange::Leave if self.has(NoteFlaw::TellsOfAll) => Bytes::new(),
            NoteChange::Leave => match &before {
                Some(before) => before.note.clone(),
                None => return Ok(()),
            },
            NoteChange::Keep { note, .. } => note.clone(),
            NoteChange::Remove if self.has(NoteFlaw::DeletesLeaveNotes) => return Ok(()),
            NoteChange::Remove => {
                notes.remove(key);
                return Ok(());
            }
        };
        let had = before.as_ref().and_then(|before| before.deadline);
        let deadline = match op.deadline {
            Deadline::At(at) => match self.flaw {
                NoteFlaw::PastDeadlinesTellNothing if at <= op.now() => None,
                NoteFlaw::GivesAtTheFirstDeadline => Some(had.map_or(at, |had| had.min(at))),
                NoteFlaw::GivesAtTheLastDeadline => Some(had.map_or(at, |had| had.max(at))),
                _ => Some(at),
            },
            Deadline::Keep => had,
            Deadline::Never if self.has(NoteFlaw::EndlessOnesEnd) => Some(op.now()),
            Deadline::Never => None,
        };
        let note = match before {
            Some(before) if self.has(NoteFlaw::KeepsTheFirstNote) => before.note,
            _ => note,
        };
        let turn = deadline.unwrap_or(op.now());
        let kept = Kept {
            note,
            deadline,
            turn,
        };
        notes.insert(key.to_owned(), kept);
        Ok(())
    }

    /// Which notes may be given now: key, and what is kept.
    async fn due(&self, op: &Operation) -> Result<Vec<String>> {
        let space = op.key_space()?;
        let all: Vec<_> = self
            .notes()
            .iter()
            .map(|(key, kept)| (key.clone(), kept.clone()))
            .collect();
        let mut due = Vec::new();
        for (key, kept) in all {
            let is_ours = space.middle(&key).is_some() || self.has(NoteFlaw::MixesKeySpaces);
            let has_come = kept.turn <= op.now() && kept.deadline.is_some();
            let mut load = Operation::new(Action::Load, op.now());
            load.key = Some(StorageKey::from(key.clone()));
            let lives = self.sessions.load(&load).await?.is_some();
            let unheeded = [
                NoteFlaw::GivesTheLive,
                NoteFlaw::GivesAtTheFirstDeadline,
                NoteFlaw::EndlessOnesEnd,
            ];
            let is_over = has_come && (!lives || unheeded.contains(&self.flaw))
                || self.has(NoteFlaw::GivesTheLive);
            if is_ours && is_over {
                due.push(key);
            }
        }
        Ok(due)
    }
}

impl Backend for Noting {
    async fn load(&self, op: &Operation) -> Result<Option<Record>> {
        self.sessions.load(op).await
    }

    async fn write(&self, op: &Operation) -> Result<Written> {
        let written = self.sessions.write(op).await?;
        if written == Written::Done {
            self.note(op)?;
        }
        Ok(written)
    }

    async fn touch(&self, op: &Operation) -> Result<Written> {
        let touched = self.sessions.touch(op).await?;
        if touched == Written::Done {
            self.note(op)?;
        }
        Ok(touched)
    }

    async fn delete(&self, op: &Operation) -> Result<Written> {
        let deleted = self.sessions.delete(op).await?;
        let removes = match deleted {
            Written::Done => true,
            Written::Changed => self.has(NoteFlaw::RefusedDeletesRemoveNotes),
            _ => self.has(NoteFlaw::LateDeletesRemoveNotes),
        };
        if removes {
            self.note(op)?;
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
        self.sessions.find(op, entry, cursor, limit).await
    }

    fn keeps_index(&self) -> bool {
        true
    }

    async fn list(&self, op: &Operation, cursor: Option<&Cursor>, limit: usize) -> Result<Page> {
        self.sessions.list(op, cursor, limit).await
    }

    async fn count(&self, op: &Operation) -> Result<u64> {
        let notes = self.notes().len() as u64;
        let count = self.sessions.count(op).await?;
        Ok(if self.has(NoteFlaw::ListsNotes) {
            notes
        } else {
            count
        })
    }

    async fn sweep(&self, op: &Operation, limit: usize) -> Result<u64> {
        self.sessions.sweep(op, limit).await
    }

    fn needs_sweep(&self) -> bool {
        true
    }

    async fn take_expired(
        &self,
        op: &Operation,
        limit: usize,
        lease: Duration,
        keep: Duration,
    ) -> Result<Vec<ExpiredNote>> {
        let due = self.due(op).await?;
        let now = op.now();
        let mut notes = self.notes();
        match self.flaw {
            NoteFlaw::GivesNothing => return Ok(Vec::new()),
            NoteFlaw::KeepsForEver => {}
            NoteFlaw::DropsAll if limit == 0 => notes.clear(),
            _ => notes.retain(|_, kept| {
                kept.deadline
                    .is_none_or(|deadline| now < deadline || now.since(deadline) < keep)
            }),
        }
        let most = match self.flaw {
            NoteFlaw::GivesAllAtOnce => usize::MAX,
            NoteFlaw::GivesOneOnly if notes.values().any(|kept| now < kept.turn) => 0,
            _ => limit,
        };
        let mut taken = Vec::new();
        for key in due {
            let Some(kept) = notes.get_mut(&key) else {
                continue;
            };
            if taken.len() >= most && !(limit == 0 && self.has(NoteFlaw::TakingNoneClaims)) {
                break;
            }
            // Another may have taken it since it was seen to be due.
            if now < kept.turn && !self.has(NoteFlaw::GivesTheLive) {
                continue;
            }
            kept.turn = match self.flaw {
                NoteFlaw::LeasesNothing => now,
                NoteFlaw::LeasesForEver => now + Duration::from_secs(1 << 30),
                _ => now + lease,
            };
            taken.push(ExpiredNote {
                key: StorageKey::from(key),
                deadline: match self.flaw {
                    NoteFlaw::TellsNow => now + lease,
                    _ => kept.deadline.unwrap_or(now),
                },
                note: kept.note.clone(),
            });
        }
        if limit == 0 {
            taken.clear();
        }
        Ok(taken)
    }

    async fn forget_expired(&self, _: &Operation, keys: &[StorageKey]) -> Result<u64> {
        if self.has(NoteFlaw::ForgetsNothing) {
            return Ok(keys.len() as u64);
        }
        let mut notes = self.notes();
        let forgotten = keys
            .iter()
            .filter(|key| notes.remove(key.as_str()).is_some());
        Ok(forgotten.count() as u64)
    }

    fn keeps_expired(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<()> {
        self.sessions.ping().await
    }
}
