//! Bringing two operations together at each point of the first.

use std::time::Duration;

use rrss::{Conflict, Session};
use rrss_core::Timestamp;

use super::act::{Actor, id_of, left};
use super::words::{Act, Row, When, Who};
use super::{FIELD_BY_FIELD, OTHERWISE, TABLE, WITHOUT_TIMES};
use crate::run::joined;
use crate::{Gate, Subject};

const HOUR: Duration = Duration::from_secs(3600);

/// How often a deadline is tried on a machine so slow that it passes too early.
const ATTEMPTS: u32 = 8;

/// Where the first operation stands when the second comes after it: its answer is on its way, or has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    IsHeld,
    HasAnswered,
}

/// Brings both together at every point, under every policy that matters to them.
pub(super) async fn keeps_to_the_table(subject: &Subject, first: Act, second: Act) {
    let policies: &[Conflict] = if first.writes() && second.writes() {
        &[Conflict::Merge, Conflict::Reject, Conflict::LastWrite]
    } else {
        &[Conflict::Merge]
    };
    for policy in policies {
        for when in When::points_of(first) {
            let row = row(subject, *policy, first, second, *when);
            meet(subject, *policy, row, First::IsHeld).await;
            if *when == When::After {
                meet(subject, *policy, row, First::HasAnswered).await;
            }
        }
    }
}

fn row(subject: &Subject, policy: Conflict, first: Act, second: Act, when: When) -> &'static Row {
    let is_it = |row: &&Row| (row.first, row.second, row.when) == (first, second, when);
    let without_times = WITHOUT_TIMES.iter().filter(|_| !subject.keeps_times());
    let field_by_field = FIELD_BY_FIELD.iter().filter(|_| subject.keeps_fields());
    let mut otherwise = field_by_field
        .chain(OTHERWISE)
        .filter(|(under, _)| *under == policy)
        .map(|(_, row)| row)
        .chain(without_times);
    otherwise
        .find(is_it)
        .or_else(|| TABLE.iter().find(is_it))
        .expect("the table has every pair")
}

async fn meet(subject: &Subject, policy: Conflict, row: &Row, first: First) {
    for attempt in 0..ATTEMPTS {
        if try_to_meet(subject, policy, row, first, attempt).await {
            return;
        }
    }
    panic!("this machine is too slow to load a session twice before it expires");
}

/// `false` where a deadline passed before its turn.
async fn try_to_meet(
    subject: &Subject,
    policy: Conflict,
    row: &Row,
    first: First,
    attempt: u32,
) -> bool {
    let gate = Gate::new();
    let store = subject.store_over_with(gate.before(subject.clone()), |builder| {
        builder.conflict(policy)
    });
    let expires = [row.first, row.second].contains(&Act::Expire);
    let span = if !expires {
        HOUR
    } else if subject.is_real_time() {
        Duration::from_millis(200 << attempt)
    } else {
        Duration::from_secs(10)
    };
    let deadline = subject.now() + span;
    let moved = Timestamp::from_millis(deadline.as_millis() - 1);
    let deadlines = (deadline, moved);

    let mut session = Session::new();
    session.insert("user", "ann").expect("text serialises");
    session.set_expires_at(deadline);
    store.save(&mut session).await.expect("creating works");
    let old = id_of(&session);
    let mut actors = Vec::new();
    for (who, act) in [(Who::First, row.first), (Who::Second, row.second)] {
        let Some(copy) = store.load(&old).await.expect("loading works") else {
            assert!(subject.now() >= moved, "a session was not stored");
            return false;
        };
        actors.push(Actor {
            subject: subject.clone(),
            store: store.clone(),
            act,
            who,
            copy,
            deadlines,
        });
    }
    let (Some(second), Some(one)) = (actors.pop(), actors.pop()) else {
        unreachable!("there are two");
    };

    let mut in_time = subject.now() < moved;
    let (one, other) = match first {
        First::HasAnswered => {
            let one = one.run().await;
            in_time &= row.first == Act::Expire || subject.now() < moved;
            (one, second.run().await)
        }
        First::IsHeld => {
            let (call, side) = row.first.held_at(row.when);
            let held = gate.hold(call, side);
            let mut running = tokio::spawn(one.run());
            let held = tokio::select! {
                held = held.arrived() => held,
                _ = &mut running => {
                    assert!(subject.now() >= moved, "the first never came to {call:?}");
                    return false;
                }
            };
            in_time &= row.first == Act::Expire || subject.now() < moved;
            let other = second.run().await;
            held.release();
            (joined(running).await, other)
        }
    };
    let left = left(&store, &old, [&one.1, &other.1], deadlines).await;
    for id in [&old, &one.1, &other.1] {
        store.delete(id).await.expect("deleting works");
    }
    if !in_time {
        return false;
    }
    let seen = Row {
        first_says: one.0,
        second_says: other.0,
        left,
        ..*row
    };
    assert_eq!(seen, *row, "under {policy:?}, where the first {first:?}");
    true
}
