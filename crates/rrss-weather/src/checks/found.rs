//! A live session is found by its user.

use super::Report;
use crate::act::user_name;
use crate::event::Op;
use crate::history::{Record, Seen, USER};
use crate::model::{Lineage, Model};
use crate::setup::Backend;
use crate::violation::Promise;

pub(super) fn check(model: &Model<'_>, report: Report<'_>) {
    for record in model.records {
        let Op::Find(user) = record.op else { continue };
        if !record.is_done() {
            continue;
        }
        let user = format!("{:?}", user_name(user));
        for session in model.sessions.values() {
            if record
                .seen()
                .iter()
                .any(|seen| seen.who == Some(session.who))
            {
                continue;
            }
            if is_on_its_way(model, session, record) {
                continue;
            }
            let users = session.values(USER, record.start, record.end);
            let has_user = users.len() == 1 && users.contains(&Some(user.as_str()));
            let must_live = session.must_live(record, model.setup.leeway());
            if has_user && must_live {
                let what = format!("session {} of {user} is not found", session.who);
                report(Promise::AlwaysFound, record, what);
            } else if let Some((before, after)) = around(model, session, record, &user) {
                let what = format!(
                    "session {} of {user} is not found, and was there before and after:\n          {before}\n          {after}",
                    session.who
                );
                report(Promise::AlwaysFound, record, what);
            }
        }
    }
}

/// Whether it is rotated meanwhile on a Cluster, where it is under neither of its ids for a moment.
fn is_on_its_way(model: &Model<'_>, session: &Lineage<'_>, find: &Record) -> bool {
    let overlaps = |other: &&Record| other.start < find.end && other.end > find.start;
    model.backend == Backend::Cluster && session.rotations().iter().any(overlaps)
}

/// Two looks, before and after, that saw the session with the user, where nobody can have changed it in between.
fn around<'m>(
    model: &'m Model<'_>,
    session: &Lineage<'_>,
    find: &Record,
    user: &str,
) -> Option<(&'m Record, &'m Record)> {
    let saw = |record: &&Record| {
        let is_it = |seen: &Seen| seen.who == Some(session.who) && seen.user() == Some(user);
        record.seen().iter().any(is_it)
    };
    let looks = || model.records.iter().filter(saw);
    let before = looks().rfind(|look| look.end < find.start)?;
    let after = looks().find(|look| look.start > find.end)?;
    let is_quiet = !model.records.iter().any(|other| {
        let changes = matches!(
            other.op,
            Op::Save(..) | Op::Rotate(..) | Op::Create(..) | Op::Count(_)
        );
        changes
            && other.who == Some(session.who)
            && other.start < after.end
            && other.end > before.start
    });
    is_quiet.then_some((before, after))
}
