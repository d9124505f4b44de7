//! Nothing ended comes back, and nobody is ended who should not be.

use rrss::ErrorKind;

use super::Report;
use crate::event::Op;
use crate::history::{Answer, Record};
use crate::model::{Lineage, Model};
use crate::violation::Promise;

pub(super) fn check(model: &Model<'_>, report: Report<'_>) {
    for record in model.records {
        for seen in record.seen() {
            let Some(session) = seen.who.and_then(|who| model.sessions.get(&who)) else {
                continue;
            };
            if let Some(why) = ended(model, session, record, seen.id.as_ref()) {
                let what = format!("session {} is there, {why}", session.who);
                report(Promise::NothingBack, record, what);
            }
        }
        on_one(model, record, report);
    }
}

/// An operation on one session, by its id.
fn on_one(model: &Model<'_>, record: &Record, report: Report<'_>) {
    let session = record.who.and_then(|who| model.sessions.get(&who));
    let (Some(session), Some(id)) = (session, &record.id) else {
        return;
    };
    if matches!(record.op, Op::RevokeOthers(_)) {
        return;
    }
    let writes = matches!(record.op, Op::Rotate(..) | Op::Count(_)) || !record.writes.is_empty();
    let was_there = match &record.answer {
        Answer::Loaded(None) | Answer::Was(false) => Some(false),
        Answer::Was(true) => Some(true),
        Answer::Failed {
            kind: ErrorKind::Gone,
            ..
        } => Some(false),
        Answer::Done | Answer::Id(_) | Answer::Counted(_) => writes.then_some(true),
        _ => None,
    };
    match was_there {
        Some(true) => {
            if let Some(why) = ended(model, session, record, Some(id)) {
                let what = format!("session {} was written, {why}", session.who);
                report(Promise::NothingBack, record, what);
            }
        }
        Some(false) if session.must_live_as(id, record, model.setup.leeway()) => {
            let what = format!(
                "session {} is not there, and nothing can have ended it",
                session.who
            );
            report(Promise::NobodyEnded, record, what);
        }
        _ => {}
    }
}

/// Why the session cannot be there.
fn ended(
    model: &Model<'_>,
    session: &Lineage<'_>,
    record: &Record,
    id: Option<&rrss::SessionId>,
) -> Option<&'static str> {
    // What an error stored is reported as that.
    if session.birth.did_nothing() {
        return None;
    }
    if id.is_some_and(|id| session.is_rotated_away(id, record.start)) {
        return Some("by an id that it had before it was rotated");
    }
    let is_dead = session.is_dead(record, model.setup.leeway());
    is_dead.then_some("though it was deleted, revoked, or past its deadline")
}
