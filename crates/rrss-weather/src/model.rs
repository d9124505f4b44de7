//! What may be there: what each session may have been at each moment, if every promise is kept.
//!
//! Operations overlap, and any order of those that do is allowed. So nothing is computed forwards: a value may be there unless
//! a write that was acknowledged came after it for certain, and a session must be there unless something may have ended it.

mod lineage;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::lineage::Lineage;
use self::lineage::{End, Span};
use crate::act::user_name;
use crate::event::Op;
use crate::history::{Record, USER};
use crate::setup::{Backend, Limit, Setup};

/// All that the operations of a run say of each session.
pub(crate) struct Model<'r> {
    pub(crate) backend: Backend,
    pub(crate) setup: &'r Setup,
    pub(crate) records: &'r [Record],
    pub(crate) sessions: BTreeMap<u64, Lineage<'r>>,
}

impl<'r> Model<'r> {
    pub(crate) fn of(backend: Backend, setup: &'r Setup, records: &'r [Record]) -> Self {
        let mut sessions = BTreeMap::new();
        for record in records {
            if let (Op::Create(..), Some(who)) = (record.op, record.who) {
                sessions.insert(who, Lineage::born(who, record, setup));
            }
        }
        let mut model = Self {
            backend,
            setup,
            records,
            sessions,
        };
        for record in records {
            if let Some(session) = record.who.and_then(|who| model.sessions.get_mut(&who)) {
                session.changed(record, setup);
            }
        }
        model.revocations();
        model.evictions();
        model
    }

    /// Whoever signs out a user ends the sessions that have that user all the while.
    fn revocations(&mut self) {
        for record in self.records {
            let (user, kept) = match record.op {
                Op::Revoke(user) => (format!("{:?}", user_name(user)), None),
                Op::RevokeOthers(_) => match record.writes.first() {
                    Some((_, Some(user))) => (user.clone(), record.who),
                    _ => continue,
                },
                _ => continue,
            };
            for session in self.sessions.values_mut() {
                let is_kept = Some(session.who) == kept;
                // It is kept by its id, which it may not have any more.
                let may_move = session.rotations.iter().any(|it| it.start < record.end);
                if is_kept && !may_move {
                    continue;
                }
                let users = session.values(USER, record.start, record.end);
                if !users.contains(&Some(user.as_str())) {
                    continue;
                }
                let is_certain = record.is_done()
                    && !is_kept
                    && users.len() == 1
                    && session.birth.is_done()
                    && session.birth.end < record.start;
                session.ends.push(End {
                    span: Span::of(record, is_certain),
                });
            }
        }
    }

    /// A session that is one too many may end any of its user's.
    fn evictions(&mut self) {
        let Limit::EvictOldest(most) = self.setup.limit else {
            return;
        };
        for record in self.records {
            let Some(user) = added_user(record).filter(|_| !record.did_nothing()) else {
                continue;
            };
            let members = self.members(user, record);
            if members.len() <= most {
                continue;
            }
            for who in members {
                if let Some(session) = self.sessions.get_mut(&who) {
                    session.ends.push(End {
                        span: Span::of(record, false),
                    });
                }
            }
        }
    }

    /// The sessions that may be a user's while the operation runs, its own among them.
    pub(crate) fn members(&self, user: &str, during: &Record) -> BTreeSet<u64> {
        let (start, end) = (during.start, during.end);
        let members = self.sessions.values().filter(|session| {
            let overlaps = session.birth.start < end && session.birth.end > start;
            let may_be_there =
                overlaps || !session.birth.did_nothing() && session.birth.start < end;
            let may_live = overlaps || !session.is_dead(during, self.setup.leeway());
            may_be_there && may_live && session.values(USER, start, end).contains(&Some(user))
        });
        members
            .map(|session| session.who)
            .chain(during.who)
            .collect()
    }
}

/// The user who gets one session more by this.
pub(crate) fn added_user(record: &Record) -> Option<&str> {
    let adds = matches!(record.op, Op::Create(..) | Op::Save(..) | Op::Rotate(..));
    let user = record.writes.iter().find(|(name, _)| *name == USER);
    user.filter(|_| adds)?.1.as_deref()
}
