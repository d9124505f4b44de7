//! Indexes with a flaw.

use rrss_testkit::index;

use crate::backends::subject;
use crate::flaw::Flaw;
use crate::{Case, broken_as_listed, keeps};

/// Which promises each flaw breaks; it may break others.
const BROKEN: &[(Flaw, &[&str])] = &[
    (
        Flaw::FindsNothing,
        &[
            "a_session_is_found_by_what_its_create_put",
            "many_sessions_are_found_by_one_entry",
        ],
    ),
    (
        Flaw::IndexesNoUpdates,
        &["a_session_is_found_by_what_an_update_put"],
    ),
    (
        Flaw::IndexesOneEntry,
        &["a_session_is_found_by_each_of_its_entries"],
    ),
    (
        Flaw::MixesFields,
        &["one_value_in_two_fields_is_two_entries"],
    ),
    (
        Flaw::MixesValues,
        &["find_does_not_tell_keys_by_their_value_alone"],
    ),
    (
        Flaw::FindsAll,
        &[
            "find_of_what_nobody_has_is_empty",
            "many_sessions_are_found_by_one_entry",
        ],
    ),
    (Flaw::FindIgnoresKeySpaces, &["find_stays_in_its_key_space"]),
    (
        Flaw::NeverRemovesEntries,
        &[
            "a_session_is_not_found_by_what_an_update_removed",
            "a_session_is_not_found_by_what_a_delete_removed",
        ],
    ),
    (
        Flaw::RemovesWhatItPuts,
        &["an_update_that_keeps_its_entries_is_found_by_them"],
    ),
    (
        Flaw::CreatesKeepNoEntriesOfOldKeys,
        &["a_key_that_is_created_again_is_found_again"],
    ),
    (
        Flaw::RefusedChangesRemoveEntries,
        &[
            "an_update_that_is_refused_leaves_the_entries",
            "a_delete_that_is_refused_leaves_the_entries",
        ],
    ),
    (
        Flaw::RefusedCreatesRemoveEntries,
        &["a_create_that_is_refused_leaves_the_entries"],
    ),
    (
        Flaw::RefusedUpdatesTakeEntriesBack,
        &[
            "an_update_that_is_refused_leaves_the_entries",
            "of_two_updates_at_once_the_winner_is_found",
        ],
    ),
    (
        Flaw::TouchLeavesEntries,
        &[
            "a_touch_keeps_a_session_found_past_its_old_deadline",
            "a_touch_puts_an_entry_that_is_missing",
        ],
    ),
    (
        Flaw::UpdateLeavesEntries,
        &["an_update_keeps_a_session_found_past_its_old_deadline"],
    ),
    (
        Flaw::EntriesOfTheEndlessEnd,
        &["a_session_that_never_ends_is_found_for_ever"],
    ),
    (
        Flaw::EntriesEndTogether,
        &["one_that_ends_takes_no_other_out_of_the_index"],
    ),
    (
        Flaw::EntriesNeverEnd,
        &[
            "a_session_past_its_deadline_is_not_found_after_a_sweep",
            "an_entry_that_nobody_removed_ends_with_its_deadline",
        ],
    ),
    (
        Flaw::PastDeadlinesLeaveEntries,
        &["what_a_past_deadline_ended_is_not_found_after_a_sweep"],
    ),
    (
        Flaw::FindsOnePage,
        &["find_names_every_session_over_its_pages"],
    ),
    (
        Flaw::FindPagesByPosition,
        &["find_names_what_is_there_all_the_while"],
    ),
    (
        Flaw::ListsEntries,
        &["entries_are_neither_listed_nor_counted"],
    ),
    (
        Flaw::FindPrunesHastily,
        &["what_is_created_while_others_find_is_found"],
    ),
    (
        Flaw::SweepPrunesHastily,
        &["what_is_created_while_others_sweep_is_found"],
    ),
];

#[test]
fn an_index_without_a_flaw_keeps_every_promise() {
    for promise in index::promises() {
        assert!(
            keeps(&promise, || subject(Flaw::None)),
            "{}",
            promise.name()
        );
    }
}

#[test]
fn every_promise_of_an_index_can_be_broken() {
    let cases: Vec<_> = BROKEN
        .iter()
        .map(|(flaw, breaks)| Case::new(flaw, || subject(*flaw), breaks))
        .collect();
    broken_as_listed(&index::promises(), &cases, &[]);
}
