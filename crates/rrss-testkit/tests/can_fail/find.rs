//! Stores with an index, over a backend with a flaw.

use rrss_testkit::find;

use crate::backends::subject;
use crate::flaw::Flaw;
use crate::{Case, broken_as_listed, keeps};

/// What the step and the store do, whatever stands below them.
const HELD_ABOVE: &[&str] = &[
    "a_value_that_cannot_be_indexed_is_refused_and_not_stored",
    "an_unindexed_field_is_unsupported",
];

/// Which promises each flaw breaks; it may break others.
const BROKEN: &[(Flaw, &[&str])] = &[
    (
        Flaw::FindsOnePage,
        &["find_names_the_sessions_of_a_value_over_its_pages"],
    ),
    (
        Flaw::FindsNothing,
        &[
            "numbers_and_their_text_are_one_value",
            "revoke_ends_every_session_of_the_value_and_says_how_many",
            "revoke_others_keeps_the_one_that_asks",
            "revoke_one_ends_the_session_with_that_handle",
            "revoke_one_ends_none_of_another_value",
            "one_session_too_many_ends_the_oldest",
            "one_session_too_many_is_refused_where_the_limit_rejects",
        ],
    ),
    (
        Flaw::IndexesNoUpdates,
        &["a_changed_value_moves_the_session"],
    ),
    (
        Flaw::RemovesWhatItPuts,
        &["a_save_that_leaves_the_value_leaves_the_session_found"],
    ),
    (
        Flaw::HidesTheDeadline,
        &["what_is_found_tells_its_times_and_hides_its_id"],
    ),
    (
        Flaw::TouchLeavesEntries,
        &["a_touched_session_is_found_past_its_old_deadline"],
    ),
    (
        Flaw::ForgetsDeletes,
        &[
            "a_deleted_session_is_not_found",
            "the_index_follows_a_rotation",
            "revoke_ends_what_is_rotated_meanwhile",
            "revoke_ends_what_is_saved_meanwhile",
            "sessions_that_have_ended_take_up_no_room",
        ],
    ),
    (
        Flaw::FindsAndShowsExpired,
        &["an_expired_session_is_not_found"],
    ),
    (
        Flaw::RefusedChangesRemoveEntries,
        &["what_a_refused_save_left_in_the_index_is_not_found"],
    ),
    (
        Flaw::Revives,
        &["after_revoke_nothing_brings_a_session_back"],
    ),
    (
        Flaw::UpdateAppends,
        &["a_removed_value_takes_the_session_out"],
    ),
    (
        Flaw::CreatesKeepNoEntriesOfOldKeys,
        &[
            "a_save_that_adds_no_value_ends_nobody",
            "of_many_logins_at_once_no_more_than_the_limit_stay",
        ],
    ),
];

#[test]
fn a_store_over_an_index_without_a_flaw_keeps_every_promise() {
    for promise in find::promises() {
        assert!(
            keeps(&promise, || subject(Flaw::None)),
            "{}",
            promise.name()
        );
    }
}

#[test]
fn every_promise_of_a_store_with_an_index_can_be_broken() {
    let cases: Vec<_> = BROKEN
        .iter()
        .map(|(flaw, breaks)| Case::new(flaw, || subject(*flaw), breaks))
        .collect();
    broken_as_listed(&find::promises(), &cases, HELD_ABOVE);
}
