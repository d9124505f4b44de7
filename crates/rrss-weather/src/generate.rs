//! Random runs, which proptest makes and shrinks.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rrss::Conflict;

use crate::event::{Change, Event, Fault, Op};
use crate::setup::{Backend, Limit, Setup};

/// How many users there are; they are few, so that their sessions meet.
pub(crate) const USERS: u8 = 2;
const SLOTS: usize = 3;
const MINUTE: i64 = 60 * 1000;

/// Commands that the backends for servers send, or may come to.
const COMMANDS: [&str; 14] = [
    "*",
    "*",
    "*",
    "SET",
    "ZADD",
    "EVAL",
    "EVALSHA",
    "PEXPIREAT",
    "UNLINK",
    "ZREM",
    "ZRANGE",
    "GET",
    "EXEC",
    "ZREMRANGEBYSCORE",
];
/// Calls of a backend in this process.
const CALLS: [&str; 10] = [
    "*", "*", "*", "CREATE", "UPDATE", "ROTATE", "DELETE", "TOUCH", "FIND", "LOAD",
];
/// Rights that can be taken.
const RIGHTS: [&str; 8] = [
    "zadd",
    "set",
    "pexpireat",
    "evalsha",
    "eval",
    "zrem",
    "unlink",
    "zrange",
];

/// A run: how its stores are set up, and its events.
///
/// With `losses`, the servers lose what they are documented to lose too.
pub(crate) fn scenario(
    backend: Backend,
    losses: bool,
) -> impl Strategy<Value = (Setup, Vec<Event>)> {
    (setup(backend), vec(event(backend, losses), 1..28))
}

fn setup(backend: Backend) -> impl Strategy<Value = Setup> {
    let conflict = prop_oneof![
        3 => Just(Conflict::Merge),
        1 => Just(Conflict::Reject),
        2 => Just(Conflict::LastWrite),
    ];
    let limit = prop_oneof![
        3 => Just(Limit::None),
        2 => (1..3usize).prop_map(Limit::EvictOldest),
        1 => (1..3usize).prop_map(Limit::Reject),
    ];
    // Processes with one clock share a machine; there it is right.
    let wrong = prop_oneof![
        2 => Just((0, 0)),
        1 => select(vec![(10 * MINUTE, 0), (-10 * MINUTE, 0), (-40 * MINUTE, 0), (2 * MINUTE, 300)]),
    ];
    let second = if backend.is_local() {
        Just((0, 0)).boxed()
    } else {
        wrong.boxed()
    };
    let duration = prop_oneof![6 => Just(30 * 60 * 1000), 1 => Just(2_000)];
    (
        conflict,
        limit,
        duration,
        any::<bool>(),
        any::<bool>(),
        second,
        any::<bool>(),
    )
        .prop_map(
            |(conflict, limit, duration, renew, events, second, has_third)| {
                let mut clocks = vec![(0, 0), second];
                if has_third {
                    clocks.push((0, 0));
                }
                Setup {
                    conflict,
                    limit,
                    duration,
                    renew,
                    events,
                    clocks,
                }
            },
        )
}

fn event(backend: Backend, losses: bool) -> BoxedStrategy<Event> {
    let store = || 0..3usize;
    let names: &[&'static str] = if backend.is_local() {
        &CALLS
    } else {
        &COMMANDS
    };
    let meet = (store(), select(names.to_vec()), 1..8u32, fault())
        .prop_map(|(store, name, nth, fault)| Event::Meet(store, name, nth, fault));
    let mut events = vec![
        (
            10,
            (store(), op())
                .prop_map(|(store, op)| Event::Do(store, op))
                .boxed(),
        ),
        (
            8,
            (store(), op())
                .prop_map(|(store, op)| Event::Begin(store, op))
                .boxed(),
        ),
        (4, meet.boxed()),
        (2, Just(Event::Calm).boxed()),
        (3, Just(Event::Join).boxed()),
        (1, select(vec![5, 300, 1_300]).prop_map(Event::Wait).boxed()),
    ];
    if backend == Backend::Embedded {
        events.push((1, any::<bool>().prop_map(Event::DiskFull).boxed()));
    }
    if !backend.is_local() {
        events.extend([
            (1, any::<bool>().prop_map(Event::Full).boxed()),
            (1, select(RIGHTS.to_vec()).prop_map(Event::Forbid).boxed()),
            (1, Just(Event::Allow).boxed()),
            (1, Just(Event::FlushScripts).boxed()),
        ]);
    }
    if backend.has_replicas() {
        // It takes seconds.
        events.iter_mut().for_each(|(weight, _)| *weight *= 5);
        events.push((1, Just(Event::FailOver).boxed()));
    }
    if losses && !backend.is_local() {
        events.push((2, Just(Event::EvictIndex).boxed()));
    }
    if losses && backend.has_replicas() {
        events.push((1, Just(Event::FailOverWithLoss).boxed()));
    }
    proptest::strategy::Union::new_weighted(events).boxed()
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        2 => Just(Fault::RefuseFull),
        1 => Just(Fault::RefuseForbidden),
        1 => select(vec![5, 40]).prop_map(Fault::Delay),
        4 => Just(Fault::Hold),
        1 => Just(Fault::HoldAnswer),
        1 => Just(Fault::CutBefore),
        1 => Just(Fault::CutAfter),
        1 => Just(Fault::Swallow),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let slot = || 0..SLOTS;
    let user = || 1..=USERS;
    prop_oneof![
        6 => (slot(), 0..=USERS).prop_map(|(slot, user)| Op::Create(slot, user)),
        3 => slot().prop_map(Op::Load),
        1 => slot().prop_map(Op::LoadOld),
        8 => (slot(), change()).prop_map(|(slot, change)| Op::Save(slot, change)),
        2 => slot().prop_map(Op::Count),
        2 => slot().prop_map(Op::Touch),
        1 => (slot(), select(vec![1_000, 5 * MINUTE, 20 * MINUTE, -5_000])).prop_map(|(slot, time)| Op::TouchUntil(slot, time)),
        4 => (slot(), change()).prop_map(|(slot, change)| Op::Rotate(slot, change)),
        2 => slot().prop_map(Op::Delete),
        3 => user().prop_map(Op::Find),
        1 => user().prop_map(Op::Revoke),
        1 => slot().prop_map(Op::RevokeOthers),
        1 => Just(Op::List),
        1 => Just(Op::Sweep),
        1 => Just(Op::Reindex),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => Just(Change::Nothing),
        3 => Just(Change::SetA),
        2 => Just(Change::SetB),
        1 => Just(Change::RemoveA),
        4 => (0..=USERS).prop_map(Change::User),
        1 => Just(Change::Forever),
    ]
}
