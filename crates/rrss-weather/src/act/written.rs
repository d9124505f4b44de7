//! Writing calls and answers down.

use std::sync::atomic::Ordering;

use rrss::{Result, SessionId};

use super::Actor;
use crate::event::Op;
use crate::history::{Answer, Field, Record};

/// A call that has not answered yet.
pub(super) struct Called {
    at: usize,
    doubts: u64,
    outage: u64,
}

/// What is known of a call beforehand.
#[derive(Default)]
pub(super) struct About {
    pub(super) who: Option<u64>,
    pub(super) id: Option<SessionId>,
    pub(super) writes: Vec<Field>,
    pub(super) copied: Vec<Field>,
    pub(super) forever: bool,
}

impl Actor {
    pub(super) fn call(&self, op: Op, about: About) -> Called {
        let shared = &self.shared;
        let called = Called {
            at: 0,
            doubts: self.station.way.doubts(),
            outage: self.outage.load(Ordering::SeqCst),
        };
        let at = shared.history.call(Record {
            store: self.number,
            op,
            who: about.who,
            held: about.id.clone(),
            id: about.id,
            start: shared.history.tick(),
            end: u64::MAX,
            began: shared.time.now(),
            ended: u64::MAX,
            writes: about.writes,
            copied: about.copied,
            forever: about.forever,
            answer: Answer::None,
            faults: 0,
            forgot: false,
        });
        Called { at, ..called }
    }

    pub(super) fn answer(&self, called: &Called, answer: Result<Answer>) {
        self.answer_with(called, answer, |_| {});
    }

    pub(super) fn answer_with(
        &self,
        called: &Called,
        answer: Result<Answer>,
        more: impl FnOnce(&mut Record),
    ) {
        let outage = self.outage.load(Ordering::SeqCst);
        let is_outage = outage != called.outage || outage % 2 == 1;
        let faults = self.station.way.doubts() - called.doubts + u64::from(is_outage);
        let shared = &self.shared;
        let (end, ended) = (shared.history.tick(), shared.time.now());
        shared.history.answer(called.at, |record| {
            record.faults = faults;
            record.ended = ended;
            record.answer = answer.unwrap_or_else(|error| Answer::Failed {
                // What an error does not say may have happened has not.
                doubt: error.may_have_happened(),
                kind: error.kind(),
                message: error.to_string(),
            });
            if !record.is_in_doubt() {
                record.end = end;
            }
            more(record);
        });
    }
}
