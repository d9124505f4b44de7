//! A session has one id at a time, and its holder knows it.

use std::collections::BTreeMap;

use super::Report;
use crate::event::Op;
use crate::history::{Answer, Record};
use crate::model::{Lineage, Model};
use crate::violation::Promise;

pub(super) fn check(model: &Model<'_>, report: Report<'_>) {
    for record in model.records {
        twins(model, record, report);
        if matches!(record.op, Op::Rotate(..)) && record.is_in_doubt() && record.faults == 1 {
            lost(model, record, report);
        }
    }
}

/// Whoever looks at many sessions sees each once.
fn twins(model: &Model<'_>, record: &Record, report: Report<'_>) {
    let mut times: BTreeMap<u64, usize> = BTreeMap::new();
    for who in record.seen().iter().filter_map(|seen| seen.who) {
        *times.entry(who).or_default() += 1;
    }
    for (who, times) in times {
        let Some(session) = model.sessions.get(&who).filter(|_| times > 1) else {
            continue;
        };
        // A listing is read bit by bit: what is rotated meanwhile may be on it before and after.
        let is_listing = matches!(record.op, Op::List);
        let overlaps = |other: &&Record| other.start < record.end && other.end > record.start;
        let is_moving = session.rotations().iter().any(overlaps);
        if is_listing && is_moving {
            continue;
        }
        let what = format!("session {who} is there {times} times");
        report(Promise::OneId, record, what);
    }
}

/// A rotation whose answer was lost, once, leaves the session with its holder.
fn lost(model: &Model<'_>, rotation: &Record, report: Report<'_>) {
    let session = rotation.who.and_then(|who| model.sessions.get(&who));
    let (Some(session), Some(held)) = (session, &rotation.held) else {
        return;
    };
    if !is_undisturbed(session, rotation) {
        return;
    }
    // Once all has calmed down.
    let looks = model
        .records
        .iter()
        .filter(|record| record.id.as_ref() == Some(held) && record.start > rotation.end);
    for look in looks {
        let must_live = session.must_live(look, model.setup.leeway());
        if matches!(look.answer, Answer::Loaded(None)) && must_live {
            let what = format!(
                "session {} is not there by the id that its holder has since a rotation was not answered:\n          {rotation}",
                session.who
            );
            report(Promise::OneId, look, what);
            return;
        }
    }
}

/// Whether nothing else may have ended or rotated the session.
fn is_undisturbed(session: &Lineage<'_>, rotation: &Record) -> bool {
    let others = session.rotations().iter();
    let is_own = |other: &Record| other.start == rotation.start;
    others
        .filter(|other| !is_own(other))
        .all(|other| other.end < rotation.start)
}
