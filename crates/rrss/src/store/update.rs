//! Replacing a stored session, though others may have changed it since it was loaded.

use std::time::Duration;

use rrss_core::{Action, Conflict, Error, ErrorKind, Guard, Outcome, Result, Session};

use super::save::{Saved, gone, mark_stored};
use super::{Store, unexpected};

/// How often a save is tried in all while others keep changing the same session. In each round one of them wins,
/// so this bounds how many may save one session at the same moment, all again and again.
const ATTEMPTS: u32 = 32;

/// The longest pause between two tries; it is cut to a random part, so that those who met once do not meet again.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

impl Store {
    /// Replaces the stored session. Nobody interfered: one operation. Somebody did: as the policy says.
    pub(super) async fn update(&self, session: &mut Session) -> Result<Saved> {
        let mut merged: Option<Session> = None;
        for attempt in 1..=ATTEMPTS {
            let candidate = merged.as_ref().unwrap_or(session);
            let mut op = self
                .operation(Action::Update)
                .with_session(candidate.clone());
            if let Some(stored) = candidate.stored()
                && self.conflict() != Conflict::LastWrite
            {
                op.guard = Guard::Unchanged(stored.clone());
            }
            let answer = self.run(&mut op).await?;
            match answer.outcome {
                Outcome::Done => {
                    let saved = match merged {
                        None => Saved::Replaced,
                        Some(merged) => {
                            *session = merged;
                            Saved::Merged
                        }
                    };
                    mark_stored(session, &op, answer);
                    return Ok(saved);
                }
                Outcome::Missing => return Err(gone("saved")),
                Outcome::Changed => {}
                _ => return Err(unexpected(&op, &answer)),
            }
            let id = session.id().ok_or_else(|| unexpected(&op, &answer))?;
            // A backend may not be able to tell a changed session from one that is gone: the load can.
            let fresh = self.load(id).await?.ok_or_else(|| gone("saved"))?;
            let again = session.merged_onto(fresh);
            if !again.is_modified() {
                // Others have stored the very same changes, or a try of ours whose answer was lost.
                *session = again;
                return Ok(Saved::Merged);
            }
            if self.conflict() == Conflict::Reject {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "the session was changed by another request since it was loaded; load it again",
                ));
            }
            merged = Some(again);
            pause(attempt).await;
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!(
                "other requests changed the session during each of {ATTEMPTS} tries to save it; try again"
            ),
        ))
    }
}

/// The first try that failed is repeated at once: most conflicts are between two.
async fn pause(attempt: u32) {
    if attempt > 1 {
        let longest = LONGEST_PAUSE.min(Duration::from_millis(1 << attempt.min(8)));
        tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
    }
}
