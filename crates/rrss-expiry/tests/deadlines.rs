//! Deadlines: which operations set one, and to what.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use rrss_core::{
    Action, Deadline, Operation, Pipeline, Session, Shape, Step, Timestamp, Transform,
};
use rrss_expiry::{Expiry, Options};

const NOW: Timestamp = Timestamp::from_millis(1_795_348_800_000);
const WRITES: [Action; 3] = [Action::Create, Action::Update, Action::Touch];

fn expiry(duration: Duration) -> Expiry {
    Expiry::new(Options {
        duration: duration.into(),
        ..Options::default()
    })
    .unwrap()
}

fn deadline(expiry: &Expiry, mut op: Operation) -> Deadline {
    expiry.before(&mut op).unwrap();
    op.deadline
}

#[test]
fn every_change_gives_the_session_its_time_anew() {
    let expiry = expiry(Duration::from_secs(60));
    for action in WRITES {
        assert_eq!(
            deadline(&expiry, Operation::new(action, NOW)),
            Deadline::At(NOW + Duration::from_secs(60))
        );
    }
}

#[test]
fn other_operations_set_no_deadline() {
    let expiry = expiry(Duration::from_secs(60));
    for action in [
        Action::Load,
        Action::Delete,
        Action::Count,
        Action::Sweep { limit: 1 },
        Action::List {
            cursor: None,
            limit: 1,
        },
    ] {
        assert_eq!(
            deadline(&expiry, Operation::new(action, NOW)),
            Deadline::Keep
        );
    }
}

#[test]
fn a_deadline_that_the_caller_asked_for_stays() {
    let expiry = expiry(Duration::from_secs(60));
    for action in WRITES {
        for asked in [
            Deadline::Never,
            Deadline::At(NOW + Duration::from_secs(1)),
            Deadline::At(Timestamp::from_millis(0)),
        ] {
            let mut op = Operation::new(action.clone(), NOW);
            op.deadline = asked;
            assert_eq!(deadline(&expiry, op), asked);
        }
    }

    let mut session = Session::new();
    session.set_expires_at(NOW + Duration::from_secs(5));
    let op = Operation::new(Action::Create, NOW).with_session(session);
    assert_eq!(
        deadline(&expiry, op),
        Deadline::At(NOW + Duration::from_secs(5))
    );
}

#[test]
fn parts_of_a_second_count() {
    for (duration, millis) in [
        (Duration::from_millis(1), 1),
        (Duration::from_millis(1_500), 1_500),
        (Duration::from_nanos(1), 1),
    ] {
        assert_eq!(
            deadline(&expiry(duration), Operation::new(Action::Create, NOW)),
            Deadline::At(Timestamp::from_millis(NOW.as_millis() + millis))
        );
    }
}

#[test]
fn the_longest_duration_does_not_overflow() {
    let op = Operation::new(Action::Create, NOW);
    assert_eq!(
        deadline(&expiry(Duration::MAX), op),
        Deadline::At(Timestamp::from_millis(u64::MAX))
    );
}

#[test]
fn the_store_sweeps_at_the_resolution() {
    let expiry = Expiry::new(Options {
        resolution: Duration::from_millis(20).into(),
        ..Options::default()
    });
    assert_eq!(
        expiry.unwrap().sweep_every(),
        Some(Duration::from_millis(20))
    );
}

#[test]
fn a_pipeline_has_at_most_one_and_it_may_stand_anywhere() {
    assert_eq!(
        Expiry::shape(&Options::default()),
        Shape::anywhere().sets_deadline().once()
    );
    let twice = Pipeline::builder()
        .step::<Expiry>(Options::default())
        .step::<Expiry>(Options::default())
        .build()
        .unwrap_err();
    assert!(
        twice
            .to_string()
            .contains("`expiry` stands here a second time"),
        "{twice}"
    );
}
