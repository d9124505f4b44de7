//! What a [`Store`](rrss::Store) promises over every backend.
//!
//! Run them all with [`store_promises!`](crate::store_promises). The steps above the backend are the plain ones of
//! [`plain`](crate::plain), unless the subject [has others](crate::Subject::with_steps).

mod ask;
mod conflict;
mod deadline;
mod end;
mod field;
mod load;
mod many;
mod outage;
mod rotate;
mod save;
mod update;

pub use conflict::*;
pub use deadline::*;
pub use end::*;
pub use field::*;
pub use load::*;
pub use many::*;
pub use outage::*;
pub use rotate::*;
pub use save::*;
pub use update::*;

use crate::{Promise, Subject};

/// The promises as values, for those who make their tests at run time.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    crate::__store_promises!(__values { Subject })
}

/// Makes one test of each promise of [`store`](crate::store).
///
/// The expression makes a [`Subject`](crate::Subject); each test evaluates it once, on a tokio runtime, and it may
/// await.
///
/// # Examples
///
/// ```
/// mod store {
///     use rrss_persistence::memory::Memory;
///     use rrss_testkit::Subject;
///
///     rrss_testkit::store_promises!(Subject::new(Memory::default()));
/// }
/// ```
#[macro_export]
macro_rules! store_promises {
    ($subject:expr $(,)?) => {
        $crate::__store_promises!(__tests { $subject });
    };
}

/// Names every promise once, for [`__tests`](crate::__tests) and [`__values`](crate::__values).
#[doc(hidden)]
#[macro_export]
macro_rules! __store_promises {
    ($then:ident $args:tt) => {
        $crate::$then! {
            store $args

            load_of_an_unknown_id_answers_none
            a_malformed_id_is_no_session_and_asks_nobody
            load_of_an_expired_session_answers_none
            load_changes_nothing_and_marks_nothing_modified
            ids_match_exactly
            values_round_trip

            save_of_a_new_session_stores_it_under_a_fresh_id
            an_empty_new_session_is_not_stored_and_asks_nobody
            a_session_without_changes_is_not_written_again
            a_fresh_id_that_is_taken_is_made_again
            fresh_ids_that_are_all_taken_are_a_conflict
            an_id_given_by_the_caller_is_kept
            an_id_given_by_the_caller_that_is_taken_is_a_conflict
            a_deadline_given_by_the_caller_holds
            a_past_deadline_given_by_the_caller_ends_the_session

            save_replaces_what_was_stored
            an_emptied_session_is_stored_empty
            save_leaves_the_creation_time
            save_after_delete_answers_gone_and_creates_nothing
            save_after_expiry_answers_gone_and_creates_nothing
            a_delete_that_overtakes_a_save_wins
            a_save_between_a_delete_and_its_answer_answers_gone
            a_save_dropped_midway_is_whole_or_absent

            saves_of_different_fields_both_survive
            of_two_saves_of_one_field_the_later_counts
            a_merged_session_can_be_saved_again
            of_many_saves_at_once_none_is_lost
            a_conflict_with_a_session_that_is_gone_answers_gone
            a_rejected_save_is_a_conflict_and_stores_nothing
            the_last_write_replaces_what_others_changed

            increments_at_once_are_each_counted
            update_field_saves_the_other_changes_too
            update_field_of_a_session_that_is_gone_answers_gone
            a_field_inserted_if_unchanged_is_refused_where_others_changed_it
            a_field_inserted_if_unchanged_is_saved_where_others_changed_another

            a_deadline_of_its_own_stays_through_saves_and_rotations
            a_deadline_of_its_own_survives_the_save_of_another
            a_deadline_alone_is_a_change_that_is_saved
            a_deadline_that_is_given_up_ends_the_session_no_more
            a_save_moves_the_time_of_the_last_write_alone

            touch_moves_the_deadline_and_never_the_data
            touch_says_whether_the_session_is_there_and_never_creates
            touch_until_a_past_deadline_ends_the_session
            delete_says_whether_the_session_was_there

            rotate_gives_a_new_id_with_the_same_data_and_creation_time
            rotate_takes_unsaved_changes_along
            the_old_id_is_dead_when_a_rotation_answers
            a_stale_copy_saved_after_a_rotation_answers_gone
            rotate_of_a_deleted_session_answers_gone_and_leaves_none_behind
            rotate_of_an_expired_session_answers_gone_and_leaves_none_behind
            of_two_rotations_at_once_exactly_one_wins
            a_second_rotation_leaves_the_last_id_alone
            rotate_of_a_new_session_saves_it
            a_save_before_a_rotation_happens_goes_along
            a_rotation_that_rejects_what_others_saved_leaves_the_old_session_alone
            a_rotation_that_writes_last_leaves_one_session_with_its_own_fields
            a_rotation_cut_off_midway_loses_no_session
            a_rotation_whose_answer_is_lost_gives_the_session_its_new_id
            a_rotation_in_doubt_is_found_by_the_next_try

            list_names_every_session_over_its_pages
            list_leaves_out_what_is_no_session
            count_counts_the_live_sessions
            sweep_removes_the_expired_sessions_alone

            an_outage_is_an_error_and_never_a_missing_session
            an_outage_leaves_everything_as_it_was
            what_is_no_session_is_corrupt_and_stays_as_it_is
            no_error_and_no_debug_shows_an_id_or_a_value
        }
    };
}
