//! An error means that nothing was stored, and that the caller's session knows that.

use super::Report;
use crate::model::Model;
use crate::violation::Promise;

pub(super) fn check(model: &Model<'_>, report: Report<'_>) {
    let promise = Promise::ErrorsStoreNothing;
    for record in model.records {
        if record.forgot {
            let what = "the caller's session takes for stored what an error answered".to_owned();
            report(promise, record, what);
        }
        for seen in record.seen() {
            let Some(session) = seen.who.and_then(|who| model.sessions.get(&who)) else {
                continue;
            };
            if session.birth.did_nothing() && session.birth.end < record.start {
                let what = format!(
                    "session {} is there, whose create answered an error:\n          {}",
                    session.who, session.birth
                );
                report(promise, record, what);
            }
        }
    }
}
