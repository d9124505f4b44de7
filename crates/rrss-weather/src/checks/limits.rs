//! No user has more sessions than are allowed, and nobody is refused below that.

use std::collections::{BTreeMap, BTreeSet};

use rrss::ErrorKind;

use super::Report;
use crate::event::Op;
use crate::history::Record;
use crate::model::{Model, added_user};
use crate::setup::Limit;
use crate::violation::Promise;

pub(super) fn check(model: &Model<'_>, report: Report<'_>) {
    let Some(most) = model.setup.limit.most() else {
        return;
    };
    for record in model.records {
        if matches!(record.op, Op::List) && is_alone(model, record) {
            too_many(model, record, most, report);
        }
        if matches!(model.setup.limit, Limit::Reject(_)) && record.failed_as(ErrorKind::TooLarge) {
            refused(model, record, most, report);
        }
    }
}

fn is_alone(model: &Model<'_>, record: &Record) -> bool {
    let mut others = model.records.iter();
    !others.any(|other| {
        other.start != record.start && other.start < record.end && other.end > record.start
    })
}

fn too_many(model: &Model<'_>, record: &Record, most: usize, report: Report<'_>) {
    let mut of_user: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for seen in record.seen() {
        if let (Some(user), Some(who)) = (seen.user(), seen.who) {
            of_user.entry(user).or_default().insert(who);
        }
    }
    for (user, sessions) in of_user {
        // A save that was broken off may have been stored without ending another.
        let in_doubt = model.records.iter().filter(|other| {
            other.end < record.start
                && added_user(other) == Some(user)
                && (other.is_in_doubt() || other.faults > 0)
        });
        if sessions.len() > most + in_doubt.count() {
            let what = format!(
                "{user} has {} sessions, and may have {most}",
                sessions.len()
            );
            report(Promise::LimitHeld, record, what);
        }
    }
}

fn refused(model: &Model<'_>, record: &Record, most: usize, report: Report<'_>) {
    let Some(user) = added_user(record) else {
        return;
    };
    let members = model.members(user, record).len();
    if members <= most {
        let what = format!("{user} is refused session {members} of {most}");
        report(Promise::LimitHeld, record, what);
    }
}
