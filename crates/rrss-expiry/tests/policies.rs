//! What the step says of one operation: sliding, the longest life, deadlines of a session's own, and jitter.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use rrss_core::{
    Action, Answer, Data, Deadline, Operation, Outcome, Payload, Session, Shape, Step, StorageKey,
    Timestamp, Transform,
};
use rrss_expiry::{Expiry, Options};

const NOW: Timestamp = Timestamp::from_millis(1_795_348_800_000);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn options(toml: &str) -> Options {
    toml::from_str(toml).unwrap()
}

fn expiry(toml: &str) -> Expiry {
    Expiry::new(options(toml)).unwrap()
}

fn at(after: Duration) -> Deadline {
    Deadline::At(NOW + after)
}

fn before(instant: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_millis(instant.as_millis() - u64::try_from(by.as_millis()).unwrap())
}

/// A session that was created so long ago.
fn aged(age: Duration) -> Session {
    Session::new().with_created_at(Some(before(NOW, age)))
}

fn owning(session: Session, deadline: Timestamp) -> Session {
    session.with_own_deadline(Some(deadline))
}

/// The deadline of an operation of now on `session`.
fn deadline(expiry: &Expiry, action: Action, session: Session) -> Deadline {
    let mut op = Operation::new(action, NOW).with_session(session);
    expiry.before(&mut op).unwrap();
    op.deadline
}

/// What a load answers where the backend holds `session` until `stored`.
fn load(expiry: &Expiry, session: Session, stored: Option<Timestamp>) -> Answer {
    let mut op = Operation::new(Action::Load, NOW).with_id("1".into());
    op.key = Some("sessions:1".to_owned().into());
    expiry.before(&mut op).unwrap();
    let mut answer = Answer::new(Outcome::Found);
    answer.payload = Payload::Session(session);
    answer.expires_at = stored;
    expiry.after(&op, &mut answer).unwrap();
    answer
}

const SLIDING: &str = "duration = '10h'\nrenew = 'load'";

#[test]
fn a_load_asks_for_the_deadline_only_where_it_may_move_it() {
    for (toml, wants) in [(SLIDING, true), ("absolute = '30d'", false), ("", false)] {
        let mut op = Operation::new(Action::Load, NOW);
        expiry(toml).before(&mut op).unwrap();
        assert_eq!(op.wants_deadline, wants, "{toml}");
        assert_eq!(op.deadline, Deadline::Keep);
    }
}

#[test]
fn a_load_renews_once_the_deadline_has_fallen_behind_by_a_tenth() {
    let expiry = expiry(SLIDING);
    let target = NOW + HOUR * 10;
    for (behind, renewed) in [
        (Duration::ZERO, None),
        (HOUR - Duration::from_millis(1), None),
        (HOUR, Some(target)),
        (HOUR * 9, Some(target)),
    ] {
        let answer = load(&expiry, Session::new(), Some(before(target, behind)));
        assert_eq!(answer.outcome, Outcome::Found);
        assert_eq!(answer.renew, renewed, "{behind:?}");
        assert!(answer.session().is_some());
    }
}

#[test]
fn renew_after_says_how_far_behind() {
    let expiry = expiry("duration = '1h'\nrenew = 'load'\nrenew_after = '250ms'");
    let target = NOW + HOUR;
    for (behind, is_renewed) in [(249, false), (250, true)] {
        let stored = before(target, Duration::from_millis(behind));
        let answer = load(&expiry, Session::new(), Some(stored));
        assert_eq!(answer.renew.is_some(), is_renewed, "{behind}");
    }
}

#[test]
fn a_load_gives_a_deadline_to_a_session_that_was_stored_without_one() {
    let answer = load(&expiry(SLIDING), Session::new(), None);
    assert_eq!(answer.renew, Some(NOW + HOUR * 10));
}

#[test]
fn a_load_moves_a_deadline_nearer_that_a_longer_duration_has_set() {
    let week = Some(NOW + HOUR * 24 * 7);
    let answer = load(&expiry(SLIDING), Session::new(), week);
    assert_eq!(answer.renew, Some(NOW + HOUR * 10));
}

#[test]
fn a_load_moves_no_deadline_nearer_by_a_clock_that_is_behind() {
    let expiry = expiry(SLIDING);
    let ahead = Some(NOW + Duration::from_millis(1));
    for session in [
        Session::new().with_created_at(ahead),
        aged(HOUR).with_written_at(ahead),
    ] {
        let answer = load(&expiry, session.clone(), Some(NOW + HOUR * 100));
        assert_eq!((answer.outcome, answer.renew), (Outcome::Found, None));
        let answer = load(&expiry, session, Some(NOW + HOUR));
        assert_eq!(answer.renew, Some(NOW + HOUR * 10), "later is no harm");
    }
}

#[test]
fn without_renewal_on_load_a_load_renews_nothing() {
    for stored in [None, Some(NOW + SECOND)] {
        let answer = load(&expiry("absolute = '30d'"), aged(HOUR), stored);
        assert_eq!(
            (answer.outcome, answer.renew),
            (Outcome::Found, None),
            "{stored:?}"
        );
    }
}

#[test]
fn no_deadline_is_later_than_the_longest_life() {
    let expiry = expiry("duration = '10h'\nabsolute = '24h'");
    for action in [Action::Create, Action::Update, Action::Touch] {
        for (age, left) in [
            (HOUR, HOUR * 10),
            (HOUR * 14, HOUR * 10),
            (HOUR * 20, HOUR * 4),
        ] {
            assert_eq!(deadline(&expiry, action.clone(), aged(age)), at(left));
        }
        let own = owning(aged(HOUR * 20), NOW + HOUR * 100);
        assert_eq!(deadline(&expiry, action.clone(), own), at(HOUR * 4));

        for asked in [Deadline::Never, at(HOUR * 5)] {
            let mut op = Operation::new(action.clone(), NOW).with_session(aged(HOUR * 20));
            op.deadline = asked;
            expiry.before(&mut op).unwrap();
            assert_eq!(op.deadline, at(HOUR * 4), "{asked:?}");
        }
        let ended = deadline(&expiry, action, aged(HOUR * 30));
        assert!(ended.is_past(NOW), "it ends at once");
    }
}

#[test]
fn a_renewal_on_load_stops_at_the_longest_life_and_is_not_repeated_there() {
    let expiry = expiry("duration = '10h'\nrenew = 'load'\nabsolute = '24h'");
    let end = NOW + HOUR * 4;
    let answer = load(&expiry, aged(HOUR * 20), Some(before(end, HOUR)));
    assert_eq!(answer.renew, Some(end));
    let answer = load(&expiry, aged(HOUR * 20), Some(end));
    assert_eq!((answer.outcome, answer.renew), (Outcome::Found, None));
}

#[test]
fn a_session_past_the_longest_life_is_missing_though_the_backend_has_it() {
    for toml in [
        "absolute = '7d'",
        "absolute = '7d'\nrenew = 'load'",
        "absolute = '7d'\nduration = '1d'",
    ] {
        for stored in [None, Some(NOW + HOUR)] {
            let expiry = expiry(toml);
            let answer = load(&expiry, aged(HOUR * 24 * 7), stored);
            assert_eq!(answer.outcome, Outcome::Missing, "{toml}");
            assert!(answer.session().is_none() && answer.stored.is_none());
            assert_eq!((answer.renew, answer.expires_at), (None, None));

            let younger = aged(HOUR * 24 * 7 - Duration::from_millis(1));
            assert_eq!(load(&expiry, younger, stored).outcome, Outcome::Found);
        }
    }
}

#[test]
fn the_life_of_a_session_of_unknown_age_counts_from_the_first_write() {
    let bounded = expiry("absolute = '7d'");
    for action in [Action::Create, Action::Update] {
        let mut op = Operation::new(action, NOW).with_session(Session::new());
        bounded.before(&mut op).unwrap();
        assert_eq!(op.session().unwrap().created_at(), Some(NOW));
        assert_eq!(op.deadline, at(HOUR * 24 * 7));
    }
    assert_eq!(
        load(&bounded, Session::new(), None).outcome,
        Outcome::Found,
        "reading notes nothing"
    );

    let mut op = Operation::new(Action::Create, NOW).with_session(Session::new());
    expiry("").before(&mut op).unwrap();
    assert_eq!(op.session().unwrap().created_at(), None);
}

#[test]
fn a_session_past_a_deadline_of_its_own_is_missing_though_the_backend_has_it() {
    for toml in ["", SLIDING, "absolute = '30d'"] {
        for stored in [None, Some(NOW + HOUR)] {
            let answer = load(&expiry(toml), owning(aged(HOUR), NOW), stored);
            assert_eq!(answer.outcome, Outcome::Missing, "{toml}");
            let live = owning(aged(HOUR), NOW + Duration::from_millis(1));
            assert_eq!(load(&expiry(toml), live, stored).outcome, Outcome::Found);
        }
    }
}

#[test]
fn a_deadline_of_its_own_does_not_slide() {
    let expiry = expiry(SLIDING);
    for own in [NOW + SECOND, NOW + HOUR * 1000] {
        let answer = load(&expiry, owning(aged(HOUR), own), Some(own));
        assert_eq!(answer.renew, None);
        assert_eq!(
            deadline(&expiry, Action::Touch, owning(aged(HOUR), own)),
            Deadline::At(own)
        );
    }
}

#[test]
fn a_load_puts_the_deadline_back_to_the_one_of_its_own() {
    let own = NOW + HOUR * 1000;
    for stored in [None, Some(NOW + HOUR), Some(NOW + HOUR * 2000)] {
        let answer = load(&expiry(SLIDING), owning(aged(HOUR), own), stored);
        assert_eq!(answer.renew, Some(own), "{stored:?}");
    }
}

#[test]
fn a_touch_never_passes_a_deadline_of_its_own() {
    let own = NOW + HOUR;
    for (asked, moved) in [
        (at(HOUR * 2), own),
        (Deadline::Never, own),
        (at(SECOND), NOW + SECOND),
        (Deadline::Keep, own),
    ] {
        let mut op = Operation::new(Action::Touch, NOW).with_session(owning(aged(HOUR), own));
        op.deadline = asked;
        expiry("").before(&mut op).unwrap();
        assert_eq!(op.deadline, Deadline::At(moved), "{asked:?}");
    }
}

#[test]
fn a_touch_wants_the_session_where_the_deadline_depends_on_it() {
    let wants = |toml: &str, action: Action, deadline: Deadline| {
        let mut op = Operation::new(action, NOW).with_id("1".into());
        op.deadline = deadline;
        expiry(toml).wants_session(&op)
    };
    for toml in ["", SLIDING] {
        assert!(wants(toml, Action::Touch, Deadline::Keep));
        assert!(!wants(toml, Action::Touch, at(HOUR)));
    }
    assert!(wants("absolute = '30d'", Action::Touch, at(HOUR)));
    for action in [Action::Load, Action::Delete, Action::Count] {
        assert!(!wants("absolute = '30d'", action, Deadline::Keep));
    }
    let op = Operation::new(Action::Touch, NOW).with_session(aged(HOUR));
    assert!(!expiry("absolute = '30d'").wants_session(&op));
}

#[test]
fn jitter_ends_each_session_early_by_a_part_of_its_own() {
    let expiry = expiry("duration = '1h'\njitter = '10m'");
    let of = |key: &str, asked: Deadline| {
        let mut op = Operation::new(Action::Update, NOW);
        op.key = Some(StorageKey::from(key.to_owned()));
        op.deadline = asked;
        expiry.before(&mut op).unwrap();
        op.deadline.instant().unwrap()
    };
    let mut minutes = std::collections::BTreeSet::new();
    for n in 0..200 {
        let key = format!("sessions:{n}");
        let ends = of(&key, Deadline::Keep);
        assert_eq!(ends, of(&key, Deadline::Keep), "always the same");
        assert!(
            ends > NOW + Duration::from_secs(50 * 60) && ends <= NOW + HOUR,
            "{ends:?}"
        );
        minutes.insert(ends.since(NOW).as_secs() / 60);

        assert_eq!(of(&key, at(SECOND)), NOW + SECOND, "one that was asked for");
    }
    assert_eq!(minutes.len(), 10, "{minutes:?}");
}

#[test]
fn jitter_makes_no_renewal_due() {
    let expiry = expiry("duration = '1h'\nrenew = 'load'\nrenew_after = '1ms'\njitter = '30m'");
    let stored = load(&expiry, Session::new(), None).renew;
    assert_ne!(stored, Some(NOW + HOUR), "this key's part is not zero");
    assert_eq!(load(&expiry, Session::new(), stored).renew, None);
}

#[test]
fn a_step_that_reads_sessions_stands_above_the_codec_and_one_with_jitter_below_the_key() {
    for (toml, shape) in [
        ("", Shape::anywhere()),
        ("jitter = '1s'", Shape::anywhere().needs_key()),
        ("renew = 'load'", Shape::on_session()),
        ("absolute = '30d'", Shape::on_session()),
        (
            "renew = 'load'\njitter = '1s'",
            Shape::on_session().needs_key(),
        ),
    ] {
        assert_eq!(
            Expiry::shape(&options(toml)),
            shape.sets_deadline().once(),
            "{toml}"
        );
    }
    assert_eq!(
        Expiry::shape(&options("absolute = '30d'")).takes(),
        Some(Data::Session)
    );
}

#[test]
fn other_answers_pass_untouched() {
    for action in [Action::Load, Action::Touch, Action::Delete, Action::Count] {
        let mut answer = Answer::new(Outcome::Missing);
        let op = Operation::new(action, NOW);
        expiry("renew = 'load'\nabsolute = '30d'")
            .after(&op, &mut answer)
            .unwrap();
        assert_eq!((answer.outcome, answer.renew), (Outcome::Missing, None));
    }
}
