//! Carrying out one operation of a pair, and what it answers in the words of the table.

use rrss::{ErrorKind, Saved, Session, SessionId, Store};
use rrss_core::{Action, Operation, Timestamp};

use super::words::{Act, Left, Says, Until, When, Who};
use crate::{Call, Side, Subject};

/// One of the two operations, with the copy of the session that it was given.
#[derive(Clone)]
pub(super) struct Actor {
    pub(super) subject: Subject,
    pub(super) store: Store,
    pub(super) act: Act,
    pub(super) who: Who,
    pub(super) copy: Session,
    /// The deadline of the session's own, and the one that a touch moves it to.
    pub(super) deadlines: (Timestamp, Timestamp),
}

impl Act {
    /// Which call of the backend stands still while the second operation comes.
    pub(super) fn held_at(self, when: When) -> (Call, Side) {
        let call = match (self, when) {
            (Self::Load, _) => Call::Load,
            (Self::Save, _) => Call::Update,
            (Self::Delete, _) => Call::Delete,
            (Self::Touch, _) => Call::Touch,
            (Self::Rotate, _) => Call::Rotate,
            (Self::Expire, _) => Call::Sweep,
        };
        let side = match when {
            When::Before => Side::Before,
            When::After => Side::After,
        };
        (call, side)
    }

    /// Whether what it does depends on the policy for conflicts.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Save | Self::Rotate)
    }
}

impl Actor {
    /// Carries out the operation, and answers under which id the session is now.
    pub(super) async fn run(mut self) -> (Says, SessionId) {
        let id = id_of(&self.copy);
        let store = &self.store;
        let says = match self.act {
            Act::Load => match store.load(&id).await {
                Ok(Some(session)) => Says::Found(saved(&session)),
                Ok(None) => Says::Nothing,
                Err(error) if error.is_gone() => Says::Nothing,
                Err(error) => panic!("loading failed: {error:?}"),
            },
            Act::Save => {
                let own = if self.who == Who::First {
                    "first"
                } else {
                    "second"
                };
                self.copy.insert(own, &true).expect("true serialises");
                self.copy.insert("saves", own).expect("text serialises");
                match store.save(&mut self.copy).await {
                    Ok(Saved::Replaced) => Says::Replaced,
                    Ok(Saved::Merged) => Says::Merged,
                    other => refused(&other),
                }
            }
            Act::Delete => happened(store.delete(&id).await.expect("deleting works")),
            Act::Touch => {
                let touched = store.touch_until(&id, self.deadlines.1).await;
                happened(touched.expect("touching works"))
            }
            Act::Rotate => match store.rotate(&mut self.copy).await {
                Ok(Saved::Created) => Says::Rotated,
                Ok(Saved::Merged) => Says::RotatedMerged,
                other => refused(&other),
            },
            Act::Expire => {
                self.subject.pass(self.deadlines.0).await;
                store.sweep().await.expect("sweeping works");
                Says::Passed
            }
        };
        (says, id_of(&self.copy))
    }
}

pub(super) fn id_of(session: &Session) -> SessionId {
    session.id().expect("a stored session has an id").clone()
}

fn happened(did: bool) -> Says {
    if did { Says::Done } else { Says::Nothing }
}

fn refused(saved: &rrss::Result<Saved>) -> Says {
    match saved {
        Err(error) if error.kind() == ErrorKind::Gone => Says::Gone,
        Err(error) if error.kind() == ErrorKind::Conflict => Says::Refused,
        other => panic!("a write was answered {other:?}"),
    }
}

/// Who has saved something to a session, the one last whose value the shared field has.
fn saved(session: &Session) -> &'static [Who] {
    let has = |name| session.contains_key(name);
    let last: Option<String> = session.get("saves").expect("it is text");
    assert_eq!(session.get_raw("user"), Some("\"ann\""), "a field was lost");
    match (has("first"), has("second"), last.as_deref()) {
        (false, false, None) => &[],
        (true, false, Some("first")) => &[Who::First],
        (false, true, Some("second")) => &[Who::Second],
        (true, true, Some("second")) => &[Who::First, Who::Second],
        (true, true, Some("first")) => &[Who::Second, Who::First],
        other => panic!("a session has fields of no save: {other:?}"),
    }
}

/// What is stored under these ids: the old one, and those that both operations have now.
pub(super) async fn left(
    store: &Store,
    old: &SessionId,
    now: [&SessionId; 2],
    deadlines: (Timestamp, Timestamp),
) -> Left {
    let mut left = Vec::new();
    if let Some((session, until)) = stored(store, old, deadlines).await {
        left.push(Left::Old(saved(&session), until));
    }
    for (who, id) in [(Who::First, now[0]), (Who::Second, now[1])] {
        if id != old
            && let Some((session, until)) = stored(store, id, deadlines).await
        {
            left.push(Left::New(who, saved(&session), until));
        }
    }
    assert!(left.len() <= 1, "two sessions are left: {left:?}");
    let count = store.count().await.expect("counting works");
    assert_eq!(
        count,
        left.len() as u64,
        "a session is left that nobody knows"
    );
    left.pop().unwrap_or(Left::Nothing)
}

async fn stored(
    store: &Store,
    id: &SessionId,
    deadlines: (Timestamp, Timestamp),
) -> Option<(Session, Until)> {
    let mut op = Operation::new(Action::Load, store.now()).with_id(id.clone());
    op.wants_deadline = true;
    let mut answer = store.pipeline().run(&mut op).await.expect("loading works");
    let session = answer.take_session()?;
    let until = match answer.expires_at {
        Some(at) if at == deadlines.0 => Until::Own,
        Some(at) if at == deadlines.1 => Until::Moved,
        other => panic!("a session lives until {other:?}, which nobody said"),
    };
    Some((session, until))
}
