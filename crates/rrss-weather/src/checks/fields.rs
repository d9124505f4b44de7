//! What was acknowledged is in the session, and nothing else.

use rrss::Conflict;

use super::Report;
use crate::event::Op;
use crate::history::{Answer, Record, Seen};
use crate::model::{Lineage, Model};
use crate::violation::Promise;

pub(super) fn check(model: &Model<'_>, report: Report<'_>) {
    for record in model.records {
        for seen in record.seen() {
            let Some(session) = seen.who.and_then(|who| model.sessions.get(&who)) else {
                continue;
            };
            if session.birth.did_nothing() {
                continue;
            }
            values(model, session, record, seen, report);
            count(model, session, record, seen, report);
        }
    }
}

fn values(
    model: &Model<'_>,
    session: &Lineage<'_>,
    record: &Record,
    seen: &Seen,
    report: Report<'_>,
) {
    for (name, value) in &seen.fields {
        let possible = session.values(name, record.start, record.end);
        if possible.contains(&value.as_deref()) {
            continue;
        }
        // What a failed save wrote may be there for a moment, until it is undone.
        let wrote = |other: &&Record| {
            other.who == Some(session.who) && other.writes.contains(&(name, value.clone()))
        };
        let mut failed = model
            .records
            .iter()
            .filter(wrote)
            .filter(|it| it.did_nothing());
        let shown = value.as_deref().unwrap_or("nothing");
        match failed.next() {
            Some(failed) if failed.end > record.start => {}
            Some(failed) => {
                let what = format!(
                    "session {} has {name}={shown}, whose save answered an error:\n          {failed}",
                    session.who
                );
                report(Promise::ErrorsStoreNothing, record, what);
            }
            None => {
                let possible: Vec<&str> = possible
                    .into_iter()
                    .map(|value| value.unwrap_or("nothing"))
                    .collect();
                let what = format!(
                    "session {} has {name}={shown}, where there can be {}",
                    session.who,
                    possible.join(" or ")
                );
                report(Promise::NothingLost, record, what);
            }
        }
    }
}

/// Each count that was acknowledged is in the sum.
fn count(
    model: &Model<'_>,
    session: &Lineage<'_>,
    record: &Record,
    seen: &Seen,
    report: Report<'_>,
) {
    if model.setup.conflict == Conflict::LastWrite {
        return;
    }
    let counts = || {
        let all = model.records.iter();
        all.filter(|other| matches!(other.op, Op::Count(_)) && other.who == Some(session.who))
    };
    let certain = counts()
        .filter(|other| matches!(other.answer, Answer::Counted(_)) && other.end < record.start)
        .count() as u64;
    let possible = counts()
        .filter(|other| !other.did_nothing() && other.start < record.end)
        .count() as u64;
    if !(certain..=possible).contains(&seen.count) {
        let what = format!(
            "session {} was counted to {}, where it was counted {certain} to {possible} times",
            session.who, seen.count
        );
        report(Promise::NothingLost, record, what);
    }
}
