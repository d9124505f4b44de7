//! Stores over a backend or under steps with a flaw.

use rrss_core::{Shape, Transform};
use rrss_testkit::plain::{self, PlainJson, PlainKeys};
use rrss_testkit::{Subject, store};

use crate::backends::subject;
use crate::flaw::Flaw;
use crate::{Case, broken_as_listed, flawed, keeps};

/// What the store itself does, whatever stands below it.
const HELD_BY_THE_STORE: &[&str] = &[
    "a_rotation_in_doubt_is_found_by_the_next_try",
    "a_rotation_whose_answer_is_lost_gives_the_session_its_new_id",
    "a_session_without_changes_is_not_written_again",
    "an_empty_new_session_is_not_stored_and_asks_nobody",
];

const OVER: &[(Flaw, &[&str])] = &[
    (
        Flaw::AnswersEmptyForUnknown,
        &["load_of_an_unknown_id_answers_none"],
    ),
    (Flaw::CutsLongBytes, &["values_round_trip"]),
    (
        Flaw::IgnoresDeadlines,
        &[
            "load_of_an_expired_session_answers_none",
            "a_deadline_given_by_the_caller_holds",
            "a_past_deadline_given_by_the_caller_ends_the_session",
            "save_after_expiry_answers_gone_and_creates_nothing",
            "rotate_of_an_expired_session_answers_gone_and_leaves_none_behind",
            "count_counts_the_live_sessions",
        ],
    ),
    (
        Flaw::CreatesOverLive,
        &[
            "a_fresh_id_that_is_taken_is_made_again",
            "fresh_ids_that_are_all_taken_are_a_conflict",
            "an_id_given_by_the_caller_that_is_taken_is_a_conflict",
        ],
    ),
    (
        Flaw::RefusesPastDeadlines,
        &[
            "a_past_deadline_given_by_the_caller_ends_the_session",
            "touch_until_a_past_deadline_ends_the_session",
        ],
    ),
    (
        Flaw::Revives,
        &[
            "save_after_delete_answers_gone_and_creates_nothing",
            "save_after_expiry_answers_gone_and_creates_nothing",
            "a_delete_that_overtakes_a_save_wins",
            "a_save_between_a_delete_and_its_answer_answers_gone",
            "a_stale_copy_saved_after_a_rotation_answers_gone",
            "update_field_of_a_session_that_is_gone_answers_gone",
        ],
    ),
    (
        Flaw::ForgetsWhatWasLoaded,
        &[
            "saves_of_different_fields_both_survive",
            "a_merged_session_can_be_saved_again",
            "of_many_saves_at_once_none_is_lost",
            "a_rejected_save_is_a_conflict_and_stores_nothing",
            "increments_at_once_are_each_counted",
            "update_field_saves_the_other_changes_too",
            "a_field_inserted_if_unchanged_is_refused_where_others_changed_it",
            "a_field_inserted_if_unchanged_is_saved_where_others_changed_another",
            "a_deadline_of_its_own_survives_the_save_of_another",
        ],
    ),
    (
        Flaw::DeletesWhatChanged,
        &[
            "a_save_before_a_rotation_happens_goes_along",
            "a_rotation_that_rejects_what_others_saved_leaves_the_old_session_alone",
        ],
    ),
    (
        Flaw::RevivesWhatWasLoaded,
        &["a_conflict_with_a_session_that_is_gone_answers_gone"],
    ),
    (
        Flaw::UpdateAppends,
        &[
            "of_two_saves_of_one_field_the_later_counts",
            "the_last_write_replaces_what_others_changed",
            "save_replaces_what_was_stored",
            "an_emptied_session_is_stored_empty",
        ],
    ),
    (
        Flaw::WritesInTwoParts,
        &["a_save_dropped_midway_is_whole_or_absent"],
    ),
    (
        Flaw::TouchEmpties,
        &["touch_moves_the_deadline_and_never_the_data"],
    ),
    (
        Flaw::TouchDoesNothing,
        &["touch_moves_the_deadline_and_never_the_data"],
    ),
    (
        Flaw::TouchCreates,
        &["touch_says_whether_the_session_is_there_and_never_creates"],
    ),
    (
        Flaw::ForgetsDeletes,
        &[
            "delete_says_whether_the_session_was_there",
            "the_old_id_is_dead_when_a_rotation_answers",
            "a_second_rotation_leaves_the_last_id_alone",
            "a_rotation_that_writes_last_leaves_one_session_with_its_own_fields",
            "rotate_of_a_deleted_session_answers_gone_and_leaves_none_behind",
        ],
    ),
    (
        Flaw::ChecksThenActs,
        &["of_two_rotations_at_once_exactly_one_wins"],
    ),
    (
        Flaw::ListsOnePage,
        &["list_names_every_session_over_its_pages"],
    ),
    (Flaw::CountsWrites, &["count_counts_the_live_sessions"]),
    (
        Flaw::SweepsLive,
        &["sweep_removes_the_expired_sessions_alone"],
    ),
    (
        Flaw::SweepsNothing,
        &["sweep_removes_the_expired_sessions_alone"],
    ),
    (
        Flaw::StoresNothing,
        &[
            "save_of_a_new_session_stores_it_under_a_fresh_id",
            "an_id_given_by_the_caller_is_kept",
            "rotate_of_a_new_session_saves_it",
            "a_rotation_cut_off_midway_loses_no_session",
            "an_outage_leaves_everything_as_it_was",
        ],
    ),
];

/// A subject whose stores have this step between the plain key mapper and the plain codec.
fn under(step: fn() -> Box<dyn Transform>) -> Subject {
    subject(Flaw::None).with_steps(move |builder, prefix| {
        builder
            .transform("plain-keys", PlainKeys::SHAPE, PlainKeys::new(prefix))
            .transform("flawed", Shape::on_session(), Boxed(step()))
            .transform("plain-json", PlainJson::SHAPE, PlainJson)
    })
}

/// One whose stores have this codec.
fn with_codec(codec: fn() -> Box<dyn Transform>) -> Subject {
    subject(Flaw::None).with_steps(move |builder, prefix| {
        builder
            .transform("plain-keys", PlainKeys::SHAPE, PlainKeys::new(prefix))
            .transform("flawed", PlainJson::SHAPE, Boxed(codec()))
    })
}

/// One whose stores have this key mapper.
fn with_keys(keys: fn(&str) -> Box<dyn Transform>) -> Subject {
    subject(Flaw::None).with_steps(move |builder, prefix| {
        builder
            .transform("flawed", PlainKeys::SHAPE, Boxed(keys(prefix)))
            .transform("plain-json", PlainJson::SHAPE, PlainJson)
    })
}

struct Boxed(Box<dyn Transform>);

impl Transform for Boxed {
    fn before(&self, op: &mut rrss_core::Operation) -> rrss_core::Result<()> {
        self.0.before(op)
    }

    fn after(
        &self,
        op: &rrss_core::Operation,
        answer: &mut rrss_core::Answer,
    ) -> rrss_core::Result<()> {
        self.0.after(op, answer)
    }
}

fn under_flawed_steps() -> Vec<Case<Subject>> {
    vec![
        Case::new(
            "one id for all",
            || with_keys(|prefix| Box::new(flawed::keys(prefix, flawed::one_id_for_all))),
            &[
                "save_of_a_new_session_stores_it_under_a_fresh_id",
                "rotate_gives_a_new_id_with_the_same_data_and_creation_time",
            ],
        ),
        Case::new(
            "another id than is given",
            || with_keys(|prefix| Box::new(flawed::keys(prefix, flawed::another_id_than_is_given))),
            &["an_id_given_by_the_caller_is_kept"],
        ),
        Case::new(
            "ids in any case",
            || with_keys(|prefix| Box::new(flawed::keys(prefix, flawed::ids_in_any_case))),
            &["ids_match_exactly"],
        ),
        Case::new(
            "any id",
            || with_keys(|_| Box::new(flawed::any_id("s:", 200_000))),
            &["a_malformed_id_is_no_session_and_asks_nobody"],
        ),
        Case::new(
            "lists all",
            || with_keys(|prefix| Box::new(flawed::lists_all(prefix))),
            &["list_leaves_out_what_is_no_session"],
        ),
        Case::new(
            "shows a field that is not stored",
            || under(|| Box::new(flawed::shows_a_field_that_is_not_stored())),
            &["load_changes_nothing_and_marks_nothing_modified"],
        ),
        Case::new(
            "forgets deadlines",
            || under(|| Box::new(flawed::forgets_deadlines())),
            &[
                "a_deadline_given_by_the_caller_holds",
                "a_deadline_of_its_own_stays_through_saves_and_rotations",
                "a_deadline_alone_is_a_change_that_is_saved",
            ],
        ),
        Case::new(
            "ends updates soon",
            || under(|| Box::new(flawed::ends_updates_soon())),
            &["a_deadline_that_is_given_up_ends_the_session_no_more"],
        ),
        Case::new(
            "writes with another clock",
            || with_codec(|| Box::new(flawed::writes_with_another_clock())),
            &["a_save_moves_the_time_of_the_last_write_alone"],
        ),
        Case::new(
            "loses a field of updates",
            || under(|| Box::new(flawed::loses_a_field_of_updates())),
            &["save_replaces_what_was_stored"],
        ),
        Case::new(
            "loses a field",
            || under(|| Box::new(flawed::loses_a_field())),
            &["rotate_takes_unsaved_changes_along"],
        ),
        Case::new(
            "forgets the creation",
            || under(|| Box::new(flawed::forgets_the_creation())),
            &[
                "save_leaves_the_creation_time",
                "rotate_gives_a_new_id_with_the_same_data_and_creation_time",
            ],
        ),
        Case::new(
            "hides what fails",
            || with_codec(|| Box::new(flawed::hides_what_fails())),
            &["what_is_no_session_is_corrupt_and_stays_as_it_is"],
        ),
        Case::new(
            "quotes what it read",
            || with_codec(|| Box::new(flawed::quotes_what_it_read())),
            &["no_error_and_no_debug_shows_an_id_or_a_value"],
        ),
        Case::new(
            "hides outages",
            || {
                subject(Flaw::None).with_steps(|builder, prefix| {
                    plain::steps(builder, prefix).around(
                        "flawed",
                        Shape::anywhere(),
                        flawed::HidesOutages,
                    )
                })
            },
            &["an_outage_is_an_error_and_never_a_missing_session"],
        ),
    ]
}

#[test]
fn a_store_over_a_backend_without_a_flaw_keeps_every_promise() {
    for promise in store::promises() {
        assert!(
            keeps(&promise, || subject(Flaw::None)),
            "{}",
            promise.name()
        );
    }
}

#[test]
fn every_promise_of_stores_can_be_broken() {
    let over = OVER
        .iter()
        .map(|(flaw, breaks)| Case::new(flaw, || subject(*flaw), breaks));
    let cases: Vec<_> = over.chain(under_flawed_steps()).collect();
    broken_as_listed(&store::promises(), &cases, HELD_BY_THE_STORE);
}
