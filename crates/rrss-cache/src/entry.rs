//! What is kept of a load.

use std::time::Duration;

use rrss_core::{Answer, Outcome, Payload, Session, StoredForm, Timestamp, Validity};

/// What the loads of one key are answered.
pub(crate) enum Entry {
    /// A session, to whoever asks while it holds.
    Found(Box<Found>),
    /// That there is none; for those alone who waited for this load.
    Missing,
    /// Nothing that others may have: who waited for this load asks the backend.
    Unshared,
}

/// A session as it was loaded.
pub(crate) struct Found {
    session: Session,
    stored: Option<StoredForm>,
    expires_at: Option<Timestamp>,
    validity: Option<Validity>,
    loaded_at: Timestamp,
    max_age: Duration,
    weight: u64,
}

/// About what a session takes beside its text: the table of its fields, the key, the place in the cache.
const BESIDE: u64 = 512;

impl Found {
    /// What `answer` found, if it is a session; `since` is from before it was asked for.
    pub(crate) fn of(answer: &Answer, since: Timestamp, max_age: Duration) -> Option<Self> {
        let session = answer.session()?.clone();
        let text: usize = session
            .iter_raw()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let stored = answer
            .stored
            .as_ref()
            .map_or(0, |form| form.as_bytes().len());
        Some(Self {
            weight: BESIDE + (text + stored) as u64,
            session,
            stored: answer.stored.clone(),
            expires_at: answer.expires_at,
            validity: answer.validity.clone(),
            loaded_at: since,
            max_age,
        })
    }
}

impl Entry {
    /// The answer to a load at `now`, unless the backend has to be asked.
    pub(crate) fn answer(&self, now: Timestamp) -> Option<Answer> {
        match self {
            Self::Found(found) if found.holds(now) => {
                let mut answer = Answer::new(Outcome::Found);
                answer.payload = Payload::Session(found.session.clone());
                answer.stored.clone_from(&found.stored);
                answer.expires_at = found.expires_at;
                answer.is_kept = true;
                Some(answer)
            }
            Self::Missing => Some(Answer::new(Outcome::Missing)),
            Self::Found(_) | Self::Unshared => None,
        }
    }

    /// In bytes, about.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Self::Found(found) => found.weight,
            Self::Missing | Self::Unshared => 1,
        }
    }
}

impl Found {
    fn holds(&self, now: Timestamp) -> bool {
        // A clock that was set back says nothing of the age.
        let is_young = now >= self.loaded_at && now < self.loaded_at + self.max_age;
        let is_live = self.expires_at.is_none_or(|deadline| now < deadline);
        is_young && is_live && self.validity.as_ref().is_none_or(Validity::holds)
    }
}
