//! What is promised of an operation on its way to the backend, and of its answer.

use std::time::Duration;

use rrss::{Error, ErrorKind};
use rrss_core::{
    Action, Answer, Cursor, Deadline, Guard, Operation, Outcome, Payload, StorageKey, Timestamp,
};

use super::{Shelf, Specimen};

/// A load, a touch and a delete carry no session, and none is put on them.
pub async fn what_carries_no_session_goes_down_without_one(make: impl Fn() -> Specimen) {
    let specimen = make();
    for action in [Action::Load, Action::Touch, Action::Delete] {
        let mut op = specimen.operation(action.clone(), specimen.id());
        let before = specimen.transform().before(&mut op);
        assert!(before.is_ok(), "{action:?}: {before:?}");
        assert!(
            matches!(op.payload, Payload::None),
            "{action:?} got a payload"
        );
    }
}

/// Operations that are not on one session reach the backend, and its answer comes back.
pub async fn list_count_and_sweep_pass(make: impl Fn() -> Specimen) {
    for place in make().places() {
        let shelf = Shelf::new();
        let pipeline = make().pipeline(place, shelf.clone());
        let now = Timestamp::from_millis(1_000);
        for n in 0..3 {
            shelf.put(&format!("foreign-{n}"), b"{}".as_slice().into());
        }
        let list = Action::List {
            cursor: Some(Cursor::from(b"foreign-0".to_vec())),
            limit: 1,
        };
        for action in [list, Action::Count, Action::Sweep { limit: 7 }] {
            let mut op = Operation::new(action.clone(), now);
            let answer = pipeline.run(&mut op).await;
            // A key mapper that is a function cannot tell which keys are its own, and says so.
            let cannot_tell = |error: &Error| error.kind() == ErrorKind::Unsupported;
            if place.is_key_mapper() && answer.as_ref().is_err_and(cannot_tell) {
                continue;
            }
            let outcome = answer.expect("it passes").outcome;
            let asked = shelf.asked();
            let asked = asked.last().expect("the backend is asked");
            assert_eq!(*asked.action(), action);
            match outcome {
                Outcome::Page(page) => {
                    assert_eq!(page.keys, [StorageKey::from("foreign-1".to_owned())]);
                    assert_eq!(page.next, Some(Cursor::from(b"foreign-1".to_vec())));
                }
                Outcome::Count(count) => {
                    assert_eq!(count, if action == Action::Count { 3 } else { 7 });
                }
                outcome => panic!("{action:?} was answered {outcome:?}"),
            }
        }
    }
}

/// "No such session", "taken", "done": an answer that brings no session comes through as it is.
pub async fn an_answer_without_a_session_passes(make: impl Fn() -> Specimen) {
    let specimen = make();
    for (action, outcomes) in [
        (Action::Load, vec![Outcome::Missing]),
        (Action::Create, vec![Outcome::Done, Outcome::Taken]),
        (Action::Update, vec![Outcome::Done, Outcome::Missing]),
        (Action::Touch, vec![Outcome::Done, Outcome::Missing]),
        (Action::Delete, vec![Outcome::Done, Outcome::Missing]),
    ] {
        for outcome in outcomes {
            let mut op = specimen.operation(action.clone(), specimen.id());
            specimen.transform().before(&mut op).expect("it goes down");
            let mut answer = Answer::new(outcome.clone());
            let after = specimen.transform().after(&op, &mut answer);
            assert!(after.is_ok(), "{action:?}, {outcome:?}: {after:?}");
            assert_eq!(answer.outcome, outcome, "{action:?}");
            assert!(
                matches!(answer.payload, Payload::None),
                "{action:?}, {outcome:?}"
            );
        }
    }
}

/// "Transforms are pure": what a step asks for depends on the operation alone, and on nothing that another
/// operation, or another instance, left behind.
pub async fn the_same_operation_twice_asks_for_the_same(make: impl Fn() -> Specimen) {
    let specimen = make();
    let id = specimen.id();
    for action in actions() {
        let op = specimen.operation(action.clone(), id.clone());
        let asked = [&specimen, &specimen, &make()].map(|specimen| {
            let mut op = op.clone();
            specimen.transform().before(&mut op).expect("it goes down");
            (
                op.id().cloned(),
                op.key,
                op.key_space,
                op.deadline,
                op.guard,
            )
        });
        assert!(asked[0] == asked[1], "{action:?} a second time");
        assert!(asked[0] == asked[2], "{action:?} by another instance");
    }
}

/// What must hold for a write to happen is not for a transform to weaken: a new session must meet a free key, an old
/// one must still be there.
pub async fn the_guard_arrives_as_it_was_set(make: impl Fn() -> Specimen) {
    let specimen = make();
    for (action, guard) in [
        (Action::Create, Guard::Absent),
        (Action::Update, Guard::Exists),
    ] {
        let mut op = specimen.operation(action, specimen.id());
        specimen.transform().before(&mut op).expect("it goes down");
        assert_eq!(op.guard, guard);
    }
}

/// A step whose shape does not say that it makes the key leaves the key as it is.
pub async fn only_a_step_that_says_so_makes_keys(make: impl Fn() -> Specimen) {
    let specimen = make();
    let says_so = specimen.places().iter().any(|place| place.is_key_mapper());
    for action in actions() {
        let mut op = specimen.operation(action.clone(), specimen.id());
        let (key, id) = (op.key.clone(), op.id().cloned());
        specimen.transform().before(&mut op).expect("it goes down");
        assert!(says_so || op.key == key, "{action:?}: the key is another");
        assert!(op.id() == id.as_ref(), "{action:?}: the id is another");
    }
}

/// A step whose shape does not say that it sets deadlines leaves them as they are.
pub async fn only_a_step_that_says_so_sets_deadlines(make: impl Fn() -> Specimen) {
    let specimen = make();
    if specimen.shape().ends_sessions() {
        return;
    }
    let at = Deadline::At(Timestamp::from_millis(5_000));
    for action in actions() {
        for deadline in [Deadline::Keep, Deadline::Never, at] {
            let mut op = specimen.operation(action.clone(), specimen.id());
            op.deadline = deadline;
            specimen.transform().before(&mut op).expect("it goes down");
            assert_eq!(op.deadline, deadline, "{action:?}");
        }
    }
}

/// "No clock but the operation's": the same operation a century later gets a deadline that is a century later.
pub async fn deadlines_go_by_the_time_of_the_operation(make: impl Fn() -> Specimen) {
    let century = Duration::from_secs(100 * 365 * 24 * 3600);
    let specimen = make();
    let id = specimen.id();
    for action in actions() {
        let early = Timestamp::from_millis(1_000);
        let lives = [early, early + century].map(|now| {
            let mut op = specimen.operation_at(action.clone(), id.clone(), now);
            specimen.transform().before(&mut op).expect("it goes down");
            op.deadline.instant().map(|deadline| deadline.since(now))
        });
        assert_eq!(lives[0], lives[1], "{action:?}");
    }
}

fn actions() -> [Action; 5] {
    [
        Action::Load,
        Action::Create,
        Action::Update,
        Action::Touch,
        Action::Delete,
    ]
}
