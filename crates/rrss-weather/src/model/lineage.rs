//! One session: what it may have been at each moment.

use std::collections::BTreeSet;

use rrss::SessionId;

use crate::event::Op;
use crate::history::{Answer, FIELDS, Record};
use crate::setup::Setup;

/// One session, under all the ids that it had.
pub(crate) struct Lineage<'r> {
    pub(crate) who: u64,
    pub(crate) birth: &'r Record,
    writes: Vec<Write<'r>>,
    deadlines: Vec<Due>,
    pub(crate) ends: Vec<End>,
    pub(super) rotations: Vec<&'r Record>,
}

/// A value that was, or may have been, written between two moments.
struct Write<'r> {
    span: Span,
    name: &'static str,
    value: Option<&'r str>,
}

/// A deadline that was, or may have been, set: the earliest and the latest that it can be.
struct Due {
    span: Span,
    earliest: u64,
    latest: u64,
}

/// What ended the session, or may have.
pub(crate) struct End {
    pub(super) span: Span,
}

/// From the call of what did it to its answer; whether it certainly did.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: u64,
    end: u64,
    is_certain: bool,
}

impl Span {
    pub(super) fn of(record: &Record, is_certain: bool) -> Span {
        Span {
            start: record.start,
            end: record.end,
            is_certain,
        }
    }
}

/// Those of `all` that may count between `start` and `end`: begun before the end, and not overruled before the start.
fn may_count<'a, T>(
    all: &'a [T],
    span: impl Fn(&T) -> Span + 'a,
    start: u64,
    end: u64,
) -> impl Iterator<Item = &'a T> {
    let rules = move |earlier: Span, later: Span| {
        later.is_certain && later.start > earlier.end && later.end < start
    };
    let overruling: Vec<Span> = all.iter().map(&span).collect();
    all.iter().filter(move |one| {
        let own = span(one);
        own.start < end && !overruling.iter().any(|later| rules(own, *later))
    })
}

impl<'r> Lineage<'r> {
    pub(super) fn born(who: u64, birth: &'r Record, setup: &Setup) -> Self {
        let is_certain = birth.is_done();
        let written = |name| {
            let write = birth.writes.iter().find(|(field, _)| *field == name);
            write.and_then(|(_, value)| value.as_deref())
        };
        Self {
            who,
            birth,
            writes: FIELDS
                .map(|name| Write {
                    span: Span::of(birth, is_certain),
                    name,
                    value: written(name),
                })
                .into(),
            deadlines: vec![Due::of(birth, is_certain, setup)],
            ends: Vec::new(),
            rotations: Vec::new(),
        }
    }

    pub(super) fn changed(&mut self, record: &'r Record, setup: &Setup) {
        if matches!(
            record.op,
            Op::Create(..) | Op::Revoke(_) | Op::RevokeOthers(_)
        ) {
            return;
        }
        let is_done = record.is_done();
        if !record.did_nothing() {
            let certain = record.writes.iter().map(|write| (write, is_done));
            let copied = record.copied.iter().map(|write| (write, false));
            for ((name, value), is_certain) in certain.chain(copied) {
                self.writes.push(Write {
                    span: Span::of(record, is_certain),
                    name,
                    value: value.as_deref(),
                });
            }
        }
        let sets_deadline = match (record.op, &record.answer) {
            (_, _) if record.did_nothing() => None,
            (Op::Touch(_) | Op::TouchUntil(..), Answer::Was(was)) => was.then_some(true),
            (Op::Save(..), _) => Some(is_done && !record.writes.is_empty()),
            (Op::Rotate(..) | Op::Count(_), _) => Some(is_done),
            (Op::Load(_), _) => setup.renew.then_some(false),
            (Op::Touch(_) | Op::TouchUntil(..), _) => Some(false),
            _ => None,
        };
        if let Some(is_certain) = sets_deadline {
            self.deadlines.push(Due::of(record, is_certain, setup));
        }
        match (record.op, &record.answer) {
            (Op::Delete(_), Answer::Was(true)) => self.ends.push(End {
                span: Span::of(record, true),
            }),
            (Op::Delete(_), _) if record.is_in_doubt() => self.ends.push(End {
                span: Span::of(record, false),
            }),
            (Op::Rotate(..), _) if !record.did_nothing() => self.rotations.push(record),
            _ => {}
        }
    }

    /// The values that a field may have between two moments.
    pub(crate) fn values(&self, name: &str, start: u64, end: u64) -> BTreeSet<Option<&str>> {
        let of_field: Vec<(Span, Option<&str>)> = self
            .writes
            .iter()
            .filter(|write| write.name == name)
            .map(|write| (write.span, write.value))
            .collect();
        may_count(&of_field, |write| write.0, start, end)
            .map(|write| write.1)
            .collect()
    }

    /// Whether the session has certainly ended before `record` is called.
    pub(crate) fn is_dead(&self, record: &Record, leeway: u64) -> bool {
        let start = record.start;
        let mut ends = self.ends.iter().map(|end| end.span);
        let was_never = self.birth.did_nothing() && self.birth.end < start;
        was_never
            || ends.any(|end| end.is_certain && end.end < start)
            || may_count(&self.deadlines, |due| due.span, start, record.end)
                .all(|due| due.latest.saturating_add(leeway) < record.began)
    }

    /// Whether nothing can have ended the session until `record` has answered, so that it must see it.
    pub(crate) fn must_live(&self, record: &Record, leeway: u64) -> bool {
        let (start, end) = (record.start, record.end);
        self.birth.is_done()
            && self.birth.end < start
            && !self.ends.iter().any(|one| one.span.start < end)
            && may_count(&self.deadlines, |due| due.span, start, end)
                .all(|due| due.earliest > record.ended.saturating_add(leeway))
    }

    /// Whether the session must be there by this id.
    pub(crate) fn must_live_as(&self, id: &SessionId, record: &Record, leeway: u64) -> bool {
        let is_rotated_away = self
            .rotations
            .iter()
            .any(|rotation| rotation.id.as_ref() == Some(id) && rotation.start < record.end);
        let is_born = self.rotations.iter().chain([&self.birth]).any(|born| {
            matches!(&born.answer, Answer::Id(new) if new == id) && born.end < record.start
        });
        is_born && !is_rotated_away && self.must_live(record, leeway)
    }

    /// Whether the session certainly got another id before `start`.
    pub(crate) fn is_rotated_away(&self, id: &SessionId, start: u64) -> bool {
        self.rotations.iter().any(|rotation| {
            rotation.id.as_ref() == Some(id)
                && matches!(&rotation.answer, Answer::Id(new) if new != id)
                && rotation.end < start
        })
    }

    /// The rotations that may have happened.
    pub(crate) fn rotations(&self) -> &[&'r Record] {
        &self.rotations
    }
}

impl Due {
    fn of(record: &Record, is_certain: bool, setup: &Setup) -> Self {
        let (earliest, latest) = match record.op {
            Op::TouchUntil(_, millis) => (
                record.began.saturating_add_signed(millis),
                record.ended.saturating_add_signed(millis),
            ),
            _ => (
                record.began.saturating_add(setup.duration),
                record.ended.saturating_add(setup.duration),
            ),
        };
        Self {
            span: Span::of(record, is_certain),
            earliest,
            // A session with a deadline of its own is put back to that.
            latest: if record.forever { u64::MAX } else { latest },
        }
    }
}
