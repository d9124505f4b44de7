//! Notes of sessions with a flaw.

use rrss_testkit::{Subject, expired};

use crate::noting::{NoteFlaw, Noting};
use crate::{Case, broken_as_listed, keeps};

/// Which promises each flaw breaks; it may break others.
const BROKEN: &[(NoteFlaw, &[&str])] = &[
    (
        NoteFlaw::GivesNothing,
        &[
            "the_note_of_an_expired_session_is_given_with_its_deadline",
            "every_expired_session_is_given_a_few_at_a_time",
            "an_expired_session_is_told_with_its_handle_and_indexed_fields",
            "a_listener_that_fails_keeps_nobody_from_being_told",
            "of_two_stores_that_sweep_at_once_one_tells_of_each_session",
        ],
    ),
    (
        NoteFlaw::GivesTheLive,
        &[
            "the_note_of_an_expired_session_is_given_with_its_deadline",
            "an_expired_session_is_told_with_its_handle_and_indexed_fields",
        ],
    ),
    (
        NoteFlaw::GivesAtTheFirstDeadline,
        &[
            "a_session_that_was_renewed_is_not_given",
            "a_session_that_was_touched_is_not_told",
        ],
    ),
    (
        NoteFlaw::GivesAtTheLastDeadline,
        &["a_session_whose_deadline_moved_closer_is_given"],
    ),
    (
        NoteFlaw::KeepsTheFirstNote,
        &["the_note_that_was_kept_last_is_given"],
    ),
    (
        NoteFlaw::TellsNow,
        &["the_note_of_an_expired_session_is_given_with_its_deadline"],
    ),
    (
        NoteFlaw::PastDeadlinesTellNothing,
        &["what_a_past_deadline_ended_is_given"],
    ),
    (
        NoteFlaw::RefusedDeletesRemoveNotes,
        &["a_delete_that_is_refused_leaves_the_note"],
    ),
    (
        NoteFlaw::LateDeletesRemoveNotes,
        &["a_delete_that_comes_too_late_leaves_the_note"],
    ),
    (
        NoteFlaw::DeletesLeaveNotes,
        &[
            "a_deleted_session_is_not_given",
            "a_session_that_was_ended_or_rotated_is_not_told",
        ],
    ),
    (
        NoteFlaw::TellsOfAll,
        &["a_session_without_a_note_is_not_given"],
    ),
    (
        NoteFlaw::EndlessOnesEnd,
        &["a_session_that_never_ends_is_not_given"],
    ),
    (
        NoteFlaw::ListsNotes,
        &["notes_are_neither_listed_nor_counted"],
    ),
    (NoteFlaw::KeepsForEver, &["what_is_too_old_is_dropped"]),
    (NoteFlaw::DropsAll, &["what_is_too_old_is_dropped"]),
    (
        NoteFlaw::GivesAllAtOnce,
        &["every_expired_session_is_given_a_few_at_a_time"],
    ),
    (
        NoteFlaw::GivesOneOnly,
        &["every_expired_session_is_given_a_few_at_a_time"],
    ),
    (
        NoteFlaw::MixesKeySpaces,
        &["notes_are_given_in_their_key_space"],
    ),
    (
        NoteFlaw::LeasesNothing,
        &[
            "what_is_taken_is_not_given_again_within_its_lease",
            "of_many_who_take_at_once_one_is_given_each_note",
        ],
    ),
    (
        NoteFlaw::LeasesForEver,
        &["what_is_not_forgotten_is_given_again_after_its_lease"],
    ),
    (
        NoteFlaw::ForgetsNothing,
        &["what_is_forgotten_is_given_no_more"],
    ),
    (NoteFlaw::TakingNoneClaims, &["taking_none_claims_none"]),
];

fn subject(flaw: NoteFlaw) -> Subject {
    Subject::new(Noting::new(flaw))
}

#[test]
fn notes_without_a_flaw_keep_every_promise() {
    for promise in expired::promises() {
        assert!(
            keeps(&promise, || subject(NoteFlaw::None)),
            "{}",
            promise.name()
        );
    }
}

#[test]
fn every_promise_of_notes_can_be_broken() {
    let cases: Vec<_> = BROKEN
        .iter()
        .map(|(flaw, breaks)| Case::new(flaw, || subject(*flaw), breaks))
        .collect();
    broken_as_listed(&expired::promises(), &cases, &[]);
}
