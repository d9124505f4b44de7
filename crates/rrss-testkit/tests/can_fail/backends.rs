//! Backends with a flaw.

use rrss_testkit::{Promise, Subject, backend, outage};

use crate::broken::Broken;
use crate::flaw::Flaw;
use crate::{Case, broken_as_listed, keeps};

/// Which promises each flaw breaks; it may break others.
const BROKEN: &[(Flaw, &[&str])] = &[
    (
        Flaw::CutsLongBytes,
        &["load_answers_the_bytes_exactly_as_written"],
    ),
    (
        Flaw::AnswersEmptyForUnknown,
        &[
            "load_of_a_key_never_written_answers_none",
            "load_of_a_deleted_key_answers_none",
            "load_of_a_key_past_its_deadline_answers_none",
            "create_with_a_past_deadline_is_done_and_stores_nothing",
        ],
    ),
    (
        Flaw::ForgetsDeletes,
        &[
            "load_of_a_deleted_key_answers_none",
            "create_under_a_deleted_key_is_done",
            "update_of_a_deleted_key_answers_gone_and_stores_nothing",
            "an_update_and_a_delete_at_once_leave_nothing",
            "a_touch_and_a_delete_at_once_leave_nothing",
            "delete_says_whether_a_live_session_was_there",
            "sweep_does_not_count_what_is_gone_already",
        ],
    ),
    (
        Flaw::IgnoresDeadlines,
        &[
            "load_of_a_key_past_its_deadline_answers_none",
            "create_under_an_expired_key_is_done",
            "create_with_a_past_deadline_is_done_and_stores_nothing",
            "update_of_an_expired_key_answers_gone_and_stores_nothing",
            "update_moves_the_deadline_earlier",
            "update_with_a_past_deadline_is_done_and_removes",
            "touch_moves_the_deadline_earlier",
            "sub_second_deadlines_hold",
            "an_expired_key_is_neither_listed_nor_counted",
        ],
    ),
    (Flaw::RenewsOnRead, &["load_changes_nothing"]),
    (
        Flaw::TellsAnotherDeadline,
        &["load_tells_the_deadline_or_nothing"],
    ),
    (
        Flaw::HidesTheDeadline,
        &["load_that_wants_the_deadline_tells_it_exactly"],
    ),
    (
        Flaw::TellsADeadlineOfTheEndless,
        &["load_that_wants_the_deadline_tells_none_where_there_is_none"],
    ),
    (Flaw::FoldsCase, &["keys_match_exactly"]),
    (
        Flaw::CreatesOverLive,
        &[
            "create_under_a_taken_key_answers_taken_and_changes_nothing",
            "create_under_a_taken_key_answers_taken_whatever_its_deadline",
            "of_two_creates_at_once_exactly_one_is_done",
        ],
    ),
    (
        Flaw::RefusesExpiredKeys,
        &["create_under_an_expired_key_is_done", "touch_never_creates"],
    ),
    (
        Flaw::RefusesPastDeadlines,
        &[
            "create_with_a_past_deadline_is_done_and_stores_nothing",
            "update_with_a_past_deadline_is_done_and_removes",
            "touch_with_a_past_deadline_answers_true_and_removes",
        ],
    ),
    (
        Flaw::PastDeadlinesComeFirst,
        &[
            "create_under_a_taken_key_answers_taken_whatever_its_deadline",
            "update_of_a_missing_key_answers_gone_whatever_its_deadline",
        ],
    ),
    (
        Flaw::InheritsDeadlines,
        &["create_that_keeps_the_deadline_has_none"],
    ),
    (
        Flaw::EndsTheEndless,
        &[
            "create_without_a_deadline_never_ends",
            "update_without_a_deadline_never_ends",
            "touch_without_a_deadline_never_ends",
        ],
    ),
    (
        Flaw::ChecksThenActs,
        &[
            "of_two_creates_at_once_exactly_one_is_done",
            "an_update_and_a_delete_at_once_leave_nothing",
            "a_touch_and_a_delete_at_once_leave_nothing",
            "of_two_deletes_at_once_exactly_one_answers_true",
            "two_sweeps_at_once_remove_each_once",
            "a_sweep_and_a_touch_at_once_agree",
            "of_two_updates_of_the_same_bytes_exactly_one_is_done",
        ],
    ),
    (
        Flaw::ForgetsWhatWasLoaded,
        &[
            "update_of_what_has_changed_is_refused_and_stores_nothing",
            "update_of_what_was_loaded_minds_the_deadline",
            "of_two_updates_of_the_same_bytes_exactly_one_is_done",
        ],
    ),
    (
        Flaw::RefusesWhatWasLoaded,
        &["update_of_what_was_loaded_is_done"],
    ),
    (
        Flaw::Revives,
        &[
            "update_of_a_key_never_written_answers_gone_and_stores_nothing",
            "update_of_a_deleted_key_answers_gone_and_stores_nothing",
            "update_of_an_expired_key_answers_gone_and_stores_nothing",
            "update_of_a_missing_key_answers_gone_whatever_its_deadline",
        ],
    ),
    (
        Flaw::RevivesWhatWasLoaded,
        &["update_of_what_was_loaded_and_is_gone_is_refused_and_stores_nothing"],
    ),
    (
        Flaw::RevivesExpired,
        &["update_of_an_expired_key_answers_gone_and_stores_nothing"],
    ),
    (Flaw::UpdateAppends, &["update_replaces_the_bytes"]),
    (
        Flaw::UpdateDropsTheDeadline,
        &["update_that_keeps_the_deadline_leaves_it"],
    ),
    (
        Flaw::UpdateLeavesTheDeadline,
        &[
            "update_moves_the_deadline_later",
            "update_moves_the_deadline_earlier",
            "update_without_a_deadline_never_ends",
        ],
    ),
    (
        Flaw::WritesInTwoParts,
        &[
            "updates_at_once_are_never_mixed",
            "a_create_dropped_midway_is_whole_or_absent",
            "an_update_dropped_midway_is_whole_or_absent",
        ],
    ),
    (
        Flaw::TouchDoesNothing,
        &[
            "touch_moves_the_deadline_later",
            "touch_moves_the_deadline_earlier",
            "touch_without_a_deadline_never_ends",
        ],
    ),
    (Flaw::TouchCreates, &["touch_never_creates"]),
    (Flaw::TouchEmpties, &["touch_never_changes_the_bytes"]),
    (
        Flaw::TouchDropsTheDeadline,
        &["touch_that_keeps_the_deadline_says_whether_it_is_there"],
    ),
    (Flaw::RoundsToSeconds, &["sub_second_deadlines_hold"]),
    (Flaw::DeletesByPrefix, &["delete_removes_no_other_key"]),
    (
        Flaw::DeletesWhatChanged,
        &[
            "delete_of_what_has_changed_is_refused_and_leaves_it",
            "of_an_update_and_a_delete_of_the_same_bytes_exactly_one_is_done",
        ],
    ),
    (
        Flaw::RefusesToDeleteWhatWasLoaded,
        &["delete_of_what_was_loaded_removes_it"],
    ),
    (
        Flaw::DeletesWhatIsGone,
        &[
            "delete_of_what_was_loaded_and_is_gone_is_refused",
            "of_two_deletes_of_the_same_bytes_exactly_one_is_done",
        ],
    ),
    (Flaw::ListsOnePage, &["list_names_every_key_over_its_pages"]),
    (
        Flaw::PagesByPosition,
        &["list_names_what_is_there_all_the_while"],
    ),
    (
        Flaw::IgnoresKeySpaces,
        &[
            "list_of_an_empty_key_space_is_empty",
            "list_and_count_stay_in_their_key_space",
        ],
    ),
    (
        Flaw::TakesPatterns,
        &["a_key_space_is_text_and_not_a_pattern"],
    ),
    (
        Flaw::ListsExpired,
        &["an_expired_key_is_neither_listed_nor_counted"],
    ),
    (Flaw::CountsWrites, &["count_counts_the_live_keys"]),
    (
        Flaw::SweepsNothing,
        &["sweep_removes_what_is_past_its_deadline_and_says_how_many"],
    ),
    (Flaw::SweepsLive, &["sweep_leaves_what_is_live"]),
    (
        Flaw::SweepsWithoutLimit,
        &["sweep_removes_at_most_its_limit"],
    ),
    (
        Flaw::SweepsByFirstDeadline,
        &[
            "sweep_never_removes_what_was_renewed",
            "touch_moves_the_deadline_later",
        ],
    ),
    (
        Flaw::CountsSweptTwice,
        &["two_sweeps_at_once_remove_each_once"],
    ),
    (
        Flaw::CannotBePinged,
        &["ping_answers_where_the_backend_is_there"],
    ),
    (Flaw::ForgetsAtClose, &["close_loses_nothing"]),
];

#[test]
fn a_backend_without_a_flaw_keeps_every_promise_to_backends() {
    for promise in backend::promises() {
        assert!(
            keeps(&promise, || subject(Flaw::None)),
            "{}",
            promise.name()
        );
    }
}

#[test]
fn every_promise_to_backends_can_be_broken() {
    let cases: Vec<_> = BROKEN
        .iter()
        .map(|(flaw, breaks)| Case::new(flaw, || subject(*flaw), breaks))
        .collect();
    broken_as_listed(&backend::promises(), &cases, &[]);
}

/// A backend that is there breaks all that is promised of one that is not.
#[test]
fn every_promise_of_an_outage_can_be_broken() {
    let all: Vec<_> = outage::promises().iter().map(Promise::name).collect();
    let case = Case::new(Flaw::None, || subject(Flaw::None), &all);
    broken_as_listed(&outage::promises(), &[case], &[]);
    for promise in outage::promises() {
        let keeps = keeps(&promise, || subject(Flaw::IsDownAndNamesKeys));
        let has_no_key = ["find", "list", "count", "ping"]
            .iter()
            .any(|name| promise.name().starts_with(name));
        assert_eq!(keeps, has_no_key, "{}", promise.name());
    }
}

pub(crate) fn subject(flaw: Flaw) -> Subject {
    Subject::new(Broken::new(flaw))
}
